-- Constraints that hold for new rows only: nobody has validated them since they were added. Those that are not enforced, from 18
-- on, are meant to be so.
SELECT pgdba.define_check(
	check_id => 'constraints.not_valid',
	query => $check$
SELECT format('constraint:%I/%I.%I.%I', k.db, k.schema, k.relname, k.constraint_name) AS object,
	k.db AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', k.relation, 'schema', k.schema, 'relname', k.relname, 'constraint', k.constraint_name, 'kind', k.kind, 'size', k.size_bytes,
		'next_step', CASE WHEN k.of_domain
			THEN 'Run: ALTER DOMAIN ... VALIDATE CONSTRAINT. It keeps others from writing the tables that use the domain while it reads them.'
			ELSE 'Validate it: that reads the whole table, while others read and write. When it fails, correct the rows first.' END,
		'table_schema', CASE WHEN NOT k.of_domain THEN k.schema END
	)) AS evidence
FROM pgdba.last_constraint k
WHERE k.is_enforced IS DISTINCT FROM false AND NOT k.in_recovery
ORDER BY k.size_bytes DESC NULLS LAST, k.db, k.schema, k.relname, k.constraint_name
LIMIT 100
$check$,
	definition => $definition${
	"title": "Constraints that are not validated",
	"loop": "hourly",
	"probes": ["constraint"],
	"thresholds": {"info": 0},
	"message": "{kind} constraint {constraint} of {relation} in {database} was never validated",
	"why": "Rows from before it may break it, and the planner cannot rely on it.",
	"action": "{next_step}",
	"sql": "ALTER TABLE {table_schema:I}.{relname:I} VALIDATE CONSTRAINT {constraint:I};",
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
