// One region of shared memory, two locks: kHead guards the head, kRing the memory ring behind it.
// No code holds both. Critical sections are straight-line code on plain memory: nothing in them can
// raise an error.
#include "pgdba/pg/shared.hpp"

#include "pgdba/core/codec.hpp"
#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/options.hpp"
#include "pgdba/pg/settings.hpp"
#include "pgdba/pg/worker.hpp"

extern "C" {
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"
}

#include <algorithm>
#include <csignal>

namespace pgdba::pg {

namespace {

constexpr std::uint64_t kMagic = 0x70676462'61000002;
constexpr const char *kName = "pgdba";
constexpr Micros kLatestIntervals = 3;     // a loop is late when it misses this many
constexpr std::size_t kFirstEntries = 256; // of a window: an hour of the loop of a minute, and more

enum Lock { kHeadLock, kRingLock, kLocks };

struct Region {
	SharedHead head;
	ConditionVariable requests_done;
	int process_number[kRoles]; // -1: not running
	std::size_t ring_bytes;
	// The ring begins behind this struct, at the next multiple of 64.
};
constexpr std::size_t kRingOffset = (sizeof(Region) + 63) / 64 * 64;

constinit Region *region = nullptr;
constinit LWLockPadded *locks = nullptr;
constinit shmem_request_hook_type previous_request_hook = nullptr;
constinit shmem_startup_hook_type previous_startup_hook = nullptr;

std::size_t ring_size() {
	return static_cast<std::size_t>(settings().shared_memory_mb) * 1024 * 1024;
}

MemoryRing ring() {
	return {reinterpret_cast<std::byte *>(region) + kRingOffset, region->ring_bytes};
}

extern "C" void pgdba_shmem_request() {
	if (previous_request_hook != nullptr)
		previous_request_hook();
	RequestAddinShmemSpace(kRingOffset + ring_size());
	RequestNamedLWLockTranche(kName, kLocks);
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
	LWLockRelease(AddinShmemInitLock);
}

void copy_text(char *to, std::size_t size, std::string_view from) noexcept {
	const std::size_t length = std::min(size - 1, from.size());
	std::memcpy(to, from.data(), length);
	to[length] = '\0';
}

// Leaves the process table when the process exits, whatever the reason but a crash (which wipes
// shared memory).
extern "C" void pgdba_leave_process_table(int, Datum role) {
	if (region == nullptr)
		return;
	const int index = DatumGetInt32(role);
	LWLockAcquire(&locks[kHeadLock].lock, LW_EXCLUSIVE);
	if (region->head.processes[index].pid == MyProcPid) {
		region->head.processes[index].pid = 0;
		region->process_number[index] = -1;
		copy_text(region->head.processes[index].state, sizeof ProcessSlot::state, "stopped");
	}
	LWLockRelease(&locks[kHeadLock].lock);
	ConditionVariableBroadcast(&region->requests_done);
}

template <class Fn> void locked(Lock which, LWLockMode mode, Fn fn) {
	require_preload();
	LWLock *const lock = &locks[which].lock;
	call([lock, mode] { LWLockAcquire(lock, mode); });
	fn(); // plain memory only
	LWLockRelease(lock);
}

struct StreamName {
	explicit StreamName(std::string_view from) noexcept { copy_text(text, sizeof text, from); }
	char text[MemoryRing::kNameBytes];
};

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

bool ring_append(std::string_view stream, bool injected, Micros sampled_at, bool keyframe,
				 std::string_view payload) {
	const StreamName name(stream);
	bool done = false;
	locked(kRingLock, LW_EXCLUSIVE, [&] {
		const int number = ring().open_stream(name.text, injected);
		done = number >= 0 &&
			   ring().append(number, sampled_at, keyframe, payload.data(), payload.size());
	});
	return done;
}

std::size_t ring_max_entry_bytes() {
	require_preload();
	return ring().max_entry_bytes();
}

void ring_drop_stream(std::string_view stream) {
	const StreamName name(stream);
	locked(kRingLock, LW_EXCLUSIVE, [&] {
		for (const bool injected : {false, true})
			if (const int number = ring().find_stream(name.text, injected); number >= 0)
				ring().drop_stream(number);
	});
}

std::vector<std::string> ring_streams(bool injected) {
	std::vector<char> names(MemoryRing::kMaxStreams * MemoryRing::kNameBytes);
	std::size_t count = 0;
	locked(kRingLock, LW_SHARED, [&] {
		for (int i = 0; i < MemoryRing::kMaxStreams; ++i) {
			bool is_injected = false;
			char *const place = &names[count * MemoryRing::kNameBytes];
			if (ring().stream_name(i, place, &is_injected) && is_injected == injected)
				++count;
		}
	});
	std::vector<std::string> streams;
	for (std::size_t i = 0; i < count; ++i)
		streams.emplace_back(&names[i * MemoryRing::kNameBytes]);
	return streams;
}

std::uint64_t ring_generation() {
	std::uint64_t generation = 0;
	locked(kRingLock, LW_SHARED, [&] { generation = ring().generation(); });
	return generation;
}

RingUsage ring_usage() {
	RingUsage usage;
	locked(kRingLock, LW_SHARED, [&] { usage = ring().usage(); });
	return usage;
}

bool ring_span(std::string_view stream, bool injected, Micros *oldest, Micros *newest) {
	const StreamName name(stream);
	bool found = false;
	locked(kRingLock, LW_SHARED, [&] {
		const int number = ring().find_stream(name.text, injected);
		found = number >= 0 && ring().span(number, oldest, newest);
	});
	return found;
}

std::vector<RingEntry> ring_entries_after(std::uint64_t sequence) {
	std::vector<RingEntry> entries, some(kFirstEntries);
	for (int stream = 0; stream < MemoryRing::kMaxStreams; ++stream) {
		std::size_t count = 0;
		while (true) { // nothing is allocated under the lock
			locked(kRingLock, LW_SHARED,
				   [&] { count = ring().list_after(stream, sequence, some.data(), some.size()); });
			if (count < some.size())
				break;
			some.resize(16 * some.size());
		}
		entries.insert(entries.end(), some.begin(), some.begin() + static_cast<long>(count));
	}
	std::sort(entries.begin(), entries.end(),
			  [](const RingEntry &a, const RingEntry &b) { return a.sequence < b.sequence; });
	return entries;
}

bool ring_payload(const RingEntry &entry, std::string *payload) {
	payload->resize(entry.length);
	bool there = false;
	locked(kRingLock, LW_SHARED, [&] { there = ring().copy(entry, payload->data()); });
	return there;
}

RingCursor::RingCursor(std::string_view stream, bool injected, Micros since, Micros until,
					   std::size_t max) {
	const StreamName name(stream);
	std::size_t count = 0;
	// Nothing is allocated under the lock, and a window is small as a rule: it is asked for again
	// where the list was too short.
	for (std::size_t room = std::min(max, kFirstEntries);; room = std::min(max, 16 * room)) {
		entries_.resize(room);
		locked(kRingLock, LW_SHARED, [&] {
			const int number = ring().find_stream(name.text, injected);
			count = number < 0 ? 0 : ring().list(number, since, until, entries_.data(), room);
		});
		if (count < room || room == max)
			break;
	}
	entries_.resize(count);
}

bool RingCursor::next(Sample *sample) {
	while (position_ < entries_.size()) {
		const RingEntry &entry = entries_[position_++];
		bool there = true;
		if (entry.keyframe_sequence != keyframe_sequence_) {
			buffer_.resize(entry.keyframe_length);
			locked(kRingLock, LW_SHARED,
				   [&] { there = ring().copy_keyframe(entry, buffer_.data()); });
			if (!there)
				continue; // evicted meanwhile: it was the oldest, the window begins later
			keyframe_ = decode_keyframe(buffer_);
			keyframe_sequence_ = entry.keyframe_sequence;
		}
		if (entry.keyframe) {
			*sample = keyframe_;
			return true;
		}
		buffer_.resize(entry.length);
		locked(kRingLock, LW_SHARED, [&] { there = ring().copy(entry, buffer_.data()); });
		if (!there)
			continue;
		*sample = decode_difference(keyframe_, buffer_);
		return true;
	}
	return false;
}

std::vector<Sample> ring_window(std::string_view stream, bool injected, Micros since, Micros until,
								std::size_t max) {
	std::vector<Sample> samples;
	RingCursor cursor(stream, injected, since, until, max);
	for (Sample sample; cursor.next(&sample);)
		samples.push_back(std::move(sample));
	return samples;
}

void announce_process(Role role, std::string_view state) {
	const int index = static_cast<int>(role);
	call([index] { before_shmem_exit(pgdba_leave_process_table, Int32GetDatum(index)); });
	constexpr const char *kNames[kRoles] = {"pgdba launcher", "pgdba sampler", "pgdba server",
											"pgdba reader"};
	const Micros started = now();
	const int number = compat::my_process_number();
	locked(kHeadLock, LW_EXCLUSIVE, [&] {
		ProcessSlot &slot = region->head.processes[index];
		if (slot.name[0] != '\0')
			++slot.restarts;
		copy_text(slot.name, sizeof slot.name, kNames[index]);
		slot.pid = MyProcPid;
		slot.started = started;
		copy_text(slot.state, sizeof slot.state, state);
		region->process_number[index] = number;
	});
}

void process_state(Role role, std::string_view state) {
	write_head([&](SharedHead &head) {
		copy_text(head.processes[static_cast<int>(role)].state, sizeof ProcessSlot::state, state);
	});
}

void process_error(Role role, std::string_view error) {
	write_head([&](SharedHead &head) {
		copy_text(head.processes[static_cast<int>(role)].last_error, sizeof ProcessSlot::last_error,
				  error);
	});
}

void wake(Role role) {
	int number = -1;
	locked(kHeadLock, LW_SHARED, [&] { number = region->process_number[static_cast<int>(role)]; });
	if (number >= 0)
		compat::set_latch_of(number);
}

bool end_process(Role role) {
	int pid = 0;
	read_head([&](const SharedHead &head) { pid = head.processes[static_cast<int>(role)].pid; });
	if (pid != 0)
		(void)kill(pid, SIGTERM); // it is in the table until it exits: the number is still its own
	return pid != 0;
}

Micros request_sample(unsigned loops, Micros timeout) {
	std::uint64_t wanted[kLoops.size()] = {};
	bool running = false;
	write_head([&](SharedHead &head) {
		running =
			head.processes[static_cast<int>(Role::kSampler)].pid != 0 && head.missing[0] == '\0';
		for (std::size_t i = 0; i < kLoops.size(); ++i)
			if (running && (loops & (1U << i)) != 0)
				wanted[i] = ++head.loops[i].requested;
	});
	const Micros deadline = now() + timeout;
	wake(Role::kSampler);
	while (running) {
		call([] { ConditionVariablePrepareToSleep(&region->requests_done); });
		bool done = true;
		Micros last = 0;
		read_head([&](const SharedHead &head) {
			running = head.processes[static_cast<int>(Role::kSampler)].pid != 0 &&
					  head.missing[0] == '\0';
			for (std::size_t i = 0; i < kLoops.size(); ++i) {
				if (head.loops[i].completed < wanted[i])
					done = false;
				else if (wanted[i] != 0)
					last = std::max(last, head.loops[i].last_end);
			}
		});
		if (done) {
			call([] { ConditionVariableCancelSleep(); });
			return last;
		}
		if (now() >= deadline) {
			call([] { ConditionVariableCancelSleep(); });
			throw PgError(sqlstate("57014"), "the sampler did not finish in time", {},
						  "See pgdba.processes and pgdba.loops; a larger timeout may help.");
		}
		// Short sleeps: a sampler that dies does not broadcast.
		call([] {
			ConditionVariableTimedSleep(&region->requests_done, 200, compat::wait_event());
			CHECK_FOR_INTERRUPTS();
		});
	}
	call([] { ConditionVariableCancelSleep(); });
	const SharedHead head = snapshot_head();
	throw PgError(sqlstate("55000"), "no sampler is running",
				  head.missing[0] != '\0' ? head.missing : "",
				  "See pgdba.processes; pgdba.resume() ends a pause.");
}

void complete_requests(int loop, std::uint64_t up_to) {
	write_head([&](SharedHead &head) { head.loops[loop].completed = up_to; });
	call([] { ConditionVariableBroadcast(&region->requests_done); });
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
