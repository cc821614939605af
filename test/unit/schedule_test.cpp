#include "pgdba/core/schedule.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

constexpr Micros kS = kMicrosPerSecond;
constexpr Micros kStart = 800'000'000 * kS;

TEST(Schedule, TicksLieOnMultiplesOfTheInterval) {
	Schedule s(15 * kS);
	EXPECT_TRUE(s.due(kStart));
	EXPECT_EQ(s.next(kStart), kStart);
	EXPECT_EQ(s.begin(kStart), 0);
	EXPECT_FALSE(s.due(kStart + 15 * kS - 1));
	EXPECT_EQ(s.next(kStart + 1), kStart + 15 * kS);
	EXPECT_TRUE(s.due(kStart + 15 * kS));
	EXPECT_EQ(s.begin(kStart + 17 * kS), 2 * kS); // late, and the next one is not
	EXPECT_EQ(s.next(kStart + 17 * kS), kStart + 30 * kS);
	EXPECT_EQ(s.begin(kStart + 30 * kS), 0);
	EXPECT_EQ(s.skipped(), 0);
}

TEST(Schedule, MissedTicksAreSkippedAndCounted) {
	Schedule s(10 * kS);
	s.begin(kStart);
	EXPECT_EQ(s.begin(kStart + 35 * kS), 25 * kS); // those of 20 and 30 are gone
	EXPECT_EQ(s.skipped(), 2);
	EXPECT_FALSE(s.due(kStart + 35 * kS));
	EXPECT_EQ(s.next(kStart + 35 * kS), kStart + 40 * kS);
}

TEST(Schedule, ANewIntervalTakesEffectAtOnce) {
	Schedule s(600 * kS);
	s.begin(kStart);
	s.set_interval(10 * kS);
	EXPECT_EQ(s.interval(), 10 * kS);
	EXPECT_EQ(s.next(kStart + 1), kStart + 10 * kS);
	EXPECT_TRUE(s.due(kStart + 100 * kS));
	s.set_interval(900 * kS);
	EXPECT_EQ(s.next(kStart + 100 * kS), kStart + 900 * kS);
	s.set_interval(0); // never a division by zero
	EXPECT_GE(s.begin(kStart + 1000 * kS), 0);
	EXPECT_GE(Schedule(-5).interval(), 1);
}

TEST(Schedule, ARequestIsDueAtOnce) {
	Schedule s(600 * kS);
	s.begin(kStart);
	EXPECT_FALSE(s.due(kStart + 7 * kS));
	s.request();
	EXPECT_TRUE(s.due(kStart + 7 * kS));
	EXPECT_EQ(s.begin(kStart + 7 * kS), 0);
	EXPECT_EQ(s.next(kStart + 8 * kS), kStart + 607 * kS);
	EXPECT_EQ(s.skipped(), 0);
}

TEST(Schedule, AClockThatGoesBackMakesItDue) {
	Schedule s(15 * kS);
	s.begin(kStart);
	EXPECT_FALSE(s.due(kStart - 1 * kS)); // a small step is waited for
	EXPECT_TRUE(s.due(kStart - 3600 * kS));
	EXPECT_EQ(s.begin(kStart - 3600 * kS), 0);
	EXPECT_EQ(s.next(kStart - 3600 * kS), kStart - 3585 * kS);
	EXPECT_EQ(s.skipped(), 0);
}

TEST(BackOff, RestsLongerAfterEachFailure) {
	BackOff b;
	std::vector<int> rests;
	for (int failure = 1; failure <= 9; ++failure) {
		ASSERT_FALSE(b.rests());
		b.failed();
		EXPECT_EQ(b.failures(), failure);
		int n = 0;
		for (; n < 100 && b.rests(); ++n) {
		}
		rests.push_back(n);
	}
	EXPECT_EQ(rests, (std::vector<int>{0, 1, 3, 7, 15, 31, 63, 63, 63}));
	b.failed();
	b.succeeded();
	EXPECT_FALSE(b.rests());
	EXPECT_EQ(b.failures(), 0);
}

} // namespace
} // namespace pgdba
