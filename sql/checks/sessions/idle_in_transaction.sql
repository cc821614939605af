-- Sessions that sit in an open transaction and do nothing, one finding per origin (role, address, application).
--
-- Such a session keeps its locks and its connection. It holds back vacuum only when it has a snapshot or a transaction
-- ID: one that only read under READ COMMITTED has neither, and is not blamed.
SELECT pgdba.define_check(
	check_id => 'sessions.idle_in_transaction',
	query => $check$
SELECT 'session:' || s.pid || '/' || pgdba.session_start(s.backend_start) AS object,
	s.db AS database,
	s.idle_seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', s.pid,
		'backend_start', CASE WHEN pgdba.may_end(s.backend_type, s.application_name)
			THEN pgdba.session_start(s.backend_start) END,
		'role', s.role, 'application_name', s.application_name, 'client_addr', s.client_addr, 'state', s.state,
		'xact_seconds', s.xact_seconds, 'sessions', s.sessions, 'holders', s.holders,
		'xid_age', s.oldest_age,
		'who', CASE WHEN s.sessions = 1
			THEN pgdba.session_text(s.pid, s.role, s.application_name, s.client_addr, NULL, NULL) || ' is'
			ELSE s.sessions || ' sessions of one origin (' || concat_ws(', ', 'role ' || s.role,
				'application ' || nullif(s.application_name, ''), 'from ' || s.client_addr) || ') are' END,
		'longest', CASE WHEN s.sessions > 1 THEN ', the longest, session ' || s.pid || ',' ELSE '' END,
		'effect', CASE WHEN s.holders = 0 THEN 'no snapshot and no transaction ID, so vacuum is not held back'
			ELSE CASE WHEN s.sessions = 1 THEN 'it holds back vacuum by '
				ELSE s.holders || ' of them hold back vacuum by up to ' END || s.oldest_age || ' transactions' END
	)) AS evidence
FROM (SELECT i.*,
		extract(epoch FROM i.sampled_at - i.state_change)::float8 AS idle_seconds,
		extract(epoch FROM i.sampled_at - i.xact_start)::float8 AS xact_seconds,
		row_number() OVER (PARTITION BY i.role, i.client_addr, i.application_name ORDER BY i.state_change, i.pid) AS place,
		count(*) OVER origin AS sessions,
		count(greatest(i.backend_xid_age, i.backend_xmin_age)) OVER origin AS holders,
		max(greatest(i.backend_xid_age, i.backend_xmin_age)) OVER origin AS oldest_age
	FROM pgdba.last_activity i
	WHERE i.backend_type = 'client backend' AND i.state IN ('idle in transaction', 'idle in transaction (aborted)')
	WINDOW origin AS (PARTITION BY i.role, i.client_addr, i.application_name)) s
WHERE s.place = 1
ORDER BY s.idle_seconds DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Sessions idle in a transaction",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 300, "critical": 1800},
	"message": "{who} idle in transaction{longest} for {value:duration}: {effect}",
	"why": "An open transaction keeps its locks and its connection, and with a snapshot or a transaction ID the dead rows of its database.",
	"action": "Make the application commit before it waits; idle_in_transaction_session_timeout ends what it forgets. The SQL ends the oldest session.",
	"sql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none"
}$definition$);
