// keep_top(): which rows the rings keep, and what a row that enters carries along. See history.hpp.
#include "pgdba/core/comparison.hpp"
#include "pgdba/core/history.hpp"
#include "pgdba/core/row_index.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

struct Ranked {
	double value = 0;
	bool kept_before = false; // wins a tie: equal rows do not take turns
	std::uint32_t row = 0;

	bool operator<(const Ranked &other) const noexcept { // the better one first
		if (value != other.value)
			return value > other.value;
		if (kept_before != other.kept_before)
			return kept_before;
		return row < other.row;
	}
};

std::vector<bool> rows_kept_before(const Sample &full, const Sample *kept_before) {
	std::vector<bool> kept(full.rows());
	if (kept_before == nullptr || !same_keys(*kept_before, full))
		return kept;
	RowIndex index(*kept_before);
	for (std::size_t row = 0; row < kept.size(); ++row)
		kept[row] = index.take(full, row) != RowIndex::kNone;
	return kept;
}

class Selection {
public:
	Selection(const Sample &full, const Sample *before, const Comparison &comparison,
			  const std::vector<bool> &kept_before)
		: full_(full), comparison_(comparison), kept_before_(kept_before),
		  place_(full.rows(), kNone), whole_(before == nullptr || before->cut == 0) {}

	// The n best rows of a ranking. Rows without a value are never among them.
	void rank(std::size_t column, std::size_t n) {
		std::vector<Ranked> ranking;
		ranking.reserve(full_.rows());
		for (std::uint32_t row = 0; row < full_.rows(); ++row) {
			const Cell value = value_of(row, column);
			if (!value.null && value.number() == value.number())
				ranking.push_back({value.number(), kept_before_[row], row});
		}
		const auto last =
			ranking.begin() + static_cast<std::ptrdiff_t>(std::min(n, ranking.size()));
		std::partial_sort(ranking.begin(), last, ranking.end());
		std::uint32_t place = 0;
		std::for_each(ranking.begin(), last, [&](const Ranked &one) {
			place_[one.row] = std::min(place_[one.row], place++);
		});
	}

	void first(std::size_t n) {
		std::iota(place_.begin(),
				  place_.begin() + static_cast<std::ptrdiff_t>(std::min(n, place_.size())), 0U);
	}
	void add(std::size_t row) { place_[row] = 0; }
	bool has(std::size_t row) const { return place_[row] != kNone; }
	std::int64_t place(std::size_t row) const { return place_[row]; }

private:
	// A counter ranks by what it grew by. What began within the interval (a new row, a reset) grew
	// from nothing, so its value is its growth; unless the row was only cut from the sample before.
	Cell value_of(std::uint32_t row, std::size_t column) const {
		if (!is_counter(full_.columns()[column]))
			return full_.at(row, column);
		const bool began = comparison_.reset(row) || (!comparison_.known(row) && whole_);
		return began ? full_.at(row, column) : comparison_.delta(row, column);
	}

	const Sample &full_;
	const Comparison &comparison_;
	static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

	const std::vector<bool> &kept_before_;
	std::vector<std::uint32_t> place_; // the best in any ranking
	bool whole_;
};

// The columns of the kept sample: those of `full`, then a hidden one per counter, then since and
// reset, then the rank.
std::vector<Column> kept_columns(const Sample &full, std::vector<std::size_t> &counters) {
	std::vector<Column> columns = full.columns();
	for (std::size_t i = 0; i < full.columns().size(); ++i) {
		if (!is_counter(full.columns()[i]))
			continue;
		counters.push_back(i);
		columns.push_back({kHiddenPrefix + full.columns()[i].name, full.columns()[i].type,
						   Kind::kInfo, false, "", "", ""});
	}
	if (!counters.empty()) {
		columns.push_back({kHiddenSince, Type::kTimestamp, Kind::kInfo, false, "", "", ""});
		columns.push_back({kHiddenReset, Type::kBool, Kind::kInfo, false, "", "", ""});
	}
	columns.push_back({kHiddenRank, Type::kInt8, Kind::kInfo, false, "", "", ""});
	return columns;
}

} // namespace

Sample keep_top(const Sample &full, const Sample *before, const Sample *kept_before,
				const TopRule &rule, const std::vector<std::string> &objects,
				const std::set<std::string> &named) {
	if (rule.n == 0)
		return full;
	const Comparison comparison(before, full);
	const std::vector<bool> was_kept = rows_kept_before(full, kept_before);
	Selection selection(full, before, comparison, was_kept);
	bool ranked = false;
	for (const std::string &name : rule.by) {
		const int column = full.find_column(name);
		if (column < 0 || is_text(full.columns()[static_cast<std::size_t>(column)].type))
			continue; // an older server has no such column
		selection.rank(static_cast<std::size_t>(column), rule.n);
		ranked = true;
	}
	if (!ranked)
		selection.first(rule.n);
	for (std::size_t row = 0; row < std::min(objects.size(), full.rows()); ++row)
		if (named.contains(objects[row]))
			selection.add(row);

	Sample kept;
	kept.take_header(full);
	std::vector<std::size_t> counters;
	kept.set_columns(kept_columns(full, counters));
	const std::size_t width = full.columns().size();
	for (std::size_t row = 0; row < full.rows(); ++row) {
		if (!selection.has(row))
			continue;
		const std::size_t to = kept.add_row();
		for (std::size_t i = 0; i < width; ++i)
			kept.set_cell(to, i, full.at(row, i));
		kept.set_int(to, kept.columns().size() - 1, selection.place(row));
		if (counters.empty() || was_kept[row] || !comparison.known(row))
			continue;
		const bool reset = comparison.reset(row);
		for (std::size_t i = 0; i < counters.size() && !reset; ++i)
			kept.set_cell(to, width + i, comparison.delta(row, counters[i]));
		kept.set_int(to, width + counters.size(), before->sampled_at);
		kept.set_bool(to, width + counters.size() + 1, reset);
	}
	kept.cut = full.cut + static_cast<std::int64_t>(full.rows() - kept.rows());
	return kept;
}

} // namespace pgdba
