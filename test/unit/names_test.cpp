#include "pgdba/core/name_cache.hpp"

#include <gtest/gtest.h>

namespace pgdba {
namespace {

RelationName table(const char *schema, const char *relation) {
	return {schema, relation, 'r'};
}

TEST(NameCache, AnswersPerDatabase) {
	NameCache cache(10);
	cache.begin_pass();
	EXPECT_EQ(cache.find(1, 100, 0), nullptr);
	EXPECT_TRUE(cache.learn(1, 100, table("public", "orders")));
	ASSERT_NE(cache.find(1, 100, 0), nullptr);
	EXPECT_EQ(cache.find(1, 100, 0)->schema, "public");
	EXPECT_EQ(cache.find(1, 100, 0)->relation, "orders");
	EXPECT_EQ(cache.find(2, 100, 0), nullptr);
	EXPECT_EQ(cache.find(100, 1, 0), nullptr);
}

TEST(NameCache, LargestOidsDoNotMix) {
	NameCache cache(10);
	EXPECT_TRUE(cache.learn(1, 0xFFFFFFFFu, table("a", "b")));
	EXPECT_EQ(cache.find(2, 0xFFFFFFFFu, 0), nullptr);
	EXPECT_TRUE(cache.learn(0xFFFFFFFFu, 0xFFFFFFFFu, table("c", "d")));
	EXPECT_EQ(cache.find(1, 0xFFFFFFFFu, 0)->relation, "b");
	EXPECT_EQ(cache.find(0xFFFFFFFFu, 0xFFFFFFFFu, 0)->relation, "d");
	EXPECT_EQ(cache.relations(0xFFFFFFFFu), std::vector<std::uint32_t>{0xFFFFFFFFu});
}

TEST(NameCache, KeepsThatThereIsNoSuchRelationUntilSomethingHappensToIt) {
	NameCache cache(10);
	cache.learn(1, 100, {});
	ASSERT_NE(cache.find(1, 100, 0), nullptr);
	EXPECT_EQ(cache.find(1, 100, 0)->kind, '\0');
	EXPECT_EQ(cache.find(1, 100, 7), nullptr)
		<< "its counters moved: the transaction that made it may be over";
	cache.learn(1, 100, {}); // asked again, still missing
	ASSERT_NE(cache.find(1, 100, 7), nullptr) << "not asked a third time";
	EXPECT_EQ(cache.find(1, 100, 8), nullptr);
	cache.learn(1, 100, table("public", "t"));
	ASSERT_NE(cache.find(1, 100, 9), nullptr);
	EXPECT_EQ(cache.find(1, 100, 9)->relation, "t");
}

TEST(NameCache, LearnsANewNameInPlaceOfTheOld) {
	NameCache cache(1);
	cache.learn(1, 100, table("public", "before"));
	EXPECT_TRUE(cache.learn(1, 100, table("public", "after"))); // although it is full
	EXPECT_EQ(cache.find(1, 100, 0)->relation, "after");
	EXPECT_EQ(cache.size(), 1u);
	EXPECT_EQ(cache.refused(), 0);
}

TEST(NameCache, DropsWhatTwoPassesDidNotLookFor) {
	NameCache cache(10);
	cache.begin_pass();
	cache.learn(1, 100, table("public", "stays"));
	cache.learn(1, 101, table("public", "goes"));
	cache.end_pass();
	EXPECT_EQ(cache.size(), 2u);
	cache.begin_pass();
	EXPECT_NE(cache.find(1, 100, 0), nullptr);
	cache.end_pass();
	EXPECT_EQ(cache.size(), 2u) << "one pass may miss a relation whose counters were locked";
	cache.begin_pass();
	EXPECT_NE(cache.find(1, 100, 0), nullptr);
	cache.end_pass();
	EXPECT_EQ(cache.relations(1), std::vector<std::uint32_t>{100});
}

TEST(NameCache, LearningAgainIsNotSeeing) {
	NameCache cache(10);
	cache.begin_pass();
	cache.learn(1, 100, table("public", "t"));
	cache.end_pass();
	for (int pass = 0; pass < 2;
		 ++pass) { // a refresh asks for it, the statistics no longer have it
		cache.begin_pass();
		cache.learn(1, 100, {});
		cache.end_pass();
	}
	EXPECT_EQ(cache.size(), 0u);
}

TEST(NameCache, IsBoundedAndCountsWhatItRefuses) {
	NameCache cache(2);
	EXPECT_TRUE(cache.learn(1, 100, table("public", "a")));
	EXPECT_FALSE(cache.full());
	EXPECT_TRUE(cache.learn(1, 101, table("public", "b")));
	EXPECT_TRUE(cache.full());
	EXPECT_FALSE(cache.learn(1, 102, table("public", "c")));
	EXPECT_EQ(cache.refused(), 1);
	EXPECT_EQ(cache.find(1, 102, 0), nullptr);
}

TEST(NameCache, ListsADatabaseInOrder) {
	NameCache cache(10);
	for (const std::uint32_t relation : {300u, 100u, 200u})
		cache.learn(1, relation, table("public", "t"));
	cache.learn(2, 150, table("public", "t"));
	EXPECT_EQ(cache.relations(1), (std::vector<std::uint32_t>{100, 200, 300}));
	EXPECT_TRUE(cache.relations(3).empty());
}

TEST(NameList, MatchesNamesAndPatterns) {
	EXPECT_TRUE(name_in_list("app", "app"));
	EXPECT_TRUE(name_in_list("app", " shop , app "));
	EXPECT_FALSE(name_in_list("application", "app"));
	EXPECT_FALSE(name_in_list("my_app", "app"));
	EXPECT_TRUE(name_in_list("application", "app*"));
	EXPECT_TRUE(name_in_list("my_app", "*app"));
	EXPECT_TRUE(name_in_list("shop_2026_eu", "shop*eu"));
	EXPECT_FALSE(name_in_list("shop_2026_us", "shop*eu"));
	EXPECT_TRUE(name_in_list("aXbXc", "a*b*c"));
	EXPECT_FALSE(name_in_list("aXcXb", "a*b*c"));
	EXPECT_TRUE(name_in_list("anything", "*"));
	EXPECT_FALSE(name_in_list("App", "app")) << "names of databases have case";
	EXPECT_TRUE(name_in_list("two words", "two words"));
	EXPECT_TRUE(name_in_list("abab", "*ab")) << "the first match of a star is not the last word";
}

TEST(NameList, EmptyListHasNobody) {
	EXPECT_FALSE(name_in_list("app", ""));
	EXPECT_FALSE(name_in_list("app", " , ,"));
	EXPECT_FALSE(name_in_list("", ","));
}

TEST(NameList, ManyStarsTakeNoExponentialTime) {
	std::string pattern;
	for (int i = 0; i < 200; ++i)
		pattern += "*a";
	EXPECT_FALSE(name_in_list(std::string(5'000, 'a') + "b", pattern));
}

TEST(Turns, BeginAfterTheLastAndMissNobody) {
	const std::vector<std::uint32_t> members = {10, 20, 30};
	EXPECT_EQ(turns_after(members, 0), (std::vector<std::uint32_t>{10, 20, 30}));
	EXPECT_EQ(turns_after(members, 10), (std::vector<std::uint32_t>{20, 30, 10}));
	EXPECT_EQ(turns_after(members, 25), (std::vector<std::uint32_t>{30, 10, 20}))
		<< "it was dropped meanwhile";
	EXPECT_EQ(turns_after(members, 30), (std::vector<std::uint32_t>{10, 20, 30}));
	EXPECT_TRUE(turns_after({}, 5).empty());
}

} // namespace
} // namespace pgdba
