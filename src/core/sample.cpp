#include "pgdba/core/sample.hpp"

#include <bit>
#include <cassert>
#include <cmath>
#include <stdexcept>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::int64_t kExactInDouble = std::int64_t{1} << 53;

std::string_view text_at(const std::string &arena, std::uint64_t bits) noexcept {
	return {arena.data() + (bits >> 32), bits & UINT32_MAX};
}

void append_bytes(std::string &out, std::uint64_t value, int bytes) {
	for (int i = 0; i < bytes; ++i)
		out.push_back(static_cast<char>(value >> (8 * i)));
}

} // namespace

std::string_view sql_type(Type type) noexcept {
	switch (type) {
	case Type::kBool:
		return "boolean";
	case Type::kInt8:
		return "bigint";
	case Type::kFloat8:
		return "double precision";
	case Type::kText:
		return "text";
	case Type::kTimestamp:
		return "timestamp with time zone";
	case Type::kJson:
		return "jsonb";
	}
	return "text";
}

void Sample::take_header(const Sample &from) {
	probe = from.probe;
	loop = from.loop;
	sampled_at = from.sampled_at;
	server_start = from.server_start;
	interval = from.interval;
	injected = from.injected;
	cut = from.cut;
}

const std::shared_ptr<const Layout> &Sample::no_columns() {
	static const std::shared_ptr<const Layout> none = std::make_shared<const Layout>();
	return none;
}

void Sample::set_layout(std::shared_ptr<const Layout> layout) {
	assert(cells_.empty());
	layout_ = std::move(layout);
}

void Sample::set_columns(std::vector<Column> columns) {
	auto layout = std::make_shared<Layout>();
	layout->columns = std::move(columns);
	for (std::size_t i = 0; i < layout->columns.size(); ++i) {
		Column &column = layout->columns[i];
		for (std::string *text : {&column.name, &column.unit, &column.metric, &column.help})
			if (!is_valid_utf8(*text))
				*text = valid_utf8(*text);
		if (column.key)
			layout->keys.push_back(static_cast<std::uint32_t>(i));
		layout->types.push_back(column.type);
	}
	set_layout(std::move(layout));
}

int Sample::find_column(std::string_view name) const noexcept {
	for (std::size_t i = 0; i < width(); ++i)
		if (layout_->columns[i].name == name)
			return static_cast<int>(i);
	return -1;
}

void Sample::reserve(std::size_t rows) {
	cells_.reserve(rows * width());
	nulls_.reserve(rows * width());
}

std::size_t Sample::add_row() {
	assert(width() != 0);
	nulls_.resize(nulls_.size() + width(),
				  true); // first: a failure of the second leaves rows() as it was
	cells_.resize(cells_.size() + width(), 0);
	return rows() - 1;
}

void Sample::set_bool(std::size_t row, std::size_t column, bool value) noexcept {
	set_int(row, column, value ? 1 : 0);
}

void Sample::set_int(std::size_t row, std::size_t column, std::int64_t value) noexcept {
	switch (type(column)) {
	case Type::kBool:
		return put(cell(row, column), value != 0);
	case Type::kInt8:
	case Type::kTimestamp:
		return put(cell(row, column), static_cast<std::uint64_t>(value));
	case Type::kFloat8:
		return put(cell(row, column), std::bit_cast<std::uint64_t>(static_cast<double>(value)));
	case Type::kText:
	case Type::kJson:
		break;
	}
	set_null(row, column);
}

void Sample::set_float(std::size_t row, std::size_t column, double value) noexcept {
	if (type(column) == Type::kFloat8)
		put(cell(row, column), std::bit_cast<std::uint64_t>(value));
	else if (!is_text(type(column)) && value >= -0x1p63 && value < 0x1p63 &&
			 std::trunc(value) == value)
		set_int(row, column, static_cast<std::int64_t>(value));
	else
		set_null(row, column);
}

void Sample::set_text(std::size_t row, std::size_t column, std::string_view value) {
	if (!is_text(type(column)))
		return set_null(row, column);
	std::string repaired;
	if (!is_valid_utf8(value))
		value = repaired = valid_utf8(value);

	// Databases, schemas and states come in runs: share the text of the row above.
	const std::size_t above = row == 0 ? 0 : cell(row - 1, column);
	if (row > 0 && !nulls_[above] && text_at(text_, cells_[above]) == value)
		return put(cell(row, column), cells_[above]);

	if (value.size() > UINT32_MAX - text_.size())
		throw std::length_error("the texts of a sample exceed 4 GB");
	const std::uint64_t offset = text_.size();
	text_.append(value);
	put(cell(row, column), offset << 32 | value.size());
}

void Sample::set_null(std::size_t row, std::size_t column) noexcept {
	cells_[cell(row, column)] = 0;
	nulls_[cell(row, column)] = true;
}

void Sample::set_cell(std::size_t row, std::size_t column, const Cell &value) {
	const Type to = type(column);
	if (value.null)
		return set_null(row, column);
	if (is_text(value.type))
		return set_text(row, column, value.text);
	if (value.type == Type::kFloat8) {
		if (to == Type::kBool && value.real != 0 && value.real != 1)
			return set_null(row, column);
		return set_float(row, column, value.real);
	}
	const std::int64_t v = value.integer;
	if ((to == Type::kBool && v != 0 && v != 1) ||
		(to == Type::kFloat8 && (v > kExactInDouble || v < -kExactInDouble)))
		return set_null(row, column);
	set_int(row, column, v);
}

Cell Sample::at(std::size_t row, std::size_t column) const noexcept {
	Cell result;
	result.type = type(column);
	const std::size_t i = cell(row, column);
	if (nulls_[i])
		return result;
	result.null = false;
	if (is_text(result.type))
		result.text = text_at(text_, cells_[i]);
	else if (result.type == Type::kFloat8)
		result.real = std::bit_cast<double>(cells_[i]);
	else
		result.integer = static_cast<std::int64_t>(cells_[i]);
	return result;
}

Cell Sample::at(std::size_t row, std::string_view column) const noexcept {
	const int i = find_column(column);
	return i < 0 ? Cell{} : at(row, static_cast<std::size_t>(i));
}

void Sample::copy_row(const Sample &from, std::size_t row) {
	const std::size_t to = add_row();
	for (std::size_t i = 0; i < width(); ++i) {
		const std::size_t source = from.cell(row, i);
		if (from.nulls_[source])
			continue;
		if (is_text(type(i)))
			set_text(to, i, text_at(from.text_, from.cells_[source]));
		else
			put(cell(to, i), from.cells_[source]);
	}
}

// Per key column: 0 for null, or 1 and eight bytes, or 2, the length and the text.
std::string Sample::key_of(std::size_t row) const {
	std::size_t size = 0;
	for (const std::uint32_t i : layout_->keys)
		size += 9 + (is_text(type(i)) ? cells_[cell(row, i)] & UINT32_MAX : 0);
	std::string key;
	key.reserve(size);
	for (const std::uint32_t i : layout_->keys) {
		const std::size_t at = cell(row, i);
		if (nulls_[at]) {
			key.push_back('\0');
		} else if (is_text(type(i))) {
			const std::string_view text = text_at(text_, cells_[at]);
			key.push_back('\2');
			append_bytes(key, text.size(), 4);
			key.append(text);
		} else {
			key.push_back('\1');
			append_bytes(key, cells_[at], 8);
		}
	}
	return key;
}

std::size_t Sample::bytes() const noexcept {
	return cells_.capacity() * sizeof(std::uint64_t) + nulls_.capacity() / 8 + text_.capacity() +
		   probe.capacity() + loop.capacity();
}

} // namespace pgdba
