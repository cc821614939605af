#include "pgdba/core/memory_ring.hpp"
#include "pgdba/core/ring_arena.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

constexpr Micros kFirst = std::numeric_limits<Micros>::min();
constexpr Micros kLast = std::numeric_limits<Micros>::max();

class Ring : public MemoryRing {
public:
	explicit Ring(std::size_t size = kMinBytes)
		: Ring(std::make_unique<std::uint64_t[]>(size / 8), size) {}

	bool add(int stream, Micros at, bool keyframe, const std::string &payload) {
		return append(stream, at, keyframe, payload.data(), payload.size());
	}
	std::vector<RingEntry> entries(int stream, Micros since = kFirst, Micros until = kLast,
								   std::size_t max = 10'000) const {
		std::vector<RingEntry> out(max);
		out.resize(list(stream, since, until, out.data(), max));
		return out;
	}
	std::vector<Micros> times(int stream, Micros since = kFirst, Micros until = kLast,
							  std::size_t max = 10'000) const {
		std::vector<Micros> result;
		for (const RingEntry &entry : entries(stream, since, until, max))
			result.push_back(entry.sampled_at);
		return result;
	}
	std::string read(const RingEntry &entry) const {
		std::string out(entry.length, '?');
		EXPECT_TRUE(copy(entry, out.data()));
		return out;
	}
	std::string read_keyframe(const RingEntry &entry) const {
		std::string out(entry.keyframe_length, '?');
		EXPECT_TRUE(copy_keyframe(entry, out.data()));
		return out;
	}
	std::byte *memory() { return reinterpret_cast<std::byte *>(memory_.get()); }

private:
	Ring(std::unique_ptr<std::uint64_t[]> memory, std::size_t size)
		: MemoryRing(memory.get(), size), memory_(std::move(memory)) {
		initialise();
	}
	std::unique_ptr<std::uint64_t[]> memory_;
};

using Times = std::vector<Micros>;

TEST(MemoryRing, IsValidOnceInitialised) {
	std::vector<std::uint64_t> memory(MemoryRing::kMinBytes / 8);
	MemoryRing raw(memory.data(), MemoryRing::kMinBytes);
	EXPECT_FALSE(raw.valid());
	raw.initialise();
	EXPECT_TRUE(raw.valid());
	EXPECT_TRUE(raw.consistent());
	EXPECT_FALSE(MemoryRing(memory.data(), MemoryRing::kMinBytes - 8).valid());
	const RingUsage usage = raw.usage();
	EXPECT_EQ(usage.free_blocks, usage.blocks);
	EXPECT_GT(usage.blocks * usage.block_bytes, MemoryRing::kMinBytes * 8 / 10);
	EXPECT_EQ(usage.entries + usage.evicted + usage.refused + usage.streams, 0U);
}

TEST(MemoryRing, StreamsAreFoundByNameAndKind) {
	Ring ring;
	char name[MemoryRing::kNameBytes];
	bool injected = true;
	EXPECT_EQ(ring.find_stream("tables", false), -1);
	const int live = ring.open_stream("tables", false);
	const int golden = ring.open_stream("tables", true);
	EXPECT_NE(live, golden);
	EXPECT_EQ(ring.open_stream("tables", false), live);
	EXPECT_EQ(ring.find_stream("tables", true), golden);
	ASSERT_TRUE(ring.stream_name(live, name, &injected));
	EXPECT_STREQ(name, "tables");
	EXPECT_FALSE(injected);
	EXPECT_EQ(ring.usage().streams, 2U);
	EXPECT_GE(ring.open_stream(std::string(63, 'x'), false), 0);
	EXPECT_EQ(ring.open_stream(std::string(64, 'x'), false), -1);
	EXPECT_EQ(ring.open_stream("", false), -1);
	EXPECT_EQ(ring.open_stream(std::string_view("a\0b", 3), false), -1);
	ring.drop_stream(live);
	EXPECT_EQ(ring.find_stream("tables", false), -1);
	EXPECT_FALSE(ring.stream_name(live, name, &injected));
}

