// Samples for the tests: built from a short description, and compared cell by cell.
#pragma once

#include "pgdba/core/sample.hpp"

#include <bit>
#include <cstdint>
#include <gtest/gtest.h>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace pgdba::test {

inline Column column(std::string name, Type type, Kind kind = Kind::kInfo, bool key = false) {
	Column result;
	result.name = std::move(name);
	result.type = type;
	result.kind = kind;
	result.key = key;
	return result;
}

inline Sample empty_sample(std::vector<Column> columns,
						   Micros sampled_at = 1'000 * kMicrosPerSecond) {
	Sample sample;
	sample.probe = "tables";
	sample.loop = "storage";
	sample.sampled_at = sampled_at;
	sample.server_start = 5 * kMicrosPerSecond;
	sample.interval = 15 * kMicrosPerSecond;
	sample.set_columns(std::move(columns));
	return sample;
}

// A column of every type, keyed by name.
inline Sample all_types(Micros sampled_at = 1'000 * kMicrosPerSecond) {
	return empty_sample({column("name", Type::kText, Kind::kLabel, true), column("on", Type::kBool),
						 column("count", Type::kInt8, Kind::kCounter),
						 column("share", Type::kFloat8, Kind::kGauge), column("note", Type::kText),
						 column("at", Type::kTimestamp), column("detail", Type::kJson)},
						sampled_at);
}

// A row of all_types(); about a quarter of the cells after the key stay null.
inline void add_random_row(Sample &sample, std::string_view name, std::mt19937_64 &random) {
	static constexpr std::int64_t kIntegers[] = {0,
												 1,
												 -1,
												 63,
												 64,
												 -64,
												 -65,
												 1'000'000,
												 std::numeric_limits<std::int64_t>::max(),
												 std::numeric_limits<std::int64_t>::min()};
	static const double kReals[] = {0.0,
									-0.0,
									0.1,
									-1e300,
									std::numeric_limits<double>::infinity(),
									-std::numeric_limits<double>::infinity(),
									std::numeric_limits<double>::quiet_NaN(),
									std::numeric_limits<double>::denorm_min()};
	static const char *const kTexts[] = {"", "public", "active", "ä€😀",
										 "a longer text with some words"};
	const auto null = [&] { return random() % 4 == 0; };
	const std::size_t row = sample.add_row();
	sample.set_text(row, 0, name);
	if (!null())
		sample.set_bool(row, 1, random() % 2 == 0);
	if (!null())
		sample.set_int(row, 2, kIntegers[random() % std::size(kIntegers)]);
	if (!null())
		sample.set_float(row, 3, kReals[random() % std::size(kReals)]);
	if (!null())
		sample.set_text(row, 4, kTexts[random() % std::size(kTexts)]);
	if (!null())
		sample.set_int(row, 5, static_cast<std::int64_t>(random()));
	if (!null())
		sample.set_text(row, 6, "{\"n\": " + std::to_string(random() % 10) + "}");
}

inline bool same(const Cell &a,
				 const Cell &b) { // doubles by bits: NaN equals itself, -0.0 is not 0.0
	return a.null == b.null && a.type == b.type && a.integer == b.integer && a.text == b.text &&
		   std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real);
}

inline void expect_same(const Sample &a, const Sample &b) {
	EXPECT_EQ(a.probe, b.probe);
	EXPECT_EQ(a.loop, b.loop);
	EXPECT_EQ(a.sampled_at, b.sampled_at);
	EXPECT_EQ(a.server_start, b.server_start);
	EXPECT_EQ(a.interval, b.interval);
	EXPECT_EQ(a.injected, b.injected);
	EXPECT_EQ(a.cut, b.cut);
	ASSERT_EQ(a.columns(), b.columns());
	ASSERT_EQ(a.rows(), b.rows());
	for (std::size_t row = 0; row < a.rows(); ++row)
		for (std::size_t i = 0; i < a.columns().size(); ++i)
			ASSERT_TRUE(same(a.at(row, i), b.at(row, i))) << "row " << row << " column " << i;
}

} // namespace pgdba::test
