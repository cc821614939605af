-- Sessions: who does what, who waits for whom.
--
-- Names and texts of other databases may be in other encodings, so no text function touches them. The text of a
-- statement is kept only inside a transaction: idle sessions block nobody, save by advisory locks, which have no text.
-- Who blocks whom comes from lock_sessions(), which costs next to nothing while nobody waits.
--
-- What a long command is comes from the server's progress reports: the text of a statement does not tell.
--
-- In a queue everybody waits for all those ahead. Kept are the blockers that do not wait themselves, and of the others
-- the four that have waited longest, which lead to the holder too: a queue of hundreds stays small. Those of parallel
-- processes are those of their session, as in pg_blocking_pids().
SELECT pgdba.define_probe(
	name => 'activity',
	loop => 'hot',
	query => $probe$
WITH progress AS MATERIALIZED (
	SELECT p.pid, c.command
	FROM (VALUES ('VACUUM'), ('ANALYZE'), ('CREATE INDEX'), ('CLUSTER'), ('COPY'), ('BASEBACKUP')) AS c (command)
	CROSS JOIN LATERAL pg_catalog.pg_stat_get_progress_info(c.command) p
)
SELECT a.datname::pg_catalog.text AS db,
	a.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	pg_catalog.host(a.client_addr) AS client_addr,
	a.backend_type,
	a.state,
	a.wait_event_type,
	a.wait_event,
	a.xact_start,
	a.query_start,
	a.state_change,
	pg_catalog.age(a.backend_xid)::pg_catalog.int8 AS backend_xid_age,
	pg_catalog.age(a.backend_xmin)::pg_catalog.int8 AS backend_xmin_age,
	l.blocked_by::pg_catalog.jsonb AS blocked_by,
	l.wait_start AS lock_wait_start,
	l.lock_type,
	l.mode AS lock_mode,
	l.lock_relid,
	a.leader_pid::pg_catalog.int8 AS leader_pid,
	a.query_id,
	progress.command,
	CASE WHEN a.xact_start IS NOT NULL THEN a.query END AS query
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pgdba.lock_sessions() l ON l.pid = coalesce(a.leader_pid, a.pid) AND a.wait_event_type = 'Lock'
LEFT JOIN progress ON progress.pid = a.pid
WHERE a.pid <> pg_catalog.pg_backend_pid()
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the session, NULL for one of the cluster"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"role": {"help": "Role that logged in"},
	"application_name": {"help": "What the client calls itself"},
	"client_addr": {"help": "Address of the client, NULL for a local socket"},
	"backend_type": {"help": "Kind of process"},
	"state": {"help": "State as pg_stat_activity shows it"},
	"wait_event_type": {"help": "Kind of what it waits for"},
	"wait_event": {"help": "What it waits for"},
	"xact_start": {"help": "Start of its transaction, NULL without one"},
	"query_start": {"help": "Start of its statement, or of the last one"},
	"state_change": {"help": "Since when it has had this state"},
	"backend_xid_age": {"unit": "transactions", "help": "Age of its transaction ID; NULL when it has written nothing"},
	"backend_xmin_age": {"unit": "transactions", "help": "Age of the oldest transaction it may need to see; NULL when it has no snapshot"},
	"blocked_by": {"help": "Process IDs that it waits for, only while it waits for a lock; 0 is a prepared transaction. Of those that wait themselves at most four"},
	"lock_wait_start": {"help": "Since when it has waited for a lock"},
	"lock_type": {"help": "Kind of lock that it waits for"},
	"lock_mode": {"help": "Mode of the lock that it waits for"},
	"lock_relid": {"help": "OID of the relation that it waits for"},
	"leader_pid": {"help": "Leader of a parallel worker"},
	"query_id": {"help": "Identifier of the statement, NULL when compute_query_id is off"},
	"command": {"help": "Long command that it reports the progress of, such as VACUUM or CREATE INDEX"},
	"query": {"help": "Statement of an open transaction, running or the last one"}
}$columns$);
