// A finding's severity: boundaries, directions, floors, the way down, and overrides.
#include "pgdba/core/verdict.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

Threshold levels(std::optional<double> warning, std::optional<double> critical) {
	Threshold out;
	out.warning = warning;
	out.critical = critical;
	return out;
}

Finding finding(std::optional<double> value) {
	Finding out;
	out.object = "relation:app/public.orders";
	out.value = value;
	return out;
}

Severity severity(const Threshold &threshold, std::optional<double> value,
				  std::optional<Severity> was = {}) {
	return judge(threshold, {}, finding(value), was).severity;
}

ThresholdOverride override_for(std::string pattern, std::optional<double> warning,
							   std::optional<double> critical) {
	return {"vacuum.dead", std::move(pattern), warning, critical, {}};
}

TEST(Judge, OnlyStrictlyBeyondCounts) {
	const Threshold t = levels(30, 120);
	EXPECT_EQ(severity(t, 30), Severity::kOk);
	EXPECT_EQ(severity(t, std::nextafter(30.0, 31.0)), Severity::kWarning);
	EXPECT_EQ(severity(t, 120), Severity::kWarning);
	EXPECT_EQ(severity(t, std::nextafter(120.0, 121.0)), Severity::kCritical);
	EXPECT_EQ(severity(t, HUGE_VAL), Severity::kCritical);
	EXPECT_EQ(severity(t, -HUGE_VAL), Severity::kOk);
}

TEST(Judge, BelowTurnsTheComparisonAround) {
	Threshold t = levels(10, 5);
	t.direction = Direction::kBelow;
	EXPECT_EQ(severity(t, 10), Severity::kOk);
	EXPECT_EQ(severity(t, 9.99), Severity::kWarning);
	EXPECT_EQ(severity(t, 5), Severity::kWarning);
	EXPECT_EQ(severity(t, 4.99), Severity::kCritical);
}

TEST(Judge, NoValueAndNoNumberAreUnknownNeverOk) {
	const Threshold t = levels(30, 120);
	EXPECT_EQ(severity(t, std::nullopt), Severity::kUnknown);
	EXPECT_EQ(severity(t, std::nan("")), Severity::kUnknown);
	EXPECT_EQ(severity(t, std::nullopt, Severity::kOk), Severity::kUnknown);
}

TEST(Judge, SingleLevelsWork) {
	EXPECT_EQ(severity(levels({}, 5), 6), Severity::kCritical);
	EXPECT_EQ(severity(levels({}, 5), 5), Severity::kOk);
	EXPECT_EQ(severity(levels(5, {}), 1e9), Severity::kWarning);
	Threshold info;
	info.info = 0;
	EXPECT_EQ(severity(info, 1), Severity::kInfo);
	EXPECT_EQ(severity(info, 0), Severity::kOk);
}

TEST(Judge, ReportsTheThresholdsInEffect) {
	const Judgement out = judge(levels(30, 120), {override_for("%", 50, {})}, finding(40), {});
	EXPECT_EQ(out.severity, Severity::kOk);
	EXPECT_EQ(out.warning, 50);
	EXPECT_EQ(out.critical, 120);
	EXPECT_EQ(judge(levels(30, {}), {}, finding({}), {}).warning, 30);
}

TEST(Judge, AFloorThatIsNotExceededMakesItOk) {
	Threshold t = levels(20, {});
	t.floor["dead"] = 100'000;
	Finding f = finding(90);
	f.named["dead"] = 100'000;
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kOk);
	f.named["dead"] = 100'001;
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kWarning);
	f.named["dead"] = std::nan("");
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kUnknown);
	f.named.clear();
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kUnknown);
}

TEST(Judge, OneFloorIsEnoughWhateverTheOthersAre) {
	Threshold t = levels(20, {});
	t.floor = {{"dead", 1000}, {"size", 1000}};
	Finding f = finding(90);
	f.named["size"] = 10;
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kOk);
}

TEST(Judge, AFloorMayNameTheValueItself) {
	Threshold t = levels(1, {});
	t.floor["value"] = 50;
	EXPECT_EQ(severity(t, 50), Severity::kOk);
	EXPECT_EQ(severity(t, 51), Severity::kWarning);
}

TEST(Judge, AWarningLeavesOnlyBeyondClear) {
	Threshold t = levels(30, 120);
	t.clear = 20;
	EXPECT_EQ(severity(t, 25), Severity::kOk);
	EXPECT_EQ(severity(t, 25, Severity::kOk), Severity::kOk);
	EXPECT_EQ(severity(t, 25, Severity::kInfo), Severity::kOk);
	EXPECT_EQ(severity(t, 25, Severity::kUnknown), Severity::kOk);
	EXPECT_EQ(severity(t, 25, Severity::kWarning), Severity::kWarning);
	EXPECT_EQ(severity(t, 25, Severity::kCritical), Severity::kWarning);
	EXPECT_EQ(severity(t, 20, Severity::kWarning), Severity::kOk);
	EXPECT_EQ(severity(t, 100, Severity::kCritical), Severity::kWarning);
}

