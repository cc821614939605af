// Templates of messages, objects and SQL. A value from the cluster is text that somebody else
// chose: in SQL it only ever appears as a quoted name, a quoted literal or a whole number.
#include "pgdba/core/health.hpp"
#include "text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> kFormats = {"",      "I",     "L",      "duration",
													  "bytes", "count", "percent"};
constexpr std::size_t kLongestValue =
	300;                         // characters of one value in a message: a query may have a million
constexpr char kMarker = '\x01'; // stands for a placeholder while the SQL around it is looked at

struct Piece {
	std::string text; // as it is, or the key of a placeholder
	std::string format;
	bool placeholder = false;
};

bool is_key(std::string_view text) noexcept {
	return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
	});
}

[[noreturn]] void refuse(std::string detail) {
	throw BadDefinition(
		"invalid template", std::move(detail),
		"Write {key}, {key:I} for a name, {key:L} for a literal, {key:duration}, {key:bytes}, "
		"{key:count} or {key:percent}; {{ and }} print braces.");
}

Piece parse_placeholder(std::string_view inside) {
	const std::size_t colon = std::min(inside.find(':'), inside.size());
	Piece out{std::string(inside.substr(0, colon)), "", true};
	if (!is_key(out.text))
		refuse("\"{" + visible(inside) + "}\" does not begin with a key of lower-case letters.");
	if (colon < inside.size())
		out.format = inside.substr(colon + 1);
	if ((colon < inside.size() && out.format.empty()) ||
		std::find(kFormats.begin(), kFormats.end(), out.format) == kFormats.end())
		refuse("\"{" + visible(inside) + "}\" has an unknown format.");
	return out;
}

std::vector<Piece> split(std::string_view text) {
	std::vector<Piece> out;
	std::string literal;
	for (std::size_t i = 0; i < text.size(); ++i) {
		const char c = text[i];
		if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
			literal += c;
			++i;
			continue;
		}
		if (c == '}')
			refuse("A closing brace at character " + std::to_string(i + 1) +
				   " has no opening one.");
		if (c != '{') {
			literal += c;
			continue;
		}
		const std::size_t end = text.find('}', i);
		if (end == std::string_view::npos)
			refuse("The brace at character " + std::to_string(i + 1) + " is not closed.");
		out.push_back({std::move(literal), "", false});
		literal.clear();
		out.push_back(parse_placeholder(text.substr(i + 1, end - i - 1)));
		i = end;
	}
	out.push_back({std::move(literal), "", false});
	return out;
}

std::string text_of(const json &value) {
	switch (value.type()) {
	case json::value_t::string:
		return valid_utf8(value.get_ref<const std::string &>());
	case json::value_t::boolean:
		return value.get<bool>() ? "true" : "false";
	case json::value_t::number_float: {
		std::array<char, 64> buffer;
		const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
												value.get<double>(), std::chars_format::general, 6);
		return {buffer.data(), end};
	}
	default:
		return value.dump(-1, ' ', false, json::error_handler_t::replace);
	}
}

// One value in its format; nothing when it does not have what the format needs.
std::optional<std::string> format(const json &value, const std::string &format) {
	if (value.is_null() || value.is_discarded())
		return std::nullopt;
	if (format.empty() || format == "I" || format == "L") {
		const std::string text = text_of(value);
		return format.empty() ? text : format == "I" ? quote_identifier(text) : quote_literal(text);
	}
	if (!value.is_number())
		return std::nullopt;
	const double number = value.get<double>();
	return format == "duration" ? format_duration(number)
		   : format == "bytes"  ? format_bytes(number)
		   : format == "count"  ? format_count(number)
								: format_percent(number);
}

// As format(), and a list gives its values with commas between them. An empty list is a missing
// value.
std::optional<std::string> format_all(const json &value, const std::string &how) {
	if (!value.is_array())
		return format(value, how);
	std::optional<std::string> out;
	for (const json &each : value) {
		const std::optional<std::string> one = format(each, how);
		if (!one)
			return std::nullopt;
		out = out ? *out + ", " + *one : *one;
	}
	return out;
}

json number_or_null(std::optional<double> value) {
	constexpr double kExact =
		9007199254740992.0; // beyond it a double is no whole number to rely on
	if (!value || std::isnan(*value))
		return nullptr;
	if (*value == std::floor(*value) && std::fabs(*value) <= kExact)
		return static_cast<std::int64_t>(*value);
	return *value;
}

class Values {
public:
	explicit Values(const Finding &finding)
		: finding_(finding), evidence_(json::parse(finding.evidence, nullptr, false)) {}

