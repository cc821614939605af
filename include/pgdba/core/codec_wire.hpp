// The codec's building stones: bytes in and out, and blocks of rows column by column. For
// codec*.cpp, and the bytes for ring_copy.cpp.
//
// A Reader never reads past its end, and nothing is allocated that the bytes at hand do not
// justify: a count is checked against the bytes that are left before memory is taken for it.
#pragma once

#include "pgdba/core/codec.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

constexpr std::uint64_t zigzag(std::uint64_t difference) noexcept {
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}
constexpr std::uint64_t unzigzag(std::uint64_t value) noexcept {
	return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

class Writer {
public:
	void byte(unsigned value) { out_.push_back(static_cast<char>(value)); }
	void varint(std::uint64_t value) {
		char bytes[10];
		std::size_t n = 0;
		for (; value >= 0x80; value >>= 7)
			bytes[n++] = static_cast<char>(value | 0x80);
		bytes[n++] = static_cast<char>(value);
		out_.append(bytes, n);
	}
	void fixed(std::uint64_t value) {
		char bytes[8];
		for (int i = 0; i < 8; ++i)
			bytes[i] = static_cast<char>(value >> (8 * i));
		out_.append(bytes, 8);
	}
	void raw(std::string_view text) { out_.append(text); }
	void text(std::string_view text) {
		varint(text.size());
		out_.append(text);
	}
	std::size_t size() const noexcept { return out_.size(); }
	void cut_back(std::size_t size) { out_.resize(size); }
	std::string take() && { return std::move(out_); }

private:
	std::string out_;
};

class Reader {
public:
	explicit Reader(std::string_view bytes) : rest_(bytes) {}

	std::size_t left() const noexcept { return rest_.size(); }
	unsigned byte() {
		if (rest_.empty())
			cut_short();
		const unsigned value = static_cast<unsigned char>(rest_.front());
		rest_.remove_prefix(1);
		return value;
	}
	std::uint64_t varint() {
		std::uint64_t value = 0;
		for (int shift = 0; shift < 70; shift += 7) {
			const std::uint64_t next = byte();
			if (shift == 63 && next > 1)
				break;
			value |= (next & 0x7F) << shift;
			if (next < 0x80)
				return value;
		}
		throw CorruptSample("sample holds a number of more than 64 bits");
	}
	std::uint64_t fixed() {
		const std::string_view bytes = raw(8);
		std::uint64_t value = 0;
		for (std::size_t i = 0; i < 8; ++i)
			value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
		return value;
	}
	std::string_view raw(std::uint64_t length) {
		if (length > rest_.size())
			cut_short();
		const std::string_view bytes = rest_.substr(0, length);
		rest_.remove_prefix(length);
		return bytes;
	}
	std::string_view text(std::uint64_t length); // checked to be UTF-8
	std::string_view text() { return text(varint()); }

private:
	[[noreturn]] static void cut_short();

	std::string_view rest_;
};

// The codec's way into a sample: bits as they are kept. REQUIRES: rows and columns that exist.
class SampleParts {
public:
	static bool null(const Sample &s, std::size_t row, std::size_t column) noexcept {
		return s.nulls_[s.cell(row, column)];
	}
	static std::uint64_t bits(const Sample &s, std::size_t row, std::size_t column) noexcept {
		return s.cells_[s.cell(row, column)];
	}
	static void put(Sample &s, std::size_t row, std::size_t column, std::uint64_t bits) noexcept {
		s.put(s.cell(row, column), bits);
	}
	static std::string_view text(const Sample &s, std::uint64_t bits) noexcept {
		return {s.text_.data() + (bits >> 32), bits & UINT32_MAX};
	}
	static std::uint64_t add_text(Sample &s,
								  std::string_view text); // RETURNS: the bits of its cell
	static void add_rows(Sample &s, std::size_t rows);    // all null

	// The texts of `from` behind those of `to`. RETURNS: what to add to the bits of its text cells.
	static std::uint64_t add_texts(Sample &to, const Sample &from);
	// Appends a row; `shift` as add_texts() returned it. REQUIRES: the same columns.
	static void add_row(Sample &to, const Sample &from, std::size_t row, std::uint64_t shift);
};

// A block: the given rows, column by column. read_rows() appends them.
void write_rows(Writer &out, const Sample &sample, const std::vector<std::uint32_t> &rows);
void read_rows(Reader &in, Sample &sample);

// What became of the copied rows: columns with a change, in each the changed rows. `source[row]` is
// the keyframe's row, or kNewRow. read_changes() applies them to `sample`, whose copied rows hold
// the keyframe's values.
constexpr std::uint32_t kNewRow = UINT32_MAX;
void write_changes(Writer &out, const Sample &keyframe, const Sample &sample,
				   const std::vector<std::uint32_t> &source);
void read_changes(Reader &in, Sample &sample);

} // namespace pgdba
