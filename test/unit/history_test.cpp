#include "pgdba/core/codec.hpp"
#include "pgdba/core/history.hpp"

#include "samples.hpp"

#include <chrono>
#include <optional>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

using test::column;
using test::empty_sample;

constexpr Micros kS = kMicrosPerSecond;
constexpr Micros kInterval = 10 * kS;

std::vector<Column> table_columns() {
	return {column("name", Type::kText, Kind::kLabel, true),
			column("scans", Type::kInt8, Kind::kCounter),
			column("seconds", Type::kFloat8, Kind::kCounter),
			column("size", Type::kInt8, Kind::kGauge), column("stats_reset", Type::kTimestamp)};
}

Sample tables(int tick) {
	return empty_sample(table_columns(), (1000 + tick * 10) * kS);
}

void add(Sample &s, std::string_view name, std::optional<std::int64_t> scans, double seconds = 0,
		 std::int64_t size = 0, std::optional<Micros> reset = std::nullopt) {
	const std::size_t row = s.add_row();
	s.set_text(row, 0, name);
	if (scans)
		s.set_int(row, 1, *scans);
	s.set_float(row, 2, seconds);
	s.set_int(row, 3, size);
	if (reset)
		s.set_int(row, 4, *reset);
}

std::vector<std::string> names(const Sample &s) {
	std::vector<std::string> result;
	for (std::size_t row = 0; row < s.rows(); ++row)
		result.emplace_back(s.at(row, "name").text);
	return result;
}

bool flag(const Sample &s, std::size_t row, std::string_view name) {
	EXPECT_FALSE(s.at(row, name).null);
	return s.at(row, name).integer != 0;
}

TEST(Step, CountersAreDeltasAndGaugesAreValues) {
	Sample a = tables(0), b = tables(1);
	add(a, "t", 100, 1.5, 70);
	add(b, "t", 130, 1.75, 60);
	const Sample s = step(&a, b, kInterval);
	ASSERT_EQ(s.columns().size(), 8U);
	EXPECT_EQ(s.at(0, "name").text, "t");
	EXPECT_EQ(s.at(0, "scans").integer, 30);
	EXPECT_EQ(s.at(0, "seconds").real, 0.25);
	EXPECT_EQ(s.at(0, "size").integer, 60);
	EXPECT_EQ(s.at(0, "elapsed").real, 10.0);
	EXPECT_FALSE(flag(s, 0, "reset"));
	EXPECT_FALSE(flag(s, 0, "gap"));
	EXPECT_EQ(s.sampled_at, b.sampled_at);
	EXPECT_EQ(s.probe, b.probe);
	EXPECT_EQ(s.server_start, b.server_start);
}

TEST(Step, WithoutAPredecessorNothingIsKnown) {
	Sample b = tables(1);
	add(b, "t", 130, 1, 60);
	const Sample first = step(nullptr, b, kInterval);
	EXPECT_TRUE(first.at(0, "scans").null);
	EXPECT_TRUE(first.at(0, "elapsed").null);
	EXPECT_EQ(first.at(0, "size").integer, 60);
	EXPECT_FALSE(flag(first, 0, "reset"));
	EXPECT_FALSE(flag(first, 0, "gap"));
	const Sample a = tables(0); // without the row
	const Sample fresh = step(&a, b, kInterval);
	EXPECT_TRUE(fresh.at(0, "scans").null);
	EXPECT_EQ(fresh.at(0, "elapsed").real, 10.0);
	EXPECT_FALSE(flag(fresh, 0, "reset"));
}

TEST(Step, ACounterThatWentDownIsAResetOfItsRowOnly) {
	Sample a = tables(0), b = tables(1);
	add(a, "t", 100, 5);
	add(a, "u", 100, 5);
	add(a, "v", 100, 5);
	add(b, "t", 99, 6);
	add(b, "u", 101, 6);
	add(b, "v", 101, 4.5);
	const Sample s = step(&a, b, kInterval);
	EXPECT_TRUE(flag(s, 0, "reset"));
	EXPECT_TRUE(s.at(0, "scans").null);
	EXPECT_TRUE(s.at(0, "seconds").null);
	EXPECT_FALSE(flag(s, 1, "reset"));
	EXPECT_EQ(s.at(1, "scans").integer, 1);
	EXPECT_TRUE(flag(s, 2, "reset"));
}

