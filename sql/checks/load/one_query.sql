-- One statement that has more than half of the load of the last five minutes, while the load is more than half of the CPUs.
--
-- On a quiet server some statement always has most of nothing. Statements are told apart by their identifier and database; what has
-- none (utility commands, server processes) counts as load, but not as a statement. Nor does what a statement waits for locks: that is
-- somebody else's doing, and the checks of locks name whose.
SELECT pgdba.define_check(
	check_id => 'load.one_query',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span, (array_agg(t.cpus ORDER BY t.sampled_at DESC))[1] AS cpus
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), wait AS MATERIALIZED (
	SELECT w.* FROM newest n CROSS JOIN LATERAL (SELECT h.db, h.role, h.application_name, h.query_id, h.event_type, h.event, h.folded,
			h.samples, h.seconds
		FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at AND h.state = 'active') w
), load AS MATERIALIZED (
	SELECT l.span, l.cpus, coalesce(w.samples, 0) AS samples, w.seconds, w.unnamed,
		100 * coalesce(w.seconds, 0) / nullif(l.span * l.cpus, 0) AS busy
	FROM looked l CROSS JOIN (SELECT sum(a.samples)::int8 AS samples, sum(a.seconds) AS seconds,
		bool_and(a.query_id IS NULL) AND bool_or(a.role IS NOT NULL) AS unnamed FROM wait a) w
), most AS (
	SELECT w.db, w.query_id, sum(w.seconds) AS seconds FROM wait w WHERE w.query_id IS NOT NULL AND w.event_type <> 'Lock'
	GROUP BY w.db, w.query_id ORDER BY 3 DESC, 1, 2 LIMIT 1
)
SELECT coalesce('database:' || quote_ident(m.db), 'cluster') AS object,
	m.db AS database,
	CASE WHEN l.samples >= 300 AND NOT l.unnamed THEN 100 * m.seconds / l.seconds END AS value,
	'percent' AS unit,
	l.busy AS busy,
	jsonb_strip_nulls(jsonb_build_object(
		'query_id', m.query_id, 'sessions', round((m.seconds / l.span)::numeric, 1), 'load', round((l.seconds / l.span)::numeric, 1),
		'cpus', l.cpus, 'samples', l.samples, 'observed_seconds', l.span, 'event', e.event, 'role', r.role,
		'application_name', r.application_name,
		'does', CASE WHEN e.event = 'CPU:CPU' THEN 'on a CPU' ELSE 'in ' || e.event END,
		'reason', CASE WHEN l.samples < 300 THEN 'only ' || l.samples || ' samples of active sessions in '
				|| pgdba.duration_text(l.span) || ': 300 are needed'
			WHEN l.unnamed THEN 'statements have no identifier: compute_query_id is off' END
	)) AS evidence
FROM load l
LEFT JOIN most m ON true
LEFT JOIN LATERAL (SELECT w.event_type || ':' || w.event AS event FROM wait w WHERE w.db = m.db AND w.query_id = m.query_id
		AND w.event_type <> 'Lock' GROUP BY 1 ORDER BY sum(w.seconds) DESC, 1 LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT w.role, w.application_name FROM wait w WHERE w.db = m.db AND w.query_id = m.query_id
	GROUP BY 1, 2 ORDER BY sum(w.seconds) DESC, 1, 2 LIMIT 1) r ON true
WHERE l.busy > 50 OR (l.samples >= 300 AND NOT l.unnamed)
$check$,
	definition => $definition${
	"title": "One statement with most of the load",
	"loop": "workload",
	"probes": ["wait_tick", "wait"],
	"thresholds": {"warning": 50, "floor": {"busy": 50}, "for": "5m"},
	"message": "statement {query_id} in {database} has {value:percent} of the load of {load}, mostly {does}",
	"why": "Where one statement has most of the load, making that one cheaper, or calling it less often, helps all others.",
	"action": "Look at its text and its plan: an index, fresh statistics, or fewer calls. It came mostly from role {role}, application {application_name}.",
	"sql": "SELECT calls, mean_exec_time, shared_blks_read, query FROM pg_stat_statements WHERE queryid = {query_id:L};",
	"lock_level": "none"
}$definition$);
