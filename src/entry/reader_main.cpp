#include "pgdba/pg/guard.hpp"
#include "pgdba/pg/reader.hpp"

extern "C" {
PGDLLEXPORT void pgdba_reader_main(Datum argument);
}

void pgdba_reader_main(Datum argument) {
	pgdba::pg::entry([argument] { pgdba::pg::run_reader(DatumGetUInt32(argument)); });
}
