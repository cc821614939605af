// The front door: what a person reads at night, the same for programs, and /healthz.
#include "pgdba/core/health.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

using nlohmann::json;

constexpr Micros kSecond = kMicrosPerSecond;
constexpr Micros kNow = 848'000'000 * kSecond + 123'456; // 2026-11-14 19:33:20

LoopState loop(std::string name, Micros interval, bool late = false) {
	return {std::move(name), late ? 0 : kNow - 3 * kSecond, interval, late, false, ""};
}

Verdict verdict(std::string check, Severity severity, std::string message,
				std::string object = "cluster") {
	Verdict out;
	out.check_id = std::move(check);
	out.area = out.check_id.substr(0, out.check_id.find('.'));
	out.object = std::move(object);
	out.severity = severity;
	out.message = std::move(message);
	out.since = kNow - 363 * kSecond;
	out.sampled_at = kNow - 3 * kSecond;
	out.loop = "hot";
	return out;
}

HealthReport report(std::vector<Verdict> verdicts) {
	HealthReport out;
	out.cluster = "prod";
	out.server_version = "15.20 (Debian 15.20-0+deb12u1)";
	out.version = "0.1";
	out.now = kNow;
	out.sampled_at = kNow - 3 * kSecond;
	out.loops = {loop("hot", 15 * kSecond), loop("storage", 600 * kSecond)};
	out.verdicts = std::move(verdicts);
	std::vector<std::string> ids;
	for (const Verdict &each : out.verdicts)
		ids.push_back(each.check_id);
	std::sort(ids.begin(), ids.end());
	out.checks = static_cast<std::size_t>(std::unique(ids.begin(), ids.end()) - ids.begin());
	return out;
}

Verdict blocking() {
	Verdict out = verdict("locks.blocking", Severity::kCritical,
						  "session 4711 of \"billing\" blocks 12 sessions, the first for 6 min 3 s",
						  "session:4711/2026-11-14 19:00:00+00");
	out.database = "app";
	out.value = 363;
	out.unit = "seconds";
	out.warning = 30;
	out.critical = 120;
	out.why = "It holds a lock on public.orders and is idle in transaction: nobody behind it moves "
			  "until it ends, and "
			  "every new request for the table joins the queue.";
	out.action = "Ask the owner of the application to end the transaction, or end the session.";
	out.sql = "SELECT pg_catalog.pg_terminate_backend(4711);";
	out.lock_level = "none";
	out.undo = "Its transaction is rolled back; the application has to repeat it.";
	out.evidence = R"({"pid": 4711, "waiters": 12})";
	return out;
}

std::string joined(const std::vector<std::string> &lines) {
	std::string out;
	for (const std::string &line : lines)
		out += line + "\n";
	return out;
}

std::string page(const HealthReport &r) {
	return joined(health_lines(r));
}

std::size_t count(const std::string &text, const std::string &part) {
	std::size_t n = 0;
	for (std::size_t at = text.find(part); at != std::string::npos;
		 at = text.find(part, at + part.size()))
		++n;
	return n;
}

TEST(Overall, IsTheWorstPresent) {
	EXPECT_EQ(overall(report({})), Severity::kOk);
	EXPECT_EQ(overall(report({verdict("a.b", Severity::kInfo, "")})), Severity::kInfo);
	EXPECT_EQ(overall(report(
				  {verdict("a.b", Severity::kInfo, ""), verdict("a.c", Severity::kUnknown, "")})),
			  Severity::kUnknown);
	EXPECT_EQ(overall(report({verdict("a.b", Severity::kUnknown, ""),
							  verdict("a.c", Severity::kWarning, "")})),
			  Severity::kWarning);
	EXPECT_EQ(overall(report({verdict("a.b", Severity::kWarning, ""), blocking()})),
			  Severity::kCritical);
}

TEST(Overall, IsUnknownWithoutSamplesOrWhenEveryLoopIsLate) {
	HealthReport r = report({verdict("a.b", Severity::kOk, "")});
	r.sampled_at = 0;
	EXPECT_EQ(overall(r), Severity::kUnknown);
	r = report({verdict("a.b", Severity::kOk, "")});
	r.loops[0].late = true;
	EXPECT_EQ(overall(r), Severity::kOk);
	r.loops[1].late = true;
	EXPECT_EQ(overall(r), Severity::kUnknown);
	r.loops.clear();
	EXPECT_EQ(overall(r), Severity::kOk);
}

