// The region of shared memory, for the files that work in it. Two locks: kHeadLock guards the head,
// kRingLock the memory ring behind it. No code holds both. Critical sections are straight-line code
// on plain memory: nothing in them can raise an error.
#pragma once

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/shared.hpp"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
}

namespace pgdba::pg {

enum Lock { kHeadLock, kRingLock, kLocks };

struct Region {
	SharedHead head;
	ConditionVariable requests_done;
	int process_number[kRoles]; // -1: not running
	std::size_t ring_bytes;
	// The ring begins behind this struct, at the next multiple of 64.
};
constexpr std::size_t kRingOffset = (sizeof(Region) + 63) / 64 * 64;

extern Region *region; // null: not attached
extern LWLockPadded *locks;

// REQUIRES: attached.
inline MemoryRing ring() {
	return {reinterpret_cast<std::byte *>(region) + kRingOffset, region->ring_bytes};
}

template <class Fn> void locked(Lock which, LWLockMode mode, Fn fn) {
	require_preload();
	LWLock *const lock = &locks[which].lock;
	call([lock, mode] { LWLockAcquire(lock, mode); });
	fn(); // plain memory only
	LWLockRelease(lock);
}

inline void copy_text(char *to, std::size_t size, std::string_view from) noexcept {
	const std::size_t length = std::min(size - 1, from.size());
	std::memcpy(to, from.data(), length);
	to[length] = '\0';
}

} // namespace pgdba::pg
