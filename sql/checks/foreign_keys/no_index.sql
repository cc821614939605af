-- Foreign keys without an index, where it hurts: rows of what they refer to are deleted more than once a day, and each delete
-- reads the whole table. Where rows are only updated it is advice: such an update may change the key, which only then is
-- looked for. Counted is from the reset of the statistics on, and as a day at least.
SELECT pgdba.define_check(
	check_id => 'foreign_keys.no_index',
	query => $check$
SELECT format('constraint:%I/%I.%I.%I', f.db, f.schema, f.relname, f.constraint_name) AS object,
	f.db AS database,
	CASE WHEN f.deletes > 1 THEN f.size_bytes ELSE least(f.size_bytes, 10485760) END::float8 AS value,
	'bytes' AS unit,
	f.deletes + f.updates AS changes_per_day,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', f.relation, 'schema', f.schema, 'relname', f.relname, 'constraint', f.constraint_name, 'columns', f.columns,
		'referred_relation', f.referred_relation, 'on_delete', f.on_delete, 'mismatch', f.mismatch, 'size', f.size_bytes,
		'deletes_per_day', f.deletes, 'updates_per_day', f.updates, 'stats_reset', f.stats_reset,
		'reason', CASE WHEN f.size_bytes IS NULL THEN format('the size of %s in %s could not be read', f.relation, f.db) END,
		'what', CASE WHEN f.deletes > 1 THEN to_char(f.deletes, 'FM999,999,999,990') || ' rows a day are deleted from ' || f.referred_relation
			ELSE to_char(f.updates, 'FM999,999,999,990') || ' rows a day are updated in ' || f.referred_relation END,
		'next_step', CASE WHEN f.is_partitioned
			THEN 'Create the index on each partition with CREATE INDEX CONCURRENTLY, one on the table with CREATE INDEX ON ONLY, then ALTER INDEX ... ATTACH PARTITION.'
			ELSE 'Create it; the columns may be in any order, others may follow.' END,
		'index_schema', CASE WHEN NOT f.is_partitioned THEN f.schema END
	)) AS evidence
FROM (SELECT k.*, k.referred_deletes / d.days AS deletes, k.referred_updates / d.days AS updates
	FROM pgdba.last_foreign_key k
	CROSS JOIN LATERAL (SELECT greatest(extract(epoch FROM k.sampled_at - k.stats_reset)::float8 / 86400, 1) AS days) d
	WHERE NOT k.has_index AND k.is_enforced IS DISTINCT FROM false AND NOT k.in_recovery) f
WHERE f.deletes + f.updates > 1
ORDER BY 3 DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Foreign keys without an index",
	"loop": "hourly",
	"probes": ["foreign_key"],
	"thresholds": {"info": 1048576, "warning": 10485760, "floor": {"changes_per_day": 1}},
	"message": "foreign key {constraint} of {relation} ({size:bytes}) in {database} has no index, and {what}",
	"why": "To see whether a row is still referred to, each such statement reads the whole table, with locks held meanwhile.",
	"action": "{next_step}",
	"sql": "CREATE INDEX CONCURRENTLY ON {index_schema:I}.{relname:I} ({columns:I});",
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
