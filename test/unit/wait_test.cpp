#include "pgdba/core/wait_rows.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace pgdba;

namespace {

constexpr Micros kStep = 100'000;
constexpr std::uint32_t kIoRead = 0x0A000000, kLockWait = 0x03000000, kWalWrite = 0x01000008;

class Memory : public ::testing::Test {
protected:
	void make(std::uint32_t slots, std::size_t bytes = WaitMemory::kMinBytes) {
		room_.assign(WaitMemory::size_for(slots, bytes), std::byte{0x5A});
		memory_.emplace(room_.data(), room_.size());
		memory_->initialise(slots);
		ASSERT_TRUE(memory_->valid());
	}
	void tick(Micros credit = kStep, bool gap = false) {
		now_ += kStep;
		memory_->tick({now_, credit, gap});
	}
	WaitSight sight(std::uint32_t slot, std::uint32_t event = kNoWait,
					WaitState state = WaitState::kActive) const {
		WaitSight seen{};
		seen.who.slot = slot;
		seen.who.pid = static_cast<int>(1000 + slot);
		seen.who.database = 5, seen.who.role = 10;
		std::strcpy(seen.who.application_name, "shop");
		seen.event = event;
		seen.state = state;
		seen.blocked = wait_class_of(event) == WaitClass::kLock;
		return seen;
	}
	// By state and class, in the tally with what it folded.
	std::map<std::pair<WaitState, WaitClass>, WaitSum> totals() const {
		std::map<std::pair<WaitState, WaitClass>, WaitSum> all;
		const auto add = [&all](WaitState state, WaitClass kind, const WaitSum &sum) {
			WaitSum &to = all[{state, kind}];
			to.samples += sum.samples, to.time += sum.time, to.blocked += sum.blocked;
		};
		for (std::uint32_t i = 0; i < memory_->tally_entries(); ++i)
			if (const WaitTallyEntry &entry = memory_->tally_entry(i); entry.sum.samples > 0)
				add(entry.state, wait_class_of(entry.event), entry.sum);
		for (const WaitRow &row : folded_rows(*memory_))
			add(row.state, row.wait_class, row.sum);
		return all;
	}

