-- Most of the load of the last five minutes waits for storage: data files and temporary files. Commits are load.commit_bound's.
--
-- A session that waits until another one has read the same block waits for storage too.
SELECT pgdba.define_check(
	check_id => 'load.io_bound',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span, (array_agg(t.cpus ORDER BY t.sampled_at DESC))[1] AS cpus
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), wait AS MATERIALIZED (
	SELECT w.*, pgdba.load_kind(w.class, w.event_type, w.event) AS kind
	FROM newest n CROSS JOIN LATERAL (SELECT h.db, h.query_id, h.class, h.event_type, h.event, h.samples, h.seconds FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at AND h.state = 'active') w
), load AS MATERIALIZED (
	SELECT l.span, l.cpus, w.*, 100 * w.seconds / nullif(l.span * l.cpus, 0) AS busy
	FROM looked l CROSS JOIN (SELECT sum(a.samples)::int8 AS samples, sum(a.seconds) AS seconds,
		coalesce(sum(a.seconds) FILTER (WHERE a.kind = 'temp'), 0) AS temp,
		coalesce(sum(a.seconds) FILTER (WHERE a.kind IN ('io', 'temp')), 0) AS io FROM wait a) w
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN l.samples >= 300 THEN 100 * l.io / l.seconds END AS value,
	'percent' AS unit,
	l.busy AS busy,
	jsonb_strip_nulls(jsonb_build_object(
		'sessions', round((l.io / l.span)::numeric, 1), 'load', round((l.seconds / l.span)::numeric, 1), 'cpus', l.cpus,
		'temp_percent', round((100 * l.temp / nullif(l.io, 0))::numeric, 1), 'samples', l.samples, 'observed_seconds', l.span,
		'event', e.event, 'event_percent', round((100 * e.seconds / l.io)::numeric, 1),
		'db', q.db, 'query_id', q.query_id, 'query_percent', round((100 * q.seconds / l.io)::numeric, 1),
		'most', coalesce(', mostly ' || e.event, ''),
		'reason', CASE WHEN l.samples < 300 THEN 'only ' || l.samples || ' samples of active sessions in '
			|| pgdba.duration_text(l.span) || ': 300 are needed' END,
		'next_step', CASE
			WHEN l.temp * 2 > l.io THEN 'It is temporary files: give the statements with most of it an index, or their role more work_mem.'
			WHEN e.event IN ('IO:DataFileRead', 'IPC:BufferIo') THEN
				'It reads: what it needs does not stay in memory. Look for scans of large tables, dead rows, and then for more memory.'
			WHEN e.event = 'IO:DataFileExtend' THEN 'It appends to tables: write in larger pieces, with COPY and fewer indexes.'
			ELSE 'Look at what the storage is able to do, and at who else uses it.' END
	)) AS evidence
FROM load l
LEFT JOIN LATERAL (SELECT w.event_type || ':' || w.event AS event, sum(w.seconds) AS seconds FROM wait w
	WHERE w.kind IN ('io', 'temp') GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT w.db, w.query_id, sum(w.seconds) AS seconds FROM wait w
	WHERE w.kind IN ('io', 'temp') AND w.query_id IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 1) q ON true
WHERE l.samples >= 300 OR l.busy > 50
$check$,
	definition => $definition${
	"title": "Load that waits for storage",
	"loop": "workload",
	"probes": ["wait_tick", "wait"],
	"thresholds": {"warning": 50, "floor": {"busy": 50}, "for": "5m"},
	"message": "{value:percent} of the load of {load} on {cpus} CPUs waits for storage{most}",
	"why": "Storage is what limits the server now: more CPUs or more connections would not make it faster.",
	"action": "{next_step} The SQL lists the statements with most of the load.",
	"sql": "SELECT * FROM pgdba.top_load('5 minutes');",
	"lock_level": "none"
}$definition$);
