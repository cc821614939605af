// Another extension in the same process, with a function template of the same name (../which.hpp).
#define BOUNDARY_WHICH 2
#include "../which.hpp"

#include "pgdba/pg/entry.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

PGDBA_FUNCTION(boundary_which)

Datum boundary_which(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry([] { return Int32GetDatum(which(0)); });
}
