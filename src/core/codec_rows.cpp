// Blocks of rows, and changes of rows. See codec_wire.hpp.
//
// block   := rows, column*
// column  := tag, [bitmap of the rows that hold a value,] value*
// value   := bigint: zigzag varint; time: zigzag varint of the difference to the one above;
//            double: 8 bytes; boolean: a byte; else text
// text    := length << 1, bytes; or distance << 1 | 1, counted back in the texts written out before
// changes := count, (column gap, count, (row gap << 1 | null, value unless null)*)*
#include "pgdba/core/codec_wire.hpp"

#include <array>
#include <bit>
#include <functional>
#include <stdexcept>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

enum Tag : unsigned { kAllNull = 0, kNoNull = 1, kBitmap = 2 };

// A block may claim this many cells per byte, and some for nothing: small samples of many nulls.
constexpr std::uint64_t kCellsPerByte = 8;
constexpr std::uint64_t kFreeCells = 65536;

bool justified(std::uint64_t rows, std::uint64_t columns, std::uint64_t bytes) noexcept {
	return rows < kNewRow && rows <= (bytes * kCellsPerByte + kFreeCells) / columns;
}

// The texts of a column that were written out lately, by hash; a later one takes the place of an
// earlier.
class Repeats {
public:
	// RETURNS: how many texts back this one was written out, or 0: write it now.
	std::uint64_t find(std::string_view text) noexcept {
		Place &place = places_[std::hash<std::string_view>{}(text) % places_.size()];
		if (place.number != 0 && place.text == text)
			return written_ + 1 - place.number;
		place = {text, ++written_};
		return 0;
	}

private:
	struct Place {
		std::string_view text;
		std::uint64_t number = 0; // from 1
	};
	std::array<Place, 256> places_{};
	std::uint64_t written_ = 0;
};

void write_values(Writer &out, const Sample &sample, const std::vector<std::uint32_t> &rows,
				  std::size_t column) {
	const Type type = sample.columns()[column].type;
	const auto each = [&](auto write) {
		for (const std::uint32_t row : rows)
			if (!SampleParts::null(sample, row, column))
				write(SampleParts::bits(sample, row, column));
	};
	if (is_text(type)) {
		Repeats repeats;
		each([&](std::uint64_t bits) {
			const std::string_view text = SampleParts::text(sample, bits);
			if (const std::uint64_t back = repeats.find(text); back != 0) {
				out.varint(back << 1 | 1);
			} else {
				out.varint(std::uint64_t{text.size()} << 1);
				out.raw(text);
			}
		});
	} else if (type == Type::kTimestamp) {
		std::uint64_t above = 0;
		each([&](std::uint64_t bits) {
			out.varint(zigzag(bits - above));
			above = bits;
		});
	} else if (type == Type::kInt8) {
		each([&](std::uint64_t bits) { out.varint(zigzag(bits)); });
	} else if (type == Type::kFloat8) {
		each([&](std::uint64_t bits) { out.fixed(bits); });
	} else {
		each([&](std::uint64_t bits) { out.byte(bits != 0); });
	}
}

void write_bitmap(Writer &out, const Sample &sample, const std::vector<std::uint32_t> &rows,
				  std::size_t column) {
	unsigned byte = 0;
	for (std::size_t i = 0; i < rows.size(); ++i) {
		byte |= (SampleParts::null(sample, rows[i], column) ? 0U : 1U) << (i % 8);
		if (i % 8 == 7 || i + 1 == rows.size()) {
			out.byte(byte);
			byte = 0;
		}
	}
}

// `dense`: a bit for every cell, so that the bytes justify the rows even when all is null.
void write_columns(Writer &out, const Sample &sample, const std::vector<std::uint32_t> &rows,
				   bool dense) {
	for (std::size_t column = 0; column < sample.columns().size(); ++column) {
		std::size_t nulls = 0;
		for (const std::uint32_t row : rows)
			nulls += SampleParts::null(sample, row, column);
		const Tag tag = nulls == 0 ? kNoNull : nulls == rows.size() && !dense ? kAllNull : kBitmap;
		out.byte(tag);
		if (tag == kBitmap)
			write_bitmap(out, sample, rows, column);
		write_values(out, sample, rows, column);
	}
}

// One value of a column, in row order: remembers what later ones refer to.
class ValueReader {
public:
	ValueReader(Reader &in, Sample &sample, Type type) : in_(in), sample_(sample), type_(type) {}

	std::uint64_t next() {
		switch (type_) {
		case Type::kBool: {
			const unsigned value = in_.byte();
			if (value > 1)
				throw CorruptSample("sample holds an invalid boolean");
			return value;
		}
		case Type::kInt8:
			return unzigzag(in_.varint());
		case Type::kTimestamp:
			return above_ += unzigzag(in_.varint());
		case Type::kFloat8:
			return in_.fixed();
		case Type::kText:
		case Type::kJson:
			break;
		}
		const std::uint64_t code = in_.varint();
		if ((code & 1) == 0) {
			texts_.push_back(SampleParts::add_text(sample_, in_.text(code >> 1)));
			return texts_.back();
		}
		if (code >> 1 == 0 || code >> 1 > texts_.size())
			throw CorruptSample("sample refers to a text that it does not hold");
		return texts_[texts_.size() - (code >> 1)]; // shares its place: no bytes are copied
	}

private:
	Reader &in_;
	Sample &sample_;
	Type type_;
	std::uint64_t above_ = 0;
	std::vector<std::uint64_t> texts_;
};

