// Settings by name, asked of the server: for a library that has not defined them itself
// (pgdba_http.so).
#pragma once

#include <string>

namespace pgdba::pg {

// The value as the server keeps it, numbers in their base unit. RETURNS empty text when there is no
// such setting.
std::string option(const char *name);
// RETURNS 0 when there is no such setting, or it is not a number.
int option_int(const char *name);

} // namespace pgdba::pg
