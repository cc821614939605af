// SQL functions that read the memory of the sampler of waits.
#include "pgdba/pg/datum.hpp"
#include "pgdba/pg/entry.hpp"
#include "pgdba/sampler/wait_probe.hpp"

extern "C" {
#include "utils/timestamp.h"
}

PGDBA_FUNCTION(pgdba_wait_runs)
PGDBA_FUNCTION(pgdba_wait_runs_since)
PGDBA_FUNCTION(pgdba_wait_now)

using namespace pgdba;

Datum pgdba_wait_runs(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] {
		return pg::return_sample(fcinfo,
								 wait_runs(PG_ARGISNULL(0) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(0),
										   PG_ARGISNULL(1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(1)));
	});
}

Datum pgdba_wait_runs_since(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo]() -> Datum {
		const Micros since = wait_runs_since();
		if (since == 0)
			PG_RETURN_NULL();
		return TimestampTzGetDatum(since);
	});
}

Datum pgdba_wait_now(PG_FUNCTION_ARGS) {
	return pg::entry([fcinfo] { return pg::return_sample(fcinfo, waits_now()); });
}
