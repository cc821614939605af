// The shared memory of pgdba: process table, loop states, requests, counters, and behind them the
// memory ring. Plain values only. No server header: locks and latches are used through the
// functions below. Both libraries (pgdba.so and pgdba_http.so) attach to it by name.
#pragma once

#include "pgdba/core/health.hpp"
#include "pgdba/core/memory_ring.hpp"
#include "pgdba/core/sample.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba::pg {

enum class Role : int { kLauncher = 0, kSampler = 1, kServer = 2, kReader = 3 };
constexpr int kRoles = 4;

// One row of pgdba.processes.
struct ProcessSlot {
	char name[32];
	int pid; // 0: not running
	Micros started;
	char state[64];
	std::int64_t restarts;
	char last_error[256];
};

struct LoopSlot {
	Micros last_begin, last_end;
	Micros interval; // as the sampler uses it now
	Micros lateness;
	std::int64_t ticks, errors, skipped;
	double last_seconds;
	bool last_success, degraded;
	char reason[256];
	std::uint64_t requested, completed; // sample_now: ticks asked for, and done
};

struct SharedHead {
	std::uint64_t magic; // layout version: a library that does not know it keeps away
	Micros made;         // when this memory was made: after a crash anew, under the same postmaster
	ProcessSlot processes[kRoles];
	LoopSlot loops[4];
	Micros paused_until; // 0: not paused
	char missing[160]; // why nothing is sampled: home database or extension missing; empty when all
					   // is there
	std::int64_t skipped_visits, dropped_findings, dropped_bytes, unwritten_samples;
	std::int64_t http_requests, http_rejected;
	std::int64_t copy_errors; // of the memory ring's copy in a file
	Micros copied_at;         // when that was written last; 0: there is none
	int checks;               // how many checks are defined
	std::uint64_t ring_bytes;
};

// From _PG_init: asks for the memory and the locks, and installs the start-up hook that attaches
// and initialises.
void request_shared_memory();
// RETURNS false when pgdba is not in shared_preload_libraries.
bool shared_attached() noexcept;
// For the second library: attaches what the first one made. THROWS PgError 55000 when there is
// none.
void attach_shared_memory();
// THROWS PgError 55000 with the line to add, when pgdba is not preloaded.
void require_preload();

// Runs fn(SharedHead &) under the state lock (exclusive or shared). fn touches plain memory only:
// it calls nothing of the server, allocates nothing and does not throw.
using HeadReader = void (*)(const SharedHead &head, void *argument);
using HeadWriter = void (*)(SharedHead &head, void *argument);
void read_head_raw(HeadReader reader, void *argument);
void write_head_raw(HeadWriter writer, void *argument);
template <class Fn> void read_head(Fn fn) {
	read_head_raw([](const SharedHead &head, void *f) { (*static_cast<Fn *>(f))(head); }, &fn);
}
template <class Fn> void write_head(Fn fn) {
	write_head_raw([](SharedHead &head, void *f) { (*static_cast<Fn *>(f))(head); }, &fn);
}
SharedHead snapshot_head(); // a copy (a few kB)
// When the server started, or began anew after a crash: what it counts begins with it.
Micros server_start();

// The memory ring, locked and unlocked around each piece of work; payloads are copied out by at
// most 1 MB a hold.
bool ring_append(std::string_view stream, bool injected, Micros sampled_at, bool keyframe,
				 std::string_view payload);
std::size_t ring_max_entry_bytes();
void ring_drop_stream(std::string_view stream);
std::vector<std::string> ring_streams(bool injected);
std::uint64_t ring_generation();
RingUsage ring_usage();
bool ring_span(std::string_view stream, bool injected, Micros *oldest, Micros *newest);
// Live entries that were appended after `sequence`, oldest first; and the payload of one. RETURNS
// false when it was evicted meanwhile.
std::vector<RingEntry> ring_entries_after(std::uint64_t sequence);
bool ring_payload(const RingEntry &entry, std::string *payload);
// Walks the samples with since <= sampled_at <= until and the one before, oldest first, at most
// `max` of the newest. Decodes one at a time, so that a long window costs little memory.
class RingCursor {
public:
	RingCursor(std::string_view stream, bool injected, Micros since, Micros until, std::size_t max);
	bool next(Sample *sample); // RETURNS false at the end. THROWS CorruptSample.

private:
	std::vector<RingEntry> entries_;
	std::size_t position_ = 0;
	Sample keyframe_;
	std::uint64_t keyframe_sequence_ = 0; // of keyframe_; sequences begin at 1
	std::string buffer_;
};
std::vector<Sample> ring_window(std::string_view stream, bool injected, Micros since, Micros until,
								std::size_t max);

// This process in the process table; cleared when it exits.
void announce_process(Role role, std::string_view state);
void process_state(Role role, std::string_view state);
void process_error(Role role, std::string_view error);

// sample_now: asks the sampler (bit per loop), waits until done. THROWS PgError 55000, 57014.
Micros request_sample(unsigned loops, Micros timeout);
void complete_requests(int loop,
					   std::uint64_t up_to); // the sampler says so, and wakes those who wait
void wake(Role role);
// SIGTERM to the process in the table. RETURNS whether there is one.
bool end_process(Role role);
// Whether the process is one of pgdba's. Takes no lock: a number that changes meanwhile is of a
// process that just came or went.
bool is_own_process(int pid) noexcept;

// What health() and /healthz say about loops and processes, from the head and the clock.
std::vector<LoopState> loop_states(const SharedHead &head, Micros now);

} // namespace pgdba::pg