TEST(MarkStale, OlderThanThreeIntervalsIsUnknownAndSaysWhatItWas) {
	std::vector<Verdict> v = {blocking(), blocking()};
	v[0].sampled_at = kNow - 45 * kSecond;
	v[1].sampled_at = kNow - 45 * kSecond - 1;
	mark_stale(v, report({}).loops, kNow);
	EXPECT_EQ(v[0].severity, Severity::kCritical);
	EXPECT_EQ(v[1].severity, Severity::kUnknown);
	EXPECT_NE(v[1].message.find("not judged since 2026-"), std::string::npos) << v[1].message;
	EXPECT_NE(v[1].message.find("it was critical then: session 4711"), std::string::npos)
		<< v[1].message;
	EXPECT_EQ(v[1].sql + v[1].undo + v[1].action + v[1].lock_level, "");
	EXPECT_EQ(v[1].since, kNow - 1);
}

TEST(MarkStale, AnOkIsNoBetter) {
	std::vector<Verdict> v = {verdict("a.b", Severity::kOk, "A"),
							  verdict("a.c", Severity::kOk, "C")};
	v[0].sampled_at = v[1].sampled_at = kNow - 600 * kSecond;
	v[1].loop = "storage";
	mark_stale(v, report({}).loops, kNow);
	EXPECT_EQ(v[0].severity, Severity::kUnknown);
	EXPECT_EQ(v[1].severity, Severity::kOk);
}

TEST(HealthLines, HealthyIsOneLine) {
	HealthReport r = report({verdict("a.a", Severity::kOk, "A"), verdict("a.b", Severity::kOk, "B"),
							 verdict("a.c", Severity::kOk, "C"), verdict("a.d", Severity::kOk, "D"),
							 verdict("a.e", Severity::kOk, "E")});
	EXPECT_EQ(page(r),
			  "OK  cluster prod: 5 checks quiet, samples 3 s old (PostgreSQL 15.20, primary)\n");
	r.in_recovery = true;
	r.checks = 7;
	EXPECT_EQ(page(r), "OK  cluster prod: 5 checks quiet, 2 not judged yet, samples 3 s old "
					   "(PostgreSQL 15.20, standby)\n");
}

TEST(HealthLines, HealthyIsOneLineWithAnyName) {
	HealthReport r = report({verdict("a.a", Severity::kOk, "A")});
	r.cluster = std::string(63, 'x');
	EXPECT_EQ(page(r),
			  "OK  cluster " + std::string(27, 'x') +
				  "\xE2\x80\xA6: 1 check quiet, samples 3 s old (PostgreSQL 15.20, primary)\n");
}

TEST(HealthLines, AdviceComesAfterTheCalmLine) {
	Verdict advice =
		verdict("setup.timing", Severity::kInfo, "track_io_timing is off: reads have no times");
	advice.sql = "ALTER SYSTEM SET track_io_timing = on;\nSELECT pg_catalog.pg_reload_conf();";
	advice.why = "not shown";
	EXPECT_EQ(page(report({verdict("a.a", Severity::kOk, "A"), advice})),
			  "INFO  cluster prod: nothing wrong, 1 check quiet, 1 piece of advice, samples 3 s "
			  "old (PostgreSQL\n"
			  "          15.20, primary)\n"
			  "\n"
			  "advice    track_io_timing is off: reads have no times\n"
			  "  run     ALTER SYSTEM SET track_io_timing = on;\n"
			  "          SELECT pg_catalog.pg_reload_conf();\n");
}

