// Two samples of one probe side by side: which row follows which, and what its counters did in
// between. Shared by step() and keep_top(). REQUIRES: both samples outlive it.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pgdba {

// A counter that can be subtracted.
inline bool is_counter(const Column &column) noexcept {
	return column.kind == Kind::kCounter &&
		   (column.type == Type::kInt8 || column.type == Type::kFloat8);
}

class Comparison {
public:
	Comparison(const Sample *before, const Sample &now); // `before` may be null: nothing is known

	bool known(std::size_t row) const noexcept { return previous_[row] != kUnknown; }
	// A counter of the row went down, its stats_reset changed, or the server was restarted.
	bool reset(std::size_t row) const noexcept;
	// What a counter grew by. RETURNS a null cell when that is unknown. REQUIRES: not reset(row).
	Cell delta(std::size_t row, std::size_t column) const noexcept;

private:
	static constexpr std::uint32_t kUnknown = UINT32_MAX;

	const Sample *before_;
	const Sample &now_;
	bool restarted_ = false;
	int stats_reset_ = -1;
	std::vector<int> columns_; // of `now` to the column of `before` of that name and type, or -1
	std::vector<std::uint32_t> previous_; // of `now` to the row of `before`
};

} // namespace pgdba
