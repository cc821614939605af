// Quoting of names and texts in printed SQL, exactly as the server's quote_ident and quote_literal
// do.
#include "pgdba/core/verdict.hpp"

#include <algorithm>
#include <array>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

// Every keyword of PostgreSQL 18 that is not unreserved. Older servers know fewer: there a name
// such as "json" comes out in quotes where the server would leave them away, which means the same.
// clang-format off
constexpr std::array<std::string_view, 164> kKeywords = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character",
    "check", "coalesce", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "dec", "decimal", "default", "deferrable", "desc",
    "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float",
    "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having",
    "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into",
    "is", "isnull", "join", "json", "json_array", "json_arrayagg", "json_exists", "json_object",
    "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
    "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp",
    "merge_action", "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null",
    "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps",
    "overlay", "placing", "position", "precision", "primary", "real", "references", "returning",
    "right", "row", "select", "session_user", "setof", "similar", "smallint", "some", "substring",
    "symmetric", "system_user", "table", "tablesample", "then", "time", "timestamp", "to",
    "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values", "varchar",
    "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat",
    "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
    "xmlserialize", "xmltable"};
// clang-format on
static_assert(std::is_sorted(kKeywords.begin(), kKeywords.end()));

bool is_bare(std::string_view name) noexcept {
	const auto first = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
	return !name.empty() && first(name.front()) &&
		   std::all_of(name.begin(), name.end(),
					   [&](char c) { return first(c) || (c >= '0' && c <= '9'); }) &&
		   !std::binary_search(kKeywords.begin(), kKeywords.end(), name);
}

} // namespace

std::string quote_identifier(std::string_view name) {
	if (is_bare(name))
		return std::string(name);
	std::string out = "\"";
	for (const char c : name) {
		if (c == '"')
			out += '"';
		out += c;
	}
	return out + '"';
}

std::string quote_literal(std::string_view text) {
	std::string out = text.find('\\') == std::string_view::npos ? "'" : "E'";
	for (const char c : text) {
		if (c == '\'' || c == '\\')
			out += c;
		out += c;
	}
	return out + '\'';
}

} // namespace pgdba
