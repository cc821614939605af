// A sample: the rows one probe returned at one time. This is the currency of the whole engine:
// probes fill it, rings keep it (codec.hpp), checks read it through the last_ and hist_ views,
// metrics and health are rendered from it. It describes itself (column names, types, meaning), so
// an old library can read a newer schema.
//
// Shape: row-major cells of eight bytes and one text arena: 50,000 relations cost about 10 MB.
// Units: times are microseconds since 2000-01-01 UTC (PostgreSQL's timestamptz).
//
// THREADING: none, a plain value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgdba {

using Micros =
	std::int64_t; // a point in time (since 2000-01-01 UTC) or a duration, in microseconds

constexpr Micros kMicrosPerSecond = 1'000'000;
// 2000-01-01 UTC, where our times begin, as a time since 1970.
constexpr Micros kUnixTimeOfEpoch = 946'684'800 * kMicrosPerSecond;

enum class Type : std::uint8_t {
	kBool = 1,
	kInt8 = 2,
	kFloat8 = 3,
	kText = 4,
	kTimestamp = 5,
	kJson = 6
};

enum class Kind : std::uint8_t { kLabel = 1, kGauge = 2, kCounter = 3, kInfo = 4 };

// SQL spelling of a type ("boolean", "bigint", "double precision", "text", "timestamp with time
// zone", "jsonb").
std::string_view sql_type(Type type) noexcept;
constexpr bool is_text(Type type) noexcept {
	return type == Type::kText || type == Type::kJson;
}

struct Column {
	std::string name;
	Type type = Type::kText;
	Kind kind = Kind::kInfo;
	bool key = false;
	std::string unit;   // "rows", "seconds", "bytes"; empty when it has none
	std::string metric; // Prometheus name; empty when the column is not exported
	std::string help;

	bool operator==(const Column &) const = default;
};

// Columns of which no more is said than their names and types, given as pairs.
template <class Pairs = std::initializer_list<std::pair<std::string_view, Type>>>
std::vector<Column> plain_columns(const Pairs &described) {
	std::vector<Column> columns;
	for (const auto &[name, type] : described) {
		Column &column = columns.emplace_back();
		column.name = name;
		column.type = type;
	}
	return columns;
}

// The columns of samples: made once, never changed, shared by all samples that have the same.
struct Layout {
	std::vector<Column> columns;
	std::vector<std::uint32_t> keys; // positions of the columns with key = true
	std::vector<Type> types;         // of the columns, close together: every cell looks here
	mutable std::shared_ptr<const Layout> stepped; // what step() makes of it, once that was asked
};

// One cell as the reader sees it. `text` points into the sample and lives as long as it does.
struct Cell {
	bool null = true;
	Type type = Type::kText;
	std::int64_t integer = 0; // kBool (0 or 1), kInt8, kTimestamp
	double real = 0;          // kFloat8
	std::string_view text;    // kText, kJson

	bool operator==(const Cell &) const = default;
	double number() const noexcept {
		return type == Type::kFloat8 ? real : static_cast<double>(integer);
	}
};

class Sample {
public:
	std::string probe;
	std::string loop;
	Micros sampled_at = 0;
	Micros server_start = 0; // a changed value means that counters began again
	Micros interval =
		0; // of its loop when it was taken: gaps and age are judged by it; 0 when not known
	bool injected = false; // stored by inject_sample(): never judged by the live health
	std::int64_t cut = 0;  // rows left out by top-N, max_rows or a byte cap

	void take_header(const Sample &from); // all of the above, not the columns and rows

	const std::vector<Column> &columns() const noexcept { return layout_->columns; }
	void set_columns(std::vector<Column> columns); // REQUIRES: no rows yet
	const std::shared_ptr<const Layout> &layout() const noexcept { return layout_; }
	void
	set_layout(std::shared_ptr<const Layout> layout); // of another sample. REQUIRES: no rows yet
	const std::vector<std::uint32_t> &key_columns() const noexcept { return layout_->keys; }
	// RETURNS: position of the column, or -1.
	int find_column(std::string_view name) const noexcept;

	std::size_t rows() const noexcept { return width() == 0 ? 0 : cells_.size() / width(); }
	void reserve(std::size_t rows);
	std::size_t add_row(); // all cells null; RETURNS its index

	// A value that does not fit the column's type (a number into text, text into a number) is
	// stored as null.
	void set_bool(std::size_t row, std::size_t column, bool value) noexcept;
	void set_int(std::size_t row, std::size_t column,
				 std::int64_t value) noexcept; // kInt8 and kTimestamp
	void set_float(std::size_t row, std::size_t column, double value) noexcept;
	void set_text(std::size_t row, std::size_t column,
				  std::string_view value); // made valid UTF-8; kText and kJson
	void set_null(std::size_t row, std::size_t column) noexcept;
	// Converts between number types where that loses nothing to the reader, else null; text is
	// copied.
	void set_cell(std::size_t row, std::size_t column, const Cell &value);

	Cell at(std::size_t row, std::size_t column) const noexcept;
	Cell at(std::size_t row,
			std::string_view column) const noexcept; // null cell when there is no such column

	void copy_row(const Sample &from, std::size_t row); // REQUIRES: the same columns
	// The key of a row as one string, unambiguous for any content. Columns with key = true, in
	// order.
	std::string key_of(std::size_t row) const;

	// Heap bytes held, for pgdba.cost() and the bounds.
	std::size_t bytes() const noexcept;

private:
	friend class SampleParts; // the codec reads and fills the parts directly

	std::size_t width() const noexcept { return layout_->types.size(); }
	Type type(std::size_t column) const noexcept { return layout_->types[column]; }
	std::size_t cell(std::size_t row, std::size_t column) const noexcept {
		return row * width() + column;
	}
	void put(std::size_t cell, std::uint64_t bits) noexcept {
		cells_[cell] = bits, nulls_[cell] = false;
	}

	static const std::shared_ptr<const Layout> &no_columns();

	std::shared_ptr<const Layout> layout_ = no_columns(); // never null
	std::vector<std::uint64_t> cells_; // number bits, or offset << 32 | length into text_
	std::vector<bool> nulls_;
	std::string text_; // equal texts may share a place, so it is only ever appended to
};

// Replaces every invalid UTF-8 sequence, and NUL, by U+FFFD; valid text comes back as it is.
std::string valid_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text) noexcept; // and free of NUL

} // namespace pgdba
