#include "pgdba/core/bloat.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr int kMaxAlign = 8;
constexpr double kPageHeader = 24;
constexpr double kItemPointer = 4;
constexpr double kRowHeader = 23;
constexpr double kBtreeSpecial = 16;
constexpr double kEntryHeader = 8;
constexpr double kEntryHeaderWithNulls = 16; // its bitmap has room for all columns of any index
constexpr double kRowPointer = 6;
constexpr double kInnerFill = 0.7;
constexpr double kMissed = 1.1; // values that ANALYZE may have missed by chance

double aligned(double bytes) {
	return std::ceil(bytes / kMaxAlign) * kMaxAlign;
}

// Where in a row one is: so many bytes in the mean. After columns of variable width only this is
// certain: the offset is `remainder` modulo `modulus`.
class Offset {
public:
	double bytes() const { return bytes_; }

	void align(int alignment) {
		const int certain = (modulus_ - remainder_) % std::min(modulus_, alignment);
		remainder_ = (remainder_ + certain) % modulus_;
		bytes_ += certain;
		if (alignment > modulus_) { // any multiple of modulus_ may be missing
			bytes_ += (alignment - modulus_) / 2.0;
			modulus_ = alignment;
			remainder_ = 0;
		}
	}

	void add(const ColumnShape &column) {
		align(column.alignment);
		bytes_ += column.width;
		if (column.fixed)
			remainder_ = (remainder_ + static_cast<int>(column.width)) % modulus_;
		else
			modulus_ = 1, remainder_ = 0;
	}

	// So it is in that fraction of the rows, in the others as in `other`.
	void mix(double fraction, const Offset &other) {
		bytes_ = fraction * bytes_ + (1 - fraction) * other.bytes_;
		modulus_ = std::min(modulus_, other.modulus_);
		while (remainder_ % modulus_ != other.remainder_ % modulus_)
			modulus_ /= 2;
		remainder_ %= modulus_;
	}

private:
	double bytes_ = 0;
	int modulus_ = kMaxAlign;
	int remainder_ = 0;
};

struct Row {
	double width = 0;      // of the data, padded to its end
	double with_nulls = 0; // fraction of the rows that have one
	bool fixed = true;     // whether all rows are that wide
};

Row row_of(const std::vector<ColumnShape> &columns) {
	Row row;
	Offset offset;
	for (const ColumnShape &column : columns) {
		row.with_nulls = 1 - (1 - row.with_nulls) * (1 - column.null_fraction);
		if (column.null_fraction >= 1)
			continue;
		const Offset without = offset;
		offset.add(column);
		if (column.null_fraction > 0)
			offset.mix(1 - column.null_fraction, without);
		row.fixed = row.fixed && column.fixed && column.null_fraction == 0;
	}
	offset.align(kMaxAlign);
	row.width = offset.bytes();
	return row;
}

double left_free(const PageShape &page) {
	return page.bytes * (100.0 - page.fillfactor) / 100;
}

// Entries of rows with the same key: the rows share it, up to a tenth of a page.
double bytes_of_group(double rows, double key, int page_bytes) {
	const int tenth = page_bytes / 10 / kMaxAlign * kMaxAlign;
	const double most = std::floor((tenth - kItemPointer - key) / kRowPointer);
	if (most < 2)
		return rows * (key + kItemPointer);
	const auto shared = [key](double count) {
		return aligned(key + count * kRowPointer) + kItemPointer;
	};
	const double full = std::floor(rows / most);
	const double rest = rows - full * most;
	const double one = key + kItemPointer;
	return full * shared(most) + (rest <= 1  ? rest * one
								  : rest < 2 ? one + (rest - 1) * (shared(2) - one)
											 : shared(rest));
}

// The values of a column beyond those that are known to be common.
struct Rest {
	double keys = 0;    // among them
	double grouped = 0; // fraction of all rows in large groups beside them
};

