#include "pgdba/core/codec_wire.hpp"

#include <stdexcept>

#include "pgdba/core/wall.hpp"

namespace pgdba {

void Reader::cut_short() {
	throw CorruptSample("sample is cut short");
}

std::string_view Reader::text(std::uint64_t length) {
	const std::string_view bytes = raw(length);
	if (!is_valid_utf8(bytes))
		throw CorruptSample("sample holds a text that is not UTF-8");
	return bytes;
}

std::uint64_t SampleParts::add_text(Sample &s, std::string_view text) {
	if (text.size() > UINT32_MAX - s.text_.size())
		throw CorruptSample("the texts of a sample exceed 4 GB");
	const std::uint64_t offset = s.text_.size();
	s.text_.append(text);
	return offset << 32 | text.size();
}

void SampleParts::add_rows(Sample &s, std::size_t rows) {
	const std::size_t cells = s.cells_.size() + rows * s.width();
	s.nulls_.resize(cells, true);
	s.cells_.resize(cells, 0);
}

std::uint64_t SampleParts::add_texts(Sample &to, const Sample &from) {
	return add_text(to, from.text_) & ~std::uint64_t{UINT32_MAX};
}

void SampleParts::add_row(Sample &to, const Sample &from, std::size_t row, std::uint64_t shift) {
	const std::size_t source = from.cell(row, 0);
	for (std::size_t i = 0; i < to.width(); ++i) {
		const bool null = from.nulls_[source + i];
		const bool text = is_text(to.type(i));
		to.nulls_.push_back(null);
		to.cells_.push_back(from.cells_[source + i] + (text && !null ? shift : 0));
	}
}

} // namespace pgdba