TEST(MemoryRing, TheDirectoryIsBounded) {
	Ring ring;
	for (int i = 0; i < MemoryRing::kMaxStreams; ++i)
		ASSERT_GE(ring.open_stream("probe" + std::to_string(i), false), 0);
	EXPECT_EQ(ring.open_stream("one more", false), -1);
	ring.drop_stream(100);
	EXPECT_EQ(ring.open_stream("one more", false), 100);
}

TEST(MemoryRing, StreamsThatDoNotExistAreRefused) {
	Ring ring;
	RingEntry out;
	Micros oldest, newest;
	for (const int stream : {-1, 0, 511, 512, 1'000'000}) {
		EXPECT_FALSE(ring.add(stream, 1, true, "x"));
		EXPECT_EQ(ring.list(stream, kFirst, kLast, &out, 1), 0U);
		EXPECT_FALSE(ring.span(stream, &oldest, &newest));
		ring.drop_stream(stream);
	}
	EXPECT_TRUE(ring.consistent());
}

TEST(MemoryRing, PayloadsOfAnyLengthComeBack) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	Micros at = 0;
	const std::size_t edge = RingArena::kHeadRoom, room = RingArena::kRoom;
	for (const std::size_t length : {std::size_t{0}, std::size_t{1}, edge - 1, edge, edge + 1,
									 edge + room, edge + room + 1, ring.max_entry_bytes()}) {
		std::string payload(length, '\0');
		for (std::size_t i = 0; i < length; ++i)
			payload[i] = static_cast<char>(i * 31 + length);
		ASSERT_TRUE(ring.add(stream, ++at, true, payload));
		const RingEntry entry = ring.entries(stream).back();
		EXPECT_EQ(entry.sampled_at, at);
		EXPECT_EQ(entry.length, length);
		EXPECT_TRUE(entry.keyframe);
		EXPECT_EQ(ring.read(entry), payload);
		EXPECT_EQ(ring.read_keyframe(entry), payload);
		ASSERT_TRUE(ring.consistent());
	}
}

TEST(MemoryRing, ADifferenceComesWithItsKeyframe) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	EXPECT_FALSE(ring.add(stream, 1, false, "no keyframe yet"));
	EXPECT_EQ(ring.usage().refused, 1U);
	ring.add(stream, 2, true, "first");
	ring.add(stream, 3, false, "d1");
	ring.add(stream, 4, true, "second keyframe");
	ring.add(stream, 5, false, "d2");
	const auto entries = ring.entries(stream);
	ASSERT_EQ(entries.size(), 4U);
	EXPECT_FALSE(entries[1].keyframe);
	EXPECT_EQ(ring.read(entries[1]), "d1");
	EXPECT_EQ(ring.read_keyframe(entries[1]), "first");
	EXPECT_EQ(ring.read(entries[3]), "d2");
	EXPECT_EQ(ring.read_keyframe(entries[3]), "second keyframe");
}

TEST(MemoryRing, ListsAWindowAndTheOneBefore) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	for (const Micros at : {10, 20, 30, 40, 50})
		ring.add(stream, at, true, "x");
	EXPECT_EQ(ring.times(stream), (Times{10, 20, 30, 40, 50}));
	EXPECT_EQ(ring.times(stream, 30, 40), (Times{20, 30, 40}));
	EXPECT_EQ(ring.times(stream, 25, 45), (Times{20, 30, 40}));
	EXPECT_EQ(ring.times(stream, 10, 10), (Times{10}));
	EXPECT_EQ(ring.times(stream, 60, 70), (Times{50}));
	EXPECT_EQ(ring.times(stream, 31, 39), (Times{30}));
	EXPECT_EQ(ring.times(stream, 1, 5), (Times{}));
	EXPECT_EQ(ring.times(stream, kFirst, kLast, 2), (Times{40, 50}));
	EXPECT_EQ(ring.times(stream, 30, 40, 2), (Times{30, 40}));
	EXPECT_EQ(ring.times(stream, kFirst, kLast, 0), (Times{}));
	Micros oldest = 0, newest = 0;
	ASSERT_TRUE(ring.span(stream, &oldest, &newest));
	EXPECT_EQ(oldest, 10);
	EXPECT_EQ(newest, 50);
}

