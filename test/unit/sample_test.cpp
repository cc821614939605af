#include "pgdba/core/sample.hpp"

#include "samples.hpp"

#include <set>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

using test::all_types;
using test::column;
using test::empty_sample;

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt = std::numeric_limits<std::int64_t>::min();

TEST(Sample, PlainColumnsHaveNamesAndTypesOnly) {
	const std::vector<std::pair<std::string, Type>> described = {{"at", Type::kTimestamp},
																 {"why", Type::kText}};
	const std::vector<Column> columns = plain_columns(described);
	EXPECT_EQ(columns, std::vector({column("at", Type::kTimestamp), column("why", Type::kText)}));
	EXPECT_EQ(columns, plain_columns({{"at", Type::kTimestamp}, {"why", Type::kText}}));
}

TEST(Sample, StartsNullAndKeepsWhatIsSet) {
	Sample s = all_types();
	EXPECT_EQ(s.rows(), 0U);
	ASSERT_EQ(s.add_row(), 0U);
	for (std::size_t i = 0; i < s.columns().size(); ++i) {
		EXPECT_TRUE(s.at(0, i).null);
		EXPECT_EQ(s.at(0, i).type, s.columns()[i].type);
	}
	s.set_text(0, 0, "orders");
	s.set_bool(0, 1, true);
	s.set_int(0, 2, kMinInt);
	s.set_float(0, 3, 0.1);
	s.set_text(0, 4, "");
	s.set_int(0, 5, kMaxInt);
	s.set_text(0, 6, "{}");
	EXPECT_EQ(s.at(0, "name").text, "orders");
	EXPECT_EQ(s.at(0, "on").integer, 1);
	EXPECT_EQ(s.at(0, "count").integer, kMinInt);
	EXPECT_EQ(s.at(0, "share").real, 0.1);
	EXPECT_FALSE(s.at(0, "note").null);
	EXPECT_EQ(s.at(0, "note").text, "");
	EXPECT_EQ(s.at(0, "at").integer, kMaxInt);
	EXPECT_EQ(s.at(0, "detail").text, "{}");
	s.set_null(0, 0);
	EXPECT_TRUE(s.at(0, 0).null);
	EXPECT_TRUE(s.at(0, 0).text.empty());
}

TEST(Sample, FindsColumnsByName) {
	Sample s = all_types();
	s.add_row();
	EXPECT_EQ(s.find_column("name"), 0);
	EXPECT_EQ(s.find_column("detail"), 6);
	EXPECT_EQ(s.find_column("Name"), -1);
	EXPECT_TRUE(s.at(0, "absent").null);
	EXPECT_EQ(Sample{}.find_column("name"), -1);
	EXPECT_EQ(Sample{}.rows(), 0U);
}

TEST(Sample, ANewTextDoesNotDisturbTheOthersThatShareItsPlace) {
	Sample s = empty_sample({column("schema", Type::kText)});
	for (int i = 0; i < 3; ++i)
		s.set_text(s.add_row(), 0, "public");
	s.set_text(1, 0, "PUBLIC");
	EXPECT_EQ(s.at(0, 0).text, "public");
	EXPECT_EQ(s.at(1, 0).text, "PUBLIC");
	EXPECT_EQ(s.at(2, 0).text, "public");
}

