-- Deadlocks of the last five minutes, as a rate per minute: that of the last minute, or of all five when that is higher.
--
-- A step after a gap is left out: nobody knows when in it they were.
SELECT pgdba.define_check(
	check_id => 'databases.deadlocks',
	query => $check$
SELECT format('database:%I', d.db) AS object,
	d.db AS database,
	CASE WHEN d.deadlocks IS NOT NULL THEN greatest(w.last_minute, w.deadlocks / 5) END::float8 AS value,
	'deadlocks per minute' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'deadlocks', w.deadlocks,
		'what', CASE w.deadlocks WHEN 1 THEN '1 deadlock' ELSE w.deadlocks || ' deadlocks' END,
		'reason', CASE WHEN d.deadlocks IS NULL THEN 'deadlocks of database ' || d.db || ' are not known' END)) AS evidence
FROM pgdba.last_database d
LEFT JOIN (SELECT h.db, sum(h.deadlocks) AS deadlocks,
		sum(h.deadlocks * least(60 / h.elapsed, 1)) FILTER (WHERE h.sampled_at > t.newest - interval '1 min') AS last_minute
	FROM pgdba.hist_database h
	CROSS JOIN (SELECT max(l.sampled_at) AS newest FROM pgdba.last_database l) t
	WHERE h.sampled_at > (SELECT max(l.sampled_at) FROM pgdba.last_database l) - interval '5 min' AND NOT h.gap AND h.elapsed > 0
	GROUP BY h.db) w ON w.db = d.db
WHERE w.deadlocks > 0 OR d.deadlocks IS NULL
ORDER BY value DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Deadlocks",
	"loop": "workload",
	"probes": ["database"],
	"thresholds": {"warning": 0, "critical": 5},
	"message": "{what} in {database} within 5 minutes",
	"why": "The server ends one transaction of each with an error, after all of them have waited for deadlock_timeout.",
	"action": "The server log has the statements of each. Make transactions lock what they share in the same order, and retry those that fail with 40P01."
}$definition$);
