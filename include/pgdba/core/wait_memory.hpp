// What the sampler of waits keeps, in one fixed piece of shared memory: a tally of what was seen
// since it was last taken, and the newest minutes one by one.
//
// A tick is one look at all sessions; what it finds stands for the time since the tick before, its
// `credit`. A *tally entry* adds up equal sights of any session. What finds no free entry is added
// to a cell for its state and class, so that totals stay whole. A *run* is one session that did the
// same at one tick after the other: it began with the credit of the first and ended with the last,
// so its length is its share of the tally, to the microsecond. A run ends with a gap.
//
// Runs lie in a circle. The oldest makes room, but one that still goes on is taken along to the
// front: complete_since() says from when on nothing is missing. Who a session is (its name, role,
// database ...) is stored once for all its runs, in a slot that is free again when the last of them
// is gone.
//
// Only plain values and places inside: the bytes mean the same in every process, and in a copy.
//
// THREADING: the caller holds the lock: exclusive for initialise, tick, see and clear_tally; shared
// for a copy, which then needs none. All functions are noexcept, allocate nothing, call nothing of
// the server: safe under an LWLock.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/core/wait_event.hpp"

#include <cstddef>
#include <cstdint>

namespace pgdba {

// Who: one session under one name.
struct WaitSession {
	static constexpr std::size_t kNameBytes = 64; // including the terminator
	Micros backend_start;
	std::uint32_t database, role;      // OIDs; 0: none
	std::int32_t pid, leader_pid;      // 0: of no group, or its leader
	std::uint32_t backend_type;        // the server's number
	std::uint32_t slot;                // its place among all sessions
	char application_name[kNameBytes]; // zeros behind its end
};

// What it was seen to do.
struct WaitSight {
	WaitSession who;
	Micros xact_start;     // 0: in no transaction
	std::int64_t query_id; // 0: not known
	std::uint32_t event;   // the server's number
	WaitState state;
	bool blocked; // by a lock of another session
};

struct WaitSum {
	std::int64_t samples;
	Micros time, blocked;

	bool operator==(const WaitSum &) const = default;
};

struct WaitTallyEntry {
	std::int64_t query_id;
	std::uint32_t database, role, event;
	WaitState state;
	char application_name[WaitSession::kNameBytes];
	WaitSum sum; // samples 0: a free entry
};

struct WaitRun {
	Micros began, ended, xact_start;
	std::int64_t query_id;
	std::uint32_t session, event, samples;
	WaitState state;
	bool blocked;
};

// Since the memory was made.
struct WaitCounters {
	std::int64_t ticks, late, missed, dropped;
	Micros span, gap;     // looked at, and not
	Micros cpu;           // what was seen of active sessions without a wait
	Micros measured;      // of this, where the system told more:
	Micros on_cpu, ready; //   had a CPU, and waited for one
	Micros own_cpu;       // of the process that samples

	WaitCounters since(const WaitCounters &before) const noexcept;
};

struct WaitTick {
	Micros at; // wall clock
	Micros
		credit; // what it stands for: the time since the tick before, as far as that was looked at
	bool gap;   // something of that was not: no run goes on
};

class WaitMemory {
public:
	static constexpr std::size_t kMinBytes = 256 * 1024;

	WaitMemory(void *base, std::size_t size) noexcept
		: base_(static_cast<std::byte *>(base)), size_(size) {}

	// What `bytes` of tally and runs take for sessions in `slots` places.
	static std::size_t size_for(std::uint32_t slots, std::size_t bytes) noexcept;
	// REQUIRES: size >= size_for(slots, kMinBytes).
	void initialise(std::uint32_t slots) noexcept;
	bool valid() const noexcept; // the header's magic and size fit

	// One look: tick() first, then see() for each session that is to be kept.
	void tick(const WaitTick &tick) noexcept;
	void see(const WaitSight &sight) noexcept;
	WaitCounters &counters() noexcept;
	const WaitCounters &counters() const noexcept;
	Micros last_tick() const noexcept; // 0: none

	// The tally. clear_tally() also remembers the counters of now: `taken` and, of the time before,
	// `before`.
	std::uint32_t tally_entries() const noexcept; // places for them, free ones among them
	const WaitTallyEntry &tally_entry(std::uint32_t i) const noexcept;
	const WaitSum &folded(WaitState state, WaitClass wait_class) const noexcept;
	const WaitCounters &taken() const noexcept;
	const WaitCounters &before() const noexcept;
	void clear_tally() noexcept;
	std::size_t tally_bytes() const noexcept;    // all that is needed of a copy for the above,
	static std::size_t counter_bytes() noexcept; // and for counters and times alone

	// The runs: i from 0, in no particular order.
	std::uint32_t runs() const noexcept;
	const WaitRun &run(std::uint32_t i) const noexcept;
	const WaitSession &session_of(const WaitRun &run) const noexcept;
	// From when on every run is there. 0: since the first tick.
	Micros complete_since() const noexcept;
	Micros first_tick() const noexcept; // 0: none

private:
	struct Header;
	struct Session;
	Header &header() const noexcept;
	WaitTallyEntry *tally() const noexcept;
	std::uint32_t *slots() const noexcept;
	Session *sessions() const noexcept;
	WaitRun *all_runs() const noexcept;

	WaitSum &sum_of(const WaitSight &sight) noexcept;
	void extend_run(const WaitSight &sight) noexcept;
	std::uint32_t session_for(const WaitSession &who) noexcept;
	std::uint32_t free_session() noexcept;
	void append(const WaitRun &run) noexcept;
	bool goes_on(std::uint32_t run) const noexcept;
	std::uint32_t drop_oldest() noexcept;

	std::byte *base_;
	std::size_t size_;
};

} // namespace pgdba
