// A server ERROR as a C++ exception. No server header: every layer may throw and read it, but only
// the boundary catches it, in code that has aborted the (sub)transaction: catching an ERROR is not
// recovering from it.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace pgdba::pg {

class PgError : public std::exception {
public:
	explicit PgError(int sqlstate, std::string message, std::string detail = {},
					 std::string hint = {}, std::string context = {})
		: sqlstate(sqlstate), message(std::move(message)), detail(std::move(detail)),
		  hint(std::move(hint)), context(std::move(context)) {}
	const char *what() const noexcept override { return message.c_str(); }
	std::string state() const; // the five characters, "22012"

	int sqlstate; // packed as MAKE_SQLSTATE does
	std::string message, detail, hint;
	std::string context; // the server's CONTEXT lines; empty when the error began in C++
};

// Packs five characters ("22023") into the server's form, without its macros.
constexpr int sqlstate(const char (&code)[6]) noexcept {
	int packed = 0;
	for (int i = 0; i < 5; ++i)
		packed += ((code[i] - '0') & 0x3F) << (6 * i);
	return packed;
}

} // namespace pgdba::pg
