#include "pgdba/core/wait_memory.hpp"

#include <algorithm>
#include <cstring>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::uint64_t kMagic = 0x0000'0001'7469'6177; // "wait", 1
constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kTallyShare = 8, kSessionShare = 4; // of the memory, one part in so many
constexpr std::uint32_t kMostMoved = 1024; // runs taken along for one that makes room

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
	hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15;
	return hash ^ hash >> 32;
}

std::uint64_t hash_of(const WaitSight &sight) noexcept {
	std::uint64_t hash = mix(static_cast<std::uint64_t>(sight.query_id),
							 std::uint64_t{sight.who.database} << 32 | sight.who.role);
	hash = mix(hash, std::uint64_t{sight.event} << 8 | static_cast<std::uint64_t>(sight.state));
	for (std::size_t i = 0; i < WaitSession::kNameBytes && sight.who.application_name[i] != '\0';
		 i += sizeof(std::uint64_t)) {
		std::uint64_t word = 0;
		std::memcpy(&word, sight.who.application_name + i, sizeof word);
		hash = mix(hash, word);
	}
	return hash;
}

bool same(const WaitTallyEntry &entry, const WaitSight &sight) noexcept {
	return entry.query_id == sight.query_id && entry.event == sight.event &&
		   entry.database == sight.who.database && entry.role == sight.who.role &&
		   entry.state == sight.state &&
		   std::memcmp(entry.application_name, sight.who.application_name,
					   WaitSession::kNameBytes) == 0;
}

bool same(const WaitRun &run, const WaitSight &sight) noexcept {
	return run.event == sight.event && run.query_id == sight.query_id &&
		   run.xact_start == sight.xact_start && run.state == sight.state &&
		   run.blocked == sight.blocked;
}

bool same(const WaitSession &a, const WaitSession &b) noexcept {
	return a.pid == b.pid && a.backend_start == b.backend_start && a.database == b.database &&
		   a.role == b.role && a.leader_pid == b.leader_pid && a.backend_type == b.backend_type &&
		   a.slot == b.slot &&
		   std::memcmp(a.application_name, b.application_name, WaitSession::kNameBytes) == 0;
}

void add(WaitSum &sum, const WaitSight &sight, Micros credit) noexcept {
	++sum.samples;
	sum.time += credit;
	if (sight.blocked)
		sum.blocked += credit;
}

} // namespace

struct WaitMemory::Session {
	WaitSession who;
	std::uint32_t run;  // its latest, kNone when that is gone
	std::uint32_t runs; // how many there are
	bool used;
};

struct WaitMemory::Header {
	std::uint64_t magic;
	std::size_t size;
	std::uint32_t slots, tally_entries, tally_used, sessions, next_session, run_places;
	std::uint32_t first_run, runs;
	Micros first_tick, last_tick, tick_before, credit, complete_since;
	bool gap;
	WaitCounters counters, taken, before;
	WaitSum folded[kWaitStates][kWaitClasses];
};

WaitCounters WaitCounters::since(const WaitCounters &before) const noexcept {
	return {ticks - before.ticks,     late - before.late,         missed - before.missed,
			dropped - before.dropped, span - before.span,         gap - before.gap,
			cpu - before.cpu,         measured - before.measured, on_cpu - before.on_cpu,
			ready - before.ready,     own_cpu - before.own_cpu};
}

// ---- places: header, tally, slots, sessions, runs ----

WaitMemory::Header &WaitMemory::header() const noexcept {
	return *reinterpret_cast<Header *>(base_);
}

WaitTallyEntry *WaitMemory::tally() const noexcept {
	return reinterpret_cast<WaitTallyEntry *>(base_ + sizeof(Header));
}

WaitMemory::Session *WaitMemory::sessions() const noexcept {
	return reinterpret_cast<Session *>(tally() + header().tally_entries);
}

WaitRun *WaitMemory::all_runs() const noexcept {
	return reinterpret_cast<WaitRun *>(sessions() + header().sessions);
}

std::uint32_t *WaitMemory::slots() const noexcept {
	return reinterpret_cast<std::uint32_t *>(all_runs() + header().run_places);
}

// Two sessions for each slot: one that is there, and one whose runs are.
std::size_t WaitMemory::size_for(std::uint32_t slots, std::size_t bytes) noexcept {
	return std::max(bytes, kMinBytes) + slots * (2 * sizeof(Session) + sizeof(std::uint32_t));
}

