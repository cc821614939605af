// What the server looks up by name in our libraries. Under hidden visibility each such function
// must be declared as exported before it is defined; these two macros are that declaration. Inside,
// the body goes through entry().
//
//   PGDBA_FUNCTION(pgdba_health)
//   Datum pgdba_health(PG_FUNCTION_ARGS) {
//       return pgdba::pg::entry([fcinfo]() -> Datum { ... });
//   }
//
//   PGDBA_WORKER(pgdba_sampler_main)
//   void pgdba_sampler_main(Datum argument) { ... }
#pragma once

#include "pgdba/pg/guard.hpp"

#define PGDBA_FUNCTION(name)                                                                       \
	extern "C" {                                                                                   \
	PG_FUNCTION_INFO_V1(name);                                                                     \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                      \
	}

#define PGDBA_WORKER(name) extern "C" PGDLLEXPORT void name(Datum argument)

// The server calls it when it loads the library.
extern "C" PGDLLEXPORT void _PG_init(void);
