#include "pgdba/core/lock_graph.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

constexpr int kAccessShare = 1, kShareUpdateExclusive = 4, kExclusive = 7, kAccessExclusive = 8;
constexpr std::size_t kAll = SIZE_MAX;

constexpr LockModes bit(int mode) {
	return LockModes{1} << mode;
}

const LockNode &node_of(const std::vector<LockNode> &forest, std::uint32_t session) {
	return *std::ranges::find_if(forest, [=](const LockNode &n) { return n.session == session; });
}

TEST(LockGraph, ModesConflictBothWaysAndAsDocumented) {
	for (int a = 1; a <= kMostLockModes; ++a)
		for (int b = 1; b <= kMostLockModes; ++b)
			EXPECT_EQ(conflicts_of_mode(a) >> b & 1, conflicts_of_mode(b) >> a & 1)
				<< a << ' ' << b;
	EXPECT_EQ(conflicts_of_mode(kAccessShare), bit(kAccessExclusive));
	EXPECT_EQ(conflicts_of_mode(2), bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(kRowExclusive), bit(5) | bit(6) | bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(kShareUpdateExclusive), bit(4) | bit(5) | bit(6) | bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(kShare), bit(3) | bit(4) | bit(6) | bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(6), bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(kExclusive), 0x1fcU);
	EXPECT_EQ(conflicts_of_mode(kAccessExclusive), 0x1feU);
	EXPECT_EQ(conflicts_of(bit(1) | bit(2)), bit(7) | bit(8));
	EXPECT_EQ(conflicts_of_mode(0), 0U);
	EXPECT_EQ(conflicts_of_mode(9), 0U);
}

TEST(LockGraph, AQueuedDdlStandsBetweenTheReaderAndThoseBehindIt) {
	// 0 reads, 1 wants to alter, 2 and 3 want to read, 4 wants to alter as well.
	const std::vector<ContendedLock> locks = {{.of_relation = true,
											   .holders = {{0, bit(kAccessShare)}},
											   .queue = {{1, kAccessExclusive, 10},
														 {2, kAccessShare, 20},
														 {3, kAccessShare, 30},
														 {4, kAccessExclusive, 40}}}};
	const auto forest = lock_forest(5, locks, kAll);
	ASSERT_EQ(forest.size(), 5U);
	std::vector<std::uint32_t> order;
	std::vector<int> depths;
	for (const LockNode &node : forest) {
		order.push_back(node.session);
		depths.push_back(node.depth);
	}
	EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
	EXPECT_EQ(depths, (std::vector<int>{0, 1, 2, 2, 1}));
	EXPECT_EQ(forest[0].blocked, 4U);
	EXPECT_EQ(forest[1].blocked, 3U);
	EXPECT_EQ(forest[2].blocked, 1U);
	EXPECT_EQ(forest[4].blocked, 0U);
	EXPECT_TRUE(forest[1].in_the_way_is_held);
	EXPECT_EQ(forest[1].in_the_way, kAccessShare);
	EXPECT_FALSE(forest[2].in_the_way_is_held);
	EXPECT_EQ(forest[2].in_the_way, kAccessExclusive);
	EXPECT_EQ(forest[2].parent, 1U);
	EXPECT_EQ(forest[2].blockers, (std::vector<std::uint32_t>{1}));
	EXPECT_EQ(forest[4].blockers, (std::vector<std::uint32_t>{0, 1, 2, 3}));
	EXPECT_TRUE(forest[1].queued_ddl);
	EXPECT_FALSE(forest[4].queued_ddl); // nobody behind it
	EXPECT_FALSE(forest[2].queued_ddl);
	EXPECT_FALSE(forest[0].circle);
}

TEST(LockGraph, WhatKeepsNobodyWaitingIsNoQueuedDdl) {
	std::vector<ContendedLock> locks = {{.of_relation = true,
										 .holders = {{0, bit(kRowExclusive)}},
										 .queue = {{1, kShare, 1}, {2, kShareUpdateExclusive, 2}}}};
	EXPECT_FALSE(node_of(lock_forest(3, locks, 4), 1).queued_ddl);
	locks[0].queue.push_back({3, kRowExclusive, 3});
	EXPECT_TRUE(node_of(lock_forest(4, locks, 4), 1).queued_ddl);
	locks[0].of_relation = false;
	EXPECT_FALSE(node_of(lock_forest(4, locks, 4), 1).queued_ddl);
}

