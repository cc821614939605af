// The shared memory of the sampler of waits: a piece of its own, under a lock of its own. The
// launcher writes it at each tick, for microseconds; others copy it and read the copy.
#pragma once

#include "pgdba/core/wait_memory.hpp"

#include <vector>

namespace pgdba::pg {

void request_wait_memory(); // from the hooks of the server's start-up
void make_wait_memory();    // REQUIRES: AddinShmemInitLock is held

// How many places for sessions there are.
std::uint32_t wait_slots() noexcept;

// Runs fn(WaitMemory &) under the lock. fn touches plain memory only: it calls nothing of the
// server, allocates nothing and does not throw.
using WaitWriter = void (*)(WaitMemory &memory, void *argument);
void write_waits_raw(WaitWriter writer, void *argument);
template <class Fn> void write_waits(Fn fn) {
	write_waits_raw([](WaitMemory &memory, void *f) { (*static_cast<Fn *>(f))(memory); }, &fn);
}

// A copy at one moment. REQUIRES: preloaded. THROWS PgError 55000 else.
class WaitCopy {
public:
	enum class Part { kCounters, kTally, kAll }; // each has what those before it have
	explicit WaitCopy(Part part);
	static WaitCopy take(); // the tally, which begins anew
	WaitCopy(WaitCopy &&) = default;
	WaitCopy(const WaitCopy &) = delete;
	WaitCopy &operator=(const WaitCopy &) = delete;
	const WaitMemory &operator*() const noexcept { return memory_; }
	const WaitMemory *operator->() const noexcept { return &memory_; }

private:
	explicit WaitCopy(std::size_t bytes);

	std::vector<std::uint64_t> bytes_;
	WaitMemory memory_;
};

} // namespace pgdba::pg
