-- More temporary files than usual, per database, in the worse half of the last ten minutes: set against what may be
-- expected in five minutes, 100 percent.
--
-- Expected is at most the mean of the day before and three standard deviations, and never less than 512 MB. Where
-- yesterday at this time there were more, half as much again may come. Without a day of history it is 1 GB. Time that was
-- not sampled counts as quiet.
--
-- The day is read only for databases with many temporary files, and in the storage loop, because that takes a while.
SELECT pgdba.define_check(
	check_id => 'temp.surge',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_database l
), recent AS MATERIALIZED (
	SELECT h.db, n.sampled_at,
		greatest(coalesce(sum(h.temp_bytes) FILTER (WHERE h.sampled_at > n.sampled_at - interval '5 min'), 0),
			coalesce(sum(h.temp_bytes) FILTER (WHERE h.sampled_at <= n.sampled_at - interval '5 min'), 0))::float8 AS bytes,
		sum(h.temp_files) AS files
	FROM newest n CROSS JOIN LATERAL (SELECT t.db, t.sampled_at, t.temp_bytes, t.temp_files FROM pgdba.hist_database t
		WHERE t.sampled_at > n.sampled_at - interval '10 min' AND t.sampled_at <= n.sampled_at AND t.temp_bytes > 0) h
	GROUP BY h.db, n.sampled_at
), heavy AS MATERIALIZED (
	SELECT * FROM recent r WHERE r.bytes > 536870912
), day AS MATERIALIZED (
	SELECT h.* FROM newest n CROSS JOIN LATERAL (
		SELECT t.db, t.sampled_at, t.temp_bytes * 300 / t.elapsed AS bytes FROM pgdba.hist_database t
		WHERE EXISTS (SELECT FROM heavy) AND t.sampled_at > n.sampled_at - interval '24 h 30 min'
			AND t.sampled_at <= n.sampled_at - interval '10 min' AND t.temp_bytes IS NOT NULL AND t.elapsed > 0) h
)
SELECT format('database:%I', r.db) AS object,
	r.db AS database,
	100 * r.bytes / e.expected AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'bytes', r.bytes, 'files', r.files, 'expected', e.expected, 'mean', u.mean, 'sigma', u.sigma, 'yesterday', u.yesterday,
		'usual', CASE WHEN u.known THEN pg_size_pretty(u.mean::int8) || ' is usual' ELSE 'what is usual is not known yet' END
	)) AS evidence
FROM heavy r
CROSS JOIN LATERAL (
	SELECT min(d.sampled_at) < r.sampled_at - interval '23 h' AND count(*) >= 24 AS known,
		avg(d.bytes) AS mean, stddev_pop(d.bytes) AS sigma,
		percentile_cont(0.9) WITHIN GROUP (ORDER BY d.bytes) FILTER (
			WHERE d.sampled_at < r.sampled_at - interval '23 h 30 min') AS yesterday
	FROM day d WHERE d.db = r.db) u
CROSS JOIN LATERAL (SELECT CASE WHEN u.known
	THEN greatest(u.mean + 3 * u.sigma,
		CASE WHEN u.yesterday > u.mean + 3 * u.sigma THEN 1.5 * u.yesterday END, 536870912) ELSE 1073741824 END AS expected) e
ORDER BY 3 DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Temporary files",
	"loop": "storage",
	"probes": ["database"],
	"thresholds": {"warning": 100},
	"message": "{bytes:bytes} of temporary files in 5 minutes in {database}, {usual}",
	"why": "Sorts and hashes that do not fit into work_mem go to disk: slower by far, and they can fill it.",
	"action": "Find the statements: SELECT * FROM pg_stat_statements ORDER BY temp_blks_written DESC LIMIT 10; give them an index, or their role more work_mem, not everybody."
}$definition$);