TEST(HealthLines, AVerdictSaysEverything) {
	EXPECT_EQ(
		page(report({blocking(), verdict("a.a", Severity::kOk, "A")})),
		"CRITICAL  cluster prod: 1 critical, 1 quiet, samples 3 s old (PostgreSQL 15.20, primary)\n"
		"\n"
		"CRITICAL  session 4711 of \"billing\" blocks 12 sessions, the first for 6 min 3 s\n"
		"  since   6 min 3 s, from 2026-11-14 19:27:17+00; 6 min 3 s is above critical 2 min and "
		"warning 30 s\n"
		"  why     It holds a lock on public.orders and is idle in transaction: nobody behind it "
		"moves until\n"
		"          it ends, and every new request for the table joins the queue.\n"
		"  do      Ask the owner of the application to end the transaction, or end the session.\n"
		"  run     SELECT pg_catalog.pg_terminate_backend(4711);\n"
		"  lock    none\n"
		"  undo    Its transaction is rolled back; the application has to repeat it.\n");
}

TEST(HealthLines, EmptyPartsAreLeftOut) {
	Verdict bare = verdict("a.b", Severity::kWarning, "something is odd");
	bare.since = 0;
	EXPECT_EQ(page(report({bare})),
			  "WARNING  cluster prod: 1 warning, 0 quiet, samples 3 s old (PostgreSQL 15.20, "
			  "primary)\n\nWARNING   something is odd\n");
}

TEST(HealthLines, SinceNamesOnlyTheThresholdsThatAreBroken) {
	Verdict v = blocking();
	v.severity = Severity::kWarning;
	v.value = 100;
	EXPECT_EQ(count(page(report({v})), "; 1 min 40 s is above warning 30 s\n"), 1U);
	v.value = 25; // held by the level where it clears
	EXPECT_EQ(count(page(report({v})), "; 25 s is back from 30 s but not cleared yet\n"), 1U);
	v.warning = 10;
	v.critical = 5;
	v.value = 4;
	v.unit = "percent";
	EXPECT_EQ(count(page(report({v})), "; 4 % is below critical 5 % and warning 10 %\n"), 1U);
}

TEST(HealthLines, WorstFirstAndUnknownInOneBlock) {
	const std::string out =
		page(report({verdict("u.a", Severity::kUnknown, "no sample of \"wal\" yet"),
					 verdict("i.a", Severity::kInfo, "some advice"),
					 verdict("w.a", Severity::kWarning, "a warning"), blocking(),
					 verdict("u.b", Severity::kUnknown, "no sample of \"slot\" yet")}));
	const std::size_t
		critical = out.find("\nCRITICAL  session"),
		warning = out.find("\nWARNING   a warning"),
		unknown =
			out.find("\nUNKNOWN   2 verdicts cannot be given:\n          u.a: no sample of \"wal\" "
					 "yet\n          u.b: no sample"),
		advice = out.find("\nadvice    some advice");
	ASSERT_NE(advice, std::string::npos) << out;
	ASSERT_NE(unknown, std::string::npos) << out;
	EXPECT_LT(critical, warning);
	EXPECT_LT(warning, unknown);
	EXPECT_LT(unknown, advice);
}

TEST(HealthLines, SymptomsAreListedUnderTheirCause) {
	Verdict symptom =
		verdict("connections.used", Severity::kWarning, "91 % of the connections are used");
	symptom.symptom_of = "locks.blocking";
	symptom.sql = "SELECT 1;";
	const std::string out = page(report({symptom, blocking()}));
	EXPECT_EQ(count(out, "\n  so also WARNING 91 % of the connections are used\n"), 1U) << out;
	EXPECT_EQ(count(out, "SELECT 1;"), 0U) << out;
	EXPECT_EQ(count(out, "1 critical, 1 warning"), 1U) << out;
	// Without its cause it stands on its own.
	EXPECT_EQ(count(page(report({symptom})), "\nWARNING   91 % of the connections are used\n"), 1U);
}

TEST(HealthLines, AWorseSymptomLiftsItsCause) {
	Verdict cause = blocking();
	cause.severity = Severity::kWarning;
	Verdict symptom = verdict("connections.used", Severity::kCritical, "all connections are used");
	symptom.symptom_of = "locks.blocking";
	Verdict other = verdict("z.other", Severity::kCritical, "something else");
	const std::string out = page(report({cause, symptom, other}));
	EXPECT_NE(out.find("so also CRITICAL all connections are used"), std::string::npos) << out;
	const std::size_t lifted = out.find("WARNING   session 4711");
	ASSERT_NE(lifted, std::string::npos) << out;
	EXPECT_EQ(count(out, "all connections are used"), 1U);
}

