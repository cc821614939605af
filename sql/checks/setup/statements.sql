-- Whether there are statistics of statements: pg_stat_statements preloaded, created in the home database, tracking.
--
-- One finding: the first step that is missing. setup.preflight leaves these items out.
SELECT pgdba.define_check(
	check_id => 'setup.statements',
	query => $check$
SELECT 'setting:' || p.item AS object,
	NULL::text AS database,
	CASE WHEN NOT p.ok THEN 1 END::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'item', p.item, 'detail', p.detail, 'line_to_add', p.line_to_add,
		'extension', CASE WHEN p.item = 'pg_stat_statements extension' THEN 'pg_stat_statements' END,
		'next_step', CASE p.item
			WHEN 'pg_stat_statements' THEN 'Set: ' || p.line_to_add || '. Restart the server'
				|| CASE WHEN p.created THEN '.' ELSE ', then run in the home database: CREATE EXTENSION pg_stat_statements;' END
			WHEN 'pg_stat_statements extension' THEN 'Run the SQL in the home database.'
			ELSE 'Set: ' || p.line_to_add || '. A reload is enough.' END
	)) AS evidence
FROM (SELECT i.*, bool_and(i.ok) FILTER (WHERE i.item = 'pg_stat_statements extension') OVER () AS created
	FROM pgdba.last_preflight i
	WHERE i.item IN ('pg_stat_statements', 'pg_stat_statements extension', 'pg_stat_statements.track')) p
WHERE p.ok IS NOT TRUE
ORDER BY p.item
LIMIT 1
$check$,
	definition => $definition${
	"title": "Statistics of statements",
	"loop": "storage",
	"probes": ["preflight"],
	"thresholds": {"info": 0},
	"message": "{detail}",
	"why": "Without them pgdba cannot say which statements cost what, nor how long they take.",
	"action": "{next_step}",
	"sql": "CREATE EXTENSION {extension:I};",
	"lock_level": "none",
	"undo": "DROP EXTENSION {extension:I};"
}$definition$);
