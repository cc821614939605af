#include "pgdba/core/history.hpp"
#include "pgdba/core/comparison.hpp"

#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// More than 2.5 intervals between two samples. Both may come from a payload: nothing overflows.
bool is_gap(Micros elapsed, Micros interval) noexcept {
	return interval > 0 && elapsed > 0 && elapsed / 2 - interval > interval / 4;
}

std::vector<Column> visible_columns(const Sample &now) {
	std::vector<Column> columns;
	for (const Column &column : now.columns())
		if (!is_hidden(column))
			columns.push_back(column);
	columns.push_back({"elapsed", Type::kFloat8, Kind::kInfo, false, "seconds", "",
					   "Time since the previous sample."});
	columns.push_back({"reset", Type::kBool, Kind::kInfo, false, "", "",
					   "Whether the counters of this row began again since the previous sample."});
	columns.push_back({"gap", Type::kBool, Kind::kInfo, false, "", "",
					   "Whether samples are missing between the previous one and this one."});
	return columns;
}

// 0 when there is no predecessor, or none that can be told.
Micros elapsed_between(const Sample *before, const Sample &now) noexcept {
	Micros elapsed = 0;
	if (before == nullptr || __builtin_sub_overflow(now.sampled_at, before->sampled_at, &elapsed))
		return 0;
	return elapsed;
}

// Where a row's delta comes from: `column` of the sample, and the hidden column that may carry it.
struct Source {
	std::size_t column = 0;
	int carried = -1;
	bool counter = false;
};

} // namespace

Sample step(const Sample *before, const Sample &now, Micros interval) {
	Sample result;
	result.take_header(now);
	if (now.layout()->stepped == nullptr) {
		result.set_columns(visible_columns(now));
		now.layout()->stepped = result.layout();
	} else {
		result.set_layout(now.layout()->stepped);
	}
	result.reserve(now.rows());

	std::vector<Source> sources;
	for (std::size_t i = 0; i < now.columns().size(); ++i)
		if (const Column &column = now.columns()[i]; !is_hidden(column))
			sources.push_back(
				{i, now.find_column(kHiddenPrefix + column.name), is_counter(column)});
	const std::size_t elapsed_column = sources.size();
	const int since = now.find_column(kHiddenSince);
	const int carried_reset = now.find_column(kHiddenReset);

	const Comparison comparison(before, now);
	const Micros elapsed = elapsed_between(before, now);
	for (std::size_t row = 0; row < now.rows(); ++row) {
		// A row that entered the top N carries its deltas, good for exactly this predecessor.
		const bool carries = before != nullptr && since >= 0 && !comparison.known(row) &&
							 now.at(row, static_cast<std::size_t>(since)) ==
								 Cell{false, Type::kTimestamp, before->sampled_at, 0, {}};
		const bool reset = comparison.reset(row) ||
						   (carries && carried_reset >= 0 &&
							now.at(row, static_cast<std::size_t>(carried_reset)).integer != 0);
		result.add_row();
		for (std::size_t i = 0; i < sources.size(); ++i) {
			const Source &source = sources[i];
			if (!source.counter)
				result.set_cell(row, i, now.at(row, source.column));
			else if (!reset && carries && source.carried >= 0)
				result.set_cell(row, i, now.at(row, static_cast<std::size_t>(source.carried)));
			else if (!reset)
				result.set_cell(row, i, comparison.delta(row, source.column));
		}
		if (elapsed > 0) // null too when the clock went back: nothing can be divided by it
			result.set_float(row, elapsed_column,
							 static_cast<double>(elapsed) / static_cast<double>(kMicrosPerSecond));
		result.set_bool(row, elapsed_column + 1, reset);
		result.set_bool(row, elapsed_column + 2, is_gap(elapsed, interval));
	}
	return result;
}

} // namespace pgdba