	std::vector<std::byte> room_;
	std::optional<WaitMemory> memory_;
	Micros now_ = 1'000'000'000;
};

TEST(WaitEvent, TellsTheClassByTheKind) {
	EXPECT_EQ(wait_class_of(kNoWait), WaitClass::kCpu);
	EXPECT_EQ(wait_class_of(kIoRead), WaitClass::kIo);
	EXPECT_EQ(wait_class_of(kWalWrite), WaitClass::kLwLock);
	EXPECT_EQ(wait_class_of(kClientRead), WaitClass::kClient);
	EXPECT_EQ(wait_class_of(0x0B000001), WaitClass::kOther); // injection points
	EXPECT_EQ(name_of(WaitClass::kLwLock), "LWLock");
	EXPECT_EQ(name_of(WaitClass::kOther), "other");
}

// The leader of a group commit writes and flushes (IO); those who wait for it are apart (LWLock).
TEST(WaitEvent, FoldsNamesOfOlderServers) {
	EXPECT_EQ(folded_event("IO", "WALSync"), "WalSync");
	EXPECT_EQ(folded_event("IO", "WalSync"), "WalSync");
	EXPECT_EQ(folded_event("LWLock", "WALWrite"), "WALWrite");
	EXPECT_EQ(folded_event("IPC", "BufferIO"), "BufferIo");
	EXPECT_EQ(folded_event("IO", "DataFileRead"), "DataFileRead");
	EXPECT_EQ(folded_event("Client", "WalSenderWaitForWAL"), "WalSenderWaitForWal");
}

TEST_F(Memory, OneRunAsLongAsNothingChanges) {
	make(4);
	for (int i = 0; i < 10; ++i) {
		tick();
		memory_->see(sight(1, i < 7 ? kIoRead : kNoWait));
	}
	ASSERT_EQ(memory_->runs(), 2U);
	EXPECT_EQ(memory_->run(0).samples, 7U);
	EXPECT_EQ(memory_->run(0).ended - memory_->run(0).began, 7 * kStep);
	EXPECT_EQ(memory_->run(1).began, memory_->run(0).ended);
	EXPECT_EQ(memory_->session_of(memory_->run(1)).pid, 1001);
	EXPECT_EQ(memory_->counters().cpu, 3 * kStep);
}

TEST_F(Memory, ARunEndsWhereItsSessionWasNotSeen) {
	make(4);
	for (int i = 0; i < 9; ++i) {
		tick();
		if (i != 4)
			memory_->see(sight(1));
	}
	ASSERT_EQ(memory_->runs(), 2U);
	EXPECT_EQ(memory_->run(1).began - memory_->run(0).ended, kStep);
}

TEST_F(Memory, AGapIsNobodysTime) {
	make(4);
	tick();
	memory_->see(sight(1));
	now_ += 3'000'000; // stopped
	tick(kStep, true);
	memory_->see(sight(1));
	ASSERT_EQ(memory_->runs(), 2U);
	EXPECT_EQ(memory_->run(1).ended - memory_->run(1).began, kStep);
	EXPECT_EQ(totals().begin()->second.time, 2 * kStep);
	EXPECT_EQ(memory_->counters().span, 2 * kStep);
}

TEST_F(Memory, AnotherSessionInTheSamePlaceIsAnother) {
	make(2);
	tick();
	memory_->see(sight(1));
	tick();
	WaitSight other = sight(1);
	other.who.pid = 77;
	memory_->see(other);
	tick();
	std::strcpy(other.who.application_name, "renamed");
	memory_->see(other);
	ASSERT_EQ(memory_->runs(), 3U);
	EXPECT_EQ(memory_->session_of(memory_->run(0)).pid, 1001);
	EXPECT_EQ(memory_->session_of(memory_->run(1)).pid, 77);
	EXPECT_STREQ(memory_->session_of(memory_->run(2)).application_name, "renamed");
}

TEST_F(Memory, TheOldestMakesRoomButWhatGoesOnStays) {
	make(8);
	Micros began = 0;
	std::int64_t ticks = 0;
	for (; ticks < 20'000; ++ticks) {
		tick();
		if (began == 0)
			began = now_ - kStep;
		memory_->see(sight(0, kLockWait)); // never ends
		for (std::uint32_t slot = 1; slot < 8; ++slot)
			memory_->see(sight(slot, ticks % 2 == 0 ? kIoRead : kNoWait));
	}
	const WaitRun *longest = nullptr;
	std::map<std::uint32_t, Micros> since; // of each other session, what is still there
	for (std::uint32_t i = 0; i < memory_->runs(); ++i) {
		const WaitRun &run = memory_->run(i);
		if (memory_->session_of(run).slot == 0)
			longest = &run;
		else if (run.ended > memory_->complete_since())
			since[memory_->session_of(run).slot] += run.ended - run.began;
	}
	ASSERT_NE(longest, nullptr);
	EXPECT_EQ(longest->began, began);
	EXPECT_EQ(longest->ended, now_);
	EXPECT_EQ(longest->samples, ticks);
	EXPECT_GT(memory_->complete_since(), began);
	EXPECT_EQ(since.size(), 7U);
	for (const auto &[slot, time] : since) // no hole after complete_since
		EXPECT_EQ(time, now_ - memory_->complete_since()) << slot;
}

TEST_F(Memory, SessionsWithoutEndMakeRoomToo) {
	make(3);
	for (int i = 0; i < 50'000; ++i) {
		tick();
		WaitSight seen = sight(static_cast<std::uint32_t>(i % 3));
		seen.who.pid = 10 + i; // each lives for one tick
		memory_->see(seen);
	}
	ASSERT_GT(memory_->runs(), 100U);
	EXPECT_GT(memory_->complete_since(), 0);
	for (std::uint32_t i = 0; i < memory_->runs(); ++i) {
		const WaitRun &run = memory_->run(i);
		const int pid = memory_->session_of(run).pid; // still its own
		EXPECT_EQ(run.ended, 1'000'000'000 + (pid - 10 + 1) * kStep);
	}
}

TEST_F(Memory, TakingBeginsTheTallyAnew) {
	make(2);
	tick();
	memory_->see(sight(0));
	memory_->clear_tally();
	EXPECT_TRUE(totals().empty());
	EXPECT_EQ(memory_->taken().span, kStep);
	tick();
	memory_->see(sight(0));
	EXPECT_EQ(totals().begin()->second.samples, 1);
	EXPECT_EQ(memory_->counters().since(memory_->taken()).ticks, 1);
	EXPECT_EQ(memory_->run(0).samples, 2U); // runs know nothing of that
}

// Whatever happens: the tally, its folded part, the runs and the rows all say the same.
TEST_F(Memory, TotalsReconcile) {
	std::mt19937 random(7);
	const auto any = [&random](int n) { return static_cast<int>(random() % n); };
	for (int round = 0; round < 20; ++round) {
		make(60, 4 << 20);
		std::map<std::pair<WaitState, WaitClass>, WaitSum> truth;
		Micros span = 0, late = 0;
		// Enough different ones to fill the tally in most rounds.
		const int queries = round % 3 == 0 ? 3 : 100'000;
		for (int i = 0; i < 300; ++i) {
			const Micros credit = 1 + any(kStep);
			now_ += credit - kStep;
			const bool gap = any(20) == 0;
			tick(credit, gap);
			span += credit;
			late += gap;
			for (std::uint32_t slot = 0; slot < 60; ++slot) {
				if (any(4) == 0)
					continue;
				constexpr std::uint32_t kEvents[] = {kNoWait, kIoRead, kLockWait, kWalWrite,
													 kClientRead};
				WaitSight seen = sight(slot, kEvents[any(5)], static_cast<WaitState>(any(3)));
				seen.query_id = any(queries);
				memory_->see(seen);
				WaitSum &sum = truth[{seen.state, wait_class_of(seen.event)}];
				++sum.samples, sum.time += credit, sum.blocked += seen.blocked ? credit : 0;
			}
		}
		EXPECT_TRUE(totals() == truth);
		EXPECT_EQ(memory_->counters().span, span);
		EXPECT_EQ(memory_->counters().dropped > 0, queries > 3);
		std::map<std::pair<WaitState, WaitClass>, WaitSum> runs, rows;
		for (std::uint32_t i = 0; i < memory_->runs(); ++i) {
			const WaitRun &run = memory_->run(i);
			WaitSum &sum = runs[{run.state, wait_class_of(run.event)}];
			sum.samples += run.samples, sum.time += run.ended - run.began;
			sum.blocked += run.blocked ? run.ended - run.began : 0;
		}
		ASSERT_EQ(memory_->complete_since(), 0); // else they are fewer
		EXPECT_TRUE(runs == truth);
		std::vector<WaitRow> named = folded_rows(*memory_);
		for (std::uint32_t i = 0; i < memory_->tally_entries(); ++i)
			if (const WaitTallyEntry &entry = memory_->tally_entry(i); entry.sum.samples > 0) {
				WaitRow &row = named.emplace_back();
				row.query_id = entry.query_id % 1000; // several become one
				row.state = entry.state, row.wait_class = wait_class_of(entry.event);
				row.sum = entry.sum;
			}
		for (const WaitRow &row : fold_waits(std::move(named))) {
			WaitSum &sum = rows[{row.state, row.wait_class}];
			sum.samples += row.sum.samples, sum.time += row.sum.time;
			sum.blocked += row.sum.blocked;
		}
		EXPECT_TRUE(rows == truth);
	}
}

TEST(WaitRows, KeepsTheLargestAndFoldsTheRest) {
	std::vector<WaitRow> rows;
	for (int i = 0; i < 250; ++i) {
		WaitRow &row = rows.emplace_back();
		row.query_id = i;
		row.event_type = "IO", row.event = "DataFileRead", row.wait_class = WaitClass::kIo;
		row.state = i % 2 == 0 ? WaitState::kActive : WaitState::kIdle;
		row.sum = {1, 1 + i, 0};
	}
	const std::vector<WaitRow> kept = fold_waits(rows);
	ASSERT_EQ(kept.size(), kMostWaitRows + 2);
	EXPECT_EQ(kept.front().query_id, 249);
	for (std::size_t i = 0; i < kMostWaitRows; ++i) {
		EXPECT_FALSE(kept[i].folded);
		EXPECT_GE(kept[i].query_id, 150);
	}
	EXPECT_TRUE(kept.back().folded);
	EXPECT_EQ(kept.back().event, "other");
	EXPECT_EQ(kept.back().event_type, "IO");
	EXPECT_EQ(kept.back().sum.samples, 75);
}

TEST(WaitRows, ANameThatIsMissingIsNotAnEmptyOne) {
	std::vector<WaitRow> rows(3);
	rows[0].application_name = "";
	rows[1].application_name = "\"; DROP";
	for (WaitRow &row : rows)
		row.sum = {1, 1, 0};
	EXPECT_EQ(fold_waits(rows).size(), 3U);
}

} // namespace
