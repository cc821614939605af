-- Backups and copies that have had a transaction open for long: pg_dump, and the first copy of a table for a
-- subscription. Worth knowing, because they hold back vacuum; nothing to end.
SELECT pgdba.define_check(
	check_id => 'sessions.long_backup',
	query => $check$
SELECT 'session:' || b.pid || '/' || coalesce(pgdba.session_start(b.backend_start), 'unknown') AS object,
	b.db AS database,
	b.xact_seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', b.pid, 'role', b.role, 'application_name', b.application_name, 'client_addr', b.client_addr,
		'backend_type', b.backend_type, 'state', b.state, 'sessions', b.sessions, 'xid_age', b.held,
		'what', CASE b.backend_type WHEN 'walsender' THEN 'replication' ELSE 'backup' END,
		'who', pgdba.session_text(b.pid, b.role, b.application_name, b.client_addr, NULL, NULL),
		'effect', CASE WHEN b.held IS NULL THEN 'it holds back no vacuum'
			ELSE 'it holds back vacuum by ' || b.held || ' transactions' END
	)) AS evidence
FROM (SELECT a.*, extract(epoch FROM a.sampled_at - a.xact_start)::float8 AS xact_seconds,
		greatest(a.backend_xid_age, a.backend_xmin_age) AS held,
		row_number() OVER origin AS place, count(*) OVER (PARTITION BY a.role, a.client_addr, a.application_name) AS sessions
	FROM pgdba.last_activity a
	WHERE a.xact_start IS NOT NULL AND (a.backend_type = 'walsender'
		OR (a.backend_type = 'client backend' AND NOT pgdba.may_end(a.backend_type, a.application_name)
			AND a.state NOT IN ('idle in transaction', 'idle in transaction (aborted)')))
	WINDOW origin AS (PARTITION BY a.role, a.client_addr, a.application_name ORDER BY a.xact_start, a.pid)) b
WHERE b.place = 1
ORDER BY b.xact_seconds DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Long backups and copies",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"info": 1800},
	"message": "{what}: {who} has had its transaction open for {value:duration}: {effect}",
	"why": "While it lasts, vacuum keeps every row of its database that dies.",
	"action": "Let it finish, and do not end it: it would have to begin again. When it lasts too long, copy from a standby, or in parallel."
}$definition$);
