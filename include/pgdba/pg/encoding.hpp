// Text of the connected database as the samples keep it.
#pragma once

#include <string>
#include <string_view>

namespace pgdba::pg {

// Whether text of the connected database is in another encoding than the samples are.
bool needs_conversion() noexcept;

// Converts from the encoding of the connected database; what has no meaning there becomes U+FFFD.
// Never fails for its content: names are chosen by others, and one odd byte must not cost a whole
// sample. REQUIRES: a transaction, when the database's encoding is neither UTF8 nor SQL_ASCII
// (otherwise only made valid).
std::string to_utf8(std::string_view text);

} // namespace pgdba::pg
