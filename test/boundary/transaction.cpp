// An ERROR is only swallowed by code that aborts its transaction or subtransaction: pgdba's own
// helpers do.
#include "boundary.hpp"

#include "pgdba/pg/query.hpp"

using pgdba::pg::entry;
using pgdba::pg::PgError;

PGDBA_FUNCTION(boundary_sandboxed)

// Swallows the query's error. RETURNS its SQLSTATE, or 00000.
Datum boundary_sandboxed(PG_FUNCTION_ARGS) {
	return entry([fcinfo]() -> Datum {
		const boundary::Counted object;
		const std::string query = boundary::text_argument(fcinfo, 0);
		std::string state = "00000";
		try {
			(void)pgdba::pg::run_sandboxed(query, {.budget = 0});
		} catch (const PgError &error) { // aborted: run_sandboxed's own subtransaction
			state = error.state();
		}
		return boundary::text_result(state);
	});
}