TEST(MemoryRing, InjectedEntriesArePlacedByTime) {
	Ring ring;
	const int stream = ring.open_stream("tables", true);
	ring.add(stream, 50, true, "k50");
	ring.add(stream, 60, false, "d60");
	ring.add(stream, 10, true, "k10");
	ring.add(stream, 55, false, "d55");
	ring.add(stream, 30, true, "k30");
	ring.add(stream, 30, true, "k30 again");
	EXPECT_EQ(ring.times(stream), (Times{10, 30, 30, 50, 55, 60}));
	EXPECT_EQ(ring.times(stream, 31, 56), (Times{30, 50, 55}));
	const auto entries = ring.entries(stream);
	EXPECT_EQ(ring.read(entries[2]), "k30 again");
	EXPECT_EQ(ring.read_keyframe(entries[4]), "k10");
	EXPECT_EQ(ring.read_keyframe(entries[5]), "k50");
	EXPECT_TRUE(ring.consistent());
}

TEST(MemoryRing, InALiveStreamTheLastWrittenIsTheNewest) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	for (const Micros at : {100, 110, 120, 50, 60}) // the clock went back
		ring.add(stream, at, true, std::to_string(at));
	EXPECT_EQ(ring.times(stream, kFirst, kLast, 2), (Times{50, 60}));
	EXPECT_EQ(ring.times(stream, 105, 200), (Times{100, 110, 120}));
	EXPECT_TRUE(ring.consistent());
}

TEST(MemoryRing, TheGenerationGrowsWithEveryChange) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	const std::uint64_t before = ring.generation();
	ring.add(stream, 1, true, "x");
	const std::uint64_t after = ring.generation();
	EXPECT_GT(after, before);
	ring.add(stream, 2, true, std::string(ring.max_entry_bytes() + 1, 'x'));
	EXPECT_EQ(ring.generation(), after);
	ring.drop_stream(stream);
	EXPECT_GT(ring.generation(), after);
}

TEST(MemoryRing, AnEntryThatIsTooLargeIsRefused) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	EXPECT_FALSE(ring.add(stream, 1, true, std::string(ring.max_entry_bytes() + 1, 'x')));
	EXPECT_TRUE(ring.add(stream, 1, true, std::string(ring.max_entry_bytes(), 'x')));
	EXPECT_EQ(ring.usage().refused, 1U);
	EXPECT_EQ(ring.usage().entries, 1U);
}

TEST(MemoryRing, EvictedEntriesAreFoundOut) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	ring.add(stream, 1, true, "early keyframe");
	ring.add(stream, 2, false, "early difference");
	const auto early = ring.entries(stream);
	// Payloads that try to look like the entries that were there.
	std::string decoy;
	while (decoy.size() + 8 < ring.max_entry_bytes())
		decoy.append(reinterpret_cast<const char *>(&early[0].sequence), 8);
	for (Micros at = 3; ring.usage().evicted == 0 || at < 100; ++at)
		ASSERT_TRUE(ring.add(stream, at, true, decoy));
	char out[64];
	for (const RingEntry &entry : early) {
		EXPECT_FALSE(ring.copy(entry, out));
		EXPECT_FALSE(ring.copy_keyframe(entry, out));
	}
	RingEntry wild = early[0];
	for (const std::uint32_t block : {0U, 4'000'000U, UINT32_MAX}) {
		wild.block = block;
		EXPECT_FALSE(ring.copy(wild, out));
	}
	EXPECT_FALSE(ring.copy(RingEntry{}, out));
}

TEST(MemoryRing, DroppingAStreamFreesItsBlocks) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	for (Micros at = 0; at < 50; ++at)
		ring.add(stream, at, at % 10 == 0, std::string(1000, 'x'));
	const RingEntry entry = ring.entries(stream).back();
	EXPECT_LT(ring.usage().free_blocks, ring.usage().blocks);
	ring.drop_stream(stream);
	EXPECT_EQ(ring.usage().free_blocks, ring.usage().blocks);
	EXPECT_EQ(ring.usage().entries, 0U);
	EXPECT_TRUE(ring.consistent());
	std::string out(entry.length, '?');
	EXPECT_FALSE(ring.copy(entry, out.data()));
	const int again = ring.open_stream("tables", false);
	EXPECT_FALSE(ring.add(again, 1, false, "its keyframe is gone"));
	EXPECT_TRUE(ring.entries(again).empty());
}

