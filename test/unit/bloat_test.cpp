#include "pgdba/core/bloat.hpp"

#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

constexpr ColumnShape kInt = {.width = 4, .alignment = 4, .fixed = true};
constexpr ColumnShape kBigint = {.width = 8, .alignment = 8, .fixed = true};
constexpr ColumnShape kSmallint = {.width = 2, .alignment = 2, .fixed = true};
constexpr ColumnShape kBool = {.width = 1, .alignment = 1, .fixed = true};
constexpr ColumnShape kHash = {.width = 33, .alignment = 1}; // md5() as text

ColumnShape nullable(ColumnShape column, double fraction) {
	column.null_fraction = fraction;
	return column;
}

double table(std::vector<ColumnShape> columns, double rows, int fillfactor = 100) {
	return pages_of(TableShape{std::move(columns), rows, {8192, fillfactor}});
}

// Sizes of the tests below are those of PostgreSQL itself, freshly written.

TEST(Bloat, RowsOfFixedWidthFillAsManyPagesAsTheServerTakes) {
	EXPECT_EQ(table({kInt}, 300'000), 1328);
	EXPECT_EQ(table({kSmallint, kBigint, kSmallint, kBigint, kBool, kBigint}, 30'000), 281);
	EXPECT_EQ(table({kInt}, 0), 0);
	EXPECT_EQ(table({}, 1000), 4); // 24 bytes and the pointer, 291 to a page
}

TEST(Bloat, FillfactorIsNotBloat) {
	EXPECT_NEAR(table({kInt, kHash}, 100'000, 50), 1695, 1695 * 0.06);
	EXPECT_GT(table({kInt, kHash}, 100'000, 50), 1.9 * table({kInt, kHash}, 100'000));
}

TEST(Bloat, NullsTakeNoRoomButABitmap) {
	EXPECT_EQ(table({kInt, nullable(kBigint, 1)}, 1000), table({kInt}, 1000));
	std::vector<ColumnShape> many(20, nullable(kBigint, 1));
	EXPECT_EQ(table(many, 1000), table({kBigint}, 1000)); // the bitmap takes what one column would
	EXPECT_NEAR(table({kInt, nullable(kBigint, 0.5)}, 100'000),
				(table({kInt, kBigint}, 100'000) + table({kInt}, 100'000)) / 2, 30);
}

TEST(Bloat, OneRowThatFillsAPageIsAPage) {
	EXPECT_EQ(table({{.width = 5000, .alignment = 4, .fixed = true}}, 3000), 3000);
}

BtreeShape btree(ColumnShape column, double rows) {
	return {.columns = {column},
			.rows = rows,
			.page = {8192, 90},
			.table_rows = rows,
			.sampled_rows = 30'000};
}

BtreeShape merging(ColumnShape column, double rows, ValueShape values) {
	BtreeShape out = btree(column, rows);
	out.merges = true;
	values.null_fraction = column.null_fraction;
	out.values = {std::move(values)};
	return out;
}

TEST(Bloat, ABtreeFillsAsManyPagesAsTheServerTakes) {
	EXPECT_NEAR(pages_of(btree(kInt, 200'000)), 551, 3);
	EXPECT_NEAR(pages_of(btree(kHash, 200'000)), 1444, 1444 * 0.08);
	EXPECT_EQ(pages_of(btree(kInt, 0)), 1);
	BtreeShape half = btree(kInt, 200'000);
	half.page.fillfactor = 50;
	EXPECT_NEAR(pages_of(half), 997, 15);
	half.page.fillfactor = 10;
	half.columns = {{.width = 2600, .alignment = 4}};
	EXPECT_GT(pages_of(half), 200'000);
}

TEST(Bloat, RowsOfABtreeShareTheirKey) {
	EXPECT_NEAR(pages_of(merging(kInt, 200'000, {.distinct = 10})), 171, 5);
	const double eights = pages_of(merging(kInt, 200'000, {.distinct = 25'000}));
	EXPECT_GE(eights, 234);
	EXPECT_LE(eights, 234 * 1.12) << "some values may have been missed";
	EXPECT_NEAR(pages_of(merging(nullable(kInt, 0.9), 200'000, {.distinct = 20'000})), 209, 5);
	EXPECT_NEAR(pages_of(merging(nullable(kInt, 1), 200'000, {})), 171, 3);
	EXPECT_NEAR(pages_of(merging(kInt, 200'000, {})), 551, 3) << "nothing is known of its values";
}

TEST(Bloat, AFewCommonValuesDoNotHideThatTheOthersAreUnique) {
	// 100 million rows, 5 % of them zero: of 28,500 others that ANALYZE saw each was another.
	const double said = 30'000.0 * 28'501 / (30'000 - 28'500 * (1 - 3e-4));
	EXPECT_LT(said, 600'000);
	const double fresh =
		0.05 * pages_of(merging(kInt, 1e8, {.distinct = 1})) + 0.95 * pages_of(btree(kInt, 1e8));
	EXPECT_NEAR(pages_of(merging(kInt, 1e8, {.distinct = said, .common = {0.05}})), fresh,
				fresh * 0.05);
}

TEST(Bloat, WhereCommonValuesAreLeftOutTheOthersMayBeUnique) {
	// Half of the rows have one of 500 values, of which 100 are known; the others are unique.
	const double said = 30'000.0 * 15'500 / (30'000 - 15'000 * (1 - 3e-4));
	const double fresh =
		0.5 * pages_of(merging(kInt, 1e8, {.distinct = 1})) + 0.5 * pages_of(btree(kInt, 1e8));
	EXPECT_GE(pages_of(merging(kInt, 1e8,
							   {.distinct = said,
								.common = std::vector<double>(100, 0.001),
								.more_are_common = true})),
			  fresh * 0.97);
}

TEST(Bloat, SeveralColumnsHaveAsManyKeysAsCombinations) {
	BtreeShape both = merging(kInt, 200'000, {.distinct = 10});
	both.columns.push_back(kInt);
	both.values.push_back({.distinct = 3000});
	EXPECT_LT(pages_of(both), 300);
	both.values[1].distinct = 200'000;
	EXPECT_NEAR(pages_of(both), 551, 3) << "never more than rows";
}

TEST(Bloat, APartialIndexHasOtherRowsThanTheCommonOnes) {
	BtreeShape partial = merging(kInt, 20'000, {.null_fraction = 0.9, .distinct = 20'000});
	partial.table_rows = 200'000;
	partial.partial = true;
	EXPECT_NEAR(pages_of(partial), 57, 2);
}

} // namespace
} // namespace pgdba
