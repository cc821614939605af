-- Statements thrown out of pg_stat_statements for want of room, in the last hour and with the room it has now.
--
-- Without the extension there is nothing to throw out: setup.statements says that it is missing.
SELECT pgdba.define_check(
	check_id => 'statements.evictions',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN i.evictions IS NOT NULL THEN coalesce(w.evictions, 0) END::float8 AS value,
	'evictions' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'max_entries', i.max_entries, 'entries', i.entries, 'version', i.version,
		'suggested', least(2 * i.max_entries, 1000000),
		'reason', CASE WHEN i.sampled_at IS NULL THEN 'its statistics were not sampled'
			WHEN NOT i.preloaded THEN 'pg_stat_statements is not preloaded'
			WHEN i.evictions IS NULL THEN 'version ' || i.version || ' of extension pg_stat_statements does not count evictions'
			END)) AS evidence
FROM pgdba.last_preflight p
LEFT JOIN pgdba.last_statement_info i ON i.sampled_at > p.sampled_at - interval '10 min'
LEFT JOIN (SELECT h.max_entries, sum(h.evictions) AS evictions
	FROM pgdba.hist_statement_info h
	WHERE h.sampled_at > (SELECT l.sampled_at FROM pgdba.last_statement_info l) - interval '1 hour' AND NOT h.gap
	GROUP BY h.max_entries) w ON w.max_entries = i.max_entries
WHERE p.item = 'pg_stat_statements extension' AND p.ok
$check$,
	definition => $definition${
	"title": "Evictions from pg_stat_statements",
	"loop": "storage",
	"probes": ["preflight"],
	"thresholds": {"warning": 10},
	"message": "pg_stat_statements was full {value:count} times in the last hour: it holds {max_entries} statements",
	"why": "Each time the least used statements are thrown out with their counters, so rankings and rates miss what they did.",
	"action": "Raise pg_stat_statements.max and restart the server. Lists of varying length and names made up at run time are what fills it.",
	"sql": "ALTER SYSTEM SET pg_stat_statements.max = {suggested};",
	"lock_level": "none",
	"undo": "ALTER SYSTEM SET pg_stat_statements.max = {max_entries};"
}$definition$);