// ANALYZE takes all values for equally frequent (Haas and Stokes, Duj1): when 5 % of 100 million
// rows have the same value and the others are unique, it says 570,000 distinct ones. The common
// ones are known, so here the others alone are taken for equally frequent: in groups of such a size
// that ANALYZE would have said what it did. It is believed to have missed a tenth, because it may
// by chance, and too small an index would be bloat where there is none. Where not all common values
// are known, the others are taken for unique or very common: as many unique ones as can be.
Rest rest_of(const ValueShape &values, double rows, double sampled_rows) {
	double common = 0;
	for (const double fraction : values.common)
		common += fraction;
	const double known = static_cast<double>(values.common.size());
	const double fraction = std::max(0.0, 1 - values.null_fraction - common);
	const double others = fraction * rows;
	if (values.distinct <= 0 || others <= 1)
		return {others, 0};
	const double share = std::min(1.0, sampled_rows / rows);
	const double sample = (1 - values.null_fraction) * share * rows;
	const double drawn = others * share;
	if (values.more_are_common) {
		const double unique = std::clamp((values.distinct - known) * sample /
											 (drawn * (sample + values.distinct * (1 - share))),
										 0.0, 1.0);
		return {unique * others, (1 - unique) * fraction};
	}
	const auto estimate = [=](double size) {
		const double once = drawn * std::pow(1 - share, size - 1);
		const double seen = known + others / size * (1 - std::pow(1 - share, size));
		return sample * seen / (sample - once * (1 - share));
	};
	double low = 1, high = others; // sizes; the larger, the fewer it would have said
	for (int i = 0; i < 50 && high > low * 1.001; ++i) {
		const double middle = std::sqrt(low * high);
		(estimate(middle) > values.distinct * kMissed ? low : high) = middle;
	}
	return {others / low, 0};
}

// Bytes of the entries of a btree where rows share their key. One of several columns has as many
// keys as there are combinations: columns that depend on each other have fewer, so its bloat is
// rather understated.
double merged_bytes(const BtreeShape &btree, double key) {
	const int page = btree.page.bytes;
	double keys = 1;
	double others = btree.rows;
	double bytes = 0;
	for (const ValueShape &values : btree.values) {
		const Rest rest = rest_of(values, btree.table_rows, btree.sampled_rows);
		const bool alone = btree.values.size() == 1 && !btree.partial;
		const auto take = [&](double fraction, double width) {
			bytes += bytes_of_group(fraction * btree.rows, width, page);
			others -= fraction * btree.rows;
		};
		if (alone) {
			take(values.null_fraction, kEntryHeaderWithNulls);
			take(rest.grouped, key);
			for (const double fraction : values.common)
				take(fraction, key);
		}
		keys *= rest.keys + (alone ? 0.0 : static_cast<double>(values.common.size()) + 1);
	}
	others = std::max(others, 0.0);
	keys = std::clamp(keys, 1.0, std::max(others, 1.0));
	return bytes + keys * bytes_of_group(others / keys, key, page);
}

} // namespace

double pages_of(const TableShape &table) {
	const Row row = row_of(table.columns);
	const double bitmap = std::ceil(static_cast<double>(table.columns.size()) / 8);
	const double header =
		aligned(kRowHeader) * (1 - row.with_nulls) + aligned(kRowHeader + bitmap) * row.with_nulls;
	const double usable = table.page.bytes - kPageHeader - left_free(table.page);
	const double fit = usable / (header + row.width + kItemPointer);
	// A row that does not fit leaves the rest of its page: half a row of varying width in the mean.
	const double per_page = std::max(1.0, row.fixed ? std::floor(fit) : fit - 0.5);
	return std::ceil(table.rows / per_page);
}

double pages_of(const BtreeShape &btree) {
	std::vector<ColumnShape> columns = btree.columns;
	double nulls = 0; // rows without any key
	if (columns.size() == 1)
		nulls = btree.rows * std::exchange(columns[0].null_fraction, 0);
	const Row row = row_of(columns);
	const double key =
		kEntryHeader * (1 - row.with_nulls) + kEntryHeaderWithNulls * row.with_nulls + row.width;
	const double entry = key + kItemPointer;
	const double bytes = btree.merges ? merged_bytes(btree, key)
									  : nulls * (kEntryHeaderWithNulls + kItemPointer) +
											(btree.rows - nulls) * entry;
	const double whole = btree.page.bytes - kPageHeader - kBtreeSpecial;
	// The last entry of a leaf moves on and stays as its upper bound.
	const double usable = std::max(entry, whole - left_free(btree.page) - entry);
	const double leaves = std::ceil(bytes / usable);
	const double fanout = std::max(2.0, whole * kInnerFill / entry);
	const double inner = leaves > 1 ? std::ceil(leaves / (fanout - 1)) : 0;
	return 1 + leaves + inner; // the first page tells where the root is
}

} // namespace pgdba
