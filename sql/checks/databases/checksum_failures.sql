-- Pages whose checksum was wrong: by the age of the last failure, because the count stays until statistics are reset.
SELECT pgdba.define_check(
	check_id => 'databases.checksum_failures',
	query => $check$
SELECT format('database:%I', d.db) AS object,
	d.db AS database,
	CASE WHEN d.checksum_last_failure > d.sampled_at THEN 0
		ELSE extract(epoch FROM d.sampled_at - d.checksum_last_failure) END::float8 AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'failures', d.checksum_failures, 'last_failure', d.checksum_last_failure, 'stats_reset', d.stats_reset,
		'what', CASE d.checksum_failures WHEN 1 THEN '1 page read with a wrong checksum'
			ELSE d.checksum_failures || ' reads of pages with a wrong checksum' END,
		'reason', CASE WHEN d.checksum_last_failure IS NULL
			THEN 'when checksums were wrong in database ' || d.db || ' is not known' END)) AS evidence
FROM pgdba.last_database d
WHERE d.checksum_failures > 0
ORDER BY value
LIMIT 100
$check$,
	definition => $definition${
	"title": "Wrong checksums",
	"loop": "workload",
	"probes": ["database"],
	"thresholds": {"warning": 2592000, "critical": 86400, "direction": "below"},
	"message": "{what} in {database}, the last {value:duration} ago: data may be damaged",
	"why": "The page differs from what was written: disk, controller or memory lie, and more pages may be damaged. A backup taken now may be damaged too.",
	"action": "Keep all backups and stop expiring them. The server log names file and block; see whether a standby has the page whole, else restore it from a backup of before. Test disk and memory. Do not turn on ignore_checksum_failure or zero_damaged_pages, and do not rewrite the table.",
	"sql": "SELECT datname, checksum_failures, checksum_last_failure FROM pg_stat_database WHERE checksum_failures > 0;",
	"lock_level": "none"
}$definition$);