TEST(LockGraph, BlockersAreThoseThatDoNotWaitAndSomeOfTheOthers) {
	ContendedLock lock;
	lock.holders = {{0, bit(kExclusive)}};
	for (std::uint32_t i = 1; i <= 10; ++i)
		lock.queue.push_back({i, kExclusive, 100 + i});
	const auto forest = lock_forest(11, {lock}, 4);
	EXPECT_EQ(node_of(forest, 10).blockers, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
	EXPECT_EQ(node_of(forest, 2).blockers, (std::vector<std::uint32_t>{0, 1}));
	EXPECT_EQ(node_of(forest, 10).depth, 1);
	EXPECT_EQ(node_of(forest, 1).blocked, 9U);
	EXPECT_EQ(node_of(lock_forest(11, {lock}, 0), 10).blockers, (std::vector<std::uint32_t>{0}));
}

TEST(LockGraph, AnUpgradeIsHeldAndWaitedForByOne) {
	// Two readers, one of which wants to alter: it waits for the other only.
	const std::vector<ContendedLock> locks = {
		{.of_relation = true,
		 .holders = {{0, bit(kAccessShare)}, {1, bit(kAccessShare)}},
		 .queue = {{1, kAccessExclusive, 1}, {2, kAccessExclusive, 2}}}};
	const auto forest = lock_forest(3, locks, kAll);
	EXPECT_EQ(node_of(forest, 1).blockers, (std::vector<std::uint32_t>{0}));
	EXPECT_EQ(node_of(forest, 2).blockers, (std::vector<std::uint32_t>{0, 1}));
	EXPECT_FALSE(node_of(forest, 1).circle);
}

TEST(LockGraph, ACircleIsSaidAndWalkedOnce) {
	// 0 and 1 wait for each other, 2 for 1, 3 for 2.
	const std::vector<ContendedLock> locks = {
		{.holders = {{0, bit(kExclusive)}}, .queue = {{1, kExclusive, 20}}},
		{.holders = {{1, bit(kExclusive)}}, .queue = {{0, kExclusive, 10}, {2, kExclusive, 30}}},
		{.holders = {{2, bit(kExclusive)}}, .queue = {{3, kExclusive, 40}}}};
	const auto forest = lock_forest(4, locks, kAll);
	ASSERT_EQ(forest.size(), 4U);
	EXPECT_EQ(forest[0].session, 0U); // it has waited longest
	EXPECT_EQ(forest[0].parent, kNobody);
	EXPECT_EQ(forest[0].lock, 1U);
	EXPECT_TRUE(forest[0].circle);
	EXPECT_TRUE(node_of(forest, 1).circle);
	EXPECT_FALSE(node_of(forest, 2).circle);
	EXPECT_EQ(node_of(forest, 0).blocked, 3U);
	EXPECT_EQ(node_of(forest, 1).blocked, 3U);
	EXPECT_EQ(node_of(forest, 2).blocked, 1U);
	EXPECT_EQ(node_of(forest, 3).depth, node_of(forest, 2).depth + 1);
}

TEST(LockGraph, ASessionNeverBlocksItself) {
	// Two processes of session 1 behind 0; one that waits for its own session only.
	const std::vector<ContendedLock> locks = {
		{.holders = {{0, bit(kExclusive)}}, .queue = {{1, kExclusive, 2}, {1, kExclusive, 1}}},
		{.holders = {{2, bit(kExclusive)}}, .queue = {{2, kExclusive, 3}}}};
	const auto forest = lock_forest(3, locks, kAll);
	ASSERT_EQ(forest.size(), 3U);
	EXPECT_EQ(node_of(forest, 1).blockers, (std::vector<std::uint32_t>{0}));
	EXPECT_EQ(node_of(forest, 0).blocked, 1U);
	EXPECT_EQ(node_of(forest, 1).blocked, 0U);
	EXPECT_EQ(node_of(forest, 2).parent, kNobody);
	EXPECT_TRUE(node_of(forest, 2).blockers.empty());
}

TEST(LockGraph, AWaitWithoutATimeHasJustBegun) {
	const std::vector<ContendedLock> locks = {
		{.holders = {{0, bit(kExclusive)}},
		 .queue = {{1, kExclusive, 0}, {2, kExclusive, 7}, {3, kExclusive, 5}}}};
	const auto forest = lock_forest(4, locks, kAll);
	EXPECT_EQ(forest[1].session, 3U);
	EXPECT_EQ(forest[3].session, 1U);
	EXPECT_EQ(node_of(forest, 3).blockers, (std::vector<std::uint32_t>{0, 2, 1}));
}

TEST(LockGraph, NothingGivesNothing) {
	EXPECT_TRUE(lock_forest(0, {}, 4).empty());
	EXPECT_EQ(lock_forest(1, {}, 4).size(), 1U);
}

// Whatever the locks are: the same as writing down every edge.
TEST(LockGraph, AgreesWithEveryEdgeWrittenDown) {
	std::mt19937 random(7);
	const auto any = [&random](std::uint32_t below) {
		return static_cast<std::uint32_t>(random() % below);
	};
	for (int round = 0; round < 300; ++round) {
		const std::uint32_t sessions = 2 + any(14);
		std::vector<ContendedLock> locks(1 + any(4));
		std::vector<bool> waits(sessions, false);
		for (ContendedLock &lock : locks)
			for (std::uint32_t i = any(4) + 1; i > 0; --i)
				lock.holders.push_back({any(sessions), bit(1 + static_cast<int>(any(8)))});
		for (std::uint32_t i = 0; i < sessions; ++i)
			if (any(3) > 0) {
				locks[any(static_cast<std::uint32_t>(locks.size()))].queue.push_back(
					{i, 1 + static_cast<int>(any(8)), static_cast<Micros>(any(50))});
				waits[i] = true;
			}
		std::vector<std::vector<bool>> edge(sessions, std::vector<bool>(sessions, false));
		for (const ContendedLock &lock : locks)
			for (std::size_t place = 0; place < lock.queue.size(); ++place) {
				const LockModes conflicts = conflicts_of_mode(lock.queue[place].wanted);
				for (const LockHolder &holder : lock.holders)
					if ((holder.held & conflicts) != 0 &&
						holder.session != lock.queue[place].session)
						edge[lock.queue[place].session][holder.session] = true;
				for (std::size_t ahead = 0; ahead < place; ++ahead)
					if ((bit(lock.queue[ahead].wanted) & conflicts) != 0)
						edge[lock.queue[place].session][lock.queue[ahead].session] = true;
			}
		auto behind = edge;
		for (std::uint32_t via = 0; via < sessions; ++via)
			for (std::uint32_t a = 0; a < sessions; ++a)
				for (std::uint32_t b = 0; b < sessions; ++b)
					if (behind[a][via] && behind[via][b])
						behind[a][b] = true;
		const auto forest = lock_forest(sessions, locks, kAll);
		ASSERT_EQ(forest.size(), sessions);
		for (std::size_t at = 0; at < forest.size(); ++at) {
			const LockNode &node = forest[at];
			std::uint32_t blocked = 0, direct = 0;
			for (std::uint32_t other = 0; other < sessions; ++other) {
				blocked += other != node.session && behind[other][node.session] ? 1 : 0;
				direct += other != node.session && edge[node.session][other] ? 1 : 0;
			}
			EXPECT_EQ(node.blocked, blocked);
			EXPECT_EQ(node.circle, behind[node.session][node.session]);
			EXPECT_EQ(node.blockers.size(), direct);
			for (const std::uint32_t blocker : node.blockers)
				EXPECT_TRUE(edge[node.session][blocker]);
			EXPECT_EQ(node.lock != kNobody, waits[node.session]);
			if (node.parent == kNobody) {
				EXPECT_EQ(node.depth, 0);
				continue;
			}
			ASSERT_LT(node.parent, at);
			EXPECT_TRUE(edge[node.session][forest[node.parent].session]);
			EXPECT_EQ(node.depth, forest[node.parent].depth + 1);
			EXPECT_NE(node.in_the_way, 0);
		}
	}
}

} // namespace
} // namespace pgdba
