-- Many sessions wait for locks at once: how many, who stands at the head, and which statement in the queue makes it long.
--
-- Counted are those that have waited for a second, so that what row locks cost on a busy server is no storm. Who blocks, and for how
-- long, is locks.blocked's; this one is about how far it spreads. A waiting request for an exclusive lock on a table, that of
-- a DDL statement, makes everybody who comes later wait behind it, though the head of the queue would not be in their way.
SELECT pgdba.define_check(
	check_id => 'locks.storm',
	query => $check$
WITH RECURSIVE session AS MATERIALIZED (
	SELECT a.*, extract(epoch FROM a.sampled_at - a.lock_wait_start)::float8 AS waited FROM pgdba.last_activity a
), edge AS MATERIALIZED (
	SELECT DISTINCT w.pid AS waiter, b.pid::int8 AS blocker
	FROM session w CROSS JOIN LATERAL jsonb_array_elements_text(w.blocked_by) AS b (pid)
), reach AS (
	SELECT e.waiter, e.blocker, 1 AS depth FROM edge e
	UNION
	SELECT r.waiter, e.blocker, r.depth + 1 FROM reach r JOIN edge e ON e.waiter = r.blocker WHERE r.depth < 16
), behind AS MATERIALIZED (
	SELECT r.blocker AS pid, count(DISTINCT r.waiter) AS sessions, max(r.depth) AS depth,
		NOT EXISTS (SELECT FROM edge e WHERE e.waiter = r.blocker) AS root
	FROM reach r GROUP BY r.blocker
), waiting AS MATERIALIZED (
	SELECT count(*) FILTER (WHERE s.waited >= 1) AS sessions, max(s.waited) AS longest
	FROM session s WHERE s.blocked_by IS NOT NULL
), ddl AS ( -- waits for a table, and others wait for it
	SELECT s.pid, s.backend_start, s.lock_mode, b.sessions, s.waited, s.db,
		pgdba.may_end(s.backend_type, s.application_name) AS may_end,
		(SELECT t.relation FROM pgdba.last_relation t WHERE t.db = s.db AND t.relid = s.lock_relid LIMIT 1) AS relation
	FROM session s JOIN behind b ON b.pid = s.pid
	WHERE s.lock_type = 'relation' AND s.lock_mode = 'AccessExclusiveLock' AND NOT b.root
	ORDER BY b.sessions DESC, s.waited DESC, s.pid LIMIT 1
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN s.hidden THEN NULL ELSE w.sessions END::float8 AS value,
	'sessions' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'waiting', w.sessions, 'longest_seconds', w.longest, 'roots', (SELECT count(*) FROM behind b WHERE b.root),
		'root_pid', r.pid, 'root_role', h.role, 'root_application', h.application_name, 'root_state', h.state,
		'root_sessions', r.sessions, 'depth', r.depth, 'connections', s.connections,
		'ddl_pid', d.pid, 'ddl_sessions', d.sessions, 'ddl_relation', d.relation, 'ddl_seconds', d.waited,
		'pid', CASE WHEN d.may_end THEN d.pid END,
		'backend_start', CASE WHEN d.may_end THEN pgdba.session_start(d.backend_start) END,
		'reason', CASE WHEN s.hidden THEN 'the server hides sessions: GRANT pg_monitor TO pgdba_sampler;' END,
		'head', CASE WHEN r.pid IS NULL THEN ''
			ELSE ', ' || r.sessions || ' of them behind ' || CASE r.pid WHEN 0 THEN 'a prepared transaction'
				ELSE pgdba.session_text(r.pid, h.role, h.application_name, NULL, h.state, NULL) END END,
		'queue', CASE WHEN d.pid IS NULL THEN '' ELSE ', ' || d.sessions || ' behind waiting DDL of session ' || d.pid
			|| coalesce(' on ' || d.relation, '') END,
		'next_step', CASE
			WHEN d.pid IS NOT NULL THEN 'Cancel the DDL first, with the SQL: those behind it go on at once. Repeat it with a short lock_timeout.'
			WHEN r.sessions * 2 >= w.sessions THEN 'Deal with who stands at the head, see locks.blocked: then the queue dissolves.'
			ELSE 'There is no one culprit: many transactions change the same rows. Make them shorter, and let them take rows in one order.' END
	)) AS evidence
FROM waiting w
CROSS JOIN (SELECT count(*) FILTER (WHERE a.backend_type = 'client backend') AS connections,
	bool_or(a.backend_type IS NULL AND a.backend_start IS NULL) AS hidden FROM session a) s
LEFT JOIN (SELECT b.* FROM behind b WHERE b.root ORDER BY b.sessions DESC, b.depth DESC, b.pid LIMIT 1) r ON true
LEFT JOIN session h ON h.pid = r.pid
LEFT JOIN ddl d ON true
$check$,
	definition => $definition${
	"title": "Many sessions wait for locks",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 2, "critical": 9, "for": "30s"},
	"message": "{waiting} sessions wait for locks, up to {longest_seconds:duration}{head}{queue}",
	"why": "Each keeps its connection while it waits, and more come: of {connections} connections {waiting} do nothing now.",
	"action": "{next_step}",
	"sql": "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none",
	"symptom_of": "locks.blocked"
}$definition$);
