// Definitions of probes and checks: what is accepted, and that what is refused says what would be
// right.
#include "pgdba/core/definition.hpp"

#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

ProbeDefinition probe(std::string_view columns = "{}", std::string_view options = "{}",
					  const std::vector<std::string> &key = {"relation"}) {
	return parse_probe("relation_size", "storage", "SELECT 1", key, columns, "database", options);
}

constexpr const char *kCheck =
	R"({"title": "Blocked sessions", "loop": "hot", "message": "{n} wait",
	"thresholds": {"warning": 30, "critical": 120}})";

CheckDefinition check(std::string_view definition) {
	return parse_check("locks.blocking", "SELECT 1", definition);
}

// The definition must be refused, with `part` in its detail or hint.
template <typename Body> void expect_refused(Body body, const std::string &part) {
	try {
		body();
		ADD_FAILURE() << "accepted, expected: " << part;
	} catch (const BadDefinition &bad) {
		const std::string all = bad.detail + " " + bad.hint;
		EXPECT_NE(all.find(part), std::string::npos) << all;
		EXPECT_EQ(std::string(bad.what()).find("invalid definition of "), 0U);
		EXPECT_NE(std::string(bad.what()).back(), '.');
		EXPECT_EQ(bad.detail.back(), '.');
		EXPECT_EQ(bad.hint.back(), '.');
	}
}

TEST(LoopIndex, KnowsTheLoops) {
	EXPECT_EQ(loop_index("hot"), 0);
	EXPECT_EQ(loop_index("hourly"), 3);
	EXPECT_EQ(loop_index("daily"), -1);
	EXPECT_TRUE(is_frequent("hot") && is_frequent("workload"));
	EXPECT_FALSE(is_frequent("storage") || is_frequent("hourly"));
}

TEST(ParseProbe, KnowsWhatTheEngineReads) {
	const ProbeDefinition p = probe(
		R"({"bytes": {"read": "file_size", "kind": "gauge"}, "last": {"read": "sequence_value"}, "a": {}})");
	EXPECT_EQ(p.readings,
			  (Readings{{"bytes", Reading::kFileSize}, {"last", Reading::kSequenceValue}}));
	expect_refused([] { probe(R"({"a": {"read": "filesize"}})"); },
				   "Perhaps you meant \"file_size\"");
	expect_refused([] { probe(R"({"a": {"read": 1}})"); }, "is not a text");
}

