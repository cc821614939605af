-- Advice on how the server is set up. Never worse than info: a server that is set up otherwise is not ill.
-- What concerns pg_stat_statements is said by setup.statements.
SELECT pgdba.define_check(
	check_id => 'setup.preflight',
	query => $check$
SELECT 'setting:' || p.item AS object,
	NULL::text AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_build_object('item', p.item, 'severity', p.severity, 'detail', p.detail, 'line_to_add', p.line_to_add) AS evidence
FROM pgdba.last_preflight p
WHERE NOT p.ok AND p.item NOT IN ('pg_stat_statements', 'pg_stat_statements extension', 'pg_stat_statements.track')
ORDER BY p.item
$check$,
	definition => $definition${
	"title": "Set-up of the server",
	"loop": "storage",
	"probes": ["preflight"],
	"thresholds": {"info": 0},
	"message": "{detail}",
	"why": "pgdba sees more, and keeps more, with it.",
	"action": "Set: {line_to_add}"
}$definition$);
