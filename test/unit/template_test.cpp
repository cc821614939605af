// Templates and quoting. The names here are the ones that somebody would choose to harm the person
// who copies a line.
#include "pgdba/core/verdict.hpp"

#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

Finding finding(std::string evidence) {
	Finding out;
	out.object = "relation:app/public.orders";
	out.database = "app";
	out.unit = "seconds";
	out.value = 125;
	out.evidence = std::move(evidence);
	return out;
}

TEST(QuoteIdentifier, AsTheServer) {
	EXPECT_EQ(quote_identifier("orders"), "orders");
	EXPECT_EQ(quote_identifier("_a1"), "_a1");
	EXPECT_EQ(quote_identifier("1a"), "\"1a\"");
	EXPECT_EQ(quote_identifier("a$b"), "\"a$b\"");
	EXPECT_EQ(quote_identifier("Orders"), "\"Orders\"");
	EXPECT_EQ(quote_identifier(""), "\"\"");
	EXPECT_EQ(quote_identifier("a b"), "\"a b\"");
	EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
	EXPECT_EQ(quote_identifier("a\\b"), "\"a\\b\"");
	EXPECT_EQ(quote_identifier("gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\"");
}

TEST(QuoteIdentifier, KeywordsButNotUnreservedOnes) {
	for (const char *name : {"user", "table", "select", "all", "xmltable", "between", "left",
							 "system_user", "json_table", "merge_action", "timestamp", "zone_"})
		EXPECT_EQ(quote_identifier(name),
				  std::string(name) == "zone_" ? name : '"' + std::string(name) + '"');
	for (const char *name :
		 {"abort", "name", "value", "key", "zone", "role", "schema", "type", "text", "vacuum"})
		EXPECT_EQ(quote_identifier(name), name);
}

TEST(QuoteLiteral, AsTheServer) {
	EXPECT_EQ(quote_literal("abc"), "'abc'");
	EXPECT_EQ(quote_literal(""), "''");
	EXPECT_EQ(quote_literal("o'hara"), "'o''hara'");
	EXPECT_EQ(quote_literal("a\\b"), "E'a\\\\b'");
	EXPECT_EQ(quote_literal("\\'"), "E'\\\\'''");
	EXPECT_EQ(quote_literal("a\nb"), "'a\nb'");
}

TEST(RenderMessage, FormatsValues) {
	const Finding f =
		finding(R"({"n": 1234567, "size": 1610612736, "share": 12.5, "wait": 363, "ok": true})");
	EXPECT_EQ(
		render_message("{n:count} rows, {size:bytes}, {share:percent}, {wait:duration}, {ok}", f),
		"1,234,567 rows, 1.5 GB, 12.5 %, 6 min 3 s, true");
	EXPECT_EQ(render_message("{object} in {database}: {value} {unit} = {value:duration}", f),
			  "relation:app/public.orders in app: 125 seconds = 2 min 5 s");
	EXPECT_EQ(render_message("{{literal}} {n}", f), "{literal} 1234567");
}

TEST(RenderMessage, MissingAndUnfitValuesAreQuestionMarks) {
	const Finding f = finding(R"({"none": null, "name": "x"})");
	EXPECT_EQ(render_message("{gone} {none} {name:bytes} {none:I}", f), "? ? ? ?");
	EXPECT_EQ(render_message("{gone}", finding("not json")), "?");
	Finding no_value = finding("{}");
	no_value.value.reset();
	EXPECT_EQ(render_message("{value} {value:duration}", no_value), "? ?");
}

TEST(RenderMessage, EvidenceComesBeforeTheFindingsOwnKeys) {
	EXPECT_EQ(render_message("{object}", finding(R"({"object": "mine"})")), "mine");
	Finding f = finding("{}");
	f.named["dead"] = 5;
	EXPECT_EQ(render_message("{dead}", f), "5");
}

TEST(RenderMessage, ListsAreJoined) {
	const Finding f = finding(R"({"pids": [1, 2, 3], "names": ["a", "B"], "none": []})");
	EXPECT_EQ(render_message("{pids}; {names:I}; {none}", f), "1, 2, 3; a, \"B\"; ?");
}

TEST(RenderMessage, NothingThatActsOnATerminalPasses) {
	const Finding f = finding(R"({"name": "a\nOK all is well\u001b[2J\u202e\u0000b"})");
	const std::string out = render_message("table {name}", f);
	EXPECT_EQ(out.find('\n'), std::string::npos);
	EXPECT_EQ(out.find('\x1b'), std::string::npos);
	EXPECT_EQ(out.find("\xE2\x80\xAE"), std::string::npos);
	EXPECT_EQ(out.find('\0'), std::string::npos);
	EXPECT_NE(out.find("OK all is well"), std::string::npos);
}

TEST(RenderMessage, LongValuesAreCut) {
	const Finding f = finding("{\"query\": \"" + std::string(100'000, 'x') + "\"}");
	EXPECT_LT(render_message("{query}", f).size(), 400U);
}

TEST(RenderSql, QuotesHostileNames) {
	const struct {
		const char *evidence;
		std::string ident, literal;
	} cases[] = {
		{R"({"t": "\"; DROP TABLE x; --"})", "\"\"\"; DROP TABLE x; --\"",
		 "'\"; DROP TABLE x; --'"},
		{R"({"t": "'; DROP TABLE x; --"})", "\"'; DROP TABLE x; --\"", "'''; DROP TABLE x; --'"},
		{R"({"t": "\\'; DROP TABLE x; --"})", "\"\\'; DROP TABLE x; --\"",
		 "E'\\\\''; DROP TABLE x; --'"},
		{R"({"t": "a\nDROP TABLE x;"})", "\"a\nDROP TABLE x;\"", "'a\nDROP TABLE x;'"},
		{R"({"t": "$$; DROP TABLE x; $$"})", "\"$$; DROP TABLE x; $$\"", "'$$; DROP TABLE x; $$'"},
		{R"({"t": "{value}"})", "\"{value}\"", "'{value}'"},
		{R"({"t": "\u00fcml\u00e4ut"})", "\"\xC3\xBCml\xC3\xA4ut\"", "'\xC3\xBCml\xC3\xA4ut'"},
	};
	for (const auto &each : cases) {
		EXPECT_EQ(render_sql("DROP TABLE {t:I};", finding(each.evidence)),
				  "DROP TABLE " + each.ident + ";");
		EXPECT_EQ(render_sql("SELECT {t:L};", finding(each.evidence)),
				  "SELECT " + each.literal + ";");
	}
}

TEST(RenderSql, PlainOnlyForWholeNumbers) {
	EXPECT_EQ(render_sql("SELECT {pid};", finding(R"({"pid": 4711})")), "SELECT 4711;");
	EXPECT_EQ(render_sql("SELECT {pid};", finding(R"({"pid": -9223372036854775808})")),
			  "SELECT -9223372036854775808;");
	EXPECT_EQ(render_sql("SELECT {value};", finding("{}")), "SELECT 125;");
	EXPECT_EQ(render_sql("IN ({pids})", finding(R"({"pids": [1, 2]})")), "IN (1, 2)");
	for (const char *evidence :
		 {R"({"pid": "4711"})", R"({"pid": 1.5})", R"({"pid": 1e400})", R"({"pid": true})",
		  R"({"pid": null})", R"({})", R"({"pid": [1, "2"]})", R"({"pid": []})",
		  R"({"pid": {"a": 1}})", "not json"})
		EXPECT_EQ(render_sql("SELECT {pid};", finding(evidence)), "") << evidence;
}

TEST(RenderSql, AMissingValueLeavesNoHalfStatement) {
	EXPECT_EQ(render_sql("VACUUM {schema:I}.{relation:I};", finding(R"({"schema": "public"})")),
			  "");
	EXPECT_EQ(render_sql("VACUUM {schema:I};", finding(R"({"schema": null})")), "");
}

TEST(RenderSql, ANegativeNumberCannotBeginAComment) {
	EXPECT_EQ(render_sql("SELECT 1-{n} FROM t;", finding(R"({"n": -5})")), "SELECT 1- -5 FROM t;");
}

TEST(RenderObject, NamesARow) {
	Sample sample;
	std::vector<Column> columns(5);
	const char *const names[] = {"db", "schema", "relation", "pid", "start"};
	for (std::size_t i = 0; i < columns.size(); ++i)
		columns[i].name = names[i];
	columns[3].type = Type::kInt8;
	columns[4].type = Type::kTimestamp;
	sample.set_columns(std::move(columns));
	const std::size_t row = sample.add_row();
	sample.set_text(row, 0, "App");
	sample.set_text(row, 1, "public");
	sample.set_text(row, 2, "a\"b");
	sample.set_int(row, 3, 42);
	sample.set_int(row, 4, 0);
	EXPECT_EQ(render_object("relation:{db:I}/{schema:I}.{relation:I}", sample, row),
			  "relation:\"App\"/public.\"a\"\"b\"");
	EXPECT_EQ(render_object("session:{pid}/{start}", sample, row),
			  "session:42/2000-01-01 00:00:00+00");
	EXPECT_EQ(render_object("x:{gone}", sample, row), "x:?");
}

TEST(CheckTemplate, RefusesBrokenBraces) {
	for (const char *bad :
		 {"{", "}", "a {b", "a }", "{}", "{a:}", "{a:X}", "{A}", "{a b}", "{a:I:L}", "{{}", "{a}}"})
		EXPECT_THROW(check_template(bad, false), BadDefinition) << bad;
	for (const char *good : {"", "plain", "{a}", "{a:I}{b:L}", "{{}}", "{{{a}}}", "{a:percent}"})
		EXPECT_NO_THROW(check_template(good, false)) << good;
}

TEST(CheckTemplate, RefusesSqlThatWouldNotBeQuoted) {
	for (const char *bad :
		 {"SELECT '{a:L}'", "SELECT \"{a:I}\"", "SELECT 1 -- {a:I}", "/* {a:L} */ SELECT 1",
		  "DO $$ BEGIN {a:I} END $$", "SELECT E'{a:L}'", "SELECT E{a:L}", "U&{a:I}", "x{a:I}",
		  "{a:I}x", "{a:L}{b:L}", "{a:L}'x'", "SELECT {a:bytes}", "SELECT {a:duration}"})
		EXPECT_THROW(check_template(bad, true), BadDefinition) << bad;
	for (const char *good :
		 {"VACUUM {s:I}.{t:I};", "SELECT f({a:L}, {b:L}::text);", "SELECT 'x', {a:L}, \"y\";",
		  "-- note\nALTER TABLE {s:I}.{t:I} SET (x = {n});", "SELECT 'pid {pid}';",
		  "The session's work is lost; it can be repeated."})
		EXPECT_NO_THROW(check_template(good, true)) << good;
}

TEST(CheckTemplate, SaysWhatWouldBeRight) {
	try {
		check_template("{a:size}", false);
		FAIL() << "accepted";
	} catch (const BadDefinition &bad) {
		EXPECT_NE(bad.detail.find("{a:size}"), std::string::npos);
		EXPECT_NE(bad.hint.find("{key:bytes}"), std::string::npos);
	}
}

TEST(TemplateKeys, InOrder) {
	EXPECT_EQ(template_keys("{b:I}/{a}.{b}"), (std::vector<std::string>{"b", "a", "b"}));
	EXPECT_TRUE(template_keys("{{none}}").empty());
}

} // namespace
} // namespace pgdba
