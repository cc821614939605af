// The wall between C++ and the server's longjmp.
//   call():          server code, from C++.   An ERROR becomes a PgError.
//   call_noexcept(): the same for destructors and exit paths. An ERROR becomes a WARNING.
//   entry():         C++ code, from the server. An exception becomes an ERROR.
//
// Invariants, each proved in a live server by test/boundary:
// - An ERROR jumps over destructors. So the guard stands below the objects: the lambda given to
// call() makes one server
//   call and declares nothing but scalars and pointers; whatever needs a destructor lives above it.
// - PG_exception_stack and error_context_stack are what they were, on every way out.
// - No exception object is alive when ereport jumps.
// - No lock is held across call(): an ERROR zeroes InterruptHoldoffCount, and releasing later would
// take it below.
#pragma once

#include "pgdba/pg/prelude.hpp"

#include "pgdba/pg/error.hpp"

namespace pgdba::pg {

namespace detail {

// What an ERROR or an exception may leave pointing into a dead frame.
class SavedStacks {
public:
	SavedStacks() noexcept : exceptions_(PG_exception_stack), contexts_(error_context_stack) {}
	~SavedStacks() { restore(); }
	SavedStacks(const SavedStacks &) = delete;
	SavedStacks &operator=(const SavedStacks &) = delete;
	void restore() const noexcept {
		PG_exception_stack = exceptions_;
		error_context_stack = contexts_;
	}

private:
	sigjmp_buf *const exceptions_;
	ErrorContextCallback *const contexts_;
};

// Takes the server's pending error, switches to `context` and throws the error as a PgError.
[[noreturn]] void throw_pending(MemoryContext context);

// A fault on its way from C++ to the server: only arrays, so that nothing is alive when ereport
// jumps.
struct Fault {
	int sqlstate;
	char message[1024], detail[1024], hint[512], context[1024];
	void take_current() noexcept; // REQUIRES: inside a catch block
};
[[noreturn]] void raise(const Fault &fault);
void warn(const Fault &fault) noexcept;

} // namespace detail

// Runs one server call. THROWS PgError, from this frame, so that C++ unwinds above it.
template <class Fn> auto call(Fn fn) -> decltype(fn()) {
	using Result = decltype(fn());
	static_assert(std::is_trivially_destructible_v<Fn>,
				  "capture plain values or references: the jump skips destructors");
	static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
				  "return a plain value: the jump skips destructors");
	MemoryContext const memory = CurrentMemoryContext;
	const detail::SavedStacks stacks;
	sigjmp_buf here;
	if (sigsetjmp(here, 0) ==
		0) { // without the signal mask, as the server itself: 30 times cheaper
		PG_exception_stack = &here;
		return fn();
	}
	stacks.restore();
	detail::throw_pending(memory);
}

// For destructors and exit paths. RETURNS whether it went well; if not, a WARNING says why.
// Interrupts wait until it is done, so that no cancel request is swallowed with the error.
// REQUIRES: fn only cleans up. What it leaves undone must be harmless, or undone by the abort that
// follows.
template <class Fn> bool call_noexcept(Fn fn) noexcept {
	static_assert(std::is_void_v<decltype(fn())>);
	detail::Fault fault;
	try {
		call([&fn] {
			HOLD_INTERRUPTS();
			fn();
			RESUME_INTERRUPTS();
		});
		return true;
	} catch (...) {
		fault.take_current();
	}
	detail::warn(fault);
	return false;
}

// The body of every function that the server can call. RETURNS what the body returns; nothing
// escapes but an ERROR.
template <class Body> auto entry(Body body) -> decltype(body()) {
	static_assert(std::is_trivially_destructible_v<Body>,
				  "capture plain values or references: the ERROR skips destructors");
	detail::Fault fault;
	{
		const detail::SavedStacks stacks;
		try {
			return body();
		} catch (...) {
			fault.take_current();
		}
	}
	detail::raise(fault); // the catch block is over: no exception object is alive
}

} // namespace pgdba::pg