TEST(Sample, RepeatedTextsTakeNoSpace) {
	Sample s = empty_sample({column("query", Type::kText)});
	const std::string text(10'000, 'x');
	for (int i = 0; i < 100; ++i)
		s.set_text(s.add_row(), 0, text);
	EXPECT_LT(s.bytes(), 30'000U);
}

TEST(Sample, AValueOfTheWrongTypeBecomesNull) {
	Sample s = all_types();
	s.add_row();
	s.set_text(0, 0, "x");
	s.set_int(0, 0, kMaxInt); // would be a wild pointer into the texts
	EXPECT_TRUE(s.at(0, 0).null);
	s.set_text(0, 2, "12");
	EXPECT_TRUE(s.at(0, 2).null);
	s.set_float(0, 2, 1e19);
	EXPECT_TRUE(s.at(0, 2).null);
	s.set_float(0, 2, std::numeric_limits<double>::quiet_NaN());
	EXPECT_TRUE(s.at(0, 2).null);
	s.set_float(0, 6, 1);
	EXPECT_TRUE(s.at(0, 6).null);
}

TEST(Sample, ConvertsNumbersWhereNothingIsLost) {
	Sample from = empty_sample({column("i", Type::kInt8), column("f", Type::kFloat8)});
	from.add_row();
	Sample to = empty_sample({column("b", Type::kBool), column("i", Type::kInt8),
							  column("f", Type::kFloat8), column("t", Type::kTimestamp)});
	to.add_row();
	const auto convert = [&](std::size_t source, std::size_t target) {
		to.set_cell(0, target, from.at(0, source));
		return to.at(0, target);
	};
	from.set_int(0, 0, 1);
	EXPECT_EQ(convert(0, 0).integer, 1);
	EXPECT_EQ(convert(0, 2).real, 1.0);
	EXPECT_EQ(convert(0, 3).integer, 1);
	from.set_int(0, 0, 2);
	EXPECT_TRUE(convert(0, 0).null);
	from.set_int(0, 0, kMaxInt);
	EXPECT_EQ(convert(0, 1).integer, kMaxInt);
	EXPECT_TRUE(convert(0, 2).null);
	from.set_float(0, 1, -3);
	EXPECT_EQ(convert(1, 1).integer, -3);
	EXPECT_TRUE(convert(1, 0).null);
	from.set_float(0, 1, 2.5);
	EXPECT_EQ(convert(1, 2).real, 2.5);
	EXPECT_TRUE(convert(1, 1).null);
	from.set_null(0, 1);
	EXPECT_TRUE(convert(1, 2).null);
}

TEST(Sample, CopiesRows) {
	std::mt19937_64 random(7);
	Sample from = all_types();
	for (int i = 0; i < 50; ++i)
		test::add_random_row(from, "t" + std::to_string(i), random);
	Sample to = all_types();
	for (std::size_t row = 0; row < from.rows(); ++row)
		to.copy_row(from, row);
	test::expect_same(from, to);
}

TEST(Sample, KeysAreUnambiguous) {
	Sample s =
		empty_sample({column("a", Type::kText, Kind::kLabel, true), column("ignored", Type::kInt8),
					  column("b", Type::kText, Kind::kLabel, true)});
	const char *const texts[] = {nullptr, "", "a", "ab", "b", "\1", "\2"};
	std::set<std::string> keys;
	std::size_t row = 0;
	for (const char *a : texts)
		for (const char *b : texts) {
			row = s.add_row();
			if (a != nullptr)
				s.set_text(row, 0, a);
			if (b != nullptr)
				s.set_text(row, 2, b);
			keys.insert(s.key_of(row));
		}
	EXPECT_EQ(keys.size(), std::size(texts) * std::size(texts));
	const std::string key = s.key_of(row);
	s.set_int(row, 1, 99);
	EXPECT_EQ(s.key_of(row), key);
	EXPECT_EQ(s.key_columns(), (std::vector<std::uint32_t>{0, 2}));
}

TEST(Sample, AKeyOfNumbersTellsNullFromZero) {
	Sample s = empty_sample({column("pid", Type::kInt8, Kind::kLabel, true)});
	s.add_row();
	s.set_int(s.add_row(), 0, 0);
	EXPECT_NE(s.key_of(0), s.key_of(1));
}

TEST(Utf8, LeavesValidTextAlone) {
	for (const std::string text :
		 {"", "plain text that is longer than eight bytes", "ä€😀", "\xEF\xBF\xBF",
		  "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\x01\x7F"}) {
		EXPECT_TRUE(is_valid_utf8(text)) << text;
		EXPECT_EQ(valid_utf8(text), text);
	}
}

TEST(Utf8, ReplacesWhatIsInvalid) {
	const std::string r = "\xEF\xBF\xBD";
	EXPECT_EQ(valid_utf8(std::string("a\0b", 3)), "a" + r + "b");
	EXPECT_EQ(valid_utf8(std::string("12345678\0", 9)), "12345678" + r);
	EXPECT_EQ(valid_utf8("gr\xFC\xDF"), "gr" + r + r);        // Latin-1
	EXPECT_EQ(valid_utf8("\x80\xBF"), r + r);                 // no lead byte
	EXPECT_EQ(valid_utf8("\xC0\xAF"), r + r);                 // overlong
	EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), r + r + r);         // overlong
	EXPECT_EQ(valid_utf8("\xED\xA0\x80"), r + r + r);         // surrogate
	EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), r + r + r + r); // above U+10FFFF
	EXPECT_EQ(valid_utf8("\xE2\x82x"), r + "x");              // cut short by another character
	EXPECT_EQ(valid_utf8("ok \xF0\x9F\x98"), "ok " + r);      // cut short by the end
	Sample s = empty_sample({column("t", Type::kText)});
	s.set_text(s.add_row(), 0, "gr\xFC");
	EXPECT_EQ(s.at(0, 0).text, "gr" + r);
}

TEST(Utf8, EverythingRepairedIsValid) {
	std::mt19937_64 random(11);
	for (int i = 0; i < 20'000; ++i) {
		std::string text(random() % 24, '\0');
		for (char &c : text)
			c = static_cast<char>(random() % 3 == 0 ? 'a' : random());
		const std::string repaired = valid_utf8(text);
		ASSERT_TRUE(is_valid_utf8(repaired));
		ASSERT_EQ(valid_utf8(repaired), repaired);
		ASSERT_EQ(is_valid_utf8(text), repaired == text);
	}
}

TEST(Type, HasAnSqlName) {
	EXPECT_EQ(sql_type(Type::kBool), "boolean");
	EXPECT_EQ(sql_type(Type::kInt8), "bigint");
	EXPECT_EQ(sql_type(Type::kFloat8), "double precision");
	EXPECT_EQ(sql_type(Type::kText), "text");
	EXPECT_EQ(sql_type(Type::kTimestamp), "timestamp with time zone");
	EXPECT_EQ(sql_type(Type::kJson), "jsonb");
}

} // namespace
} // namespace pgdba