TEST(HealthLines, SymptomsOfEachOtherAreNotLost) {
	Verdict a = verdict("a.a", Severity::kWarning, "first"),
			b = verdict("b.b", Severity::kWarning, "second");
	Verdict c = verdict("c.c", Severity::kWarning, "third"),
			self = verdict("d.d", Severity::kWarning, "fourth");
	a.symptom_of = "b.b";
	b.symptom_of = "a.a";
	c.symptom_of = "b.b";
	self.symptom_of = "d.d";
	const std::string out = page(report({a, b, c, self}));
	for (const char *message : {"first", "second", "third", "fourth"})
		EXPECT_EQ(count(out, message), 1U) << message << "\n" << out;
}

TEST(HealthLines, ChainsEndAtTheFirstCauseAndAQuietCauseIsNone) {
	Verdict a = verdict("a.a", Severity::kWarning, "root"),
			b = verdict("b.b", Severity::kWarning, "middle");
	Verdict c = verdict("c.c", Severity::kWarning, "leaf");
	b.symptom_of = "a.a";
	c.symptom_of = "b.b";
	const std::string out = page(report({c, b, a}));
	EXPECT_EQ(count(out, "\nWARNING   "), 1U) << out;
	EXPECT_EQ(count(out, "WARNING middle") + count(out, "WARNING leaf"), 2U) << out;
	a.severity = Severity::kOk;
	EXPECT_EQ(count(page(report({b, a})), "\nWARNING   middle"), 1U);
}

TEST(HealthLines, OneTableExplainsNothingAboutAnother) {
	const auto of = [](std::string check, std::string message, std::string object,
					   std::string database) {
		Verdict v =
			verdict(std::move(check), Severity::kWarning, std::move(message), std::move(object));
		v.database = std::move(database);
		if (v.check_id == "s.s")
			v.symptom_of = "c.c";
		return v;
	};
	const Verdict cause = of("c.c", "off", "relation:a/public.t", "a");
	const auto alone = [&](const Verdict &symptom, const Verdict &other) {
		return count(page(report({other, symptom})), "\nWARNING   overdue\n") == 1;
	};
	EXPECT_FALSE(alone(of("s.s", "overdue", "relation:a/public.t", "a"), cause));
	EXPECT_TRUE(alone(of("s.s", "overdue", "relation:a/public.u", "a"), cause));
	EXPECT_TRUE(alone(of("s.s", "overdue", "relation:b/public.t", "b"), cause));
	const Verdict database = of("c.c", "old", "database:a", "a");
	EXPECT_FALSE(alone(of("s.s", "overdue", "relation:a/public.u", "a"), database));
	EXPECT_TRUE(alone(of("s.s", "overdue", "relation:b/public.u", "b"), database));
	EXPECT_FALSE(
		alone(of("s.s", "overdue", "relation:b/public.u", "b"), of("c.c", "off", "cluster", "")));
}

TEST(HealthLines, ManyAreCutAndSaid) {
	std::vector<Verdict> many;
	for (int i = 0; i < 40; ++i) {
		many.push_back(verdict("w.w", Severity::kWarning, "warning " + std::to_string(i),
							   "slot:w" + std::to_string(i)));
		many.push_back(verdict("u.u", Severity::kUnknown, "unknown " + std::to_string(i),
							   "slot:u" + std::to_string(i)));
		many.push_back(verdict("i.i", Severity::kInfo, "advice " + std::to_string(i),
							   "slot:i" + std::to_string(i)));
	}
	many.push_back(blocking());
	const std::string out = page(report(many));
	EXPECT_EQ(count(out, "\nWARNING   warning "), 12U);
	EXPECT_EQ(
		count(
			out,
			"\nWARNING   and 28 more: SELECT * FROM pgdba.verdicts WHERE severity = 'warning';\n"),
		1U);
	EXPECT_EQ(count(out, "and 28 more: SELECT * FROM pgdba.verdicts WHERE severity = 'unknown';\n"),
			  1U);
	EXPECT_EQ(count(out, "and 28 more: SELECT * FROM pgdba.verdicts WHERE severity = 'info';\n"),
			  1U);
	EXPECT_EQ(count(out, "\nCRITICAL  session"), 1U);
}