TEST(MemoryRing, AFastStreamDoesNotPushOutASlowOne) {
	Ring ring;
	const int slow = ring.open_stream("slow", false), fast = ring.open_stream("fast", false);
	ring.add(slow, 1, true, "slow keyframe");
	ring.add(slow, 2, false, "slow one");
	ring.add(slow, 3, false, "slow two");
	for (Micros at = 10; at < 5000; ++at)
		ASSERT_TRUE(ring.add(fast, at, at % 8 == 0 || at == 10, std::string(700, 'f')));
	EXPECT_GT(ring.usage().evicted, 1000U);
	const auto entries = ring.entries(slow);
	ASSERT_GE(entries.size(), 2U);
	EXPECT_EQ(ring.read(entries[entries.size() - 1]), "slow two");
	EXPECT_EQ(ring.read(entries[entries.size() - 2]), "slow one");
	EXPECT_EQ(ring.read_keyframe(entries.back()), "slow keyframe");
	EXPECT_TRUE(ring.consistent());
}

TEST(MemoryRing, AgeDecidesBetweenStreams) {
	Ring ring;
	const int a = ring.open_stream("a", false), b = ring.open_stream("b", false);
	for (Micros at = 0; at < 4000; ++at)
		ASSERT_TRUE(ring.add(at % 2 == 0 ? a : b, at, at % 16 < 2, std::string(600, 'x')));
	const std::size_t of_a = ring.entries(a).size(), of_b = ring.entries(b).size();
	EXPECT_GT(std::min(of_a, of_b), 100U);
	EXPECT_LT(std::max(of_a, of_b) - std::min(of_a, of_b), 20U);
}

TEST(MemoryRing, AGroupThatNeverEndsGivesUpItsOldDifferences) {
	Ring ring;
	const int stream = ring.open_stream("tables", false), other = ring.open_stream("other", false);
	ring.add(other, 1, true, "o1");
	ring.add(other, 2, true, "o2");
	ring.add(stream, 10, true, "the only keyframe");
	for (Micros at = 11; at < 5000; ++at)
		ASSERT_TRUE(ring.add(stream, at, false, std::to_string(at) + std::string(900, 'x')));
	ASSERT_TRUE(ring.consistent());
	const auto entries = ring.entries(stream);
	EXPECT_GT(entries.size(), 100U);
	EXPECT_EQ(entries.front().sampled_at, 10);
	EXPECT_EQ(entries.back().sampled_at, 4999);
	EXPECT_EQ(entries[entries.size() - 2].sampled_at, 4998);
	EXPECT_EQ(ring.read_keyframe(entries.back()), "the only keyframe");
	EXPECT_EQ(ring.times(other), (Times{1, 2}));
}

// Streams with as much as they may need: what no longer fits is refused, counted, and costs nobody
// anything.
TEST(MemoryRing, WhenNothingMayBeEvictedTheEntryIsRefused) {
	Ring ring;
	const std::string large(ring.max_entry_bytes(), 'x');
	std::vector<int> streams;
	for (int i = 0; i < 8; ++i)
		streams.push_back(ring.open_stream("probe" + std::to_string(i), false));
	Micros at = 0;
	for (int round = 0; round < 2; ++round)
		for (const int stream : streams)
			ring.add(stream, ++at, true, large);
	const int late = ring.open_stream("late", false);
	const std::uint64_t refused = ring.usage().refused;
	for (int i = 0; i < 100; ++i)
		ASSERT_FALSE(ring.add(late, ++at, true, large));
	EXPECT_EQ(ring.usage().refused, refused + 100);
	EXPECT_EQ(ring.usage().evicted, 0U); // nothing was given up in vain
	EXPECT_TRUE(ring.consistent());
	// Those that have their share go on.
	for (int i = 0; i < 100; ++i)
		ASSERT_TRUE(ring.add(streams[0], ++at, true, large));
	EXPECT_EQ(ring.entries(streams[0]).size(), 2U);
	EXPECT_TRUE(ring.add(late, ++at, true, "small"));
	EXPECT_TRUE(ring.consistent());
}

