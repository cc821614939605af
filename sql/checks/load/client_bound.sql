-- The database is not the bottleneck: sessions that work spend most of their time waiting for their clients, and there are CPUs free.
--
-- Counted are active sessions, and others for a second after a statement; sessions that have been idle in a transaction for more than 5 s are
-- left out, because they are forgotten, not at work. Below 300 samples nothing is said.
SELECT pgdba.define_check(
	check_id => 'load.client_bound',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span, (array_agg(t.cpus ORDER BY t.sampled_at DESC))[1] AS cpus
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), forgotten AS MATERIALIZED (
	SELECT count(*) AS sessions FROM pgdba.last_activity a
	WHERE a.state = 'idle in transaction' AND a.sampled_at - a.state_change > interval '5 s'
), wait AS MATERIALIZED (
	SELECT w.* FROM newest n CROSS JOIN LATERAL (SELECT h.db, h.role, h.application_name, h.state, h.class, h.samples, h.seconds
		FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) w
), total AS (
	SELECT l.span, l.cpus, w.samples, w.seconds - w.left_out AS seconds, w.active, w.client - w.left_out AS client, w.writing
	FROM looked l CROSS JOIN LATERAL (SELECT sum(a.samples)::int8 AS samples, sum(a.seconds) AS seconds,
			coalesce(sum(a.seconds) FILTER (WHERE a.state = 'active'), 0) AS active,
			coalesce(sum(a.seconds) FILTER (WHERE a.class = 'Client'), 0) AS client,
			coalesce(sum(a.seconds) FILTER (WHERE a.class = 'Client' AND a.state = 'active'), 0) AS writing,
			least(coalesce(sum(a.seconds) FILTER (WHERE a.state = 'idle in transaction' AND a.class = 'Client'), 0),
				l.span * (SELECT f.sessions FROM forgotten f)) AS left_out
		FROM wait a) w
), origin AS (
	SELECT w.db, w.role, w.application_name FROM wait w WHERE w.class = 'Client' AND w.role IS NOT NULL
	GROUP BY 1, 2, 3 ORDER BY sum(w.seconds) DESC, 1, 2, 3 LIMIT 1
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN t.cpus IS NOT NULL THEN 100 * t.client / nullif(t.seconds, 0) END AS value,
	'percent' AS unit,
	t.seconds / t.span AS sessions,
	jsonb_strip_nulls(jsonb_build_object(
		'working', round((t.seconds / t.span)::numeric, 1), 'load', round((t.active / t.span)::numeric, 1), 'cpus', t.cpus,
		'reading_percent', round((100 * t.writing / nullif(t.client, 0))::numeric, 1),
		'db', o.db, 'role', o.role, 'application_name', o.application_name, 'samples', t.samples, 'observed_seconds', t.span,
		'who', coalesce(nullif(concat_ws(', ', 'role ' || o.role, 'application ' || nullif(o.application_name, '')), ''), 'unknown'),
		'reason', CASE WHEN t.cpus IS NULL THEN 'the number of CPUs is not known' END,
		'next_step', CASE WHEN t.writing * 2 > t.client
			THEN 'The server waits for clients to take their rows: fetch fewer, or look at the network.'
			ELSE 'Look at the application, at the network between both, and at how many statements it sends for one task.' END
	)) AS evidence
FROM total t LEFT JOIN origin o ON true
WHERE t.samples >= 300 AND coalesce(t.active < t.span * t.cpus, true)
$check$,
	definition => $definition${
	"title": "Clients are the bottleneck",
	"loop": "workload",
	"probes": ["wait_tick", "wait", "activity"],
	"thresholds": {"info": 75, "floor": {"sessions": 0.5}},
	"message": "the database is not the bottleneck: {working} sessions wait {value:percent} of the time for clients ({who})",
	"why": "The load is {load} on {cpus} CPUs: tuning the server would not make the application faster.",
	"action": "{next_step}",
	"symptom_of": "load.commit_bound"
}$definition$);