TEST(HealthLines, ManySymptomsAreCutAndSaid) {
	std::vector<Verdict> many = {blocking()};
	for (int i = 0; i < 9; ++i) {
		many.push_back(verdict("s.s", Severity::kWarning, "symptom " + std::to_string(i),
							   "slot:" + std::to_string(i)));
		many.back().symptom_of = "locks.blocking";
	}
	const std::string out = page(report(many));
	EXPECT_EQ(count(out, "WARNING symptom "), 5U) << out;
	EXPECT_EQ(count(out, "and 4 more: SELECT"), 1U) << out;
}

TEST(HealthLines, ReasonsForNoDataComeFirst) {
	HealthReport r = report({});
	r.sampled_at = 0;
	r.checks = 5;
	r.loops = {loop("hot", 15 * kSecond, true), loop("storage", 600 * kSecond)};
	r.loops[1].degraded = true;
	r.loops[1].reason = "probe \"relation_size\" ran out of time";
	r.notices = {"the home database \"postgres\" does not exist"};
	EXPECT_EQ(page(r),
			  "UNKNOWN  cluster prod: 0 checks quiet, 5 not judged yet, no samples (PostgreSQL "
			  "15.20, primary)\n"
			  "NOTICE    the home database \"postgres\" does not exist\n"
			  "LATE      loop \"hot\" has never run\n"
			  "DEGRADED  loop \"storage\" is degraded: probe \"relation_size\" ran out of time\n");
}

TEST(HealthLines, ProseIsWrappedAtAHundredCharactersAndSqlIsWhole) {
	Verdict v = blocking();
	v.why = "\xC3\xBC" + std::string(250, 'x');
	for (int i = 0; i < 60; ++i)
		v.message += " gr\xC3\xBC\xC3\x9F";
	v.object = "relation:app/public.t";
	v.sql = "ALTER TABLE public." + std::string(200, 'a') +
			" SET (autovacuum_vacuum_scale_factor = 0.01);";
	for (const std::string &line : health_lines(report({v}))) {
		const auto characters =
			std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
		EXPECT_TRUE(characters <= 100 || line.find(v.sql) != std::string::npos) << line;
	}
	EXPECT_EQ(count(page(report({v})), v.sql), 1U);
}

TEST(HealthLines, SqlForOneDatabaseSaysWhich) {
	Verdict v = blocking();
	EXPECT_EQ(count(page(report({v})), "in database"), 0U); // ending a session works from anywhere
	v.object = "relation:app/public.t";
	v.database = "App\n; DROP TABLE x; --";
	v.sql = "VACUUM public.t;";
	const std::string out = page(report({v}));
	EXPECT_EQ(count(out, "  run     -- in database \"App\xEF\xBF\xBD; DROP TABLE x; --\":\n        "
						 "  VACUUM public.t;\n"),
			  1U)
		<< out;
}

TEST(HealthLines, AHostileNameCannotForgeALineOrAStatement) {
	Verdict v = blocking();
	v.object = "relation:app/x";
	v.message = "table \"a\nOK  cluster prod: all is well\x1b[2J\" is bloated";
	v.sql = "VACUUM \"a\nDROP TABLE users; --\";\nSELECT 'x\ny\\z', E'k\\n\nl';";
	const std::vector<std::string> lines = health_lines(report({v}));
	for (const std::string &line : lines) {
		EXPECT_NE(line.find("OK  "), 0U) << line;
		EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos);
	}
	const std::string out = joined(lines);
	EXPECT_EQ(
		count(out,
			  "  run     -- in database app:\n          VACUUM U&\"a\\000ADROP TABLE users; --\";\n"
			  "          SELECT E'x\\u000Ay\\\\z', E'k\\n\\u000Al';\n"),
		1U)
		<< out;
}