void WaitMemory::initialise(std::uint32_t slot_count) noexcept {
	static_assert(sizeof(Header) % 8 == 0 && sizeof(WaitTallyEntry) % 8 == 0 &&
				  sizeof(Session) % 8 == 0 && sizeof(WaitRun) % 8 == 0);
	std::memset(base_, 0, size_);
	Header &h = header();
	const std::size_t fixed = size_for(slot_count, kMinBytes) - kMinBytes;
	const std::size_t bytes = size_ - fixed;
	h.size = size_;
	h.slots = slot_count;
	h.tally_entries = static_cast<std::uint32_t>(bytes / kTallyShare / sizeof(WaitTallyEntry));
	h.sessions =
		static_cast<std::uint32_t>(2 * slot_count + bytes / kSessionShare / sizeof(Session));
	h.run_places = static_cast<std::uint32_t>(
		(size_ - sizeof(Header) - h.tally_entries * sizeof(WaitTallyEntry) -
		 h.sessions * sizeof(Session) - slot_count * sizeof(std::uint32_t)) /
		sizeof(WaitRun));
	std::fill_n(slots(), slot_count, kNone);
	h.magic = kMagic;
}

bool WaitMemory::valid() const noexcept {
	return size_ >= kMinBytes && header().magic == kMagic && header().size == size_;
}

// ---- a tick ----

void WaitMemory::tick(const WaitTick &tick) noexcept {
	Header &h = header();
	if (h.first_tick == 0)
		h.first_tick = tick.at;
	h.tick_before = h.last_tick;
	h.last_tick = tick.at;
	h.credit = tick.credit;
	h.gap = tick.gap;
	++h.counters.ticks;
	h.counters.span += tick.credit;
}

void WaitMemory::see(const WaitSight &sight) noexcept {
	Header &h = header();
	add(sum_of(sight), sight, h.credit);
	if (sight.state == WaitState::kActive && sight.event == kNoWait)
		h.counters.cpu += h.credit;
	extend_run(sight);
}

// RETURNS the sum that the sight belongs to: its entry's, or that of its state and class.
WaitSum &WaitMemory::sum_of(const WaitSight &sight) noexcept {
	Header &h = header();
	WaitTallyEntry *const entries = tally();
	std::uint32_t i = static_cast<std::uint32_t>(hash_of(sight) % h.tally_entries);
	while (entries[i].sum.samples != 0) {
		if (same(entries[i], sight))
			return entries[i].sum;
		i = i + 1 == h.tally_entries ? 0 : i + 1;
	}
	if (h.tally_used >= h.tally_entries / 4 * 3) { // looking for a place stays short
		++h.counters.dropped;
		return h
			.folded[static_cast<int>(sight.state)][static_cast<int>(wait_class_of(sight.event))];
	}
	++h.tally_used;
	WaitTallyEntry &entry = entries[i];
	entry.query_id = sight.query_id;
	entry.database = sight.who.database, entry.role = sight.who.role;
	entry.event = sight.event, entry.state = sight.state;
	std::memcpy(entry.application_name, sight.who.application_name, WaitSession::kNameBytes);
	return entry.sum;
}

void WaitMemory::extend_run(const WaitSight &sight) noexcept {
	const Header &h = header();
	const std::uint32_t session = session_for(sight.who);
	if (session == kNone)
		return;
	const std::uint32_t latest = sessions()[session].run;
	if (latest != kNone && !h.gap) {
		WaitRun &run = all_runs()[latest];
		if (run.ended == h.tick_before && same(run, sight)) {
			run.ended = h.last_tick;
			++run.samples;
			return;
		}
	}
	append({h.last_tick - h.credit, h.last_tick, sight.xact_start, sight.query_id, session,
			sight.event, 1, sight.state, sight.blocked});
}

// ---- sessions ----

std::uint32_t WaitMemory::session_for(const WaitSession &who) noexcept {
	if (who.slot >= header().slots)
		return kNone;
	std::uint32_t &place = slots()[who.slot];
	if (place != kNone && same(sessions()[place].who, who))
		return place;
	place = kNone;
	const std::uint32_t found = free_session();
	if (found != kNone)
		sessions()[found] = {who, kNone, 0, true};
	return place = found;
}