	json find(const std::string &key) const {
		if (evidence_.is_object() && evidence_.contains(key))
			return evidence_[key];
		if (const auto named = finding_.named.find(key); named != finding_.named.end())
			return number_or_null(named->second);
		if (key == "value")
			return number_or_null(finding_.value);
		const std::string *text = key == "object"     ? &finding_.object
								  : key == "database" ? &finding_.database
								  : key == "unit"     ? &finding_.unit
													  : nullptr;
		return text == nullptr || (text->empty() && key != "unit") ? json()
																   : json(valid_utf8(*text));
	}

private:
	const Finding &finding_;
	json evidence_;
};

bool is_whole(const json &value) {
	if (value.is_array())
		return !value.empty() && std::all_of(value.begin(), value.end(), [](const json &each) {
			return each.is_number_integer();
		});
	return value.is_number_integer();
}

bool touches(char c) noexcept { // would melt into a quoted name or literal beside it
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '$' || c == '&' || c == '\'' || c == '"' || c == kMarker ||
		   static_cast<unsigned char>(c) >= 0x80;
}

void check_sql_piece(const Piece &piece, std::string_view sql, std::size_t at) {
	const std::string name = "\"{" + piece.text + ":" + piece.format + "}\"";
	if (piece.format != "I" && piece.format != "L")
		refuse(name + " is for people and is not SQL.");
	if ((at > 0 && touches(sql[at - 1])) || (at + 1 < sql.size() && touches(sql[at + 1])))
		refuse(name + " touches a word, a quote or another placeholder.");
}

} // namespace

void check_template(std::string_view text, bool sql) {
	const std::vector<Piece> pieces = split(text);
	if (!sql)
		return;
	std::string shape;
	for (const Piece &piece : pieces) {
		if (!piece.placeholder)
			std::replace_copy(piece.text.begin(), piece.text.end(), std::back_inserter(shape),
							  kMarker, ' ');
		else
			shape +=
				piece.format.empty() ? '0' : kMarker; // plain ones are whole numbers: safe anywhere
	}
	std::size_t at = 0;
	for (const Piece &piece : pieces) {
		if (piece.placeholder && !piece.format.empty())
			check_sql_piece(piece, shape, at);
		at += piece.placeholder ? 1 : piece.text.size();
	}
	for (const SqlToken &token : scan_sql(shape)) {
		if (token.part != SqlPart::kPlain && token.text.find(kMarker) != std::string_view::npos)
			refuse("A placeholder stands inside quotes or a comment, where its own quotes would "
				   "end them.");
	}
}

std::vector<std::string> template_keys(std::string_view text) {
	std::vector<std::string> out;
	for (const Piece &piece : split(text)) {
		if (piece.placeholder)
			out.push_back(piece.text);
	}
	return out;
}

std::string render_message(std::string_view text, const Finding &finding) {
	const Values values(finding);
	std::string out;
	for (const Piece &piece : split(text)) {
		if (!piece.placeholder) {
			out += piece.text;
			continue;
		}
		const std::optional<std::string> value = format_all(values.find(piece.text), piece.format);
		out += value ? shorten(visible(*value), kLongestValue) : "?";
	}
	return out;
}

std::string render_sql(std::string_view text, const Finding &finding) {
	const Values values(finding);
	std::string out;
	for (const Piece &piece : split(text)) {
		if (!piece.placeholder) {
			out += piece.text;
			continue;
		}
		const json found = values.find(piece.text);
		const std::optional<std::string> value = format_all(found, piece.format);
		if (!value || (piece.format.empty() && !is_whole(found)))
			return {};
		// "-" and a negative number would begin a comment.
		if (!out.empty() && out.back() == '-' && value->front() == '-')
			out += ' ';
		out += *value;
	}
	return out;
}

std::string render_object(std::string_view text, const Sample &sample, std::size_t row) {
	std::string out;
	for (const Piece &piece : split(text)) {
		const Cell cell = piece.placeholder ? sample.at(row, piece.text) : Cell();
		if (!piece.placeholder)
			out += piece.text;
		else if (cell.null)
			out += '?';
		else if (cell.type == Type::kText || cell.type == Type::kJson)
			out += format(json(valid_utf8(cell.text)), piece.format).value_or("?");
		else if (cell.type == Type::kTimestamp)
			out += format(json(format_time(cell.integer)), piece.format).value_or("?");
		else if (cell.type == Type::kBool)
			out += format(json(cell.integer != 0), piece.format).value_or("?");
		else
			out += format(cell.type == Type::kInt8 ? json(cell.integer) : number_or_null(cell.real),
						  piece.format)
					   .value_or("?");
	}
	return out;
}

} // namespace pgdba
