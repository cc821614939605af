#include "pgdba/pg/encoding.hpp"

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
}

namespace pgdba::pg {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::size_t kPiece = 64 * 1024;                 // bytes converted at once

bool ascii(std::string_view text) noexcept {
	return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

// Appends the conversion of a piece of `text` to `out`. RETURNS how many bytes of it were
// converted: it ends before a byte that is not valid, or that the piece cut in two.
std::size_t convert(Oid conversion, int encoding, std::string_view text, std::string &out) {
	const auto length = static_cast<int>(std::min(text.size(), kPiece));
	const std::size_t before = out.size();
	const int room = length * MAX_CONVERSION_GROWTH + MAX_CONVERSION_GROWTH + 1;
	out.resize(before + static_cast<std::size_t>(room));
	// Reads only; the server's signature has no const.
	auto *const from = reinterpret_cast<unsigned char *>(const_cast<char *>(text.data()));
	auto *const to = reinterpret_cast<unsigned char *>(&out[before]);
	const int taken = call([=] {
		to[0] = '\0';
		return pg_do_encoding_conversion_buf(conversion, encoding, PG_UTF8, from, length, to, room,
											 true);
	});
	out.resize(before + std::strlen(&out[before]));
	return static_cast<std::size_t>(taken);
}

} // namespace

bool needs_conversion() noexcept {
	const int encoding = GetDatabaseEncoding(); // reads a variable: cannot fail
	return encoding != PG_UTF8 && encoding != PG_SQL_ASCII;
}

std::string to_utf8(std::string_view text) {
	if (!needs_conversion() || ascii(text)) // every encoding of a database has ASCII in its place
		return valid_utf8(text);
	const int encoding = GetDatabaseEncoding();
	const Oid conversion = call([encoding] {
		return IsTransactionState() ? FindDefaultConversionProc(encoding, PG_UTF8) : InvalidOid;
	});
	if (!OidIsValid(conversion))
		return valid_utf8(text);
	std::string out;
	while (!text.empty()) {
		const std::size_t taken = convert(conversion, encoding, text, out);
		text.remove_prefix(taken);
		if (taken == 0) {
			out += kReplacement;
			text.remove_prefix(1);
		}
	}
	return valid_utf8(out);
}

} // namespace pgdba::pg
