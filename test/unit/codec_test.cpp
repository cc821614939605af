#include "pgdba/core/codec.hpp"

#include "samples.hpp"

#include <algorithm>
#include <optional>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

using test::add_random_row;
using test::all_types;
using test::column;
using test::empty_sample;
using test::expect_same;

Sample random_sample(int rows, std::uint64_t seed) {
	std::mt19937_64 random(seed);
	Sample s = all_types();
	for (int i = 0; i < rows; ++i)
		add_random_row(s, "table_" + std::to_string(i), random);
	return s;
}

// The same objects in a sample a little later: some changed, some gone, some new.
Sample later(const Sample &before, std::uint64_t seed) {
	std::mt19937_64 random(seed);
	Sample s = all_types(before.sampled_at + 15 * kMicrosPerSecond);
	s.cut = 3;
	for (std::size_t row = 0; row < before.rows(); ++row) {
		if (random() % 10 == 0)
			continue;
		if (random() % 10 == 0)
			add_random_row(s, "new_" + std::to_string(row), random);
		if (random() % 3 == 0)
			add_random_row(s, before.at(row, 0).text, random);
		else
			s.copy_row(before, row);
	}
	return s;
}

void expect_difference(const Sample &keyframe, const Sample &sample) {
	const std::string payload = encode_difference(keyframe, sample);
	expect_same(decode_difference(keyframe, payload), sample);
	// Also against the keyframe as a reader has it.
	expect_same(decode_difference(decode_keyframe(encode_keyframe(keyframe)), payload), sample);
}

Sample numbers(std::initializer_list<std::pair<int, int>> rows) { // key, value
	Sample s =
		empty_sample({column("id", Type::kInt8, Kind::kLabel, true), column("v", Type::kInt8)});
	for (const auto &[id, value] : rows) {
		const std::size_t row = s.add_row();
		s.set_int(row, 0, id);
		s.set_int(row, 1, value);
	}
	return s;
}

