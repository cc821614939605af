-- More sessions at work than there are CPUs, over the last five minutes: whatever they wait for, somebody waits for them.
--
-- Load counts sessions that are active, on a CPU or waiting. Below 300 samples of them there is no verdict: it is unknown when they
-- looked like load, and ok when there were few because little was done.
SELECT pgdba.define_check(
	check_id => 'load.above_cpus',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span, (array_agg(t.cpus ORDER BY t.sampled_at DESC))[1] AS cpus
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), wait AS MATERIALIZED (
	SELECT w.* FROM newest n CROSS JOIN LATERAL (SELECT h.db, h.query_id, h.class, h.samples, h.seconds FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at AND h.state = 'active') w
), load AS MATERIALIZED (
	SELECT l.span, l.cpus, coalesce(w.samples, 0) AS samples, coalesce(w.seconds, 0) / nullif(l.span, 0) AS sessions
	FROM looked l CROSS JOIN (SELECT sum(a.samples)::int8 AS samples, sum(a.seconds) AS seconds FROM wait a) w
), class AS MATERIALIZED (
	SELECT w.class, sum(w.seconds) / l.span AS sessions FROM wait w CROSS JOIN load l GROUP BY w.class, l.span
), most AS (
	SELECT w.db, w.query_id, 100 * sum(w.seconds) / (l.sessions * l.span) AS share
	FROM wait w CROSS JOIN load l WHERE w.query_id IS NOT NULL GROUP BY w.db, w.query_id, l.sessions, l.span
	ORDER BY 3 DESC, 1, 2 LIMIT 1
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN l.samples >= 300 THEN l.sessions / l.cpus END AS value,
	'times' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'load', round(l.sessions::numeric, 1), 'cpus', l.cpus, 'samples', l.samples, 'observed_seconds', l.span,
		'classes', (SELECT jsonb_object_agg(c.class, round(c.sessions::numeric, 2)) FROM class c),
		'class', m.class, 'db', q.db, 'query_id', q.query_id, 'query_percent', round(q.share::numeric, 1),
		'reason', CASE WHEN l.cpus IS NULL THEN 'the number of CPUs is not known'
			WHEN l.samples < 300 THEN 'only ' || l.samples || ' samples of active sessions in ' || pgdba.duration_text(l.span)
				|| ': 300 are needed' END,
		'parts', (SELECT string_agg(c.class || ' ' || round(c.sessions::numeric, 1), ', ' ORDER BY c.sessions DESC, c.class)
			FROM (SELECT * FROM class ORDER BY sessions DESC, class LIMIT 3) c),
		'next_step', CASE m.class
			WHEN 'CPU' THEN 'Most are on a CPU: make the statements below cheaper; load.cpu_starved says whether others take the CPUs.'
			WHEN 'Lock' THEN 'Most wait for locks: locks.storm and pgdba.lock_tree() say who stands at the head.'
			WHEN 'IO' THEN 'Most wait for storage: load.io_bound and load.commit_bound say what for.'
			WHEN 'LWLock' THEN 'Most wait for each other inside the server: let fewer work at a time, with a pooler.'
			WHEN 'Client' THEN 'Most wait for a client that does not take its rows: look at the network and at the application.'
			WHEN 'IPC' THEN 'Most wait for other processes, such as parallel workers or a synchronous standby.'
			ELSE 'pgdba.waits() says what they wait for.' END
	)) AS evidence
FROM load l
LEFT JOIN (SELECT c.class FROM class c ORDER BY c.sessions DESC, c.class LIMIT 1) m ON true
LEFT JOIN most q ON true
WHERE l.samples >= 300 OR l.sessions > 0.5 * coalesce(l.cpus, 0)
$check$,
	definition => $definition${
	"title": "Load above CPUs",
	"loop": "workload",
	"probes": ["wait_tick", "wait"],
	"thresholds": {"warning": 1, "critical": 2, "for": "2m"},
	"message": "load is {load} on {cpus} CPUs in the last {observed_seconds:duration}: {parts}",
	"why": "More sessions want to work than the machine can serve, so each of them takes longer, and others queue up.",
	"action": "{next_step} The SQL lists the statements with most of the load.",
	"sql": "SELECT * FROM pgdba.top_load('5 minutes');",
	"lock_level": "none",
	"symptom_of": "locks.storm"
}$definition$);