TEST(MemoryRing, TheBytesMeanTheSameElsewhere) {
	Ring ring;
	const int stream = ring.open_stream("tables", false);
	for (Micros at = 0; at < 500; ++at)
		ASSERT_TRUE(
			ring.add(stream, at, at % 10 == 0, std::to_string(at) + std::string(2000, 'x')));
	std::vector<std::uint64_t> bytes(MemoryRing::kMinBytes / 8);
	std::memcpy(bytes.data(), ring.memory(), MemoryRing::kMinBytes);
	const MemoryRing moved(bytes.data(), MemoryRing::kMinBytes);
	ASSERT_TRUE(moved.valid());
	ASSERT_TRUE(moved.consistent());
	for (const RingEntry &entry : ring.entries(stream)) {
		std::string out(entry.length, '?');
		ASSERT_TRUE(moved.copy(entry, out.data()));
		ASSERT_EQ(out, ring.read(entry));
	}
}

TEST(MemoryRing, DamageIsFoundWithoutReadingOutside) {
	Ring ring;
	std::mt19937_64 random(77);
	for (int i = 0; i < 20; ++i) {
		const int stream = ring.open_stream("probe" + std::to_string(i), i % 5 == 0);
		for (Micros at = 0; at < 20; ++at)
			ring.add(stream, at, at % 4 == 0, std::string(random() % 900, 'x'));
	}
	const std::string whole(reinterpret_cast<char *>(ring.memory()), MemoryRing::kMinBytes);
	int found = 0;
	for (int i = 0; i < 1500; ++i) {
		std::memcpy(ring.memory(), whole.data(), whole.size());
		// The structures: the directory, or the first bytes of some block.
		const std::size_t blocks = ring.usage().blocks;
		const std::size_t at = i % 2 == 0
								   ? random() % (sizeof(RingHeader) + 20 * sizeof(RingStream))
								   : RingArena::kArenaOffset +
										 random() % blocks * RingArena::kBlockBytes + random() % 64;
		const std::uint32_t value = random() % 2 == 0
										? static_cast<std::uint32_t>(random())
										: static_cast<std::uint32_t>(random() % blocks);
		std::memcpy(ring.memory() + at / 4 * 4, &value, 4);
		if (!ring.consistent()) { // the sanitizer sees a stray read, the test's timeout a loop
			++found;
			continue;
		}
		// What is taken for whole must be as good as whole.
		const int stream = ring.open_stream("after", false);
		for (Micros time = 0; stream >= 0 && time < 60; ++time)
			ring.add(stream, time, true, std::string(ring.max_entry_bytes(), 'y'));
		ASSERT_TRUE(ring.consistent()) << "damage " << i << " at " << at / 4 * 4;
	}
	EXPECT_GT(found, 300);
	EXPECT_LT(found, 1200); // damage to a payload or a counter is none to the structure
}

// Random writes to several streams, next to a model that never forgets.
struct Model {
	struct Kept {
		Micros at;
		std::string payload, keyframe;
		std::uint64_t number;
	};
	bool injected = false;
	int id = -1;
	Micros clock = 0;
	std::string base;      // the last appended keyframe
	std::vector<Kept> all; // by time
};

void check(const Ring &ring, const Model &model) {
	const auto entries = ring.entries(model.id);
	std::size_t position = 0;
	for (const RingEntry &entry : entries) { // a subsequence of all that was written
		const std::string payload = ring.read(entry);
		while (position < model.all.size() && (model.all[position].at != entry.sampled_at ||
											   model.all[position].payload != payload))
			++position;
		ASSERT_LT(position, model.all.size());
		ASSERT_EQ(ring.read_keyframe(entry), model.all[position].keyframe);
		ASSERT_EQ(entry.keyframe, payload == model.all[position].keyframe);
		++position;
	}
	const std::size_t latest = std::min<std::size_t>(2, model.all.size());
	ASSERT_GE(entries.size(), latest);
	for (std::size_t i = 1; i <= latest; ++i) {
		ASSERT_EQ(ring.read(entries[entries.size() - i]), model.all[model.all.size() - i].payload);
		ASSERT_EQ(ring.read_keyframe(entries[entries.size() - i]),
				  model.all[model.all.size() - i].keyframe);
	}
}

