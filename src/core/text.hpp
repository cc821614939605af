// Text on its way to a person's terminal: nothing in it may move the cursor, forge a line or break
// a statement.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgdba {

// One character at the start of `text`: how many bytes, and whether it acts on a terminal instead
// of being seen (control characters, line and paragraph separators, direction overrides). REQUIRES:
// valid UTF-8, not empty.
struct Glyph {
	std::size_t bytes;
	char32_t code;
	bool acts;
};
Glyph next_glyph(std::string_view text) noexcept;

// Valid UTF-8 on one line: what would act on a terminal becomes U+FFFD.
std::string visible(std::string_view text);
std::size_t width(std::string_view text) noexcept; // characters, not bytes

// Prose in lines of at most `limit` characters (`first` for the first); white space of any kind
// separates words, a longer word is cut.
std::vector<std::string> wrap(std::string_view prose, std::size_t limit, std::size_t first);
std::string shorten(std::string_view text,
					std::size_t limit); // at most so many characters, "…" for what is missing

// The parts of an SQL text. A quoted part includes its quotes, a literal not the E in front of it.
enum class SqlPart {
	kPlain,
	kLiteral,
	kEscapeLiteral,
	kIdentifier,
	kLineComment,
	kBlockComment,
	kDollar,
	kEnd
};
struct SqlToken {
	SqlPart part;
	std::string_view text;
};
std::vector<SqlToken> scan_sql(std::string_view sql);

// One line per statement, each of which can be copied whole and means the same: line ends between
// words become spaces; inside names and literals they are spelled as escapes, so that no line
// begins with another's text. Only a dollar-quoted body keeps its line ends. A comment before a
// statement is a line of its own.
std::vector<std::string> statement_lines(std::string_view sql);

} // namespace pgdba
