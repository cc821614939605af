// Prose for terminals: see text.hpp.
#include "text.hpp"

#include "pgdba/core/sample.hpp"

#include <algorithm>

#include "pgdba/core/wall.hpp"

namespace pgdba {

Glyph next_glyph(std::string_view text) noexcept {
	const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
	const unsigned char lead = byte(0);
	Glyph out{1, lead, false};
	if (lead >= 0xC0)
		out.bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	out.bytes = std::min(out.bytes, text.size());
	if (out.bytes > 1)
		out.code = lead & (0xFFU >> (out.bytes + 1));
	for (std::size_t i = 1; i < out.bytes; ++i)
		out.code = out.code << 6 | (byte(i) & 0x3FU);
	const char32_t code = out.code;
	out.acts = code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200E && code <= 0x200F) ||
			   (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
	return out;
}

std::string visible(std::string_view text) {
	const std::string valid = valid_utf8(text);
	std::string out;
	for (std::string_view rest = valid; !rest.empty();) {
		const Glyph glyph = next_glyph(rest);
		out += glyph.acts ? std::string_view("\xEF\xBF\xBD") : rest.substr(0, glyph.bytes);
		rest.remove_prefix(glyph.bytes);
	}
	return out;
}

std::size_t width(std::string_view text) noexcept {
	return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
		return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
	}));
}

namespace {

// Moves the first `limit` characters of `word` into a line of their own.
std::string take(std::string &word, std::size_t limit) {
	std::size_t end = 0;
	for (std::size_t taken = 0; taken < limit && end < word.size(); ++taken)
		end += next_glyph(std::string_view(word).substr(end)).bytes;
	std::string out = word.substr(0, end);
	word.erase(0, end);
	return out;
}

} // namespace

std::string shorten(std::string_view text, std::size_t limit) {
	if (width(text) <= limit)
		return std::string(text);
	std::string rest(text);
	return take(rest, limit > 0 ? limit - 1 : 0) + "\xE2\x80\xA6";
}

std::vector<std::string> wrap(std::string_view prose, std::size_t limit, std::size_t first) {
	constexpr std::string_view kSpace = " \t\r\n\v\f";
	std::vector<std::string> lines;
	std::string line;
	const auto room = [&] { return lines.empty() ? first : limit; };
	while (!prose.empty()) {
		const std::size_t begin = prose.find_first_not_of(kSpace);
		if (begin == std::string_view::npos)
			break;
		prose.remove_prefix(begin);
		const std::size_t end = std::min(prose.find_first_of(kSpace), prose.size());
		std::string word = visible(prose.substr(0, end));
		prose.remove_prefix(end);
		if (!line.empty() && width(line) + 1 + width(word) > room()) {
			lines.push_back(std::move(line));
			line.clear();
		}
		while (width(word) > room())
			lines.push_back(take(word, room()));
		line += (line.empty() ? "" : " ") + word;
	}
	if (!line.empty())
		lines.push_back(std::move(line));
	return lines;
}

} // namespace pgdba