TEST(Step, AChangedStatsResetIsAResetEvenWhenTheCounterIsHigher) {
	Sample a = tables(0), b = tables(1);
	add(a, "t", 100, 0, 0, 7 * kS);
	add(a, "u", 100);
	add(a, "v", 100, 0, 0, 7 * kS);
	add(b, "t", 500, 0, 0, 8 * kS);
	add(b, "u", 500, 0, 0, 8 * kS);
	add(b, "v", 500, 0, 0, 7 * kS);
	const Sample s = step(&a, b, kInterval);
	EXPECT_TRUE(flag(s, 0, "reset"));
	EXPECT_TRUE(s.at(0, "scans").null);
	EXPECT_TRUE(flag(s, 1, "reset")); // from never to once
	EXPECT_FALSE(flag(s, 2, "reset"));
	EXPECT_EQ(s.at(2, "scans").integer, 400);
}

TEST(Step, ARestartedServerResetsEveryRow) {
	Sample a = tables(0), b = tables(1);
	add(a, "t", 100);
	add(b, "t", 500);
	add(b, "new", 1);
	b.server_start += kS;
	const Sample s = step(&a, b, kInterval);
	for (const std::size_t row : {0U, 1U}) {
		EXPECT_TRUE(flag(s, row, "reset"));
		EXPECT_TRUE(s.at(row, "scans").null);
	}
}

TEST(Step, AGapIsMoreThanTwoAndAHalfIntervals) {
	const Sample a = tables(0);
	Sample b = tables(0);
	add(b, "t", 1);
	b.sampled_at = a.sampled_at + 25 * kS;
	EXPECT_FALSE(flag(step(&a, b, kInterval), 0, "gap"));
	b.sampled_at += 2;
	EXPECT_TRUE(flag(step(&a, b, kInterval), 0, "gap"));
	EXPECT_FALSE(flag(step(&a, b, 0), 0, "gap")); // an unknown interval
	EXPECT_FALSE(flag(step(&a, b, std::numeric_limits<Micros>::max()), 0, "gap"));
}

TEST(Step, AClockThatWentBackGivesNoElapsed) {
	Sample a = tables(5), b = tables(4);
	add(a, "t", 1);
	add(b, "t", 2);
	const Sample s = step(&a, b, kInterval);
	EXPECT_TRUE(s.at(0, "elapsed").null);
	EXPECT_EQ(s.at(0, "scans").integer, 1);
	a.sampled_at = std::numeric_limits<Micros>::min();
	EXPECT_TRUE(step(&a, b, kInterval).at(0, "elapsed").null);
}

TEST(Step, ValuesThatCannotBeSubtractedAreUnknown) {
	Sample a = tables(0), b = tables(1);
	const double nan = std::numeric_limits<double>::quiet_NaN();
	const double infinity = std::numeric_limits<double>::infinity();
	add(a, "null before", std::nullopt, nan);
	add(a, "null now", 5, infinity);
	add(a, "far", std::numeric_limits<std::int64_t>::min(), 0);
	add(b, "null before", 5, 1);
	add(b, "null now", std::nullopt, infinity);
	add(b, "far", std::numeric_limits<std::int64_t>::max(), 1);
	const Sample s = step(&a, b, kInterval);
	for (std::size_t row = 0; row < 3; ++row) {
		EXPECT_TRUE(s.at(row, "scans").null);
		EXPECT_FALSE(flag(s, row, "reset"));
	}
	EXPECT_TRUE(s.at(0, "seconds").null);
	EXPECT_TRUE(s.at(1, "seconds").null);
	EXPECT_EQ(s.at(2, "seconds").real, 1);
}