TEST(Keyframe, RoundTrip) {
	for (const int rows : {0, 1, 7, 8, 9, 10'000}) {
		Sample s = random_sample(rows, 1);
		s.injected = rows == 7;
		s.cut = rows == 8 ? 12 : 0;
		expect_same(decode_keyframe(encode_keyframe(s)), s);
	}
}

TEST(Keyframe, KeepsTheColumnDirectory) {
	Column rich = column("n_dead_tup", Type::kInt8, Kind::kCounter);
	rich.unit = "rows";
	rich.metric = "pg_table_dead_tuples";
	rich.help = "Rows that are dead.";
	const Sample s = empty_sample({column("db", Type::kText, Kind::kLabel, true), rich});
	EXPECT_EQ(decode_keyframe(encode_keyframe(s)).columns(), s.columns());
	EXPECT_EQ(decode_keyframe(encode_keyframe(s)).key_columns(), s.key_columns());
	const Sample none = empty_sample({});
	expect_same(decode_keyframe(encode_keyframe(none)), none);
}

TEST(Keyframe, KeepsExtremeTimesAndRepairsNames) {
	Sample s = all_types(std::numeric_limits<Micros>::min());
	s.server_start = std::numeric_limits<Micros>::max();
	s.cut = std::numeric_limits<std::int64_t>::max();
	expect_same(decode_keyframe(encode_keyframe(s)), s);
	Sample other = all_types(std::numeric_limits<Micros>::max());
	expect_difference(s, other);
	s.probe = "gr\xFC";
	EXPECT_EQ(decode_keyframe(encode_keyframe(s)).probe, "gr\xEF\xBF\xBD");
}

TEST(Keyframe, ManyRowsOfNullsAreReadBack) {
	Sample s = all_types();
	for (int i = 0; i < 100'000; ++i)
		s.add_row();
	const std::string payload = encode_keyframe(s);
	EXPECT_LT(payload.size(), 100'000U);
	expect_same(decode_keyframe(payload), s);
}

TEST(Keyframe, RepeatedTextsAreWrittenOnce) {
	Sample s = empty_sample({column("query", Type::kText)});
	const std::string a(1000, 'a'), b(1000, 'b');
	for (int i = 0; i < 100; ++i)
		s.set_text(s.add_row(), 0, i % 2 == 0 ? a : b);
	const std::string payload = encode_keyframe(s);
	EXPECT_LT(payload.size(), 2300U);
	const Sample read = decode_keyframe(payload);
	expect_same(read, s);
	EXPECT_LT(read.bytes(), 10'000U);
}

TEST(Difference, RoundTrip) {
	for (std::uint64_t seed = 1; seed <= 20; ++seed) {
		const Sample keyframe = random_sample(static_cast<int>(seed * 7), seed);
		expect_difference(keyframe, later(keyframe, seed + 100));
	}
	const Sample many = random_sample(10'000, 3);
	expect_difference(many, later(many, 4));
}

TEST(Difference, OfAnUnchangedSampleIsTiny) {
	const Sample keyframe = random_sample(10'000, 5);
	Sample same = keyframe;
	same.sampled_at += 3600 * kMicrosPerSecond;
	EXPECT_LT(encode_difference(keyframe, same).size(), 64U);
	expect_difference(keyframe, same);
}

TEST(Difference, OfACounterIsAFewBytesPerRow) {
	Sample keyframe = numbers({}), next = numbers({});
	for (int i = 0; i < 1000; ++i) {
		for (Sample *s : {&keyframe, &next}) {
			const std::size_t row = s->add_row();
			s->set_int(row, 0, i);
			s->set_int(row, 1, 1'000'000'000'000 + i + (s == &next ? 50 : 0));
		}
	}
	EXPECT_LT(encode_difference(keyframe, next).size(), 2100U);
	expect_difference(keyframe, next);
}

TEST(Difference, RowsComeAndGoAndKeepTheirOrder) {
	const Sample keyframe = numbers({{1, 10}, {2, 20}, {3, 30}, {4, 40}});
	expect_difference(keyframe, numbers({}));
	expect_difference(keyframe, numbers({{2, 20}, {4, 40}}));
	expect_difference(keyframe, numbers({{4, 40}, {3, 30}, {2, 20}, {1, 10}}));
	expect_difference(keyframe,
					  numbers({{9, 90}, {1, 10}, {8, 80}, {7, 70}, {4, 41}, {6, 60}, {2, 20}}));
	expect_difference(numbers({}), keyframe);
	expect_difference(numbers({}), numbers({}));
}

TEST(Difference, DuplicateKeysArePairedInOrder) {
	const Sample keyframe = numbers({{1, 10}, {1, 11}, {2, 20}, {1, 12}});
	expect_difference(keyframe, numbers({{1, 10}, {1, 11}, {2, 20}, {1, 12}}));
	expect_difference(keyframe, numbers({{1, 12}, {1, 10}}));
	expect_difference(keyframe, numbers({{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {2, 6}, {2, 7}}));
}

TEST(Difference, WithoutAKeyRowsMeetByPosition) {
	Sample keyframe = empty_sample({column("a", Type::kInt8), column("b", Type::kText)});
	for (int i = 0; i < 1000; ++i)
		keyframe.set_int(keyframe.add_row(), 0, i);
	Sample next = keyframe;
	next.set_text(500, 1, "changed");
	EXPECT_LT(encode_difference(keyframe, next).size(), 64U);
	expect_difference(keyframe, next);
}

TEST(Difference, ChangesFromAndToNull) {
	std::mt19937_64 random(8);
	for (int i = 0; i < 200; ++i) {
		Sample a = all_types(), b = all_types();
		add_random_row(a, "t", random);
		add_random_row(b, "t", random);
		expect_difference(a, b);
	}
}

TEST(Difference, NeedsTheColumnsOfItsKeyframe) {
	const Sample a = all_types(), b = numbers({});
	EXPECT_FALSE(same_columns(a, b));
	EXPECT_TRUE(same_columns(a, all_types()));
	EXPECT_THROW(encode_difference(a, b), std::invalid_argument);
}

TEST(Difference, IsRefusedOnAnotherKeyframe) {
	const Sample keyframe = numbers({{1, 10}, {2, 20}});
	const std::string payload = encode_difference(keyframe, numbers({{1, 11}}));
	Sample earlier = keyframe;
	earlier.sampled_at -= 1;
	EXPECT_THROW(decode_difference(earlier, payload), CorruptSample);
	EXPECT_THROW(decode_difference(numbers({{1, 10}}), payload), CorruptSample);
	Sample renamed = keyframe;
	renamed.probe = "other";
	EXPECT_THROW(decode_difference(renamed, payload), CorruptSample);
}

TEST(SameRows, LooksAtCellsNotAtTimes) {
	const Sample one = numbers({{1, 10}, {2, 20}});
	Sample again = numbers({{1, 10}, {2, 20}});
	again.sampled_at += kMicrosPerSecond;
	EXPECT_TRUE(same_rows(one, again));
	EXPECT_TRUE(same_rows(numbers({}), numbers({})));
	EXPECT_FALSE(same_rows(one, numbers({{1, 10}})));
	EXPECT_FALSE(same_rows(one, numbers({{1, 10}, {2, 21}})));
	EXPECT_FALSE(same_rows(one, numbers({{2, 20}, {1, 10}})));
	EXPECT_FALSE(same_rows(one, all_types()));
	again.cut = 1;
	EXPECT_FALSE(same_rows(one, again));
	again = numbers({{1, 10}, {2, 20}});
	again.set_null(1, 1);
	EXPECT_FALSE(same_rows(one, again));
}

TEST(Header, IsReadFromBothForms) {
	Sample s = random_sample(5, 2);
	s.injected = true;
	s.cut = 4;
	for (const std::string &payload : {encode_keyframe(s), encode_difference(s, s)}) {
		const Sample header = decode_header(payload);
		EXPECT_EQ(header.probe, s.probe);
		EXPECT_EQ(header.loop, s.loop);
		EXPECT_EQ(header.sampled_at, s.sampled_at);
		EXPECT_EQ(header.server_start, s.server_start);
		EXPECT_EQ(header.cut, s.cut);
		EXPECT_TRUE(header.injected);
		EXPECT_EQ(header.rows(), 0U);
	}
}

TEST(Corrupt, TheWrongFormIsRefused) {
	const Sample s = random_sample(5, 2);
	const std::string keyframe = encode_keyframe(s), difference = encode_difference(s, s);
	EXPECT_THROW(decode_keyframe(difference), CorruptSample);
	EXPECT_THROW(decode_difference(s, keyframe), CorruptSample);
	EXPECT_THROW(decode_keyframe(""), CorruptSample);
	EXPECT_THROW(decode_header(""), CorruptSample);
	EXPECT_THROW(decode_keyframe("\x02" + keyframe.substr(1)), CorruptSample); // another version
	EXPECT_THROW(decode_keyframe(keyframe + '\0'), CorruptSample);
	EXPECT_THROW(decode_difference(s, difference + "x"), CorruptSample);
}

TEST(Corrupt, EveryTruncationIsRefused) {
	const Sample s = random_sample(20, 2);
	const std::string keyframe = encode_keyframe(s), difference = encode_difference(s, later(s, 9));
	for (std::size_t n = 0; n < keyframe.size(); ++n)
		ASSERT_THROW(decode_keyframe(std::string(keyframe, 0, n)), CorruptSample) << n;
	for (std::size_t n = 0; n < difference.size(); ++n)
		ASSERT_THROW(decode_difference(s, std::string(difference, 0, n)), CorruptSample) << n;
}

TEST(Corrupt, ARowOfTheKeyframeIsNotCopiedTwice) {
	const Sample keyframe = numbers({{1, 10}, {2, 20}});
	std::string payload = encode_difference(keyframe, keyframe);
	const std::string tail("\1\4\0\0\0",
						   5); // one run of two rows from the first; nothing new or changed
	ASSERT_EQ(payload.substr(payload.size() - 5), tail);
	payload.resize(payload.size() - 5);
	expect_same(decode_difference(keyframe, payload + tail), keyframe);
	const std::string back("\2\4\0\4\3\0\0", 7); // then the same two again
	EXPECT_THROW(decode_difference(keyframe, payload + back), CorruptSample);
	const std::string beyond("\1\6\0\0\0", 5); // three rows
	EXPECT_THROW(decode_difference(keyframe, payload + beyond), CorruptSample);
	const std::string no_new("\1\5\0\0", 4); // two new rows that are not there
	EXPECT_THROW(decode_difference(keyframe, payload + no_new), CorruptSample);
}

TEST(Corrupt, ClaimedCountsTakeNoMemory) {
	Sample s = empty_sample({column("a", Type::kInt8)});
	std::string payload = encode_keyframe(s);
	ASSERT_EQ(payload.back(), '\0'); // no rows
	payload.pop_back();
	const std::string huge = "\xFF\xFF\xFF\xFF\x0E"; // 4 billion less one
	EXPECT_THROW(decode_keyframe(payload + huge), CorruptSample);
	EXPECT_THROW(decode_keyframe(payload + huge + std::string(1000, '\0')), CorruptSample);
	EXPECT_THROW(decode_keyframe(payload + "\x80\x80\x40" + '\0'),
				 CorruptSample); // a million nulls
	const std::string endless(11, '\xFF');
	EXPECT_THROW(decode_keyframe(payload + endless), CorruptSample);

	const Sample none = empty_sample({});
	std::string columns = encode_keyframe(none);
	columns.resize(columns.size() - 2); // the counts of columns and rows
	EXPECT_THROW(decode_keyframe(columns + huge), CorruptSample);
	EXPECT_THROW(decode_keyframe(columns + '\0' + huge), CorruptSample); // rows without columns
}

// What decodes must be whole: readable, repeatable, and no larger than its bytes justify.
void expect_whole(const Sample &s, std::size_t bytes) {
	ASSERT_LT(s.bytes(), bytes * 300 + 3'000'000);
	for (std::size_t i = 0; i < s.columns().size(); ++i)
		ASSERT_TRUE(is_valid_utf8(s.columns()[i].name));
	for (std::size_t row = 0; row < s.rows(); ++row)
		for (std::size_t i = 0; i < s.columns().size(); ++i)
			ASSERT_TRUE(is_valid_utf8(s.at(row, i).text));
	expect_same(decode_keyframe(encode_keyframe(s)), s);
}

std::string mutated(const std::string &payload, std::mt19937_64 &random) {
	std::string result = payload;
	for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
		const std::size_t at = random() % result.size();
		switch (random() % 6) {
		case 0:
			result[at] = static_cast<char>(result[at] ^ (1 << random() % 8));
			break;
		case 1:
			result[at] = static_cast<char>(random());
			break;
		case 2:
			result[at] = random() % 2 == 0 ? '\xFF' : '\0';
			break;
		case 3:
			result.resize(at + 1);
			break;
		case 4:
			result.erase(at, 1 + random() % 4);
			break;
		default:
			result.insert(at, 1 + random() % 9, static_cast<char>(random()));
		}
		if (result.empty())
			result.push_back('\1');
	}
	result.shrink_to_fit(); // a read past the end is seen by the sanitizer
	return result;
}

TEST(Corrupt, MutationsAreRefusedOrHarmless) {
	std::mt19937_64 random(2024);
	const Sample keyframe = random_sample(12, 21);
	const std::string whole = encode_keyframe(keyframe);
	const std::string difference = encode_difference(keyframe, later(keyframe, 22));
	int refused = 0, taken = 0;
	for (int i = 0; i < 20'000; ++i) {
		const bool full = i % 2 == 0;
		const std::string payload = mutated(full ? whole : difference, random);
		std::optional<Sample> s;
		try {
			s = full ? decode_keyframe(payload) : decode_difference(keyframe, payload);
		} catch (const CorruptSample &) {
			++refused;
			continue;
		}
		++taken;
		ASSERT_NO_FATAL_FAILURE(expect_whole(*s, payload.size() + whole.size()))
			<< "mutation " << i;
	}
	EXPECT_GT(refused, 1000); // both ways were tried
	EXPECT_GT(taken, 1000);
}

TEST(Corrupt, NoiseIsRefused) {
	std::mt19937_64 random(5);
	const Sample keyframe = random_sample(3, 1);
	for (int i = 0; i < 20'000; ++i) {
		std::string noise(1 + random() % 60, '\0');
		for (char &c : noise)
			c = static_cast<char>(random());
		noise[0] = '\1'; // past the version
		if (noise.size() > 1)
			noise[1] = i % 2 == 0 ? 'K' : 'D';
		EXPECT_THROW(i % 2 == 0 ? decode_keyframe(noise) : decode_difference(keyframe, noise),
					 CorruptSample);
	}
}

} // namespace
} // namespace pgdba
