-- Transactions that run for long, one finding per origin (role, address, application): the oldest is named, and how many
-- more are at least half as old.
--
-- Those that idle are sessions.idle_in_transaction's, backups and copies sessions.long_backup's. A plain VACUUM holds
-- nothing and is meant to be slow. Autovacuum is no client.
SELECT pgdba.define_check(
	check_id => 'sessions.long_transaction',
	query => $check$
WITH busy AS (
	SELECT a.*, extract(epoch FROM a.sampled_at - a.xact_start)::float8 AS xact_seconds,
		extract(epoch FROM a.sampled_at - a.state_change)::float8 AS state_seconds,
		greatest(a.backend_xid_age, a.backend_xmin_age) AS held
	FROM pgdba.last_activity a
	WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
		AND a.state NOT IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')
		AND a.command IS DISTINCT FROM 'VACUUM' AND pgdba.may_end(a.backend_type, a.application_name)
), oldest AS (
	SELECT b.*, row_number() OVER origin AS place
	FROM busy b
	WINDOW origin AS (PARTITION BY b.role, b.client_addr, b.application_name ORDER BY b.xact_start, b.pid)
), finding AS (
	SELECT o.*, (SELECT count(*) FROM oldest m WHERE m.place > 1 AND m.xact_seconds * 2 >= o.xact_seconds
			AND m.role IS NOT DISTINCT FROM o.role AND m.client_addr IS NOT DISTINCT FROM o.client_addr
			AND m.application_name IS NOT DISTINCT FROM o.application_name) AS more
	FROM oldest o
	WHERE o.place = 1
)
SELECT 'session:' || f.pid || '/' || coalesce(pgdba.session_start(f.backend_start), 'unknown') AS object,
	f.db AS database,
	f.xact_seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', f.pid,
		'backend_start', CASE WHEN f.blocked_by IS NULL THEN pgdba.session_start(f.backend_start) END,
		'role', f.role, 'application_name', f.application_name, 'client_addr', f.client_addr, 'state', f.state,
		'wait_event_type', f.wait_event_type, 'wait_event', f.wait_event, 'blocked_by', f.blocked_by, 'command', f.command,
		'query_id', f.query_id, 'statement_seconds', extract(epoch FROM f.sampled_at - f.query_start)::float8,
		'backend_xid_age', f.backend_xid_age, 'backend_xmin_age', f.backend_xmin_age, 'more', f.more,
		'who', pgdba.session_text(f.pid, f.role, f.application_name, f.client_addr, f.command, NULL),
		'others', CASE f.more WHEN 0 THEN '' ELSE ', and ' || f.more || ' more of its origin' END,
		'effect', CASE WHEN f.blocked_by IS NOT NULL THEN 'it waits for a lock'
			WHEN f.held IS NULL THEN 'it holds back no vacuum'
			ELSE 'it holds back vacuum by ' || f.held || ' transactions' END,
		'next_step', CASE
			WHEN f.blocked_by IS NOT NULL THEN 'It is held up itself: see locks.blocked for who blocks it.'
			WHEN f.command IS NOT NULL THEN 'Let its ' || f.command || ' finish; the SQL cancels it, and its work is lost.'
			ELSE 'Let it finish, and split such work into smaller transactions. When nobody needs it, the SQL cancels its statement.' END
	)) AS evidence
FROM finding f
UNION ALL
SELECT 'cluster', NULL, NULL, 'seconds',
	jsonb_build_object('reason', 'the server hides sessions: GRANT pg_monitor TO pgdba_sampler;')
WHERE EXISTS (SELECT FROM pgdba.last_activity a WHERE a.backend_type IS NULL AND a.backend_start IS NULL)
ORDER BY 3 DESC NULLS FIRST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Long transactions",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 300, "critical": 1800},
	"message": "{who} has had its transaction open for {value:duration}{others}: {effect}",
	"why": "A transaction keeps its locks until it ends, and with a snapshot or a transaction ID every row of its database that died meanwhile.",
	"action": "{next_step}",
	"sql": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none"
}$definition$);
