// The rows of the probe `wait`: the tally under names, and what is too much of it added up.
#pragma once

#include "pgdba/core/wait_memory.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgdba {

struct WaitRow {
	std::optional<std::string> database, role, application_name;
	std::int64_t query_id = 0; // 0: none
	WaitState state = WaitState::kActive;
	WaitClass wait_class = WaitClass::kCpu;
	std::string event_type, event;
	WaitSum sum{};
	bool folded = false;
};

constexpr std::size_t kMostWaitRows = 100;

// Adds up rows that have the same names, keeps the `most` with the longest time, and adds the
// others to one row for each state and class. The sum of all is the same as before, to the
// microsecond.
std::vector<WaitRow> fold_waits(std::vector<WaitRow> rows, std::size_t most = kMostWaitRows);

// What the tally added up itself for want of memory: rows that are folded already.
std::vector<WaitRow> folded_rows(const WaitMemory &memory);

} // namespace pgdba
