#include "pgdba/pg/wait_memory.hpp"

#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/shared.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
}

namespace pgdba::pg {

namespace {

constexpr const char *kName = "pgdba_waits";

constinit void *place = nullptr;
constinit LWLock *lock = nullptr;
constinit std::size_t size = 0; // known before there is anybody to change it

std::size_t asked_size() {
	return WaitMemory::size_for(wait_slots(),
								static_cast<std::size_t>(settings().wait_memory_mb) * 1024 * 1024);
}

template <class Fn> void locked(LWLockMode mode, Fn fn) {
	require_preload();
	call([mode] { LWLockAcquire(lock, mode); });
	fn(); // plain memory only
	LWLockRelease(lock);
}

std::size_t bytes_of(WaitCopy::Part part) {
	require_preload();
	switch (part) {
	case WaitCopy::Part::kCounters:
		return WaitMemory::counter_bytes();
	case WaitCopy::Part::kTally:
		return WaitMemory(place, size).tally_bytes();
	case WaitCopy::Part::kAll:
		break;
	}
	return size;
}

} // namespace

std::uint32_t wait_slots() noexcept {
	return static_cast<std::uint32_t>(compat::backend_status_places());
}

void request_wait_memory() {
	RequestAddinShmemSpace(asked_size());
	RequestNamedLWLockTranche(kName, 1);
}

void make_wait_memory() {
	bool found = false;
	size = asked_size();
	place = ShmemInitStruct(kName, size, &found);
	lock = &GetNamedLWLockTranche(kName)->lock;
	if (!found)
		WaitMemory(place, size).initialise(wait_slots());
}

void write_waits_raw(WaitWriter writer, void *argument) {
	locked(LW_EXCLUSIVE, [=] {
		WaitMemory memory(place, size);
		writer(memory, argument);
	});
}

WaitCopy::WaitCopy(std::size_t bytes)
	: bytes_((bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)),
	  memory_(bytes_.data(), bytes) {}

WaitCopy::WaitCopy(Part part) : WaitCopy(bytes_of(part)) {
	void *const to = bytes_.data();
	const std::size_t length = bytes_.size() * sizeof(std::uint64_t);
	locked(LW_SHARED, [=] { std::memcpy(to, place, std::min(length, size)); });
}

WaitCopy WaitCopy::take() {
	require_preload();
	WaitCopy copy(WaitMemory(place, size).tally_bytes());
	void *const to = copy.bytes_.data();
	const std::size_t length = copy.bytes_.size() * sizeof(std::uint64_t);
	locked(LW_EXCLUSIVE, [=] {
		WaitMemory memory(place, size);
		std::memcpy(to, place, length);
		memory.clear_tally();
	});
	return copy;
}

} // namespace pgdba::pg
