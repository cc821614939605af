// Texts of the kernel that say which of several words is in force.
#include "pgdba/core/proc_text.hpp"

#include <gtest/gtest.h>

#include "pgdba/core/wall.hpp"

namespace pgdba {
namespace {

TEST(ChosenWord, IsTheOneInBrackets) {
	EXPECT_EQ(chosen_word("always [madvise] never\n"), "madvise");
	EXPECT_EQ(chosen_word("[always] madvise never\n"), "always");
	EXPECT_EQ(chosen_word("[never]"), "never");
}

TEST(ChosenWord, IsNothingWhereNoneIs) {
	for (const char *const text :
		 {"", "always never", "always []", "][", "] [", "[always", "always]"})
		EXPECT_EQ(chosen_word(text), std::nullopt) << text;
}

} // namespace
} // namespace pgdba
