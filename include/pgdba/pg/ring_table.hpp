// The heap side of the table ring: direct access to the slot tables pgdba.ring_<loop>_<slot>. No
// locks are waited for, no user-definable code runs (no triggers, no rules, no plans). Who reads
// lets go of the slot at once, whatever becomes of his transaction: a report that is left open must
// not keep a slot from being emptied. REQUIRES: a transaction with a snapshot.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba::pg {

constexpr int kRingSlots = 10;

struct RingRow {
	std::int64_t tick = 0;
	Micros sampled_at = 0;
	std::string probe;
	bool keyframe = false;
	std::string payload;
};

enum class RingAccess {
	kDone,
	kBusy,    // the lock is held by another
	kMissing, // no such table
	kNoRoom   // what is left of the file system is for others
};

// Leaves the file system 16 MB, a segment of WAL: history is not what makes a disk full, and
// emptying a slot takes some room before it gives any.
RingAccess insert_ring_rows(std::string_view loop, int slot, const std::vector<RingRow> &rows);
// Empties a slot.
RingAccess truncate_ring_slot(std::string_view loop, int slot);
// Time of the first row of a slot, 0 when it is empty, and its size on disk.
RingAccess first_in_slot(std::string_view loop, int slot, Micros *first, std::uint64_t *bytes);
// The rows of a probe with sampled_at <= until that are a keyframe or have sampled_at >= since, in
// the order written. In a session (wait = true) it waits for the lock as any reader does.
RingAccess read_ring_rows(std::string_view loop, int slot, std::string_view probe, Micros since,
						  Micros until, bool wait, std::vector<RingRow> *rows);

// Whether a publication would send our tables elsewhere (FOR ALL TABLES, or for our schema or
// tables).
bool ring_is_published(std::string *publication);
// In the connected database, right now.
bool extension_exists(std::string_view name);

} // namespace pgdba::pg
