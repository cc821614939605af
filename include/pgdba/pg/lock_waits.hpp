// The locks that somebody waits for, read from the server's lock table in one pass.
//
// pg_locks copies the whole table, and pg_blocking_pids() stops the lock manager once for each
// waiter. Here the table is looked at only where a queue is, for as long as that takes to copy; and
// not at all while nobody waits. A lock that the fast path gave is moved to the table by who has to
// wait for it, so that what is in somebody's way is always there.
#pragma once

#include "pgdba/core/lock_graph.hpp"
#include "pgdba/pg/prelude.hpp"

namespace pgdba::pg {

// Who holds or waits: a session with its parallel processes, or a prepared transaction.
struct LockSession {
	int pid; // of the leader; 0: a prepared transaction
	TransactionId prepared;
};

struct LockWait {
	int pid;     // of the process that waits
	LOCKTAG row; // where it wants a row and so waits for who changed it; else of no relation
};

struct LockWaits {
	std::vector<LockSession> sessions;
	std::vector<ContendedLock> locks;
	std::vector<LOCKTAG> tags;                // of each lock
	std::vector<std::vector<LockWait>> waits; // of each lock, for each in its queue
};

LockWaits read_lock_waits();

} // namespace pgdba::pg
