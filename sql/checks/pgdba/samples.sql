-- Whether pgdba itself samples as it should: loops on time and within their budgets, history written, no probe failing.
SELECT pgdba.define_check(
	check_id => 'pgdba.samples',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	count(*)::float8 AS value,
	'problems' AS unit,
	jsonb_build_object('problems', string_agg(p.problem, '; ' ORDER BY p.problem)) AS evidence
FROM (SELECT format('loop %s is late, its last tick was %s ago', h.loop,
			pgdba.duration_text(extract(epoch FROM h.sampled_at - h.last_tick)::float8)) AS problem
		FROM pgdba.last_heartbeat h
		WHERE extract(epoch FROM h.sampled_at - h.last_tick) > 3 * h.interval_seconds
	UNION ALL
	SELECT format('loop %s: %s', h.loop, h.reason)
		FROM pgdba.last_heartbeat h
		WHERE h.degraded AND h.reason NOT LIKE 'failed: %'
	UNION ALL
	SELECT format('probe %s fails: %s', r.probe, r.last_error)
		FROM pgdba.last_probe_run r
		WHERE r.last_error <> '') p
$check$,
	definition => $definition${
	"title": "Sampling by pgdba",
	"loop": "hot",
	"probes": ["heartbeat", "probe_run"],
	"thresholds": {"warning": 0},
	"message": "{problems}",
	"why": "What is not sampled is not judged, and history has a hole.",
	"action": "SELECT * FROM pgdba.loops; and SELECT * FROM pgdba.cost(); show more. Over budget: raise pgdba.<loop>_budget. Published: leave schema pgdba out of the publication."
}$definition$);