// A session without runs whose place among the living has somebody else.
std::uint32_t WaitMemory::free_session() noexcept {
	Header &h = header();
	const auto is_free = [this](std::uint32_t i) {
		const Session &session = sessions()[i];
		return !session.used || (session.runs == 0 && slots()[session.who.slot] != i);
	};
	for (std::uint32_t looked = 0; looked < h.sessions; ++looked) {
		const std::uint32_t i = h.next_session;
		h.next_session = i + 1 == h.sessions ? 0 : i + 1;
		if (is_free(i))
			return i;
	}
	for (std::uint32_t dropped = h.runs; dropped > 0; --dropped)
		if (const std::uint32_t i = drop_oldest(); i != kNone && is_free(i))
			return i;
	return kNone;
}

// ---- runs ----

bool WaitMemory::goes_on(std::uint32_t i) const noexcept {
	const Header &h = header();
	const WaitRun &run = all_runs()[i];
	return sessions()[run.session].run == i &&
		   (run.ended == h.last_tick || (run.ended == h.tick_before && !h.gap));
}

void WaitMemory::append(const WaitRun &run) noexcept {
	Header &h = header();
	if (h.runs == h.run_places)
		(void)drop_oldest();
	const std::uint32_t i =
		static_cast<std::uint32_t>((std::uint64_t{h.first_run} + h.runs) % h.run_places);
	all_runs()[i] = run;
	++h.runs;
	Session &session = sessions()[run.session];
	session.run = i;
	++session.runs;
}

// RETURNS the session of the run that is gone. What goes on is taken along first.
std::uint32_t WaitMemory::drop_oldest() noexcept {
	Header &h = header();
	for (std::uint32_t moved = 0; h.runs > 0; ++moved) {
		const std::uint32_t i = h.first_run;
		const WaitRun run = all_runs()[i];
		const bool keep = moved < std::min(kMostMoved, h.run_places / 2) && goes_on(i);
		Session &session = sessions()[run.session];
		h.first_run = i + 1 == h.run_places ? 0 : i + 1;
		--h.runs;
		--session.runs;
		if (session.run == i)
			session.run = kNone;
		if (keep) {
			append(run);
			continue;
		}
		h.complete_since = std::max(h.complete_since, run.ended);
		return run.session;
	}
	return kNone;
}

// ---- reading ----

WaitCounters &WaitMemory::counters() noexcept {
	return header().counters;
}
const WaitCounters &WaitMemory::counters() const noexcept {
	return header().counters;
}
Micros WaitMemory::last_tick() const noexcept {
	return header().last_tick;
}
Micros WaitMemory::first_tick() const noexcept {
	return header().first_tick;
}
Micros WaitMemory::complete_since() const noexcept {
	return header().complete_since;
}
std::uint32_t WaitMemory::tally_entries() const noexcept {
	return header().tally_entries;
}
const WaitTallyEntry &WaitMemory::tally_entry(std::uint32_t i) const noexcept {
	return tally()[i];
}
const WaitSum &WaitMemory::folded(WaitState state, WaitClass wait_class) const noexcept {
	return header().folded[static_cast<int>(state)][static_cast<int>(wait_class)];
}
const WaitCounters &WaitMemory::taken() const noexcept {
	return header().taken;
}
const WaitCounters &WaitMemory::before() const noexcept {
	return header().before;
}
std::size_t WaitMemory::tally_bytes() const noexcept {
	return sizeof(Header) + header().tally_entries * sizeof(WaitTallyEntry);
}
std::size_t WaitMemory::counter_bytes() noexcept {
	return sizeof(Header);
}
std::uint32_t WaitMemory::runs() const noexcept {
	return header().runs;
}
const WaitRun &WaitMemory::run(std::uint32_t i) const noexcept {
	const Header &h = header();
	return all_runs()[(std::uint64_t{h.first_run} + i) % h.run_places];
}
const WaitSession &WaitMemory::session_of(const WaitRun &run) const noexcept {
	return sessions()[run.session].who;
}

void WaitMemory::clear_tally() noexcept {
	Header &h = header();
	if (h.tally_used > 0)
		std::memset(static_cast<void *>(tally()), 0, h.tally_entries * sizeof(WaitTallyEntry));
	h.tally_used = 0;
	std::memset(static_cast<void *>(h.folded), 0, sizeof h.folded);
	h.before = h.taken;
	h.taken = h.counters;
}

} // namespace pgdba