TEST(HealthLines, StatementsAreALineEach) {
	Verdict v = blocking();
	v.sql = "-- first look\nSELECT 1;  SELECT\n  a, -- the ';' here ends nothing\n  'b;c'\nFROM t; "
			"DO $$\nBEGIN; END\n$$;";
	EXPECT_EQ(count(page(report({v})),
					"  run     -- first look\n"
					"          SELECT 1;\n"
					"          SELECT a, /* the ';' here ends nothing */ 'b;c' FROM t;\n"
					"          DO $$\n          BEGIN; END\n          $$;\n"),
			  1U)
		<< page(report({v}));
}

TEST(HealthJson, HasTheShape) {
	Verdict quiet = verdict("a.a", Severity::kOk, "A");
	HealthReport r = report({quiet, blocking()});
	r.loops[1].late = true;
	const json out = json::parse(health_json(r));
	EXPECT_EQ(out["cluster"], "prod");
	EXPECT_EQ(out["in_recovery"], false);
	EXPECT_EQ(out["state"], "critical");
	EXPECT_EQ(out["sampled_at"], "2026-11-14T19:33:17.123456+00:00");
	EXPECT_EQ(out["age_seconds"], 3.0);
	EXPECT_EQ(out["loops"][0]["loop"], "hot");
	EXPECT_EQ(out["loops"][0]["last"], "2026-11-14T19:33:17.123456+00:00");
	EXPECT_EQ(out["loops"][0]["late"], false);
	EXPECT_EQ(out["loops"][1]["late"], true);
	EXPECT_EQ(out["loops"][1]["degraded"], false);
	EXPECT_EQ(out["counts"],
			  json::parse(R"({"critical": 1, "warning": 0, "unknown": 0, "info": 0, "ok": 1})"));
	ASSERT_EQ(out["verdicts"].size(), 2U);
	const json &v = out["verdicts"][0];
	for (const char *key : {"check_id", "area", "severity", "object", "database", "message",
							"value", "unit", "warning", "critical", "since", "sampled_at",
							"evidence", "why", "action", "sql", "lock_level", "undo", "symptom_of"})
		EXPECT_TRUE(v.contains(key)) << key;
	EXPECT_EQ(v.size(), 19U);
	EXPECT_EQ(v["severity"], "critical");
	EXPECT_EQ(v["value"], 363.0);
	EXPECT_EQ(v["evidence"]["waiters"], 12);
	EXPECT_EQ(v["symptom_of"], nullptr);
	EXPECT_EQ(out["verdicts"][1]["severity"], "ok");
	EXPECT_EQ(out["verdicts"][1]["value"], nullptr);
}

TEST(HealthJson, IsValidWhateverIsInside) {
	Verdict v = blocking();
	v.message = "bad \xFF\xFE bytes";
	v.object = std::string("a\0b", 3);
	v.value = std::numeric_limits<double>::infinity();
	v.evidence = R"({"a\u0000": ["\u0000", {"x": "y"}], "n": 1})";
	HealthReport r = report({v});
	r.cluster = "\xC3";
	r.sampled_at = 0;
	const std::string text = health_json(r);
	const json out = json::parse(text);
	EXPECT_EQ(text.find("\\u0000"), std::string::npos);
	EXPECT_EQ(out["sampled_at"], nullptr);
	EXPECT_EQ(out["age_seconds"], nullptr);
	EXPECT_EQ(out["state"], "unknown");
	EXPECT_EQ(out["verdicts"][0]["value"], nullptr);
	EXPECT_EQ(out["verdicts"][0]["evidence"]["n"], 1);
	v.evidence = "{broken";
	EXPECT_EQ(json::parse(health_json(report({v})))["verdicts"][0]["evidence"], json::object());
}

TEST(Healthz, IsAboutPgdbaAndNotAboutTheCluster) {
	const Healthz out = healthz(report({blocking()}), "postgres", "");
	EXPECT_EQ(out.status, 200);
	const json body = json::parse(out.body);
	EXPECT_EQ(body["status"], "ok");
	EXPECT_EQ(body["database"], "postgres");
	EXPECT_EQ(body["loops"]["hot"]["late"], false);
	EXPECT_EQ(body["loops"]["hot"]["age_seconds"], 3.0);
	EXPECT_EQ(body["reasons"], json::array());
}

