// SQL as text: where its quotes and comments begin and end, and how to print it on one line.
#include "pgdba/core/sample.hpp"
#include "text.hpp"

#include <algorithm>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

bool is_word(char c) noexcept {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_space(char c) noexcept {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

std::size_t end_of_quoted(std::string_view sql, std::size_t at, char quote, bool escapes) noexcept {
	for (std::size_t i = at + 1; i < sql.size(); ++i) {
		if (escapes && sql[i] == '\\')
			++i;
		else if (sql[i] == quote && i + 1 < sql.size() && sql[i + 1] == quote)
			++i;
		else if (sql[i] == quote)
			return i + 1;
	}
	return sql.size();
}

std::size_t end_of_comment(std::string_view sql, std::size_t at) noexcept {
	int depth = 0;
	for (std::size_t i = at; i + 1 < sql.size(); ++i) {
		const std::string_view two = sql.substr(i, 2);
		if (two == "/*")
			++depth, ++i;
		else if (two == "*/" && ++i && --depth == 0)
			return i + 1;
	}
	return sql.size();
}

// RETURNS: `at` when no dollar quote begins there ($1 is a parameter).
std::size_t end_of_dollar(std::string_view sql, std::size_t at) noexcept {
	std::size_t tag = at + 1;
	while (tag < sql.size() && sql[tag] != '$' && is_word(sql[tag]))
		++tag;
	if (tag >= sql.size() || sql[tag] != '$' || (sql[at + 1] >= '0' && sql[at + 1] <= '9'))
		return at;
	const std::string_view mark = sql.substr(at, tag + 1 - at);
	const std::size_t close = sql.find(mark, tag + 1);
	return close == std::string_view::npos ? sql.size() : close + mark.size();
}

// RETURNS: what begins at `at`, and where it ends; kPlain with no length when nothing does.
SqlToken token_at(std::string_view sql, std::size_t at) noexcept {
	const auto token = [&](SqlPart part, std::size_t end) {
		return SqlToken{part, sql.substr(at, end - at)};
	};
	const char before = at > 0 ? sql[at - 1] : ' ';
	if (sql[at] == '\'') {
		const bool escapes = (before == 'E' || before == 'e') && (at < 2 || !is_word(sql[at - 2]));
		return token(escapes ? SqlPart::kEscapeLiteral : SqlPart::kLiteral,
					 end_of_quoted(sql, at, '\'', escapes));
	}
	if (sql[at] == '"')
		return token(SqlPart::kIdentifier, end_of_quoted(sql, at, '"', false));
	if (sql.substr(at, 2) == "--")
		return token(SqlPart::kLineComment, std::min(sql.find('\n', at), sql.size()));
	if (sql.substr(at, 2) == "/*")
		return token(SqlPart::kBlockComment, end_of_comment(sql, at));
	if (sql[at] == '$' && !is_word(before))
		return token(SqlPart::kDollar, end_of_dollar(sql, at));
	return token(sql[at] == ';' ? SqlPart::kEnd : SqlPart::kPlain, sql[at] == ';' ? at + 1 : at);
}

// A quoted name or literal with its line ends and other acting characters spelled as escapes.
std::string respell(const SqlToken &token, bool after_ampersand) {
	std::string body;
	bool changed = false;
	const bool name = token.part == SqlPart::kIdentifier;
	for (std::string_view rest = token.text; !rest.empty();) {
		const Glyph glyph = next_glyph(rest);
		if (glyph.acts) {
			constexpr std::string_view kHex = "0123456789ABCDEF";
			body += name ? "\\" : "\\u";
			for (int shift = 12; shift >= 0; shift -= 4)
				body += kHex[glyph.code >> shift & 15];
			changed = true;
		} else {
			// A backslash meant itself until now: escapes make it special.
			if (rest.front() == '\\' && token.part != SqlPart::kEscapeLiteral)
				body += '\\';
			body += rest.substr(0, glyph.bytes);
		}
		rest.remove_prefix(glyph.bytes);
	}
	if (!changed || after_ampersand) // the author's own U&: leave it
		return std::string(token.text);
	return (name ? "U&" : token.part == SqlPart::kLiteral ? "E" : "") + body;
}

void add_collapsed(std::string &line, std::string_view text) {
	for (const char c : text) {
		if (!is_space(c))
			line += c;
		else if (!line.empty() && line.back() != ' ')
			line += ' ';
	}
}

void finish(std::string &line, std::vector<std::string> &lines) {
	while (!line.empty() && line.back() == ' ')
		line.pop_back();
	for (std::size_t begin = 0;
		 begin < line.size();) { // more than one only for a dollar-quoted body
		const std::size_t end = std::min(line.find('\n', begin), line.size());
		lines.push_back(line.substr(begin, end - begin));
		begin = end + 1;
	}
	line.clear();
}

} // namespace

std::vector<SqlToken> scan_sql(std::string_view sql) {
	std::vector<SqlToken> out;
	std::size_t plain = 0, at = 0;
	while (at < sql.size()) {
		const SqlToken token = token_at(sql, at);
		if (token.text.empty()) {
			++at;
			continue;
		}
		if (at > plain)
			out.push_back({SqlPart::kPlain, sql.substr(plain, at - plain)});
		out.push_back(token);
		at += token.text.size();
		plain = at;
	}
	if (at > plain)
		out.push_back({SqlPart::kPlain, sql.substr(plain)});
	return out;
}

std::vector<std::string> statement_lines(std::string_view sql) {
	const std::string valid = valid_utf8(sql);
	std::vector<std::string> lines;
	std::string line;
	for (const SqlToken &token : scan_sql(valid)) {
		switch (token.part) {
		case SqlPart::kPlain:
			add_collapsed(line, token.text);
			break;
		case SqlPart::kLiteral:
		case SqlPart::kEscapeLiteral:
		case SqlPart::kIdentifier:
			line += respell(token, !line.empty() && line.back() == '&');
			break;
		case SqlPart::kLineComment:
			if (line.empty()) {
				line = visible(token.text);
				finish(line, lines);
			} else {
				std::string text = visible(token.text.substr(2));
				for (std::size_t end; (end = text.find("*/")) != std::string::npos;)
					text.replace(end, 2, "* ");
				line += "/*" + text + " */";
			}
			break;
		case SqlPart::kBlockComment:
			add_collapsed(line, token.text);
			break;
		case SqlPart::kDollar:
			line += token.text;
			break;
		case SqlPart::kEnd:
			line += ';';
			finish(line, lines);
			break;
		}
	}
	finish(line, lines);
	return lines;
}

} // namespace pgdba
