// What the hist_ views show: the steps between consecutive samples, with counters as deltas; and
// what the rings keep of a sample: the top N of each ranking.
#pragma once

#include "pgdba/core/sample.hpp"

#include <set>
#include <string>
#include <vector>

namespace pgdba {

// Hidden columns begin with this character: a row that enters the top N carries its own deltas,
// because the kept samples lack its predecessor. Readers skip hidden columns in the last_ views,
// hist_ uses them.
constexpr char kHiddenPrefix = '\x01';
constexpr const char *kHiddenSince =
	"\x01!since"; // when the sample was taken that those deltas start from
constexpr const char *kHiddenReset = "\x01!reset";
// The best place that the row has in any ranking, from 0; of a row that a verdict names 0. Whoever
// shows less than what is kept begins with the least.
constexpr const char *kHiddenRank = "\x01!rank";

inline bool is_hidden(const Column &column) noexcept {
	return !column.name.empty() && column.name.front() == kHiddenPrefix;
}

// One step from `before` (null for the first sample) to `now`: the rows of `now` with counters as
// deltas. Counter cells are null when the previous value is unknown, and when the counter began
// again (reset). Appends three columns: elapsed (float8, seconds), reset (bool), gap (bool: more
// than 2.5 intervals between them). A reset is: a counter of that row went down, its column named
// stats_reset changed, or server_start changed. elapsed is null for the first sample, and when the
// clock went back.
Sample step(const Sample *before, const Sample &now, Micros interval);

// How a probe wants to be cut: `n` rows of each ranking in `by` (counters ranked by delta, gauges
// by value). When `by` names no number column: the first n rows.
struct TopRule {
	std::size_t n = 0; // 0: keep everything
	std::vector<std::string> by;
};

// The rows of `full` that the rings keep: top n per ranking plus every row whose object is in
// `named`. `objects[i]` is the object text of row i (empty vector when the probe names no objects).
// `before` is the previous full sample (or null), `kept_before` the previous kept one: rows that
// were not kept then carry hidden delta columns. `cut` counts what was left out.
Sample keep_top(const Sample &full, const Sample *before, const Sample *kept_before,
				const TopRule &rule, const std::vector<std::string> &objects,
				const std::set<std::string> &named);

} // namespace pgdba