TEST(Healthz, OneLateLoopIsDegradedAndAllAreFailing) {
	HealthReport r = report({});
	r.loops[0].late = true;
	r.loops[0].reason = "the sampler is gone";
	Healthz out = healthz(r, "postgres", "");
	EXPECT_EQ(out.status, 200);
	EXPECT_EQ(json::parse(out.body)["status"], "degraded");
	EXPECT_EQ(json::parse(out.body)["reasons"][0], "loop \"hot\" is late: the sampler is gone");
	r.loops[1].late = true;
	out = healthz(r, "postgres", "");
	EXPECT_EQ(out.status, 503);
	EXPECT_EQ(json::parse(out.body)["status"], "failing");
	r = report({});
	r.loops[1].degraded = true;
	EXPECT_EQ(json::parse(healthz(r, "postgres", "").body)["status"], "degraded");
	r.loops.clear();
	EXPECT_EQ(healthz(r, "postgres", "").status, 503);
}

TEST(Healthz, AMissingDatabaseFails) {
	const Healthz out = healthz(report({}), "postgres", "the home database does not exist");
	EXPECT_EQ(out.status, 503);
	EXPECT_EQ(json::parse(out.body)["reasons"][0], "the home database does not exist");
}

TEST(Format, Times) {
	EXPECT_EQ(format_time(0), "2000-01-01 00:00:00+00");
	EXPECT_EQ(format_time(-1), "1999-12-31 23:59:59+00");
	EXPECT_EQ(format_time(kNow), "2026-11-14 19:33:20+00");
	EXPECT_EQ(format_time(Micros{59} * 86400 * kSecond), "2000-02-29 00:00:00+00");
	EXPECT_EQ(format_time(Micros{-36159} * 86400 * kSecond), "1901-01-01 00:00:00+00");
	EXPECT_EQ(format_time(std::numeric_limits<Micros>::max()), "infinity");
	EXPECT_EQ(format_time(std::numeric_limits<Micros>::min()), "-infinity");
}

TEST(Format, Durations) {
	EXPECT_EQ(format_duration(0), "0 s");
	EXPECT_EQ(format_duration(0.00031), "0.3 ms");
	EXPECT_EQ(format_duration(0.25), "250 ms");
	EXPECT_EQ(format_duration(0.9999), "1 s");
	EXPECT_EQ(format_duration(3), "3 s");
	EXPECT_EQ(format_duration(3.2), "3.2 s");
	EXPECT_EQ(format_duration(9.97), "10 s");
	EXPECT_EQ(format_duration(59.7), "1 min");
	EXPECT_EQ(format_duration(125), "2 min 5 s");
	EXPECT_EQ(format_duration(3599.9), "1 h");
	EXPECT_EQ(format_duration(86399.9), "1 d");
	EXPECT_EQ(format_duration(100800), "1 d 4 h");
	EXPECT_EQ(format_duration(-125), "-2 min 5 s");
	EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
	EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "infinite");
}

TEST(Format, SizesCountsAndPercentages) {
	EXPECT_EQ(format_bytes(0), "0 bytes");
	EXPECT_EQ(format_bytes(1023), "1023 bytes");
	EXPECT_EQ(format_bytes(1024), "1 kB");
	EXPECT_EQ(format_bytes(1610612736), "1.5 GB");
	EXPECT_EQ(format_bytes(1023.9 * 1024), "1 MB");
	EXPECT_EQ(format_bytes(250.0 * 1024 * 1024), "250 MB");
	EXPECT_EQ(format_bytes(-2048), "-2 kB");
	EXPECT_EQ(format_bytes(1e30).back(), 'B');
	EXPECT_EQ(format_count(999), "999");
	EXPECT_EQ(format_count(1234567), "1,234,567");
	EXPECT_EQ(format_count(123456), "123,456");
	EXPECT_EQ(format_count(-1234), "-1,234");
	EXPECT_EQ(format_count(0.5), "0.5");
	EXPECT_EQ(format_percent(12.5), "12.5 %");
	EXPECT_EQ(format_percent(100), "100 %");
	EXPECT_EQ(format_value(90, "seconds"), "1 min 30 s");
	EXPECT_EQ(format_value(5, "rows"), "5 rows");
	EXPECT_EQ(format_value(5, ""), "5");
}

} // namespace
} // namespace pgdba
