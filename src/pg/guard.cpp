// The slow half of the wall: what happens once an ERROR or an exception is in flight.
#include "pgdba/pg/guard.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

#include <new>

namespace pgdba::pg::detail {

namespace {

// Copies as much as fits and does not cut a character in two.
template <std::size_t kSize> void copy_text(char (&to)[kSize], const char *from) noexcept {
	const auto length = static_cast<int>(strnlen(from, INT_MAX));
	const int kept =
		pg_mbcliplen(from, length, static_cast<int>(kSize) - 1); // only counts: cannot fail
	std::memcpy(to, from, static_cast<std::size_t>(kept));
	to[kept] = '\0';
}

void set_internal(Fault &fault, const char *what) noexcept {
	fault.sqlstate = ERRCODE_INTERNAL_ERROR;
	copy_text(fault.message, what);
	copy_text(fault.detail, "This is an unexpected C++ exception inside pgdba.");
}

std::string text_or_empty(const char *text) {
	return text == nullptr ? std::string() : std::string(text);
}

// The server's copy of its pending error, in a memory context of its own: FreeErrorData() leaves
// behind some of the strings that CopyErrorData() made (15.20 does), and an abort may delete any
// context of the caller's.
class ErrorCopy {
public:
	// Copying allocates, so it can fail with an ERROR of its own: data() is nullptr then.
	ErrorCopy() noexcept {
		const SavedStacks stacks;
		sigjmp_buf here;
		if (sigsetjmp(here, 0) == 0) {
			PG_exception_stack = &here;
			memory_ = AllocSetContextCreate(TopMemoryContext, "pgdba error", ALLOCSET_SMALL_SIZES);
			MemoryContextSwitchTo(memory_);
			data_ = CopyErrorData();
		}
	}
	ErrorCopy(const ErrorCopy &) = delete;
	ErrorCopy &operator=(const ErrorCopy &) = delete;
	~ErrorCopy() {
		if (memory_ != nullptr)
			MemoryContextDelete(memory_); // without callbacks: cannot fail
	}
	const ErrorData *data() const noexcept { return data_; }

private:
	MemoryContext volatile memory_ = nullptr;
	ErrorData *volatile data_ = nullptr;
};

} // namespace

void throw_pending(MemoryContext context) {
	const ErrorCopy copy;
	FlushErrorState(); // resets a counter and a context: cannot fail
	MemoryContextSwitchTo(context);
	const ErrorData *const data = copy.data();
	if (data == nullptr)
		throw PgError(ERRCODE_OUT_OF_MEMORY, "out of memory",
					  "Failed while copying another error.");
	throw PgError(data->sqlerrcode, text_or_empty(data->message), text_or_empty(data->detail),
				  text_or_empty(data->hint), text_or_empty(data->context));
}

void Fault::take_current() noexcept {
	sqlstate = ERRCODE_INTERNAL_ERROR;
	message[0] = detail[0] = hint[0] = context[0] = '\0';
	try {
		throw;
	} catch (const PgError &error) {
		sqlstate = error.sqlstate;
		copy_text(message, error.message.c_str());
		copy_text(detail, error.detail.c_str());
		copy_text(hint, error.hint.c_str());
		copy_text(context, error.context.c_str());
	} catch (const std::bad_alloc &) {
		sqlstate = ERRCODE_OUT_OF_MEMORY;
		copy_text(message, "out of memory");
		copy_text(detail, "Failed while allocating memory inside pgdba.");
	} catch (const std::exception &error) {
		set_internal(*this, error.what());
	} catch (...) {
		set_internal(*this, "unknown exception");
	}
}

void raise(const Fault &fault) {
	// The context lines were collected when the server first raised the error; asking again would
	// repeat them.
	if (fault.context[0] != '\0')
		error_context_stack = nullptr;
	ereport(ERROR, (errcode(fault.sqlstate), errmsg_internal("%s", fault.message),
					fault.detail[0] != '\0' ? errdetail_internal("%s", fault.detail) : 0,
					fault.hint[0] != '\0' ? errhint("%s", fault.hint) : 0,
					fault.context[0] != '\0' ? (errcontext("%s", fault.context)) : 0));
	pg_unreachable();
}

void warn(const Fault &fault) noexcept {
	if (in_error_recursion_trouble())
		return; // the error system itself is failing: silence is all that is safe
	const SavedStacks stacks;
	MemoryContext const memory = CurrentMemoryContext;
	sigjmp_buf here;
	if (sigsetjmp(here, 0) == 0) {
		PG_exception_stack = &here;
		HOLD_INTERRUPTS(); // ereport ends with a look at them
		ereport(WARNING,
				(errcode(fault.sqlstate), errmsg_internal("could not clean up: %s", fault.message),
				 fault.detail[0] != '\0' ? errdetail_internal("%s", fault.detail) : 0));
		RESUME_INTERRUPTS();
		return;
	}
	FlushErrorState(); // even the warning failed: it is dropped
	MemoryContextSwitchTo(memory);
}

} // namespace pgdba::pg::detail
