#define BOUNDARY_WHICH 1
#include "which.hpp"

#include "boundary.hpp"

PGDBA_FUNCTION(boundary_which)

Datum boundary_which(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry([] { return Int32GetDatum(which(0)); });
}
