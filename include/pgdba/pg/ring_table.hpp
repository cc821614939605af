// The heap side of the table ring: direct access to the slot tables pgdba.ring_<loop>_<slot>. No
// locks are waited for, no user-definable code runs (no triggers, no rules, no plans). REQUIRES: a
// transaction with a snapshot.
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
	kBusy,
	kMissing
}; // busy: the lock is held by another; missing: no such table

RingAccess insert_ring_rows(std::string_view loop, int slot, const std::vector<RingRow> &rows);
// Empties a slot.
RingAccess truncate_ring_slot(std::string_view loop, int slot);
// Time of the first row of a slot, 0 when it is empty.
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
