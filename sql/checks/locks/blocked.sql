-- Who stands at the head of a queue of lock waits, and how long the longest wait behind it is.
--
-- A root is a blocker that waits for nobody; process ID 0 is a prepared transaction. The probe gives few blockers per
-- waiter, so that all paths can be walked.
SELECT pgdba.define_check(
	check_id => 'locks.blocked',
	query => $check$
WITH RECURSIVE session AS MATERIALIZED (
	SELECT a.*, extract(epoch FROM a.sampled_at - coalesce(a.lock_wait_start, a.sampled_at))::float8 AS waited
	FROM pgdba.last_activity a
), edge AS MATERIALIZED (
	SELECT DISTINCT w.pid AS waiter, b.pid::int8 AS blocker
	FROM session w CROSS JOIN LATERAL jsonb_array_elements_text(w.blocked_by) AS b (pid)
), reach AS (
	SELECT e.waiter, e.blocker, 1 AS depth FROM edge e
	UNION
	SELECT r.waiter, e.blocker, r.depth + 1 FROM reach r JOIN edge e ON e.waiter = r.blocker WHERE r.depth < 16
), root AS (
	SELECT r.blocker AS pid, max(r.depth) AS depth, max(w.waited) AS waited, max(w.db) AS waiter_db,
		jsonb_agg(DISTINCT w.pid) AS waiting
	FROM reach r JOIN session w ON w.pid = r.waiter
	WHERE NOT EXISTS (SELECT FROM edge e WHERE e.waiter = r.blocker)
	GROUP BY r.blocker
), finding AS (
	SELECT r.pid AS root_pid, r.depth, r.waited, r.waiting, r.waiter_db, jsonb_array_length(r.waiting) AS blocked_sessions,
		s.db, s.backend_start, s.role, s.application_name, s.client_addr, s.backend_type, s.state,
		extract(epoch FROM s.sampled_at - s.xact_start)::float8 AS xact_seconds,
		extract(epoch FROM s.sampled_at - s.state_change)::float8 AS state_seconds,
		pgdba.may_end(s.backend_type, s.application_name) AS may_end, w.lock_type, w.lock_mode,
		(SELECT t.relation FROM pgdba.last_relation t WHERE t.db = w.db AND t.relid = w.lock_relid LIMIT 1) AS relation,
		CASE WHEN r.pid = 0 THEN (SELECT jsonb_agg(h.name ORDER BY h.held_since) FROM pgdba.last_horizon h
			WHERE h.kind = 'prepared transaction' AND h.db = r.waiter_db) END AS prepared
	FROM root r
	LEFT JOIN session s ON s.pid = r.pid
	LEFT JOIN LATERAL (SELECT l.db, l.lock_type, l.lock_mode, l.lock_relid FROM session l
		WHERE r.waiting @> to_jsonb(l.pid) ORDER BY l.lock_relid IS NULL, l.waited DESC LIMIT 1) w ON true
)
SELECT CASE WHEN f.root_pid = 0 THEN 'cluster'
		ELSE 'session:' || f.root_pid || '/' || coalesce(pgdba.session_start(f.backend_start), 'unknown') END AS object,
	CASE WHEN f.root_pid = 0 THEN f.waiter_db ELSE f.db END AS database,
	f.waited AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', f.root_pid,
		'backend_start', CASE WHEN f.may_end THEN pgdba.session_start(f.backend_start) END,
		'role', f.role, 'application_name', f.application_name, 'client_addr', f.client_addr,
		'backend_type', f.backend_type, 'state', f.state, 'xact_seconds', f.xact_seconds,
		'blocked_sessions', f.blocked_sessions, 'depth', f.depth, 'waiting', f.waiting,
		'lock_type', f.lock_type, 'lock_mode', f.lock_mode, 'relation', f.relation, 'prepared', f.prepared,
		'who', CASE WHEN f.root_pid = 0 THEN 'a prepared transaction'
			ELSE pgdba.session_text(f.root_pid, f.role, f.application_name, f.client_addr, f.state, f.state_seconds) END,
		'whom', CASE f.blocked_sessions WHEN 1 THEN '1 session' ELSE f.blocked_sessions || ' sessions' END
			|| coalesce(' on ' || f.relation, ''),
		'next_step', CASE
			WHEN f.root_pid = 0 THEN 'Finish it in database ' || f.waiter_db
				|| ' with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts lists them.'
			WHEN f.may_end AND f.state = 'active' THEN
				'Let its statement finish, or cancel it with pg_cancel_backend(); the SQL ends the session and rolls back.'
			WHEN f.may_end THEN
				'Commit or roll back in that session. When nobody can, the SQL ends it, which rolls back.'
			WHEN f.backend_type = 'autovacuum worker' THEN
				'Let the vacuum finish: it gives way to others unless it prevents wraparound.'
			ELSE 'Let it finish: it is a backup, replication or a process of the server. Do not end it.' END
	)) AS evidence
FROM finding f
ORDER BY f.waited DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Waits for locks",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 30, "critical": 120},
	"message": "{who} blocks {whom}, the longest for {value:duration}",
	"why": "Every session behind it waits and keeps its connection, so pools fill up and the application stops.",
	"action": "{next_step}",
	"sql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none"
}$definition$);