TEST(Judge, ClearWorksBelowAndForCriticalAlone) {
	Threshold below = levels(10, 5);
	below.direction = Direction::kBelow;
	below.clear = 15;
	EXPECT_EQ(severity(below, 12, Severity::kWarning), Severity::kWarning);
	EXPECT_EQ(severity(below, 15, Severity::kWarning), Severity::kOk);
	Threshold alone = levels({}, 100);
	alone.clear = 80;
	EXPECT_EQ(severity(alone, 90, Severity::kCritical), Severity::kCritical);
	EXPECT_EQ(severity(alone, 80, Severity::kCritical), Severity::kOk);
}

TEST(Judge, TheFirstMatchingOverrideWins) {
	const Threshold t = levels(30, 120);
	const std::vector<ThresholdOverride> overrides = {
		override_for("relation:app/public.orders", 300, 600),
		override_for("relation:app/%", 60, {}), override_for("%", 40, 50)};
	Finding f = finding(100);
	EXPECT_EQ(judge(t, overrides, f, {}).severity, Severity::kOk);
	f.object = "relation:app/public.lines";
	EXPECT_EQ(judge(t, overrides, f, {}).severity, Severity::kWarning);
	f.object = "relation:web/public.lines";
	EXPECT_EQ(judge(t, overrides, f, {}).severity, Severity::kCritical);
}

TEST(Judge, AnOverrideMovesClearInProportion) {
	Threshold t = levels(30, {});
	t.clear = 20;
	const std::vector<ThresholdOverride> up = {override_for("%", 300, {})};
	EXPECT_EQ(judge(t, up, finding(201), Severity::kWarning).severity, Severity::kWarning);
	EXPECT_EQ(judge(t, up, finding(200), Severity::kWarning).severity, Severity::kOk);
}

TEST(Judge, AnOverrideReplacesSingleFloors) {
	Threshold t = levels(20, {});
	t.floor = {{"dead", 100'000}, {"size", 1}};
	ThresholdOverride change = override_for("%", {}, {});
	change.floor["dead"] = 10;
	Finding f = finding(90);
	f.named = {{"dead", 11}, {"size", 2}};
	EXPECT_EQ(judge(t, {}, f, {}).severity, Severity::kOk);
	EXPECT_EQ(judge(t, {change}, f, {}).severity, Severity::kWarning);
	f.named["size"] = 1;
	EXPECT_EQ(judge(t, {change}, f, {}).severity, Severity::kOk);
}

TEST(Like, MatchesAsSqlDoes) {
	EXPECT_TRUE(like("relation:app/public.orders", "%"));
	EXPECT_TRUE(like("", "%"));
	EXPECT_TRUE(like("", ""));
	EXPECT_FALSE(like("a", ""));
	EXPECT_TRUE(like("abc", "a_c"));
	EXPECT_FALSE(like("ac", "a_c"));
	EXPECT_TRUE(like("aXbXc", "a%b%c"));
	EXPECT_TRUE(like("abab", "%ab"));
	EXPECT_FALSE(like("abac", "%ab"));
	EXPECT_FALSE(like("ABC", "abc"));
	EXPECT_TRUE(like("abc", "%%c%"));
}

TEST(Like, UnderscoreIsACharacterAndNotAByte) {
	EXPECT_TRUE(like("gr\xC3\xBC\xC3\x9F", "gr__"));
	EXPECT_FALSE(like("gr\xC3\xBC\xC3\x9F", "gr____"));
	EXPECT_TRUE(like("\xF0\x9F\x98\x80!", "_!"));
	EXPECT_TRUE(like("\xC3\xBC\xC3\xBC x", "%_ x"));
}

TEST(Like, BackslashTakesTheMeaningAway) {
	EXPECT_TRUE(like("a_c", "a\\_c"));
	EXPECT_FALSE(like("abc", "a\\_c"));
	EXPECT_TRUE(like("100%", "100\\%"));
	EXPECT_FALSE(like("1000", "100\\%"));
	EXPECT_TRUE(like("a\\b", "a\\\\b"));
	EXPECT_TRUE(like("a\\", "a\\"));
}

TEST(Like, ManyPercentSignsTakeNoLongTime) {
	std::string pattern;
	for (int i = 0; i < 200; ++i)
		pattern += "%a";
	EXPECT_FALSE(like(std::string(5000, 'a') + "b", pattern));
}

} // namespace
} // namespace pgdba