TEST(Step, OtherColumnsBeforeAreFoundByName) {
	Sample a =
		empty_sample({column("size", Type::kInt8), column("scans", Type::kInt8, Kind::kCounter),
					  column("seconds", Type::kInt8, Kind::kCounter),
					  column("name", Type::kText, Kind::kLabel, true)});
	a.add_row();
	a.set_int(0, 1, 40);
	a.set_int(0, 2, 1);
	a.set_text(0, 3, "t");
	Sample b = tables(1);
	add(b, "t", 50, 2);
	const Sample s = step(&a, b, kInterval);
	EXPECT_EQ(s.at(0, "scans").integer, 10);
	EXPECT_TRUE(s.at(0, "seconds").null); // it was of another type
	Sample keyless = empty_sample({column("name", Type::kText), column("scans", Type::kInt8)});
	keyless.set_text(keyless.add_row(), 0, "t");
	EXPECT_TRUE(step(&keyless, b, kInterval).at(0, "scans").null);
}

TEST(Step, DuplicateKeysArePairedInOrder) {
	Sample a = tables(0), b = tables(1);
	add(a, "t", 1);
	add(a, "t", 10);
	for (const int scans : {2, 13, 100})
		add(b, "t", scans);
	const Sample s = step(&a, b, kInterval);
	EXPECT_EQ(s.at(0, "scans").integer, 1);
	EXPECT_EQ(s.at(1, "scans").integer, 3);
	EXPECT_TRUE(s.at(2, "scans").null);
}

TEST(KeepTop, KeepsAllWithoutARule) {
	Sample s = tables(0);
	for (int i = 0; i < 5; ++i)
		add(s, "t" + std::to_string(i), i);
	test::expect_same(keep_top(s, nullptr, nullptr, {}, {}, {}), s);
}

TEST(KeepTop, CountersRankByDeltaAndGaugesByValue) {
	Sample a = tables(0), b = tables(1);
	add(a, "old giant", 1'000'000, 0, 1);
	add(a, "busy", 10, 0, 2);
	add(a, "big", 10, 0, 3);
	add(a, "idle", 10, 0, 4);
	add(b, "old giant", 1'000'001, 0, 1);
	add(b, "busy", 500, 0, 2);
	add(b, "big", 10, 0, 900);
	add(b, "idle", 10, 0, 4);
	EXPECT_EQ(names(keep_top(b, &a, nullptr, {1, {"scans"}}, {}, {})),
			  (std::vector<std::string>{"busy"}));
	EXPECT_EQ(names(keep_top(b, &a, nullptr, {1, {"size"}}, {}, {})),
			  (std::vector<std::string>{"big"}));
	const Sample both =
		keep_top(b, &a, nullptr, {1, {"scans", "size", "of a newer server"}}, {}, {});
	EXPECT_EQ(names(both), (std::vector<std::string>{"busy", "big"})); // in their order
	EXPECT_EQ(both.cut, 2);
	EXPECT_EQ(both.at(0, "scans").integer, 500); // the cumulative value
	// Without a predecessor a counter ranks by its value.
	EXPECT_EQ(names(keep_top(b, nullptr, nullptr, {1, {"scans"}}, {}, {})),
			  (std::vector<std::string>{"old giant"}));
}

TEST(KeepTop, NewAndResetRowsRankByTheirValue) {
	Sample a = tables(0), b = tables(1);
	add(a, "steady", 1000);
	add(a, "reset", 1000);
	add(b, "steady", 1050);
	add(b, "reset", 70);
	add(b, "new", 60);
	EXPECT_EQ(names(keep_top(b, &a, nullptr, {2, {"scans"}}, {}, {})),
			  (std::vector<std::string>{"reset", "new"}));
	a.cut = 1; // then "new" may be an old row that was left out
	EXPECT_EQ(names(keep_top(b, &a, nullptr, {2, {"scans"}}, {}, {})),
			  (std::vector<std::string>{"steady", "reset"}));
}

