// Finds the rows of one sample by the key of a row of another, without building a string per row.
//
// Duplicate keys are paired in order: the n-th row with a key meets the n-th row with that key. A
// probe without key columns pairs row by row. Cost: O(1) per row, 16 bytes per row.
//
// REQUIRES: same_keys() of both samples; the indexed sample outlives the index and stays as it is.
#pragma once

#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <vector>

namespace pgdba {

// Key columns of the same names and types, in the same order.
bool same_keys(const Sample &a, const Sample &b) noexcept;

class RowIndex {
public:
	static constexpr std::uint32_t kNone = UINT32_MAX;

	explicit RowIndex(const Sample &sample);

	// RETURNS: the next row with the key of row `row` of `other` that was not taken yet, or kNone.
	std::uint32_t take(const Sample &other, std::size_t row) noexcept;

	// RETURNS: a row whose key another row has as well, or kNone.
	std::uint32_t duplicate() const noexcept { return duplicate_; }

private:
	struct Slot {
		std::uint32_t first = kNone; // any row of this key: what the key is compared with
		std::uint32_t next = kNone;  // the row that is handed out next
		std::uint32_t hash = 0;
	};

	Slot &slot_of(const Sample &other, std::size_t row) noexcept;

	const Sample *sample_;
	std::uint32_t duplicate_ = kNone;
	std::vector<Slot> slots_; // a power of two, at most half full
	std::vector<std::uint32_t> following_;
};

} // namespace pgdba
