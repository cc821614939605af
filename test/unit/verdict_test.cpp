// Verdicts: how they are made, kept as a sample, carried over and sorted.
#include "pgdba/core/verdict.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

CheckDefinition blocking() {
	return parse_check("locks.blocking", "SELECT 1", R"({"title": "Blocked sessions", "loop": "hot",
		"thresholds": {"warning": 30, "critical": 120, "floor": {"n": 0}},
		"message": "session {pid} blocks {n}", "why": "{n} wait", "action": "end it", "lock_level": "none",
		"sql": "SELECT pg_catalog.pg_terminate_backend({pid});", "undo": "None.", "symptom_of": "locks.ddl"})");
}

Finding finding() {
	Finding out;
	out.object = "session:4711/x";
	out.database = "app";
	out.unit = "seconds";
	out.value = 363;
	out.evidence = R"({"pid": 4711, "n": 12})";
	return out;
}

Verdict plain(std::string check, std::string object, Severity severity, Micros since = 0) {
	Verdict out;
	out.check_id = std::move(check);
	out.object = std::move(object);
	out.severity = severity;
	out.since = since;
	return out;
}

TEST(Severity, NamesGoBothWays) {
	for (const Severity s : {Severity::kOk, Severity::kInfo, Severity::kUnknown, Severity::kWarning,
							 Severity::kCritical})
		EXPECT_EQ(severity_from(severity_name(s)), s);
	EXPECT_EQ(severity_from("fine"), Severity::kUnknown);
	EXPECT_EQ(severity_from(""), Severity::kUnknown);
}

TEST(MakeVerdict, CarriesEverything) {
	const Verdict v = make_verdict(blocking(), finding(), {Severity::kCritical, 30, 120}, 99);
	EXPECT_EQ(v.check_id, "locks.blocking");
	EXPECT_EQ(v.area, "locks");
	EXPECT_EQ(v.object, "session:4711/x");
	EXPECT_EQ(v.database, "app");
	EXPECT_EQ(v.message, "session 4711 blocks 12");
	EXPECT_EQ(v.why, "12 wait");
	EXPECT_EQ(v.action, "end it");
	EXPECT_EQ(v.sql, "SELECT pg_catalog.pg_terminate_backend(4711);");
	EXPECT_EQ(v.undo, "None.");
	EXPECT_EQ(v.lock_level, "none");
	EXPECT_EQ(v.symptom_of, "locks.ddl");
	EXPECT_EQ(v.value, 363);
	EXPECT_EQ(v.warning, 30);
	EXPECT_EQ(v.critical, 120);
	EXPECT_EQ(v.since, 99);
	EXPECT_EQ(v.sampled_at, 99);
	EXPECT_EQ(v.loop, "hot");
}

TEST(MakeVerdict, OkHasNothingToDo) {
	const Verdict v = make_verdict(blocking(), finding(), {Severity::kOk, 30, 120}, 1);
	EXPECT_EQ(v.message, "Blocked sessions");
	EXPECT_EQ(v.sql + v.action + v.why + v.undo + v.lock_level, "");
}

TEST(MakeVerdict, UnknownSaysWhyAndOffersNoSql) {
	const Judgement unknown{Severity::kUnknown, 30, 120};
	Finding f = finding();
	f.value.reset();
	EXPECT_EQ(make_verdict(blocking(), f, unknown, 1).message,
			  "Blocked sessions (session:4711/x): cannot be judged, it has no value");
	EXPECT_EQ(make_verdict(blocking(), f, unknown, 1).sql, "");
	f.value = std::nan("");
	EXPECT_NE(make_verdict(blocking(), f, unknown, 1).message.find("not a number"),
			  std::string::npos);
	EXPECT_FALSE(make_verdict(blocking(), f, unknown, 1).value.has_value());
	f.value = 1;
	EXPECT_NE(make_verdict(blocking(), f, unknown, 1).message.find("no value for \"n\""),
			  std::string::npos);
	f.evidence = R"({"reason": "statistics were reset 2 min ago"})";
	EXPECT_NE(
		make_verdict(blocking(), f, unknown, 1).message.find("statistics were reset 2 min ago"),
		std::string::npos);
}

TEST(MakeVerdict, EvidenceIsAlwaysAnObjectAndTheObjectNeverEmpty) {
	Finding f = finding();
	f.object.clear();
	for (const char *bad : {"", "[1]", "null", "{", "7"}) {
		f.evidence = bad;
		const Verdict v = make_verdict(blocking(), f, {Severity::kWarning, {}, {}}, 1);
		EXPECT_EQ(v.evidence, "{}") << bad;
		EXPECT_EQ(v.object, "cluster");
		EXPECT_EQ(v.sql, "");
	}
}

