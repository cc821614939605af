-- Sessions: who does what, who waits for whom.
--
-- Names and texts of other databases may be in other encodings, so no text function touches them. The text of a
-- statement is kept only inside a transaction: idle sessions block nobody, save by advisory locks, which have no text.
-- pg_blocking_pids() and pg_locks stop the lock manager for a moment: they are asked only when somebody waits.
--
-- What a long command is comes from the server's progress reports: the text of a statement does not tell.
--
-- In a queue everybody waits for all those ahead. Kept are the blockers that do not wait themselves, and of the others
-- the four that have waited longest, which lead to the holder too: a queue of hundreds stays small.
SELECT pgdba.define_probe(
	name => 'activity',
	loop => 'hot',
	query => $probe$
WITH waiter AS MATERIALIZED (
	SELECT w.pid, pg_catalog.pg_blocking_pids(w.pid) AS blockers
	FROM pg_catalog.pg_stat_activity w
	WHERE w.wait_event_type = 'Lock'
), wanted AS MATERIALIZED (
	SELECT DISTINCT ON (l.pid) l.pid, l.waitstart, l.locktype, l.mode, l.relation
	FROM pg_catalog.pg_locks l
	WHERE NOT l.granted AND (SELECT pg_catalog.count(*) FROM waiter) > 0
	ORDER BY l.pid, l.waitstart
), queue AS MATERIALIZED (
	SELECT w.pid FROM waiter w LEFT JOIN wanted t ON t.pid = w.pid ORDER BY t.waitstart, w.pid
), blocked AS (
	SELECT w.pid, pg_catalog.to_jsonb(ARRAY(
			SELECT DISTINCT b.pid FROM pg_catalog.unnest(w.blockers) AS b (pid)
			WHERE NOT EXISTS (SELECT FROM queue q WHERE q.pid = b.pid))
		|| ARRAY(SELECT q.pid FROM queue q WHERE q.pid = ANY (w.blockers) LIMIT 4)) AS blocked_by
	FROM waiter w
), progress AS MATERIALIZED (
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
	blocked.blocked_by,
	wanted.waitstart AS lock_wait_start,
	wanted.locktype AS lock_type,
	wanted.mode AS lock_mode,
	wanted.relation::pg_catalog.int8 AS lock_relid,
	a.leader_pid::pg_catalog.int8 AS leader_pid,
	a.query_id,
	progress.command,
	CASE WHEN a.xact_start IS NOT NULL THEN a.query END AS query
FROM pg_catalog.pg_stat_activity a
LEFT JOIN blocked ON blocked.pid = a.pid
LEFT JOIN wanted ON wanted.pid = a.pid
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