void read_column(Reader &in, Sample &sample, std::size_t column, std::size_t first,
				 std::size_t rows) {
	const unsigned tag = in.byte();
	if (tag == kAllNull)
		return;
	if (tag != kNoNull && tag != kBitmap)
		throw CorruptSample("sample holds an unknown column layout");
	const std::string_view bitmap = tag == kBitmap ? in.raw((rows + 7) / 8) : std::string_view{};
	ValueReader values(in, sample, sample.columns()[column].type);
	for (std::size_t i = 0; i < rows; ++i)
		if (tag == kNoNull || (static_cast<unsigned char>(bitmap[i / 8]) >> (i % 8) & 1) != 0)
			SampleParts::put(sample, first + i, column, values.next());
}

} // namespace

void write_rows(Writer &out, const Sample &sample, const std::vector<std::uint32_t> &rows) {
	out.varint(rows.size());
	if (rows.empty())
		return;
	const std::size_t start = out.size();
	write_columns(out, sample, rows, false);
	if (!justified(rows.size(), sample.columns().size(), out.size() - start)) {
		out.cut_back(start);
		write_columns(out, sample, rows, true);
	}
}

void read_rows(Reader &in, Sample &sample) {
	const std::uint64_t rows = in.varint();
	if (rows == 0)
		return;
	if (sample.columns().empty() || !justified(rows, sample.columns().size(), in.left()))
		throw CorruptSample("sample claims more rows than its bytes can hold");
	const std::size_t first = sample.rows();
	SampleParts::add_rows(sample, rows);
	for (std::size_t column = 0; column < sample.columns().size(); ++column)
		read_column(in, sample, column, first, rows);
}

namespace {

bool changed(const Sample &keyframe, const Sample &sample, std::size_t from, std::size_t row,
			 std::size_t column) noexcept {
	const bool null = SampleParts::null(sample, row, column);
	if (null != SampleParts::null(keyframe, from, column))
		return true;
	const std::uint64_t now = SampleParts::bits(sample, row, column);
	const std::uint64_t then = SampleParts::bits(keyframe, from, column);
	if (null || !is_text(sample.columns()[column].type))
		return !null && now != then;
	return SampleParts::text(sample, now) != SampleParts::text(keyframe, then);
}

// `then`: the keyframe's bits, 0 when it was null.
void write_change(Writer &out, const Sample &sample, Type type, std::uint64_t then,
				  std::uint64_t now) {
	if (is_text(type))
		out.text(SampleParts::text(sample, now));
	else if (type == Type::kFloat8)
		out.fixed(now);
	else if (type == Type::kBool)
		out.byte(now != 0);
	else
		out.varint(zigzag(now - then));
}

std::uint64_t read_change(Reader &in, Sample &sample, Type type, std::uint64_t then) {
	if (is_text(type))
		return SampleParts::add_text(sample, in.text());
	if (type == Type::kFloat8)
		return in.fixed();
	if (type == Type::kBool)
		return in.byte() != 0;
	return then + unzigzag(in.varint());
}

} // namespace

void write_changes(Writer &out, const Sample &keyframe, const Sample &sample,
				   const std::vector<std::uint32_t> &source) {
	Writer columns;
	std::size_t count = 0, after_column = 0;
	std::vector<std::uint32_t> rows;
	for (std::size_t column = 0; column < sample.columns().size(); ++column) {
		rows.clear();
		for (std::uint32_t row = 0; row < source.size(); ++row)
			if (source[row] != kNewRow && changed(keyframe, sample, source[row], row, column))
				rows.push_back(row);
		if (rows.empty())
			continue;
		++count;
		columns.varint(column - after_column);
		columns.varint(rows.size());
		after_column = column + 1;
		std::uint32_t after_row = 0;
		for (const std::uint32_t row : rows) {
			const bool null = SampleParts::null(sample, row, column);
			columns.varint(std::uint64_t{row - after_row} << 1 | null);
			after_row = row + 1;
			if (!null)
				write_change(columns, sample, sample.columns()[column].type,
							 SampleParts::bits(keyframe, source[row], column),
							 SampleParts::bits(sample, row, column));
		}
	}
	out.varint(count);
	out.raw(std::move(columns).take());
}

void read_changes(Reader &in, Sample &sample) {
	// Gaps keep positions growing, so a position below the end ends both loops.
	const auto advance = [](std::uint64_t &position, std::uint64_t gap, std::uint64_t end) {
		if (gap >= end - position)
			throw CorruptSample("sample changes a cell that it does not hold");
		position += gap;
	};
	std::uint64_t column = 0;
	for (std::uint64_t columns = in.varint(); columns > 0; --columns, ++column) {
		advance(column, in.varint(), sample.columns().size());
		std::uint64_t row = 0;
		for (std::uint64_t rows = in.varint(); rows > 0; --rows, ++row) {
			const std::uint64_t code = in.varint();
			advance(row, code >> 1, sample.rows());
			if ((code & 1) != 0) {
				sample.set_null(row, column);
				continue;
			}
			const std::uint64_t then = SampleParts::bits(sample, row, column);
			SampleParts::put(sample, row, column,
							 read_change(in, sample, sample.columns()[column].type, then));
		}
	}
}

} // namespace pgdba
