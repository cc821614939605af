-- Who waits for a lock, and who is in the way: a row for each session that waits, and for each root of a queue. No row, and
-- next to no cost, while nobody waits.
--
-- In its order the rows are a forest: below a session stand those that wait for it, one level deeper. What the sessions
-- do otherwise is in activity, under the same process ID and start. The name of a relation is the one that was known.
SELECT pgdba.define_probe(
	name => 'lock_wait',
	loop => 'hot',
	query => $probe$
WITH node AS MATERIALIZED (
	SELECT l.*, coalesce(a.datname, x.database)::pg_catalog.text AS db, a.backend_start, x.gid AS prepared_gid,
		x.owner::pg_catalog.text AS prepared_owner, x.prepared AS prepared_at
	FROM pgdba.lock_sessions() l
	LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
	LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = l.prepared_xid::pg_catalog.text::pg_catalog.xid
)
SELECT n.db, n.pid, n.backend_start, n.prepared_xid, n.place, n.depth, n.path::pg_catalog.jsonb AS path, n.worker_pid, n.wait_start, n.lock_type, n.mode,
	n.blocker_mode, n.blocker_holds, n.lock_relid, k.relation, n.target, n.blocked_by::pg_catalog.jsonb AS blocked_by, n.blocked, n.queued_ddl, n.circle,
	n.prepared_gid, n.prepared_owner, n.prepared_at
FROM node n
LEFT JOIN pgdba.relation_names(ARRAY(SELECT DISTINCT o.lock_relid FROM node o WHERE o.lock_relid IS NOT NULL),
	EXISTS (SELECT FROM node o WHERE o.lock_relid IS NOT NULL AND o.db <> pg_catalog.current_database())) k
	ON k.db = n.db AND k.relid = n.lock_relid
$probe$,
	key => '{pid,backend_start,prepared_xid}',
	columns => $columns${
	"db": {"help": "Database of the session"},
	"pid": {"help": "Process ID, of a parallel query that of its leader; 0 is a prepared transaction"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"prepared_xid": {"help": "Transaction ID of a prepared transaction"},
	"place": {"help": "Its place in the forest"},
	"depth": {"help": "How many stand above it; 0 is a root, which waits for nobody or for itself"},
	"path": {"help": "Process IDs from the root down to it; of more than 64 the ends"},
	"worker_pid": {"help": "The parallel worker that waits, where it is not the leader"},
	"wait_start": {"help": "Since when it has waited"},
	"lock_type": {"help": "Kind of lock that it waits for, as in pg_locks; NULL for who does not wait"},
	"mode": {"help": "Mode that it wants"},
	"blocker_mode": {"help": "Strongest mode in its way of the session above it"},
	"blocker_holds": {"help": "Whether that is held; or else wanted too, ahead in the queue"},
	"lock_relid": {"help": "OID of the relation; who waits for a transaction to end wants a row of it"},
	"relation": {"help": "schema.table of the relation, NULL when not known"},
	"target": {"help": "The row as (page,tuple), the page, transaction, advisory key or other object"},
	"blocked_by": {"help": "Process IDs that it waits for, as in activity"},
	"blocked": {"unit": "sessions", "help": "Sessions that wait behind it, directly or not"},
	"queued_ddl": {"help": "Whether its own wait for a relation keeps readers or writers waiting"},
	"circle": {"help": "Whether it waits for itself in the end: a deadlock, which the server will resolve"},
	"prepared_gid": {"help": "Name of the prepared transaction"},
	"prepared_owner": {"help": "Who prepared it"},
	"prepared_at": {"help": "When it was prepared"}
}$columns$);