TEST(KeepTop, NamedObjectsAreKept) {
	Sample s = tables(0);
	s.cut = 100;
	std::vector<std::string> objects;
	for (int i = 0; i < 10; ++i) {
		add(s, "t" + std::to_string(i), i);
		objects.push_back("relation:d/s.t" + std::to_string(i));
	}
	const Sample kept = keep_top(s, nullptr, nullptr, {1, {"scans"}}, objects,
								 {"relation:d/s.t3", "relation:d/s.gone"});
	EXPECT_EQ(names(kept), (std::vector<std::string>{"t3", "t9"}));
	EXPECT_EQ(kept.cut, 108);
}

TEST(KeepTop, SaysTheBestPlaceOfEachRow) {
	Sample s = tables(0);
	std::vector<std::string> objects;
	for (int i = 0; i < 10; ++i) {
		add(s, "t" + std::to_string(i), i);
		objects.push_back("t" + std::to_string(i));
	}
	const Sample kept = keep_top(s, nullptr, nullptr, {3, {"scans"}}, objects, {"t2"});
	ASSERT_EQ(names(kept), (std::vector<std::string>{"t2", "t7", "t8", "t9"}));
	const std::vector<std::int64_t> expected = {0, 2, 1, 0}; // t2 is named by a verdict
	for (std::size_t row = 0; row < kept.rows(); ++row)
		EXPECT_EQ(kept.at(row, kHiddenRank).integer, expected[row]) << row;
	EXPECT_EQ(step(nullptr, kept, kInterval).find_column(kHiddenRank), -1);
}

TEST(KeepTop, TiesGoToWhatWasKeptThenToTheFirst) {
	Sample s = tables(1);
	for (const char *name : {"a", "b", "c", "d"})
		add(s, name, 5);
	EXPECT_EQ(names(keep_top(s, nullptr, nullptr, {2, {"size"}}, {}, {})),
			  (std::vector<std::string>{"a", "b"}));
	Sample kept = tables(0);
	add(kept, "d", 5);
	EXPECT_EQ(names(keep_top(s, nullptr, &kept, {2, {"size"}}, {}, {})),
			  (std::vector<std::string>{"a", "d"}));
}

TEST(KeepTop, NullAndNanAreNotRanked) {
	Sample s = tables(0);
	add(s, "nan", std::nullopt, std::numeric_limits<double>::quiet_NaN());
	add(s, "value", -5, -5);
	EXPECT_EQ(names(keep_top(s, nullptr, nullptr, {5, {"scans", "seconds"}}, {}, {})),
			  (std::vector<std::string>{"value"}));
}

TEST(KeepTop, WithoutARankingTheFirstAreKept) {
	Sample s = tables(0);
	for (const char *name : {"a", "b", "c"})
		add(s, name, 5);
	const std::vector<std::string> expected{"a", "b"};
	EXPECT_EQ(names(keep_top(s, nullptr, nullptr, {2, {}}, {}, {})), expected);
	EXPECT_EQ(names(keep_top(s, nullptr, nullptr, {2, {"name", "absent"}}, {}, {})), expected);
	EXPECT_EQ(keep_top(s, nullptr, nullptr, {9, {}}, {}, {}).rows(), 3U);
}

// Three ticks; "b" is kept from the second on. Its delta then comes from what it carries.
struct Entering {
	Sample full[3] = {tables(0), tables(1), tables(2)};
	Sample kept[3];

	Entering() {
		const int scans[3][2] = {{100, 1000}, {200, 1005}, {201, 1500}};
		for (int i = 0; i < 3; ++i) {
			add(full[i], "a", scans[i][0], i);
			add(full[i], "b", scans[i][1], 10 * i);
		}
	}
	void keep() {
		const TopRule rule{1, {"scans"}};
		const auto named = [](int tick) {
			return tick == 0 ? std::set<std::string>{"a"} : std::set<std::string>{};
		};
		kept[0] = keep_top(full[0], nullptr, nullptr, {1, {}}, {"a", "b"}, named(0));
		for (int i = 1; i < 3; ++i)
			kept[i] = keep_top(full[i], &full[i - 1], &kept[i - 1], rule, {"a", "b"}, named(i));
	}
};