TEST(VerdictSample, ComesBackAsItWas) {
	Verdict v = make_verdict(blocking(), finding(), {Severity::kCritical, 30, 120}, 99);
	v.since = 42;
	const Verdict quiet = plain("a.b", "cluster", Severity::kOk, 7);
	const Sample sample = verdicts_to_sample({v, quiet}, 100);
	EXPECT_EQ(sample.probe, "verdict");
	EXPECT_EQ(sample.sampled_at, 100);
	const std::vector<Verdict> back = verdicts_from_sample(sample);
	ASSERT_EQ(back.size(), 2U);
	EXPECT_EQ(back[0].check_id, v.check_id);
	EXPECT_EQ(back[0].area, v.area);
	EXPECT_EQ(back[0].object, v.object);
	EXPECT_EQ(back[0].database, v.database);
	EXPECT_EQ(back[0].message, v.message);
	EXPECT_EQ(back[0].unit, v.unit);
	EXPECT_EQ(back[0].severity, v.severity);
	EXPECT_EQ(back[0].value, v.value);
	EXPECT_EQ(back[0].warning, v.warning);
	EXPECT_EQ(back[0].critical, v.critical);
	EXPECT_EQ(back[0].since, 42);
	EXPECT_EQ(back[0].sampled_at, 99);
	EXPECT_EQ(back[0].evidence, v.evidence);
	EXPECT_EQ(back[0].why, v.why);
	EXPECT_EQ(back[0].action, v.action);
	EXPECT_EQ(back[0].sql, v.sql);
	EXPECT_EQ(back[0].lock_level, v.lock_level);
	EXPECT_EQ(back[0].undo, v.undo);
	EXPECT_EQ(back[0].symptom_of, v.symptom_of);
	EXPECT_EQ(back[0].loop, v.loop);
	EXPECT_EQ(back[1].severity, Severity::kOk);
	EXPECT_FALSE(back[1].value.has_value());
	EXPECT_EQ(back[1].evidence, "{}");
}

TEST(VerdictSample, MissingAndForeignColumnsAreSkipped) {
	Sample sample;
	std::vector<Column> columns(4);
	columns[0].name = "db";
	columns[1].name = "check_id";
	columns[2].name = "value"; // as a text
	columns[3].name = "new";
	sample.set_columns(std::move(columns));
	const std::size_t row = sample.add_row();
	sample.set_text(row, 1, "a.b");
	sample.set_text(row, 2, "7");
	const std::vector<Verdict> back = verdicts_from_sample(sample);
	ASSERT_EQ(back.size(), 1U);
	EXPECT_EQ(back[0].check_id, "a.b");
	EXPECT_EQ(back[0].severity, Severity::kUnknown);
	EXPECT_FALSE(back[0].value.has_value());
}

TEST(VerdictColumns, NoNameClashesWithTheViews) {
	const std::vector<Column> columns = verdict_columns();
	EXPECT_EQ(columns.front().name, "db");
	for (const Column &column : columns) {
		EXPECT_NE(column.name, "sampled_at");
		EXPECT_TRUE(column.metric.empty());
		EXPECT_EQ(column.key, column.name == "check_id" || column.name == "object");
	}
}

TEST(CarrySince, SameSeverityKeepsIts) {
	const std::vector<Verdict> before = {plain("a.b", "x", Severity::kWarning, 5),
										 plain("a.b", "y", Severity::kWarning, 6),
										 plain("a.c", "x", Severity::kOk, 7)};
	std::vector<Verdict> now = {
		plain("a.b", "x", Severity::kWarning, 100), plain("a.b", "y", Severity::kCritical, 100),
		plain("a.c", "x", Severity::kOk, 100), plain("a.d", "x", Severity::kWarning, 100)};
	carry_since(now, before);
	ASSERT_EQ(now.size(), 4U);
	EXPECT_EQ(now[0].object, "y"); // worst first
	EXPECT_EQ(now[0].since, 100);
	EXPECT_EQ(now[1].since, 5);
	EXPECT_EQ(now[2].since, 100);
	EXPECT_EQ(now[3].since, 7);
}

TEST(SortVerdicts, WorstFirstThenCausesThenByValue) {
	std::vector<Verdict> v = {
		plain("z.ok", "x", Severity::kOk),           plain("m.info", "x", Severity::kInfo),
		plain("u.unknown", "x", Severity::kUnknown), plain("w.small", "a", Severity::kWarning),
		plain("w.small", "b", Severity::kWarning),   plain("a.symptom", "x", Severity::kWarning),
		plain("c.crit", "x", Severity::kCritical)};
	v[3].value = 1;
	v[4].value = 2;
	v[5].symptom_of = "w.small";
	sort_verdicts(v);
	std::string order;
	for (const Verdict &each : v)
		order += each.check_id + "/" + each.object + " ";
	EXPECT_EQ(order, "c.crit/x w.small/b w.small/a a.symptom/x u.unknown/x m.info/x z.ok/x ");
}

TEST(SortVerdicts, BelowPutsTheSmallestFirst) {
	std::vector<Verdict> v = {plain("d.free", "a", Severity::kWarning),
							  plain("d.free", "b", Severity::kWarning)};
	for (Verdict &each : v)
		each.warning = 10, each.critical = 5;
	v[0].value = 9;
	v[1].value = 6;
	sort_verdicts(v);
	EXPECT_EQ(v[0].object, "b");
}

} // namespace
} // namespace pgdba
