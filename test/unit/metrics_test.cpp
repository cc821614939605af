// The metrics page: shape, escaping, budgets, and promtool's own opinion of it (promtool must be in
// PATH).
#include "pgdba/core/metrics.hpp"

#include "pgdba/core/history.hpp"
#include "samples.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

// What `promtool check metrics` prints about a page; "clean" when it has no complaint.
std::string promtool(const std::string &page) {
	std::array<char, 40> path{"/tmp/pgdba_metrics_XXXXXX"};
	const int file = mkstemp(path.data());
	EXPECT_GE(file, 0);
	close(file);
	std::ofstream(path.data(), std::ios::binary) << page;
	FILE *const pipe =
		popen(("promtool check metrics < " + std::string(path.data()) + " 2>&1").c_str(), "r");
	std::string out;
	for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
		out += static_cast<char>(c);
	const int status = pclose(pipe);
	unlink(path.data());
	if (out.empty() && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return "clean";
	return out + " (exit status " + std::to_string(WEXITSTATUS(status)) + ")";
}

bool has(const std::string &page, const std::string &line) {
	return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

Column column(std::string name, Type type, Kind kind, std::string metric = "",
			  std::string unit = "") {
	Column out;
	out.name = std::move(name);
	out.type = type;
	out.kind = kind;
	out.metric = std::move(metric);
	out.unit = std::move(unit);
	return out;
}

Sample relations() {
	Sample out;
	out.probe = "relation";
	std::vector<Column> columns = {
		column("db", Type::kText, Kind::kLabel),
		column("relation", Type::kText, Kind::kLabel),
		column("kind", Type::kText, Kind::kLabel),
		column("dead", Type::kInt8, Kind::kGauge, "pg_table_dead_tuples", "rows"),
		column("scans", Type::kInt8, Kind::kCounter, "pg_index_scans_total"),
		column("frozen", Type::kBool, Kind::kGauge, "pg_table_frozen"),
		column("vacuumed", Type::kTimestamp, Kind::kGauge, "pg_table_last_autovacuum_seconds",
			   "seconds since"),
		column("created", Type::kTimestamp, Kind::kGauge, "pg_table_created_seconds"),
		column("note", Type::kText, Kind::kInfo)};
	columns[1].key = true;
	columns[3].help = "Dead rows";
	out.set_columns(std::move(columns));
	return out;
}

std::size_t add(Sample &sample, std::string_view relation) {
	const std::size_t row = sample.add_row();
	sample.set_text(row, 0, "app");
	sample.set_text(row, 1, relation);
	sample.set_text(row, 2, "r");
	sample.set_text(row, 8, "secret words");
	return row;
}

TEST(Metrics, RendersASample) {
	Sample sample = relations();
	const std::size_t row = add(sample, "public.orders");
	sample.set_int(row, 3, 1'000'000);
	sample.set_int(row, 4, 7);
	sample.set_bool(row, 5, true);
	sample.set_int(row, 6, 40 * kMicrosPerSecond);
	sample.set_int(row, 7, 0);
	MetricsText text("prod", 100);
	text.add_sample(sample, 100 * kMicrosPerSecond);
	const std::string page = text.render();
	const std::string labels = R"({cluster="prod",db="app",kind="r",relation="public.orders"} )";
	EXPECT_TRUE(has(page, "# HELP pg_table_dead_tuples Dead rows. Unit: rows. Probe: relation."))
		<< page;
	EXPECT_TRUE(has(page, "# TYPE pg_table_dead_tuples gauge"));
	EXPECT_TRUE(has(page, "pg_table_dead_tuples" + labels + "1000000"));
	EXPECT_TRUE(has(page, "# TYPE pg_index_scans_total counter"));
	EXPECT_TRUE(has(page, "pg_index_scans_total" + labels + "7"));
	EXPECT_TRUE(has(page, "pg_table_frozen" + labels + "1"));
	EXPECT_TRUE(has(page, "pg_table_last_autovacuum_seconds" + labels + "60"));
	EXPECT_TRUE(has(page, "pg_table_created_seconds" + labels + "946684800"));
	EXPECT_TRUE(has(page, "pgdba_series_dropped_total{cluster=\"prod\"} 0"));
	EXPECT_EQ(page.find("secret words"), std::string::npos);
	EXPECT_EQ(text.series(), 5U);
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, NullCellsAndInfiniteTimesGiveNoSeries) {
	Sample sample = relations();
	const std::size_t row = add(sample, "public.orders");
	sample.set_int(row, 6, INT64_MAX);
	MetricsText text("prod", 100);
	text.add_sample(sample, 0);
	EXPECT_EQ(text.series(), 0U);
	EXPECT_EQ(text.dropped(), 0U);
	EXPECT_EQ(text.render().find("pg_table"), std::string::npos);
}

TEST(Metrics, EscapesLabelsAndHelp) {
	MetricsText text("pr\"od\\\n", 100);
	text.add("pg_x", MetricType::kGauge, "line\none \\ \"two\"",
			 {{"relation", "a\"b\\c\nd"}, {"x", "\xFF!"}}, 1);
	const std::string page = text.render();
	EXPECT_TRUE(has(page, R"(# HELP pg_x line\none \\ "two")")) << page;
	EXPECT_TRUE(has(page, R"(pg_x{cluster="pr\"od\\\n",relation="a\"b\\c\nd",x=")"
						  "\xEF\xBF\xBD!\"} 1"))
		<< page;
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, HostileNamesStayOneSeriesEach) {
	Sample sample = relations();
	for (const char *name :
		 {"a\"} 1\npg_forged{x=\"", "{}", "\\", "\\\"", "\xF0\x9F\x98\x80", "a\r\nb", "#"})
		sample.set_int(add(sample, name), 3, 1);
	MetricsText text("prod", 100);
	text.add_sample(sample, 0);
	const std::string page = text.render();
	EXPECT_EQ(text.series(), 7U);
	EXPECT_EQ(page.find("\npg_forged"), std::string::npos);
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, NamesAreSortedAndTheFirstOfEqualLabelsWins) {
	MetricsText text("prod", 100);
	text.add("pg_two", MetricType::kGauge, "B.", {{"x", "1"}, {"a", "2"}}, 1);
	text.add("pg_one", MetricType::kGauge, "A.", {}, 1);
	text.add("pgdba_z", MetricType::kGauge, "Z.", {{"db", "d"}, {"a", "1"}}, 1);
	text.add("pg_two", MetricType::kCounter, "other", {{"a", "2"}, {"x", "1"}}, 9);
	text.add("pg_two", MetricType::kGauge, "", {{"a", "2"}, {"x", "1"}, {"y", ""}}, 9);
	const std::string page = text.render();
	EXPECT_EQ(
		page,
		"# HELP pg_one A.\n# TYPE pg_one gauge\npg_one{cluster=\"prod\"} 1\n"
		"# HELP pg_two B.\n# TYPE pg_two gauge\npg_two{cluster=\"prod\",a=\"2\",x=\"1\"} 1\n"
		"# HELP pgdba_series_dropped_total Series that are not on this page because of "
		"pgdba.max_series.\n"
		"# TYPE pgdba_series_dropped_total untyped\npgdba_series_dropped_total{cluster=\"prod\"} "
		"0\n"
		"# HELP pgdba_z Z.\n# TYPE pgdba_z gauge\npgdba_z{cluster=\"prod\",db=\"d\",a=\"1\"} 1\n");
	EXPECT_EQ(text.dropped(), 0U);
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, NamesThatContradictTheirTypeAreUntyped) {
	MetricsText text("prod", 100);
	text.add("pg_blocked_sessions_total", MetricType::kGauge, "Level.", {}, 1);
	text.add("pg_calls", MetricType::kCounter, "Counter.", {}, 1);
	text.add("pg_rows_count", MetricType::kGauge, "Count.", {}, 1);
	text.add("pg_time_sum", MetricType::kGauge, "Sum.", {}, 1);
	text.add("pg_hash_bucket", MetricType::kGauge, "Bucket.", {}, 1);
	text.add("pg_wait", MetricType::kGauge, "Labels of a histogram.", {{"le", "5"}}, 1);
	text.add("pg_p95", MetricType::kGauge, "Labels of a summary.", {}, 1);
	text.add("pg_p95", MetricType::kGauge, "", {{"quantile", "0.95"}}, 1);
	text.add("pg_real_total", MetricType::kCounter, "Counter.", {}, 1);
	const std::string page = text.render();
	EXPECT_TRUE(has(page, "# TYPE pg_blocked_sessions_total untyped"));
	EXPECT_TRUE(has(page, "# TYPE pg_calls untyped"));
	EXPECT_TRUE(has(page, "# TYPE pg_real_total counter"));
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, NumbersArePlain) {
	MetricsText text("prod", 100);
	const auto line = [&](double value) {
		MetricsText one("prod", 1);
		one.add("pg_x", MetricType::kGauge, "X.", {}, value);
		const std::string page = one.render();
		const std::size_t at = page.find("\npg_x{cluster=\"prod\"} ") + 22;
		EXPECT_EQ(promtool(page), "clean");
		return page.substr(at, page.find('\n', at) - at);
	};
	EXPECT_EQ(line(0), "0");
	EXPECT_EQ(line(-3), "-3");
	EXPECT_EQ(line(9007199254740991.0), "9007199254740991");
	EXPECT_EQ(line(0.1), "0.1");
	EXPECT_EQ(line(HUGE_VAL), "+Inf");
	EXPECT_EQ(line(-HUGE_VAL), "-Inf");
	EXPECT_EQ(line(std::nan("")), "NaN");
	EXPECT_EQ(std::strtod(line(1.0 / 3).c_str(), nullptr), 1.0 / 3);
	EXPECT_EQ(std::strtod(line(1e300).c_str(), nullptr), 1e300);
}

TEST(Metrics, KeepsTheFirstAndCountsTheRest) {
	MetricsText text("prod", 10);
	for (int i = 0; i < 8; ++i)
		text.add("pg_many", MetricType::kGauge, "Many.", {{"i", std::to_string(i)}}, i);
	EXPECT_EQ(text.series(), 5U); // half of the budget at most
	EXPECT_EQ(text.dropped(), 3U);
	for (int i = 0; i < 8; ++i)
		text.add("pg_more_" + std::to_string(i), MetricType::kGauge, "More.", {}, i);
	EXPECT_EQ(text.series(), 10U);
	EXPECT_EQ(text.dropped(), 6U);
	text.add("pg_many", MetricType::kGauge, "Many.", {{"i", "0"}}, 9); // there already: not dropped
	EXPECT_EQ(text.dropped(), 6U);
	const std::string page = text.render();
	EXPECT_TRUE(has(page, "pg_many{cluster=\"prod\",i=\"4\"} 4"));
	EXPECT_FALSE(has(page, "pg_many{cluster=\"prod\",i=\"5\"} 5"));
	EXPECT_TRUE(has(page, "pg_more_4{cluster=\"prod\"} 4"));
	EXPECT_FALSE(has(page, "pg_more_5{cluster=\"prod\"} 5"));
	EXPECT_TRUE(has(page, "pgdba_series_dropped_total{cluster=\"prod\"} 6"));
	EXPECT_EQ(promtool(page), "clean");
}

// `rows` rows with one metric, the last row ranked first when `ranked`.
Sample many(const std::string &metric, int rows, bool ranked = false) {
	Column name = test::column("name", Type::kInt8, Kind::kLabel, true);
	Column value = test::column("value", Type::kInt8, Kind::kGauge);
	value.metric = metric;
	std::vector<Column> columns = {name, value};
	if (ranked)
		columns.push_back(test::column(kHiddenRank, Type::kInt8));
	Sample sample = test::empty_sample(columns);
	for (int i = 0; i < rows; ++i) {
		const std::size_t row = sample.add_row();
		sample.set_int(row, 0, i);
		sample.set_int(row, 1, i);
		if (ranked)
			sample.set_int(row, 2, rows - i);
	}
	return sample;
}

TEST(Metrics, ManyObjectsDoNotPushOutWhatIsAboutTheServer) {
	const Sample first = many("pg_ants", 500, true), second = many("pg_bees", 10),
				 last = many("pg_zebras", 1), other = many("pg_yaks", 500);
	MetricsText text("prod", 101);
	text.add_samples({&first, &second, &other, &last}, 0);
	EXPECT_EQ(text.series(), 101U);
	EXPECT_EQ(text.dropped(), 910U);
	const std::string page = text.render();
	EXPECT_TRUE(has(page, "pg_zebras{cluster=\"prod\",name=\"0\"} 0"));
	EXPECT_TRUE(has(page, "pg_bees{cluster=\"prod\",name=\"9\"} 9"));
	// What remains is shared by the two that are large: the best ranks of the one ...
	EXPECT_TRUE(has(page, "pg_ants{cluster=\"prod\",name=\"499\"} 499"));
	EXPECT_TRUE(has(page, "pg_ants{cluster=\"prod\",name=\"455\"} 455"));
	EXPECT_FALSE(has(page, "pg_ants{cluster=\"prod\",name=\"454\"} 454"));
	// ... and the first rows of the other, which has no ranks.
	EXPECT_TRUE(has(page, "pg_yaks{cluster=\"prod\",name=\"44\"} 44"));
	EXPECT_FALSE(has(page, "pg_yaks{cluster=\"prod\",name=\"45\"} 45"));
	EXPECT_EQ(promtool(page), "clean");
}

TEST(Metrics, InvalidNamesAreDroppedAndCounted) {
	MetricsText text("prod", 100);
	for (const char *name : {"", "1a", "a-b", "__a", "a b", "a\nb", "pgdba_series_dropped_total"})
		text.add(name, MetricType::kGauge, "", {}, 1);
	for (const char *label : {"", "__x", "a-b", "1", "a:b"})
		text.add("pg_x", MetricType::kGauge, "", {{label, "v"}}, 1);
	text.add("pg_x", MetricType::kGauge, "", {{"a", "1"}, {"a", "2"}}, 1);
	EXPECT_EQ(text.series(), 0U);
	EXPECT_EQ(text.dropped(), 13U);
	EXPECT_EQ(promtool(text.render()), "clean");
}

TEST(Metrics, AnotherClusterLabelIsRenamed) {
	MetricsText text("prod", 100);
	text.add("pg_x", MetricType::kGauge, "X.", {{"cluster", "theirs"}}, 1);
	EXPECT_TRUE(has(text.render(), R"(pg_x{cluster="prod",exported_cluster="theirs"} 1)"));
}

TEST(Metrics, SessionsNeverBecomeLabels) {
	Sample sample;
	sample.probe = "session";
	std::vector<Column> columns = {
		column("pid", Type::kInt8, Kind::kLabel), column("query", Type::kText, Kind::kLabel),
		column("usename", Type::kText, Kind::kLabel), column("state", Type::kText, Kind::kLabel),
		column("n", Type::kInt8, Kind::kGauge, "pg_connections")};
	columns[0].key = true;
	sample.set_columns(std::move(columns));
	const std::size_t row = sample.add_row();
	sample.set_int(row, 0, 4711);
	sample.set_text(row, 1, "SELECT secret");
	sample.set_text(row, 2, "alice");
	sample.set_text(row, 3, "idle");
	sample.set_int(row, 4, 3);
	MetricsText text("prod", 100);
	text.add_sample(sample, 0);
	EXPECT_TRUE(has(text.render(), R"(pg_connections{cluster="prod",state="idle"} 3)"));
}

} // namespace
} // namespace pgdba