TEST(KeepTop, ARowThatEntersCarriesItsDeltas) {
	Entering e;
	e.keep();
	ASSERT_EQ(names(e.kept[0]), (std::vector<std::string>{"a"}));
	ASSERT_EQ(names(e.kept[1]), (std::vector<std::string>{"a"}));
	ASSERT_EQ(names(e.kept[2]), (std::vector<std::string>{"b"}));
	EXPECT_TRUE(same_columns(e.kept[0], e.kept[2]));

	const Sample s = step(&e.kept[1], e.kept[2], kInterval);
	EXPECT_EQ(s.columns(), step(nullptr, e.full[2], kInterval).columns()); // nothing hidden
	EXPECT_EQ(s.at(0, "scans").integer, 495);
	EXPECT_EQ(s.at(0, "seconds").real, 10);
	EXPECT_EQ(s.at(0, "elapsed").real, 10);
	EXPECT_FALSE(flag(s, 0, "reset"));

	// The same after the way through the ring.
	const Sample stored = decode_difference(e.kept[0], encode_difference(e.kept[0], e.kept[2]));
	test::expect_same(step(&e.kept[1], stored, kInterval), s);
}

TEST(KeepTop, CarriedDeltasAreGoodForTheirPredecessorOnly) {
	Entering e;
	e.keep();
	EXPECT_TRUE(step(&e.kept[0], e.kept[2], kInterval).at(0, "scans").null);
	EXPECT_TRUE(step(nullptr, e.kept[2], kInterval).at(0, "scans").null);
}

TEST(KeepTop, ARowThatStaysCarriesNothing) {
	Entering e;
	e.keep();
	ASSERT_EQ(e.kept[1].rows(), 1U);
	for (std::size_t i = 0; i < e.kept[1].columns().size(); ++i)
		if (is_hidden(e.kept[1].columns()[i]) && e.kept[1].columns()[i].name != kHiddenRank) {
			EXPECT_TRUE(e.kept[1].at(0, i).null);
		}
	EXPECT_EQ(step(&e.kept[0], e.kept[1], kInterval).at(0, "scans").integer, 100);
}

TEST(KeepTop, ACarriedResetIsSaid) {
	Entering e;
	e.full[2] = tables(2);
	add(e.full[2], "a", 201);
	add(e.full[2], "b", 900); // it was 1005
	e.keep();
	ASSERT_EQ(names(e.kept[2]), (std::vector<std::string>{"b"}));
	const Sample s = step(&e.kept[1], e.kept[2], kInterval);
	EXPECT_TRUE(flag(s, 0, "reset"));
	EXPECT_TRUE(s.at(0, "scans").null);
}

TEST(History, FiftyThousandRowsAreNoMatter) {
	Sample a = tables(0), b = tables(1);
	std::mt19937_64 random(1);
	for (int i = 0; i < 50'000; ++i) {
		const std::string name = "table_" + std::to_string(i);
		const auto scans = static_cast<std::int64_t>(random() % 1000);
		add(a, name, scans);
		add(b, name, scans + static_cast<std::int64_t>(random() % 1000), 0,
			static_cast<std::int64_t>(random() % 1000));
	}
	const auto start = std::chrono::steady_clock::now();
	const Sample s = step(&a, b, kInterval);
	const Sample kept = keep_top(b, &a, nullptr, {50, {"scans", "size"}}, {}, {});
	const auto took = std::chrono::steady_clock::now() - start;
	EXPECT_EQ(s.rows(), 50'000U);
	EXPECT_GE(kept.rows(), 50U);
	EXPECT_LE(kept.rows(), 100U);
	EXPECT_LT(took, std::chrono::seconds(20)); // comparing every row with every other takes minutes
}

} // namespace
} // namespace pgdba
