#include "pgdba/core/comparison.hpp"
#include "pgdba/core/row_index.hpp"

#include <bit>

#include "pgdba/core/wall.hpp"

namespace pgdba {

Comparison::Comparison(const Sample *before, const Sample &now)
	: before_(before), now_(now), columns_(now.columns().size(), -1),
	  previous_(now.rows(), kUnknown) {
	static_assert(kUnknown == RowIndex::kNone);
	if (before == nullptr)
		return;
	restarted_ = before->server_start != now.server_start;
	if (!same_keys(*before, now))
		return;
	for (std::size_t i = 0; i < columns_.size(); ++i) {
		const Column &column = now.columns()[i];
		const int position = before->find_column(column.name);
		if (position >= 0 &&
			before->columns()[static_cast<std::size_t>(position)].type == column.type)
			columns_[i] = position;
	}
	stats_reset_ = now.find_column("stats_reset");
	RowIndex index(*before);
	for (std::size_t row = 0; row < previous_.size(); ++row)
		previous_[row] = index.take(now, row);
}

bool Comparison::reset(std::size_t row) const noexcept {
	if (restarted_)
		return true;
	if (!known(row))
		return false;
	const auto cell_before = [&](std::size_t column) {
		return before_->at(previous_[row], static_cast<std::size_t>(columns_[column]));
	};
	if (stats_reset_ >= 0) {
		const auto column = static_cast<std::size_t>(stats_reset_);
		if (columns_[column] >= 0 && !(now_.at(row, column) == cell_before(column)))
			return true;
	}
	for (std::size_t i = 0; i < columns_.size(); ++i) {
		if (columns_[i] < 0 || !is_counter(now_.columns()[i]))
			continue;
		const Cell now = now_.at(row, i);
		const Cell then = cell_before(i);
		if (!now.null && !then.null && (now.integer < then.integer || now.real < then.real))
			return true;
	}
	return false;
}

Cell Comparison::delta(std::size_t row, std::size_t column) const noexcept {
	Cell result;
	result.type = now_.columns()[column].type;
	if (!known(row) || columns_[column] < 0)
		return result;
	const Cell now = now_.at(row, column);
	const Cell then = before_->at(previous_[row], static_cast<std::size_t>(columns_[column]));
	if (now.null || then.null)
		return result;
	if (result.type == Type::kFloat8) {
		result.real = now.real - then.real;
		result.null = result.real != result.real; // NaN, or infinity less infinity
	} else {
		result.null = __builtin_sub_overflow(now.integer, then.integer, &result.integer);
		if (result.null)
			result.integer = 0;
	}
	return result;
}

} // namespace pgdba
