// The library of the boundary test. Never installed: make boundary loads it from build/.
#include "boundary.hpp"

extern "C" {
#include "utils/builtins.h"
PG_MODULE_MAGIC;
}

#include <malloc.h>

PGDBA_FUNCTION(boundary_live)
PGDBA_FUNCTION(boundary_heap)

namespace boundary {

void raise_server_error() {
	ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("division by zero"),
					errdetail("The divisor was zero."), errhint("Choose another divisor.")));
}

std::string text_argument(FunctionCallInfo fcinfo, int number) {
	return pgdba::pg::call([=] { return text_to_cstring(PG_GETARG_TEXT_PP(number)); });
}

Datum text_result(const std::string &text) {
	const char *const value = text.c_str();
	return pgdba::pg::call([value] { return CStringGetTextDatum(value); });
}

} // namespace boundary

// Counted objects that are alive: 0 between two statements.
Datum boundary_live(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry([] { return Int32GetDatum(boundary::Counted::live); });
}

// Bytes of the C++ heap in use. The server's memory contexts are in there as well.
Datum boundary_heap(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry([] { return Int64GetDatum(static_cast<int64>(mallinfo2().uordblks)); });
}
