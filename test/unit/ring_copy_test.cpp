#include "pgdba/core/ring_copy.hpp"

#include "pgdba/core/codec.hpp"

#include "samples.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

using test::add_random_row;
using test::all_types;

constexpr std::uint64_t kSystem = 7'123'456'789'012'345'678;
constexpr Micros kFirst = std::numeric_limits<Micros>::min();
constexpr Micros kLast = std::numeric_limits<Micros>::max();

// A ring as the sampler fills it: each probe with groups of a keyframe and three differences.
class Ring : public MemoryRing {
public:
	explicit Ring(std::size_t size) : Ring(std::make_unique<std::uint64_t[]>(size / 8), size) {}

	void sample(const std::string &probe, Micros at, std::size_t rows, std::mt19937_64 &random) {
		Sample sample = all_types(at);
		sample.probe = probe;
		for (std::size_t i = 0; i < rows; ++i)
			add_random_row(sample, "row" + std::to_string(i), random);
		auto &[keyframe, count] = keyframes_[probe];
		const bool begins = count++ % 4 == 0;
		if (begins)
			keyframe = sample;
		const std::string payload =
			begins ? encode_keyframe(sample) : encode_difference(keyframe, sample);
		ASSERT_TRUE(append(open_stream(probe, false), at, begins, payload.data(), payload.size()));
	}
	std::vector<RingEntry> entries(const std::string &probe) const {
		std::vector<RingEntry> out(10'000);
		out.resize(list(find_stream(probe, false), kFirst, kLast, out.data(), out.size()));
		return out;
	}
	std::string payload(const RingEntry &entry) const {
		std::string out(entry.length, '?');
		EXPECT_TRUE(copy(entry, out.data()));
		return out;
	}
	// All payloads of a probe by time, each with its keyframe's.
	std::vector<std::pair<std::string, std::string>> content(const std::string &probe) const {
		std::vector<std::pair<std::string, std::string>> out;
		for (const RingEntry &entry : entries(probe)) {
			std::string keyframe(entry.keyframe_length, '?');
			EXPECT_TRUE(copy_keyframe(entry, keyframe.data()));
			out.emplace_back(payload(entry), std::move(keyframe));
		}
		return out;
	}
	std::vector<RingEntry> after(std::uint64_t sequence) const {
		std::vector<RingEntry> all, some(10'000);
		for (int stream = 0; stream < kMaxStreams; ++stream) {
			const std::size_t count = list_after(stream, sequence, some.data(), some.size());
			all.insert(all.end(), some.begin(), some.begin() + static_cast<long>(count));
		}
		std::sort(all.begin(), all.end(),
				  [](const RingEntry &a, const RingEntry &b) { return a.sequence < b.sequence; });
		return all;
	}

private:
	Ring(std::unique_ptr<std::uint64_t[]> memory, std::size_t size)
		: MemoryRing(memory.get(), size), memory_(std::move(memory)) {
		initialise();
	}
	std::unique_ptr<std::uint64_t[]> memory_;
	std::map<std::string, std::pair<Sample, int>> keyframes_;
};

std::string batches(const Ring &ring, std::uint64_t after) {
	std::string bytes;
	CopyBatch batch;
	for (const RingEntry &entry : ring.after(after)) {
		batch.add(entry, ring.payload(entry));
		if (batch.full())
			bytes += batch.take();
	}
	return bytes + batch.take();
}

CopyReader::Source source(const std::string &bytes) {
	return [&bytes, at = std::size_t{0}](char *to, std::size_t most) mutable {
		const std::size_t length = std::min(most, bytes.size() - at);
		std::memcpy(to, bytes.data() + at, length);
		at += length;
		return length;
	};
}

// Into an empty ring. RETURNS: the fault, and how many entries were read.
std::pair<std::string, int> restore(const std::string &bytes, Ring &ring,
									std::uint64_t system = kSystem) {
	CopyReader reader(source(bytes), system);
	int count = 0;
	for (CopyReader::Entry entry{}; reader.next(&entry); ++count)
		(void)ring.append(ring.open_stream(entry.sample->probe, false), entry.sample->sampled_at,
						  entry.keyframe, entry.payload.data(), entry.payload.size());
	CopyReader::Entry entry{};
	EXPECT_FALSE(reader.next(&entry)) << "the end is the end";
	return {reader.fault(), count};
}

const std::vector<std::string> kProbes = {"activity", "tables", "wal"};

void fill(Ring &ring, int samples, Micros from = 0) {
	std::mt19937_64 random(42);
	for (int i = 0; i < samples; ++i)
		for (std::size_t probe = 0; probe < kProbes.size(); ++probe)
			if (i % static_cast<int>(probe + 1) == 0)
				ring.sample(kProbes[probe], from + i * kMicrosPerSecond, 5, random);
}

TEST(RingCopy, BringsEverythingBack) {
	Ring ring(4 << 20), other(4 << 20);
	fill(ring, 40);
	const std::string bytes = copy_head(kSystem) + batches(ring, 0);
	const auto [fault, count] = restore(bytes, other);
	EXPECT_EQ(fault, "");
	EXPECT_EQ(count, static_cast<int>(ring.usage().entries));
	for (const std::string &probe : kProbes)
		EXPECT_EQ(other.content(probe), ring.content(probe)) << probe;
	EXPECT_TRUE(other.consistent());
}

TEST(RingCopy, GrowsByWhatCameSince) {
	Ring ring(4 << 20), other(4 << 20);
	fill(ring, 7);
	std::string bytes = copy_head(kSystem) + batches(ring, 0);
	for (int round = 1; round < 5; ++round) {
		const std::uint64_t last = ring.after(0).back().sequence;
		EXPECT_EQ(batches(ring, last), "");
		std::mt19937_64 random(static_cast<unsigned>(round));
		ring.sample("activity", (100 + round) * kMicrosPerSecond, 3, random);
		EXPECT_EQ(ring.after(last).size(), 1U);
		bytes += batches(ring, last);
	}
	EXPECT_EQ(restore(bytes, other).first, "");
	for (const std::string &probe : kProbes)
		EXPECT_EQ(other.content(probe), ring.content(probe)) << probe;
}

// The clock went back: the order is that of the ring, not that of time.
TEST(RingCopy, KeepsTheOrderOfTheRing) {
	Ring ring(1 << 20), other(1 << 20);
	std::mt19937_64 random(1);
	for (const int second : {10, 11, 5, 6, 7, 8})
		ring.sample("wal", second * kMicrosPerSecond, 2, random);
	EXPECT_EQ(ring.after(0).size(), 6U);
	EXPECT_EQ(ring.after(ring.after(0)[3].sequence).size(), 2U);
	EXPECT_EQ(restore(copy_head(kSystem) + batches(ring, 0), other).first, "");
	EXPECT_EQ(other.content("wal"), ring.content("wal"));
}

TEST(RingCopy, LeavesInjectedSamplesOut) {
	Ring ring(1 << 20), other(1 << 20);
	Sample golden = all_types();
	golden.injected = true;
	const std::string payload = encode_keyframe(golden);
	ASSERT_TRUE(
		ring.append(ring.open_stream("wal", true), 1, true, payload.data(), payload.size()));
	EXPECT_TRUE(ring.after(0).empty());
	// Nor does one come in that a file brings.
	CopyBatch batch;
	RingEntry entry;
	entry.sequence = entry.keyframe_sequence = 1;
	batch.add(entry, payload);
	EXPECT_EQ(restore(copy_head(kSystem) + batch.take(), other), std::pair(std::string(), 0));
}

TEST(RingCopy, FitsIntoARingOfAnySize) {
	Ring ring(4 << 20), small(MemoryRing::kMinBytes), large(16 << 20);
	std::mt19937_64 random(7);
	for (int i = 0; i < 600; ++i)
		ring.sample(kProbes[static_cast<std::size_t>(i % 3)], i * kMicrosPerSecond, 60, random);
	const std::string bytes = copy_head(kSystem) + batches(ring, 0);
	EXPECT_EQ(restore(bytes, small).first, "");
	EXPECT_EQ(restore(bytes, large).first, "");
	EXPECT_TRUE(small.consistent());
	EXPECT_GT(small.usage().evicted, 0U);
	for (const std::string &probe : kProbes) {
		EXPECT_EQ(large.content(probe), ring.content(probe));
		const auto all = ring.content(probe), some = small.content(probe);
		ASSERT_GE(some.size(), 2U);
		ASSERT_LT(some.size(), all.size());
		EXPECT_TRUE(std::equal(some.rbegin(), some.rend(), all.rbegin())) << "the newest stay";
	}
}

// A keyframe that was evicted while the copy was made takes its differences with it: behind
// another one they would be nonsense.
TEST(RingCopy, DropsADifferenceWithoutItsKeyframe) {
	Ring ring(1 << 20), other(1 << 20);
	std::mt19937_64 random(3);
	for (int i = 0; i < 12; ++i)
		ring.sample("wal", i * kMicrosPerSecond, 3, random);
	const std::vector<RingEntry> entries = ring.after(0);
	CopyBatch batch;
	for (std::size_t i = 0; i < entries.size(); ++i)
		if (i != 4) // the second keyframe
			batch.add(entries[i], ring.payload(entries[i]));
	EXPECT_EQ(restore(copy_head(kSystem) + batch.take(), other), std::pair(std::string(), 8));
	auto expected = ring.content("wal");
	expected.erase(expected.begin() + 4, expected.begin() + 8);
	EXPECT_EQ(other.content("wal"), expected);
}

TEST(RingCopy, TellsWhatIsNotItsOwn) {
	Ring ring(1 << 20);
	fill(ring, 3);
	const std::string body = batches(ring, 0), bytes = copy_head(kSystem) + body;
	const auto fault = [](const std::string &of, std::uint64_t system = kSystem) {
		Ring empty(MemoryRing::kMinBytes);
		const auto [why, count] = restore(of, empty, system);
		EXPECT_EQ(count, 0);
		return why;
	};
	EXPECT_EQ(fault(""), "it is no copy of the memory ring");
	EXPECT_EQ(fault("PK\3\4" + bytes), "it is no copy of the memory ring");
	EXPECT_EQ(fault(body), "it is no copy of the memory ring");
	EXPECT_EQ(fault(bytes, kSystem + 1), "it is of another cluster");
	EXPECT_EQ(fault(copy_head(kSystem)), ""); // an empty ring
	// An entry that the checksum likes and nobody can read: of a later version, say.
	CopyBatch batch;
	RingEntry entry;
	entry.sequence = entry.keyframe_sequence = 1;
	batch.add(entry, "\2Kwhatever");
	EXPECT_EQ(fault(copy_head(kSystem) + batch.take()), "sample is of an unknown version");
}

// Cut at any place: what came before is there, and nothing else.
TEST(RingCopy, SurvivesBeingCutShort) {
	Ring ring(1 << 20);
	fill(ring, 4);
	std::string bytes = copy_head(kSystem) + batches(ring, 0);
	const std::size_t first = bytes.size();
	const auto before = ring.usage().entries;
	std::mt19937_64 random(4);
	ring.sample("wal", 50 * kMicrosPerSecond, 3, random);
	bytes += batches(ring, ring.after(0)[before - 1].sequence);
	for (std::size_t length = 0; length < bytes.size(); ++length) {
		Ring other(MemoryRing::kMinBytes);
		const auto [fault, count] = restore(bytes.substr(0, length), other);
		EXPECT_EQ(count, length < first ? 0 : static_cast<int>(before)) << length;
		EXPECT_EQ(fault.empty(), length == first || length == 32) << length;
		EXPECT_TRUE(other.consistent());
	}
}

TEST(RingCopy, FindsEveryFlippedBit) {
	Ring ring(1 << 20);
	fill(ring, 2);
	std::string bytes = copy_head(kSystem) + batches(ring, 0);
	Ring other(MemoryRing::kMinBytes);
	for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
		char &byte = bytes[bit / 8];
		byte = static_cast<char>(byte ^ 1 << bit % 8);
		const auto [fault, count] = restore(bytes, other);
		EXPECT_EQ(count, 0) << bit;
		EXPECT_FALSE(fault.empty()) << bit;
		byte = static_cast<char>(byte ^ 1 << bit % 8);
	}
	// A file that a crashed machine filled with zeros from some place on.
	EXPECT_NE(restore(bytes + std::string(5000, '\0'), other).first, "");
	EXPECT_EQ(other.usage().entries, ring.usage().entries);
}

// Behind a good checksum anything may stand: it is read as far as it makes sense.
TEST(RingCopy, SurvivesNonsenseBehindAChecksum) {
	Ring ring(1 << 20);
	fill(ring, 3);
	const std::vector<RingEntry> entries = ring.after(0);
	std::mt19937_64 random(11);
	for (int round = 0; round < 1000; ++round) {
		CopyBatch batch;
		for (const RingEntry &entry : entries) {
			std::string payload = ring.payload(entry);
			if (random() % 4 == 0)
				payload[random() % payload.size()] = static_cast<char>(random());
			if (random() % 8 == 0)
				payload.resize(random() % payload.size());
			batch.add(entry, payload);
		}
		Ring other(MemoryRing::kMinBytes);
		(void)restore(copy_head(kSystem) + batch.take(), other);
		ASSERT_TRUE(other.consistent());
	}
}

} // namespace
} // namespace pgdba
