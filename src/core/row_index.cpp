#include "pgdba/core/row_index.hpp"

#include <bit>
#include <functional>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Number bits as stored; text by its hash. Doubles go by bits, so that a NaN meets itself.
std::uint64_t cell_hash(const Cell &cell) noexcept {
	if (cell.null)
		return 0x9E3779B97F4A7C15;
	if (is_text(cell.type))
		return std::hash<std::string_view>{}(cell.text);
	if (cell.type == Type::kFloat8)
		return std::bit_cast<std::uint64_t>(cell.real);
	return static_cast<std::uint64_t>(cell.integer);
}

bool same_cell(const Cell &a, const Cell &b) noexcept {
	return a.null == b.null && a.integer == b.integer && a.text == b.text &&
		   std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
}

std::uint32_t key_hash(const Sample &sample, std::size_t row) noexcept {
	std::uint64_t hash = 0;
	for (const std::uint32_t column : sample.key_columns()) {
		hash = (hash ^ cell_hash(sample.at(row, column))) * 0xFF51AFD7ED558CCD;
		hash ^= hash >> 32;
	}
	return static_cast<std::uint32_t>(hash);
}

bool equal_keys(const Sample &a, std::size_t row_a, const Sample &b, std::size_t row_b) noexcept {
	const auto &in_a = a.key_columns();
	const auto &in_b = b.key_columns();
	for (std::size_t i = 0; i < in_a.size(); ++i)
		if (!same_cell(a.at(row_a, in_a[i]), b.at(row_b, in_b[i])))
			return false;
	return true;
}

} // namespace

bool same_keys(const Sample &a, const Sample &b) noexcept {
	const auto &in_a = a.key_columns();
	const auto &in_b = b.key_columns();
	if (in_a.size() != in_b.size())
		return false;
	for (std::size_t i = 0; i < in_a.size(); ++i) {
		const Column &column_a = a.columns()[in_a[i]];
		const Column &column_b = b.columns()[in_b[i]];
		if (column_a.name != column_b.name || column_a.type != column_b.type)
			return false;
	}
	return true;
}

RowIndex::RowIndex(const Sample &sample)
	: sample_(&sample), slots_(std::bit_ceil(sample.rows() * 2 + 1)),
	  following_(sample.rows(), kNone) {
	for (std::size_t row = sample.rows();
		 row-- > 0;) { // backwards: the first row of a key comes out first
		Slot &slot = slot_of(sample, row);
		following_[row] = slot.next;
		slot.next = static_cast<std::uint32_t>(row);
		if (slot.first == kNone) {
			slot.first = slot.next;
			slot.hash = key_hash(sample, row);
		} else {
			duplicate_ = slot.next;
		}
	}
}

RowIndex::Slot &RowIndex::slot_of(const Sample &other, std::size_t row) noexcept {
	const std::uint32_t hash = key_hash(other, row);
	const std::size_t mask = slots_.size() - 1;
	std::size_t i = hash & mask;
	while (slots_[i].first != kNone &&
		   (slots_[i].hash != hash || !equal_keys(*sample_, slots_[i].first, other, row)))
		i = (i + 1) & mask;
	return slots_[i];
}

std::uint32_t RowIndex::take(const Sample &other, std::size_t row) noexcept {
	Slot &slot = slot_of(other, row);
	const std::uint32_t found = slot.next;
	if (found != kNone)
		slot.next = following_[found];
	return found;
}

} // namespace pgdba
