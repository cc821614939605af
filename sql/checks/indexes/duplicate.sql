-- Indexes that do what another index of the same table does: same columns in the same order, same operator classes,
-- collations and sort order, same kind, same expressions and predicate. Of two like ones the one to keep is the one that a
-- constraint, a foreign key, the replica identity or a partitioned index stands on, then the unique one, then the
-- older one: the same whichever is used more, or the advice would change from day to day.
SELECT pgdba.define_check(
	check_id => 'indexes.duplicate',
	query => $check$
SELECT format('index:%I/%I.%I', i.db, i.schema, i.indexname) AS object,
	i.db AS database,
	CASE WHEN i.is_partitioned THEN coalesce(p.size, 0) ELSE i.size END::float8 AS value,
	'bytes' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'index', i.index, 'relation', i.relation, 'schema', i.schema, 'indexname', i.indexname, 'keep', i.twin,
		'scans', i.scans, 'is_unique', i.is_unique,
		'size', CASE WHEN i.is_partitioned THEN coalesce(p.size, 0) ELSE i.size END,
		'reason', CASE WHEN NOT i.is_partitioned AND i.size IS NULL
			THEN format('the size of %s in %s could not be read', i.index, i.db) END,
		'next_step', CASE WHEN i.is_partitioned
			THEN 'A partitioned index cannot be dropped concurrently: DROP INDEX locks the table and all partitions, for a moment once it has the locks.'
			ELSE 'Drop it, unless a hint names it; the first statement prints what makes it again.' END,
		'name', CASE WHEN NOT i.is_partitioned THEN format('%I.%I', i.schema, i.indexname) END,
		'drop_schema', CASE WHEN NOT i.is_partitioned THEN i.schema END
	)) AS evidence
FROM pgdba.last_index i
LEFT JOIN LATERAL (SELECT sum(o.size)::int8 AS size FROM pgdba.last_index o
	WHERE i.is_partitioned AND o.db = i.db AND o.root = i.indexrelid) p ON true
WHERE i.twin IS NOT NULL AND NOT i.in_recovery
ORDER BY i.size DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Duplicate indexes",
	"loop": "storage",
	"probes": ["index"],
	"thresholds": {"info": 0, "warning": 104857600},
	"message": "index {index} on {relation} in {database} does nothing that {keep} does not do ({value:bytes})",
	"why": "Every write maintains both, they fill the cache twice, and vacuum goes through both.",
	"action": "{next_step}",
	"sql": ["SELECT pg_get_indexdef({name:L}::regclass);", "DROP INDEX CONCURRENTLY {drop_schema:I}.{indexname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
