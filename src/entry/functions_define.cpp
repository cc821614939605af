// What stands behind define_probe() and define_check(): the same parsing and the same sandbox as in
// the sampler, so that what is accepted will run.
#include "pgdba/core/definition.hpp"
#include "pgdba/core/verdict.hpp"
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/pg/query.hpp"
#include "pgdba/pg/ring_table.hpp"
#include "pgdba/pg/watch.hpp"
#include "pgdba/sampler/records.hpp"

extern "C" {
#include "commands/trigger.h"
#include "utils/rel.h"
}

PGDBA_FUNCTION(pgdba_validate_probe)
PGDBA_FUNCTION(pgdba_validate_check)
PGDBA_FUNCTION(pgdba_definition_changed)

using namespace pgdba;

namespace {

std::string_view kind_name(Kind kind) noexcept {
	switch (kind) {
	case Kind::kLabel:
		return "label";
	case Kind::kGauge:
		return "gauge";
	case Kind::kCounter:
		return "counter";
	case Kind::kInfo:
		return "info";
	}
	return "info";
}

// Bad input of a definition as a server error: 22023, with what the parser knows.
template <class Body> auto bad_input(Body body) -> decltype(body()) {
	try {
		return body();
	} catch (const BadDefinition &bad) {
		throw pg::PgError(pg::sqlstate("22023"), bad.what(), bad.detail, bad.hint);
	}
}

void require_arguments(FunctionCallInfo fcinfo,
					   std::initializer_list<std::pair<int, const char *>> names) {
	for (const auto &[number, name] : names)
		if (PG_ARGISNULL(number))
			throw pg::PgError(pg::sqlstate("22004"), std::string(name) + " must not be null");
}

std::string text_or_empty(FunctionCallInfo fcinfo, int number) {
	return PG_ARGISNULL(number) ? std::string{} : pg::text_argument(fcinfo, number);
}

// What a check's query must return: names and the types they may have.
void check_result(const CheckDefinition &check,
				  const std::vector<std::pair<std::string, Type>> &columns) {
	const auto type_of = [&columns](std::string_view name) -> const Type * {
		for (const auto &[column, type] : columns)
			if (column == name)
				return &type;
		return nullptr;
	};
	const auto require = [&](std::string_view name, std::initializer_list<Type> allowed,
							 std::string_view words) {
		const Type *const type = type_of(name);
		if (type == nullptr || std::find(allowed.begin(), allowed.end(), *type) == allowed.end())
			throw BadDefinition("query of check \"" + check.id + "\" does not return column \"" +
									std::string(name) + "\" as " + std::string(words),
								type == nullptr
									? "There is no such column."
									: "Its type is " + std::string(sql_type(*type)) + ".",
								"A check returns object text, database text, value float8, unit "
								"text, evidence jsonb, "
								"and a number for each floor.");
	};
	require("object", {Type::kText}, "text");
	require("database", {Type::kText}, "text");
	require("value", {Type::kFloat8, Type::kInt8}, "a number");
	require("unit", {Type::kText}, "text");
	require("evidence", {Type::kJson}, "jsonb");
	for (const auto &[name, least] : check.threshold.floor)
		require(name, {Type::kFloat8, Type::kInt8}, "a number (it is a floor)");
}

// A row that a subscriber has no table for would stop its subscription for good.
void refuse_published(Relation table) {
	std::string publication;
	if (RelationIsPermanent(table) && pg::ring_is_published(&publication))
		throw pg::PgError(pg::sqlstate("55000"),
						  "cannot change definitions while publication \"" + publication +
							  "\" would send them to its subscribers",
						  {}, "SELECT * FROM pgdba.publications(); says how to change that.");
}

} // namespace

Datum pgdba_validate_probe(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		return bad_input([fcinfo] {
			require_arguments(fcinfo, {{0, "name"},
									   {1, "loop"},
									   {3, "key"},
									   {4, "columns"},
									   {5, "scope"},
									   {6, "options"}});
			const ProbeDefinition probe =
				parse_probe(pg::text_argument(fcinfo, 0), pg::text_argument(fcinfo, 1),
							text_or_empty(fcinfo, 2), pg::text_array_argument(fcinfo, 3),
							pg::json_argument(fcinfo, 4), pg::text_argument(fcinfo, 5),
							pg::json_argument(fcinfo, 6));
			if (probe.scope == Scope::kNative && native_columns(probe.name).empty())
				throw BadDefinition("there is no native probe \"" + probe.name + "\"", {},
									"Native probes are written in C++: heartbeat, probe_run, "
									"relation and verdict. Give a "
									"query, and scope cluster or database.");
			Sample rows;
			rows.set_columns(plain_columns({{"column_name", Type::kText},
											{"column_type", Type::kText},
											{"kind", Type::kText}}));
			for (const Column &column :
				 describe_columns(probe, probe.scope == Scope::kNative
											 ? native_columns(probe.name)
											 : pg::describe_query(probe.query, probe.readings))) {
				const std::size_t row = rows.add_row();
				rows.set_text(row, 0, column.name);
				rows.set_text(row, 1, sql_type(column.type));
				rows.set_text(row, 2, kind_name(column.kind));
			}
			return pg::return_sample(fcinfo, rows);
		});
	});
}

Datum pgdba_validate_check(PG_FUNCTION_ARGS) {
	pg::entry([fcinfo] {
		bad_input([fcinfo] {
			require_arguments(fcinfo, {{0, "check_id"}, {1, "query"}, {2, "definition"}});
			const CheckDefinition check =
				parse_check(pg::text_argument(fcinfo, 0), pg::text_argument(fcinfo, 1),
							pg::json_argument(fcinfo, 2));
			check_result(check, pg::describe_query(check.query));
		});
	});
	PG_RETURN_VOID();
}

// Statement-level trigger of the definition tables: the sampler notices at commit.
Datum pgdba_definition_changed(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo]() -> Datum {
		if (!CALLED_AS_TRIGGER(fcinfo))
			throw pg::PgError(pg::sqlstate("39P01"), "definition_changed() is a trigger function");
		const auto *const trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
		refuse_published(trigger->tg_relation);
		pg::touch_relation(RelationGetRelid(trigger->tg_relation));
		return PointerGetDatum(nullptr);
	});
}
