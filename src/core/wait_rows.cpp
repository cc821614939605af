#include "pgdba/core/wait_rows.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

void add(WaitSum &to, const WaitSum &sum) noexcept {
	to.samples += sum.samples;
	to.time += sum.time;
	to.blocked += sum.blocked;
}

auto names(const WaitRow &row) {
	return std::tie(row.folded, row.state, row.wait_class, row.event_type, row.event, row.database,
					row.role, row.application_name, row.query_id);
}

WaitRow folded_row(WaitState state, WaitClass wait_class, const WaitSum &sum) {
	WaitRow row;
	row.state = state;
	row.wait_class = wait_class;
	row.event_type = name_of(wait_class);
	row.event = "other";
	row.sum = sum;
	row.folded = true;
	return row;
}

} // namespace

std::vector<WaitRow> fold_waits(std::vector<WaitRow> rows, std::size_t most) {
	std::sort(rows.begin(), rows.end(),
			  [](const WaitRow &a, const WaitRow &b) { return names(a) < names(b); });
	std::vector<WaitRow> merged;
	std::map<std::pair<WaitState, WaitClass>, WaitSum> rest;
	for (WaitRow &row : rows)
		if (row.folded)
			add(rest[{row.state, row.wait_class}], row.sum);
		else if (!merged.empty() && names(merged.back()) == names(row))
			add(merged.back().sum, row.sum);
		else
			merged.push_back(std::move(row));
	// Stable: of equals the first by name, so that what is kept does not change by chance.
	std::stable_sort(merged.begin(), merged.end(),
					 [](const WaitRow &a, const WaitRow &b) { return a.sum.time > b.sum.time; });
	for (std::size_t i = most; i < merged.size(); ++i)
		add(rest[{merged[i].state, merged[i].wait_class}], merged[i].sum);
	merged.resize(std::min(most, merged.size()));
	for (const auto &[key, sum] : rest)
		merged.push_back(folded_row(key.first, key.second, sum));
	return merged;
}

std::vector<WaitRow> folded_rows(const WaitMemory &memory) {
	std::vector<WaitRow> rows;
	for (int state = 0; state < kWaitStates; ++state)
		for (int i = 0; i < kWaitClasses; ++i) {
			const auto s = static_cast<WaitState>(state);
			const auto c = static_cast<WaitClass>(i);
			if (const WaitSum &sum = memory.folded(s, c); sum.samples > 0)
				rows.push_back(folded_row(s, c, sum));
		}
	return rows;
}

} // namespace pgdba
