// Samples and the server's values. With server headers: for src/pg and src/entry.
#pragma once

#include "pgdba/core/sample.hpp"
#include "pgdba/pg/prelude.hpp"

namespace pgdba::pg {

// A cell as a value of a column's type. RETURNS false for NULL, and for a type that does not fit
// (an older sample under a newer view).
bool datum_of(const Cell &cell, Oid type, Datum *value);

// The rows of a sample as the result of a set-returning function; columns are matched by name,
// missing ones are NULL.
Datum return_sample(FunctionCallInfo fcinfo, const Sample &sample);
Datum return_lines(FunctionCallInfo fcinfo, const std::vector<std::string> &lines); // SETOF text

// Arguments. REQUIRES: not NULL.
std::string text_argument(FunctionCallInfo fcinfo, int number);
std::vector<std::string> text_array_argument(FunctionCallInfo fcinfo,
											 int number);       // no NULL elements
std::string json_argument(FunctionCallInfo fcinfo, int number); // jsonb as text
Micros interval_argument(FunctionCallInfo fcinfo, int number);
Micros parse_time(const std::string &text); // THROWS PgError 22007
Datum text_datum(std::string_view text);
Datum json_datum(const std::string &json);

} // namespace pgdba::pg
