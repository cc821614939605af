-- More WAL than usual, in the last 15 minutes: set against what may be expected, 100 percent.
--
-- Expected is at most the mean of the day before and three standard deviations, and never less than 2 MiB/s. Where
-- yesterday at this time there was more, half as much again may come: a job of every night is not reported every night.
-- Without a day of history it is max_wal_size per checkpoint_timeout. Time that was not sampled counts as quiet.
--
-- The day is read only when there is much WAL, and in the storage loop, because that takes a while.
SELECT pgdba.define_check(
	check_id => 'wal.surge',
	query => $check$
WITH recent AS MATERIALIZED (
	SELECT l.sampled_at, l.max_wal_size / l.checkpoint_timeout AS configured, r.bytes, r.bytes / 900.0 AS rate,
		r.full_page_images
	FROM pgdba.last_wal l
	CROSS JOIN LATERAL (SELECT sum(h.written_bytes)::float8 AS bytes, sum(h.full_page_images)::int8 AS full_page_images
		FROM pgdba.hist_wal h WHERE h.sampled_at > l.sampled_at - interval '15 min' AND h.sampled_at <= l.sampled_at) r
	WHERE NOT l.in_recovery AND r.bytes / 900.0 > least(2097152, l.max_wal_size / l.checkpoint_timeout)
), usual AS MATERIALIZED (
	SELECT min(h.sampled_at) < min(r.sampled_at) - interval '23 h' AND count(*) >= 24 AS known,
		avg(h.written_bytes / h.elapsed) AS mean, stddev_pop(h.written_bytes / h.elapsed) AS sigma,
		percentile_cont(0.9) WITHIN GROUP (ORDER BY h.written_bytes / h.elapsed) FILTER (
			WHERE h.sampled_at < r.sampled_at - interval '23 h 30 min') AS yesterday
	FROM recent r CROSS JOIN LATERAL (
		SELECT w.sampled_at, w.written_bytes, w.elapsed FROM pgdba.hist_wal w
		WHERE w.sampled_at > r.sampled_at - interval '24 h 30 min' AND w.sampled_at <= r.sampled_at - interval '15 min'
			AND w.written_bytes IS NOT NULL AND w.elapsed > 0) h
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	100 * r.rate / e.expected AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'bytes_per_second', r.rate, 'bytes', r.bytes, 'expected', e.expected, 'mean', u.mean, 'sigma', u.sigma,
		'yesterday', u.yesterday, 'full_page_images', r.full_page_images,
		'usual', CASE WHEN u.known THEN pg_size_pretty(u.mean::int8) || '/s is usual'
			ELSE pg_size_pretty(r.configured::int8) || '/s is max_wal_size per checkpoint_timeout' END,
		'rows_changed', d.rows_changed, 'db', d.db,
		'cause', CASE WHEN r.full_page_images * 8192 > r.bytes / 2
				THEN 'More than half of it may be whole pages, written after checkpoints: let these be rarer. ' ELSE '' END
			|| coalesce('Most rows were changed in database ' || d.db || ': ' || d.rows_changed || ' of ' || d.all_rows || '. ', '')
	)) AS evidence
FROM recent r
CROSS JOIN usual u
CROSS JOIN LATERAL (SELECT CASE WHEN u.known
	THEN greatest(u.mean + 3 * u.sigma,
		CASE WHEN u.yesterday > u.mean + 3 * u.sigma THEN 1.5 * u.yesterday END, 2097152) ELSE r.configured END AS expected) e
LEFT JOIN LATERAL (SELECT h.db, sum(h.tup_inserted + h.tup_updated + h.tup_deleted) AS rows_changed,
		sum(sum(h.tup_inserted + h.tup_updated + h.tup_deleted)) OVER () AS all_rows
	FROM pgdba.hist_database h
	WHERE h.sampled_at > r.sampled_at - interval '15 min' AND h.sampled_at <= r.sampled_at AND r.rate > e.expected
	GROUP BY h.db HAVING sum(h.tup_inserted + h.tup_updated + h.tup_deleted) > 0
	ORDER BY 2 DESC, 1 LIMIT 1) d ON true
$check$,
	definition => $definition${
	"title": "WAL written",
	"loop": "storage",
	"probes": ["wal", "database"],
	"thresholds": {"warning": 100},
	"message": "{bytes_per_second:bytes}/s of WAL in the last 15 minutes, {usual}",
	"why": "WAL fills the disk of pg_wal, the archive and the network to the standbys, and forces checkpoints.",
	"action": "{cause}Find the job that writes: SELECT * FROM pg_stat_statements ORDER BY wal_bytes DESC LIMIT 10; per-row commits and bulk updates of indexed columns cost most."
}$definition$);
