-- Locks: how many there are, and how many the lock table has room for. Who waits for whom is in probe activity.
--
-- The room is max_locks_per_transaction for each session and prepared transaction that there may be, shared by all. Locks taken by the fast path
-- do not use it; a session has room for sixteen of those until 17, from 18 on for as many as max_locks_per_transaction says.
SELECT pgdba.define_probe(
	name => 'lock_table',
	loop => 'workload',
	query => $probe$
WITH setting AS MATERIALIZED (
	SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 AS places,
		pg_catalog.current_setting('max_connections')::pg_catalog.int8 AS sessions,
		pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8 AS prepared
)
SELECT pg_catalog.count(*) AS locks,
	pg_catalog.count(*) FILTER (WHERE NOT l.fastpath) AS shared_locks,
	pg_catalog.count(*) FILTER (WHERE NOT l.granted) AS waiting,
	pg_catalog.count(*) FILTER (WHERE l.locktype = 'advisory') AS advisory,
	pg_catalog.count(*) FILTER (WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted) AS access_exclusive,
	pg_catalog.count(*) FILTER (WHERE l.mode = 'SIReadLock') AS predicate,
	(SELECT s.places * (s.sessions + s.prepared) FROM setting s) AS room,
	100 * pg_catalog.count(*) FILTER (WHERE NOT l.fastpath AND l.mode <> 'SIReadLock')::pg_catalog.float8
		/ (SELECT s.places * (s.sessions + s.prepared) FROM setting s) AS pct_used
FROM pg_catalog.pg_locks l
$probe$,
	key => '{}',
	columns => $columns${
	"locks": {"kind": "gauge", "unit": "locks", "metric": "pg_locks", "help": "Locks held or waited for, of all kinds"},
	"shared_locks": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_shared", "help": "Of these, those that need room in the lock table"},
	"waiting": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_waiting", "help": "Locks waited for"},
	"advisory": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_advisory", "help": "Advisory locks"},
	"access_exclusive": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_access_exclusive",
		"help": "Relations locked so that nobody else can even read them"},
	"predicate": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_predicate", "help": "Locks of serializable transactions"},
	"room": {"kind": "gauge", "unit": "locks", "metric": "pg_locks_room", "help": "Locks that the lock table is sized for"},
	"pct_used": {"kind": "gauge", "unit": "percent", "metric": "pg_locks_pct_used", "help": "Share of that room in use"}
}$columns$);
