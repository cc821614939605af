// How the region of shared memory is made and attached, and its head.
#include "shared_region.hpp"

#include "pgdba/pg/options.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/wait_memory.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
}

namespace pgdba::pg {

constinit Region *region = nullptr;
constinit LWLockPadded *locks = nullptr;

namespace {

constexpr std::uint64_t kMagic = 0x70676462'61000002;
constexpr const char *kName = "pgdba";
constexpr Micros kLatestIntervals = 3; // a loop is late when it misses this many

constinit shmem_request_hook_type previous_request_hook = nullptr;
constinit shmem_startup_hook_type previous_startup_hook = nullptr;

std::size_t ring_size() {
	return static_cast<std::size_t>(settings().shared_memory_mb) * 1024 * 1024;
}

extern "C" void pgdba_shmem_request() {
	if (previous_request_hook != nullptr)
		previous_request_hook();
	RequestAddinShmemSpace(kRingOffset + ring_size());
	RequestNamedLWLockTranche(kName, kLocks);
	request_wait_memory();
}

extern "C" void pgdba_shmem_startup() {
	if (previous_startup_hook != nullptr)
		previous_startup_hook();
	bool found = false;
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	region = static_cast<Region *>(ShmemInitStruct(kName, kRingOffset + ring_size(), &found));
	locks = GetNamedLWLockTranche(kName);
	if (!found) {
		std::memset(static_cast<void *>(region), 0, kRingOffset);
		region->head.magic = kMagic;
		region->head.made = GetCurrentTimestamp();
		region->ring_bytes = ring_size();
		region->head.ring_bytes = region->ring_bytes;
		ConditionVariableInit(&region->requests_done);
		for (int &number : region->process_number)
			number = -1;
		ring().initialise();
	}
	make_wait_memory();
	LWLockRelease(AddinShmemInitLock);
}

} // namespace

void request_shared_memory() {
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = pgdba_shmem_request;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = pgdba_shmem_startup;
}

bool shared_attached() noexcept {
	return region != nullptr;
}

void attach_shared_memory() {
	bool found = false;
	Region *const attached = call([&found] {
		// The size is checked by ShmemInitStruct; it is known only to the library that asked for
		// it.
		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		void *const place = ShmemInitStruct(
			kName,
			kRingOffset + static_cast<std::size_t>(option_int("pgdba.shared_memory")) * 1024 * 1024,
			&found);
		LWLockRelease(AddinShmemInitLock);
		return static_cast<Region *>(place);
	});
	if (!found || attached->head.magic != kMagic)
		throw PgError(sqlstate("55000"),
					  "shared memory of pgdba is not there or of another version");
	locks = call([] { return GetNamedLWLockTranche(kName); });
	region = attached;
}

void require_preload() {
	if (region == nullptr)
		throw PgError(
			sqlstate("55000"), "pgdba must be loaded via shared_preload_libraries", {},
			"Add \"shared_preload_libraries = 'pg_stat_statements,pgdba'\" to postgresql.conf "
			"(keep what is there) and restart the server.");
}

void read_head_raw(HeadReader reader, void *argument) {
	locked(kHeadLock, LW_SHARED, [&] { reader(region->head, argument); });
}

void write_head_raw(HeadWriter writer, void *argument) {
	locked(kHeadLock, LW_EXCLUSIVE, [&] { writer(region->head, argument); });
}

SharedHead snapshot_head() {
	SharedHead copy;
	read_head([&copy](const SharedHead &head) { copy = head; });
	return copy;
}

Micros server_start() {
	require_preload();
	return region->head.made; // never changes
}

std::vector<LoopState> loop_states(const SharedHead &head, Micros now) {
	std::vector<LoopState> states;
	for (std::size_t i = 0; i < kLoops.size(); ++i) {
		const LoopSlot &slot = head.loops[i];
		LoopState &state = states.emplace_back();
		state.loop = kLoops[i];
		state.last = slot.last_end;
		state.interval = slot.interval;
		state.late = slot.last_end == 0 || now - slot.last_end > kLatestIntervals * slot.interval;
		state.degraded = slot.degraded;
		state.reason = slot.reason;
	}
	return states;
}

} // namespace pgdba::pg
