// What a query returns, joined with what its probe's definition says about it.
#include "fields.hpp"
#include "pgdba/core/verdict.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "pgdba/core/wall.hpp"

namespace pgdba {

namespace {

constexpr std::size_t kMostColumns = 100;
// The views add these around the columns of a probe.
constexpr std::array<std::string_view, 4> kReserved = {"sampled_at", "elapsed", "reset", "gap"};

bool is_column_name(std::string_view name) noexcept {
	const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
	return !name.empty() && name.size() < 64 && lower(name.front()) &&
		   std::all_of(name.begin(), name.end(),
					   [&](char c) { return lower(c) || (c >= '0' && c <= '9'); });
}

bool is_number(Type type) noexcept {
	return type == Type::kInt8 || type == Type::kFloat8;
}

void check_name(const std::string &owner, const std::string &name, std::set<std::string> &seen) {
	if (!is_column_name(name))
		refuse_definition(owner,
						  "Column \"" + valid_utf8(name) + "\" has a name that is not allowed.",
						  "Use AS to name it with lower-case letters, digits and underscores.");
	if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end())
		refuse_definition(owner,
						  "Column \"" + name + "\" has a name that the views of every probe use.",
						  "Use AS to give it another name.");
	if (!seen.insert(name).second)
		refuse_definition(owner, "Column \"" + name + "\" is returned twice.",
						  "Use AS to tell them apart.");
}

void check_kind(const std::string &owner, const Column &column) {
	if (column.kind == Kind::kCounter && !is_number(column.type))
		refuse_definition(owner,
						  "Column \"" + column.name + "\" is a counter, but its type is " +
							  std::string(sql_type(column.type)) + ".",
						  "Cast it to bigint or double precision.");
	if (column.kind == Kind::kGauge && (column.type == Type::kText || column.type == Type::kJson))
		refuse_definition(
			owner,
			"Column \"" + column.name + "\" is a gauge, but its type is " +
				std::string(sql_type(column.type)) + ".",
			"Cast it to a number, a boolean or a timestamp, or make it a label or info.");
	if (column.kind == Kind::kLabel && column.name.starts_with("__"))
		refuse_definition(
			owner, "Label \"" + column.name + "\" begins with two underscores.",
			"Prometheus keeps such names for itself; use AS to give it another name.");
}

Column describe(const ProbeDefinition &probe, std::string name, Type type) {
	Column out;
	out.name = std::move(name);
	out.type = type;
	// In a probe that visits every database, the database is part of what identifies a row.
	out.key = std::find(probe.key.begin(), probe.key.end(), out.name) != probe.key.end() ||
			  (out.name == "db" && probe.scope == Scope::kDatabase);
	const bool label = out.key || out.name == "db";
	out.kind = label ? Kind::kLabel
					 : Kind::kInfo; // a key column may be declared info: then another names the row
	const auto found = probe.columns.find(out.name);
	if (found == probe.columns.end())
		return out;
	const ColumnMeaning &meaning = found->second;
	if (label && (meaning.kind == Kind::kGauge || meaning.kind == Kind::kCounter))
		refuse_definition("probe \"" + probe.name + "\"",
						  "Column \"" + out.name +
							  "\" identifies a row and cannot be measured as well.",
						  "Return the measured value in a column of its own.");
	out.kind = label && !meaning.kind_given ? Kind::kLabel : meaning.kind;
	out.unit = meaning.unit;
	out.metric = meaning.metric;
	out.help = meaning.help;
	return out;
}

void require_returned(const ProbeDefinition &probe, const std::set<std::string> &returned,
					  std::string_view what, const std::string &name) {
	if (returned.contains(name))
		return;
	refuse_definition("probe \"" + probe.name + "\"",
					  std::string(what) + " \"" + name + "\" is not returned by the query.",
					  known_hint("columns", name, {returned.begin(), returned.end()}));
}

void check_uses(const ProbeDefinition &probe, const std::vector<Column> &columns,
				const std::set<std::string> &returned) {
	for (const std::string &name : probe.key)
		require_returned(probe, returned, "Key column", name);
	for (const auto &[name, meaning] : probe.columns)
		require_returned(probe, returned, "Described column", name);
	for (const std::string &name : template_keys(probe.object))
		require_returned(probe, returned, "The object's column", name);
	for (const std::string &name : probe.top.by) {
		require_returned(probe, returned, "The ranking's column", name);
		const auto column = std::find_if(columns.begin(), columns.end(),
										 [&](const Column &each) { return each.name == name; });
		if (!is_number(column->type))
			refuse_definition("probe \"" + probe.name + "\"",
							  "The ranking's column \"" + name + "\" is not a number.",
							  "Rank by bigint or double precision columns.");
	}
}

} // namespace

std::vector<Column> describe_columns(const ProbeDefinition &probe,
									 std::vector<std::pair<std::string, Type>> result) {
	const std::string owner = "probe \"" + probe.name + "\"";
	if (result.empty())
		refuse_definition(owner, "The query returns no column.", "Return at least one.");
	if (result.size() > kMostColumns)
		refuse_definition(owner,
						  "The query returns " + std::to_string(result.size()) +
							  " columns, more than " + std::to_string(kMostColumns) + ".",
						  "Return what is looked at; put the rest into a column of type jsonb.");
	std::set<std::string> seen, metrics;
	for (const auto &[name, type] : result)
		check_name(owner, name, seen);
	const auto is_db = [](const auto &each) { return each.first == "db"; };
	const auto db = std::find_if(result.begin(), result.end(), is_db);
	if (db == result.end())
		result.emplace(result.begin(), "db", Type::kText);
	else if (db->second != Type::kText)
		refuse_definition(owner, "Column \"db\" is not a text.",
						  "It holds the database's name, cast to text.");
	else
		std::rotate(result.begin(), db, db + 1);
	seen.insert("db");

	std::vector<Column> out;
	for (auto &[name, type] : result) {
		out.push_back(describe(probe, std::move(name), type));
		check_kind(owner, out.back());
		if (!out.back().metric.empty() && !metrics.insert(out.back().metric).second)
			refuse_definition(owner,
							  "Metric \"" + out.back().metric + "\" is given to two columns.",
							  "Give each column a metric of its own.");
	}
	check_uses(probe, out, seen);
	return out;
}

} // namespace pgdba
