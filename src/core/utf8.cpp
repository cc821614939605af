// UTF-8 as the server's UTF8 encoding defines it: no overlong forms, no surrogates, nothing above
// U+10FFFF; and no NUL, which the server's text cannot hold.
#include "pgdba/core/sample.hpp"

#include <cstdint>
#include <cstring>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
	return static_cast<unsigned char>(text[i]);
}

// How many bytes from `i` on are one valid character (`valid`), or the longest beginning of one (at
// least 1).
std::size_t character_at(std::string_view text, std::size_t i, bool &valid) noexcept {
	const unsigned lead = byte_at(text, i);
	valid = false;
	if (lead < 0x80) {
		valid = lead != 0;
		return 1;
	}
	if (lead < 0xC2 || lead > 0xF4)
		return 1;
	const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	for (std::size_t k = 1; k < length; ++k) {
		if (i + k >= text.size())
			return k;
		const unsigned next = byte_at(text, i + k);
		if (next < (k == 1 ? low : 0x80) || next > (k == 1 ? high : 0xBF))
			return k;
	}
	valid = true;
	return length;
}

// Position of the first invalid sequence, or the size. Plain ASCII is passed eight bytes at a time.
std::size_t first_invalid(std::string_view text) noexcept {
	constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
	std::size_t i = 0;
	while (i < text.size()) {
		if (i + 8 <= text.size()) {
			std::uint64_t word;
			std::memcpy(&word, text.data() + i, 8);
			if (((word | (word - kOnes)) & kHigh) == 0) { // no high bit, no zero byte
				i += 8;
				continue;
			}
		}
		bool valid;
		const std::size_t length = character_at(text, i, valid);
		if (!valid)
			return i;
		i += length;
	}
	return i;
}

} // namespace

bool is_valid_utf8(std::string_view text) noexcept {
	return first_invalid(text) == text.size();
}

std::string valid_utf8(std::string_view text) {
	std::string result;
	for (;;) {
		const std::size_t good = first_invalid(text);
		result.append(text.substr(0, good));
		if (good == text.size())
			return result;
		bool valid;
		text.remove_prefix(good + character_at(text, good, valid));
		result.append(kReplacement);
	}
}

} // namespace pgdba