TEST(MemoryRing, TheLatestTwoOfEveryStreamAreAlwaysReadable) {
	for (const std::uint64_t seed : {1, 2, 3, 4}) {
		std::mt19937_64 random(seed);
		Ring ring;
		std::vector<Model> models(seed == 1 ? 3 : 12);
		for (std::size_t i = 0; i < models.size(); ++i) {
			models[i].injected = i % 4 == 3;
			models[i].id =
				ring.open_stream("p" + std::to_string(i / 2), models[i].injected || i % 2 == 1);
			models[i].injected = models[i].injected || i % 2 == 1;
		}
		std::uint64_t number = 0;
		std::deque<RingEntry> references;
		for (int n = 0; n < 6000; ++n) {
			// Some streams are written often, others hardly ever.
			Model &m = models[std::min(random() % models.size(), random() % models.size())];
			if (random() % 2000 == 0) {
				char name[MemoryRing::kNameBytes];
				bool injected = false;
				ASSERT_TRUE(ring.stream_name(m.id, name, &injected));
				ring.drop_stream(m.id);
				m.id = ring.open_stream(name, injected);
				m.base.clear();
				m.all.clear();
			}
			const bool keyframe = random() % (seed == 4 ? 300 : 12) == 0;
			const std::size_t most = random() % 40 == 0 ? ring.max_entry_bytes() + 200 : 2000;
			std::string payload = std::to_string(++number) + "/";
			payload.resize(payload.size() + random() % most, static_cast<char>('a' + number % 26));
			const Micros at = m.injected ? static_cast<Micros>(random() % 1'000'000)
										 : m.clock += static_cast<Micros>(random() % 3);
			const std::uint64_t refused = ring.usage().refused;
			if (ring.add(m.id, at, keyframe, payload)) {
				if (keyframe)
					m.base = payload;
				ASSERT_FALSE(m.base.empty());
				const auto place = std::upper_bound(
					m.all.begin(), m.all.end(), at,
					[](Micros time, const Model::Kept &kept) { return time < kept.at; });
				m.all.insert(place, {at, payload, m.base, number});
			} else {
				ASSERT_EQ(ring.usage().refused, refused + 1);
				ASSERT_FALSE(keyframe && payload.size() <= 2000)
					<< "a small keyframe always fits here";
			}
			if (n % 20 == 0) {
				ASSERT_TRUE(ring.consistent()) << "seed " << seed << " write " << n;
				const Model &checked = models[random() % models.size()];
				ASSERT_NO_FATAL_FAILURE(check(ring, checked)) << "seed " << seed << " write " << n;
				for (const RingEntry &entry : ring.entries(checked.id, kFirst, kLast, 1))
					references.push_back(entry);
			}
			if (references.size() >
				50) { // an old reference gives its own bytes, or says that they are gone
				const RingEntry old = references.front();
				references.pop_front();
				std::string out(old.length, '?');
				if (ring.copy(old, out.data())) {
					ASSERT_TRUE(std::any_of(models.begin(), models.end(), [&](const Model &model) {
						return std::any_of(
							model.all.begin(), model.all.end(), [&](const auto &kept) {
								return kept.payload == out && kept.at == old.sampled_at;
							});
					}));
				}
			}
		}
		for (const Model &model : models)
			ASSERT_NO_FATAL_FAILURE(check(ring, model));
		EXPECT_GT(ring.usage().evicted, 1000U);
		for (const Model &model : models)
			ring.drop_stream(model.id);
		EXPECT_EQ(ring.usage().free_blocks, ring.usage().blocks); // no block leaked
		EXPECT_TRUE(ring.consistent());
	}
}

} // namespace
} // namespace pgdba
