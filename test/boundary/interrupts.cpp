// Locks and interrupts around errors: straight-line code on plain memory under the lock, server
// calls after it.
#include "boundary.hpp"

extern "C" {
#include "storage/lwlock.h"
}

PGDBA_FUNCTION(boundary_locked_copy)
PGDBA_FUNCTION(boundary_holdoff)

// Copies in, releases, and only then calls what fails.
Datum boundary_locked_copy(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry([]() -> Datum {
		int copy = 0;
		pgdba::pg::call([&copy] {
			LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
			copy = MyProcPid;
			LWLockRelease(AddinShmemInitLock);
		});
		pgdba::pg::call([] { boundary::raise_server_error(); });
		return Int32GetDatum(copy);
	});
}

// Not unsigned in SQL: a count that went below zero shows as -1.
Datum boundary_holdoff(PG_FUNCTION_ARGS) {
	return pgdba::pg::entry(
		[] { return Int32GetDatum(static_cast<int32>(InterruptHoldoffCount)); });
}