TEST(ParseProbe, ReadsEverything) {
	const ProbeDefinition p = probe(
		R"({"size": {"kind": "gauge", "unit": "bytes", "metric": "pg_relation_size_bytes", "help": "Size on disk"},
	        "scans": {"kind": "counter"}, "note": {"help": "words"}})",
		R"({"budget": "250ms", "max_rows": 500, "top": {"n": "top_relations", "by": ["size"]},
	        "object": "relation:{db:I}/{relation:I}", "needs_extension": "pgstattuple"})");
	EXPECT_EQ(p.name, "relation_size");
	EXPECT_EQ(p.scope, Scope::kDatabase);
	EXPECT_EQ(p.columns.at("size").kind, Kind::kGauge);
	EXPECT_EQ(p.columns.at("size").metric, "pg_relation_size_bytes");
	EXPECT_EQ(p.columns.at("scans").kind, Kind::kCounter);
	EXPECT_EQ(p.columns.at("note").kind, Kind::kInfo);
	EXPECT_TRUE(p.readings.empty());
	EXPECT_EQ(p.budget, 250'000);
	EXPECT_EQ(p.max_rows, 500);
	EXPECT_EQ(p.top_setting, "top_relations");
	EXPECT_EQ(p.top.by, std::vector<std::string>{"size"});
	EXPECT_EQ(p.needs_extension, "pgstattuple");
	EXPECT_EQ(probe("{}", R"({"top": {"n": 20, "by": ["size"]}})").top.n, 20U);
	EXPECT_EQ(probe().max_rows, 10'000);
}

TEST(ParseProbe, KnowsWhoKeepsItsSamples) {
	EXPECT_EQ(probe().ring, "storage"); // its own loop
	EXPECT_EQ(probe("{}", R"({"ring": "storage"})").ring, "storage");
	EXPECT_EQ(probe("{}", R"({"ring": "hourly"})").ring, "hourly");
	expect_refused([] { probe("{}", R"({"ring": "hot"})"); },
				   "a shorter loop than the probe's own");
	expect_refused([] { probe("{}", R"({"ring": "daily"})"); }, "Known ");
	expect_refused([] { probe("{}", R"({"ring": 3})"); }, "is not a text");
}

TEST(ParseProbe, ReadsDurations) {
	const auto budget = [](const char *text) {
		return probe("{}", "{\"budget\": " + std::string(text) + "}").budget;
	};
	EXPECT_EQ(budget("1.5"), 1'500'000);
	EXPECT_EQ(budget("\"2s\""), 2'000'000);
	EXPECT_EQ(budget("\"2 min\""), 120'000'000);
	EXPECT_EQ(budget("null"), 0);
	for (const char *bad :
		 {"\"2\"", "\"soon\"", "-1", "\"-1s\"", "\"nan s\"", "\"9999d\"", "true", "\"1 s s\""})
		EXPECT_THROW(budget(bad), BadDefinition) << bad;
}

TEST(ParseProbe, RefusesBadNamesLoopsAndScopes) {
	const auto parse = [](const char *name, const char *loop, const char *query,
						  const char *scope) {
		return [=] { parse_probe(name, loop, query, {}, "{}", scope, "{}"); };
	};
	for (const char *name : {"", "Upper", "1a", "a-b", "a.b", "a b", "a\"b"})
		expect_refused(parse(name, "hot", "SELECT 1", "cluster"), "name is not allowed");
	expect_refused(
		[] { parse_probe(std::string(49, 'a'), "hot", "SELECT 1", {}, "{}", "cluster", "{}"); },
		"at most 48");
	EXPECT_NO_THROW(
		parse_probe(std::string(48, 'a'), "hot", "SELECT 1", {}, "{}", "cluster", "{}"));
	expect_refused(parse("a", "hots", "SELECT 1", "cluster"), "Perhaps you meant \"hot\"");
	expect_refused(parse("a", "hot", "SELECT 1", "databse"), "Perhaps you meant \"database\"");
	expect_refused(parse("a", "hot", " ; ", "cluster"), "query is empty");
	expect_refused(parse("a", "hot", "SELECT 1", "native"), "native probe has no query");
	EXPECT_NO_THROW(parse("a", "hot", "", "native")());
	expect_refused([] { probe("{}", "{}", {"a", "a"}); }, "named twice");
}

TEST(ParseProbe, RefusesUnknownKeysAndNamesTheNearest) {
	expect_refused([] { probe(R"({"a": {"knid": "gauge"}})"); },
				   "Key \"knid\" in \"columns.a\" is not known. Perhaps you meant \"kind\". "
				   "Known keys are \"help\", \"kind\", \"metric\", \"read\" and \"unit\".");
	expect_refused([] { probe("{}", R"({"maxrows": 1})"); }, "Perhaps you meant \"max_rows\"");
	expect_refused([] { probe("{}", R"({"top": {"n": 5, "buy": []}})"); }, "\"options.top\"");
	expect_refused([] { probe(R"({"a": {"kind": "gague"}})"); }, "Perhaps you meant \"gauge\"");
	try {
		probe("{}", R"({"something_else_entirely": 1})");
		FAIL();
	} catch (const BadDefinition &bad) {
		EXPECT_EQ(bad.hint.find("Perhaps"), std::string::npos) << bad.hint;
	}
}

TEST(ParseProbe, RefusesWrongTypesAndValues) {
	expect_refused([] { probe("[]"); }, "\"columns\" is not a JSON object");
	expect_refused([] { probe("{"); }, "\"columns\" is not JSON");
	expect_refused([] { probe("{}", "{\"max_rows\": 1e400}"); }, "\"options\" is not JSON");
	expect_refused([] { probe(R"({"a": "gauge"})"); }, "is not a JSON object");
	expect_refused([] { probe(R"({"a": {"kind": 1}})"); }, "is not a text");
	expect_refused([] { probe("{}", R"({"max_rows": "9"})"); }, "is not a number");
	expect_refused([] { probe("{}", R"({"max_rows": 1.5})"); }, "from 1 to 1000000");
	expect_refused([] { probe("{}", R"({"max_rows": 0})"); }, "out of range");
	expect_refused([] { probe("{}", R"({"top": {"by": ["a"]}})"); },
				   "\"n\" in \"options.top\" is missing");
	expect_refused([] { probe("{}", R"({"top": {"n": 5}})"); }, "\"by\"");
	expect_refused([] { probe("{}", R"({"top": {"n": "top_tables", "by": ["a"]}})"); },
				   "top_relations");
	expect_refused([] { probe("{}", R"({"object": "relation:{db"})"); }, "In \"object\"");
	expect_refused([] { probe(R"({"a": {"kind": "gauge", "metric": "pg-x"}})"); },
				   "not a metric name");
	expect_refused([] { probe(R"({"a": {"metric": "pg_read_time_ms"}})"); },
				   "has \"ms\" in its name");
	expect_refused([] { probe(R"({"a": {"metric": "pg_gauge_x"}})"); },
				   "has \"gauge\" in its name");
	EXPECT_NO_THROW(probe(R"({"a": {"metric": "pg_mbx_class_seconds"}})"));
	expect_refused([] { probe(R"({"a": {"kind": "label", "metric": "pg_x"}})"); },
				   "neither a gauge nor a counter");
}

TEST(ParseProbe, AColumnWithAMetricIsAGaugeUnlessItSaysOtherwise) {
	EXPECT_EQ(probe(R"({"a": {"metric": "pg_a"}})").columns.at("a").kind, Kind::kGauge);
}

TEST(DescribeColumns, PutsDbFirst) {
	const auto names = [](const std::vector<Column> &columns) {
		std::string out;
		for (const Column &column : columns)
			out += column.name + (column.key ? "* " : " ");
		return out;
	};
	EXPECT_EQ(names(describe_columns(probe(), {{"relation", Type::kText}, {"size", Type::kInt8}})),
			  "db* relation* size ");
	EXPECT_EQ(names(describe_columns(probe(), {{"relation", Type::kText}, {"db", Type::kText}})),
			  "db* relation* ");
	const ProbeDefinition cluster = parse_probe("a", "hot", "SELECT 1", {}, "{}", "cluster", "{}");
	EXPECT_EQ(names(describe_columns(cluster, {{"n", Type::kInt8}})), "db n ");
}

TEST(DescribeColumns, GivesTheMeaning) {
	const ProbeDefinition p = probe(
		R"({"size": {"kind": "gauge", "unit": "bytes", "metric": "pg_size_bytes", "help": "Size"}})");
	const std::vector<Column> columns = describe_columns(
		p, {{"relation", Type::kText}, {"size", Type::kInt8}, {"other", Type::kJson}});
	ASSERT_EQ(columns.size(), 4U);
	EXPECT_EQ(columns[0].kind, Kind::kLabel);
	EXPECT_EQ(columns[1].kind, Kind::kLabel);
	EXPECT_EQ(columns[2].kind, Kind::kGauge);
	EXPECT_EQ(columns[2].type, Type::kInt8);
	EXPECT_EQ(columns[2].unit, "bytes");
	EXPECT_EQ(columns[2].metric, "pg_size_bytes");
	EXPECT_EQ(columns[2].help, "Size");
	EXPECT_EQ(columns[3].kind, Kind::kInfo);
}

TEST(DescribeColumns, RefusesWhatDoesNotFit) {
	using Result = std::vector<std::pair<std::string, Type>>;
	const auto describe = [](std::string_view columns, std::string_view options, Result result) {
		return [=] { describe_columns(probe(columns, options), result); };
	};
	const Result usual = {{"relation", Type::kText}, {"size", Type::kInt8}, {"note", Type::kText}};
	expect_refused(describe("{}", "{}", {}), "returns no column");
	expect_refused(describe("{}", "{}", {{"relations", Type::kText}}),
				   "Perhaps you meant \"relations\"");
	expect_refused(describe(R"({"sise": {}})", "{}", usual), "Perhaps you meant \"size\"");
	expect_refused(describe(R"({"note": {"kind": "counter"}})", "{}", usual), "its type is text");
	expect_refused(describe(R"({"note": {"kind": "gauge"}})", "{}", usual), "its type is text");
	expect_refused(describe(R"({"relation": {"kind": "gauge"}})", "{}", usual), "identifies a row");
	expect_refused(describe(R"({"size": {"metric": "pg_x"}, "x": {"metric": "pg_x"}})", "{}",
							{{"relation", Type::kText}, {"size", Type::kInt8}, {"x", Type::kInt8}}),
				   "given to two columns");
	expect_refused(describe("{}", R"({"top": {"n": 5, "by": ["note"]}})", usual), "not a number");
	expect_refused(describe("{}", R"({"top": {"n": 5, "by": ["gone"]}})", usual),
				   "\"gone\" is not returned");
	expect_refused(describe("{}", R"({"object": "x:{gone}"})", usual), "\"gone\" is not returned");
	for (const char *name : {"sampled_at", "elapsed", "reset", "gap"})
		expect_refused(describe("{}", "{}", {{"relation", Type::kText}, {name, Type::kInt8}}),
					   "every probe");
	for (const char *name : {"?column?", "Upper", "", "\x01hidden", "a b"})
		expect_refused(describe("{}", "{}", {{"relation", Type::kText}, {name, Type::kInt8}}),
					   "not allowed");
	expect_refused(describe("{}", "{}", {{"relation", Type::kText}, {"relation", Type::kText}}),
				   "twice");
	expect_refused(describe("{}", "{}", {{"relation", Type::kText}, {"db", Type::kInt8}}),
				   "\"db\" is not a text");
	expect_refused(describe(R"({"__x": {"kind": "label"}})", "{}",
							{{"relation", Type::kText}, {"__x", Type::kText}}),
				   "two underscores");
}

TEST(ParseCheck, ReadsEverything) {
	const CheckDefinition c =
		check(R"({"title": "T", "loop": "hot", "probes": ["lock_wait"], "needs": ["session"],
		"thresholds": {"info": 1, "warning": 30, "critical": 120, "clear": 20, "for": "10m", "direction": "above",
		               "floor": {"dead": 100000}},
		"message": "m {n}", "why": "w", "action": "a", "sql": "SELECT {pid};", "lock_level": "none", "undo": "u",
		"symptom_of": "vacuum.horizon"})");
	EXPECT_EQ(c.id, "locks.blocking");
	EXPECT_EQ(c.area(), "locks");
	EXPECT_EQ(c.probes, std::vector<std::string>{"lock_wait"});
	EXPECT_EQ(c.needs, std::vector<std::string>{"session"});
	EXPECT_EQ(c.threshold.info, 1);
	EXPECT_EQ(c.threshold.warning, 30);
	EXPECT_EQ(c.threshold.critical, 120);
	EXPECT_EQ(c.threshold.clear, 20);
	EXPECT_EQ(c.threshold.hold, 600 * kMicrosPerSecond);
	EXPECT_EQ(c.threshold.direction, Direction::kAbove);
	EXPECT_EQ(c.threshold.floor.at("dead"), 100'000);
	EXPECT_EQ(c.symptom_of, "vacuum.horizon");
	EXPECT_FALSE(check(kCheck).threshold.clear.has_value());
}

TEST(ParseCheck, RefusesBadIds) {
	for (const char *id : {"", "locks", "locks.", ".x", "a.b.c", "Locks.x", "a b.c", "a.b'"})
		expect_refused([&] { parse_check(id, "SELECT 1", kCheck); }, "id is not allowed");
	expect_refused([] { parse_check("a.b", "", kCheck); }, "query is empty");
}

TEST(ParseCheck, RefusesBadDefinitions) {
	const auto with = [](const std::string &more) {
		return [=] {
			check(
				R"({"title": "T", "loop": "hot", "message": "m", "thresholds": {"warning": 1}, )" +
				more + "}");
		};
	};
	const auto threshold = [](const std::string &thresholds) {
		return [=] {
			check(R"({"title": "T", "loop": "hot", "message": "m", "thresholds": )" + thresholds +
				  "}");
		};
	};
	expect_refused(with(R"("mesage": "x")"), "Perhaps you meant \"message\"");
	expect_refused(with(R"("sql": "DROP TABLE '{t:I}'")"), "In \"sql\"");
	expect_refused(with(R"("undo": "SELECT {t:bytes}")"), "In \"undo\"");
	expect_refused(with(R"("why": "{")"), "In \"why\"");
	expect_refused(with(R"("symptom_of": "locks.blocking")"), "another check");
	expect_refused(with(R"("symptom_of": "x")"), "another check");
	expect_refused(with(R"("probes": ["last_x", "a.b"])"), "\"a.b\"");
	expect_refused(with(R"("probes": "x")"), "not a list");
	expect_refused([] { check(R"({"title": " ", "loop": "hot", "message": "m"})"); }, "\"title\"");
	expect_refused([] { check(R"({"title": "T", "loop": "hot", "message": "m"})"); },
				   "\"thresholds\"");
	expect_refused([] { check(R"({"title": "T", "loop": "x", "message": "m"})"); },
				   "Loop \"x\" does not exist");
	expect_refused(threshold("{}"), "at least one level");
	expect_refused(threshold(R"({"warning": null})"), "at least one level");
	expect_refused(threshold(R"({"warning": 30, "critical": 20})"), "wrong order");
	expect_refused(threshold(R"({"warning": 20, "critical": 30, "direction": "below"})"),
				   "wrong order");
	expect_refused(threshold(R"({"info": 20, "critical": 10})"), "wrong order");
	expect_refused(threshold(R"({"warning": 30, "clear": 31})"), "lies beyond");
	expect_refused(threshold(R"({"info": 30, "clear": 20})"), "no warning or critical");
	expect_refused(threshold(R"({"warning": 1, "direction": "over"})"), "\"above\" and \"below\"");
	expect_refused(threshold(R"({"warning": "1"})"), "not a number");
	expect_refused(threshold(R"({"warning": 1, "floor": {"x": "y"}})"), "thresholds.floor");
	expect_refused(threshold(R"({"warning": 1, "fro": "1m"})"), "Perhaps you meant \"for\"");
}

} // namespace
} // namespace pgdba
