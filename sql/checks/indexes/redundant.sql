-- B-tree indexes whose columns are the first ones of a longer index of the same table, with the same operator classes,
-- collations, sort order, expressions and predicate. Advice only: the shorter one is smaller and may be there on purpose.
SELECT pgdba.define_check(
	check_id => 'indexes.redundant',
	query => $check$
SELECT format('index:%I/%I.%I', i.db, i.schema, i.indexname) AS object,
	i.db AS database,
	i.size::float8 AS value,
	'bytes' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'index', i.index, 'relation', i.relation, 'schema', i.schema, 'indexname', i.indexname, 'longer', i.longer,
		'scans', i.scans, 'size', i.size, 'name', format('%I.%I', i.schema, i.indexname),
		'reason', CASE WHEN i.size IS NULL THEN format('the size of %s in %s could not be read', i.index, i.db) END
	)) AS evidence
FROM pgdba.last_index i
WHERE i.longer IS NOT NULL AND NOT i.is_partitioned AND NOT i.in_recovery
ORDER BY i.size DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Indexes that a longer one covers",
	"loop": "storage",
	"probes": ["index"],
	"thresholds": {"info": 10485760},
	"message": "index {index} on {relation} in {database} is the beginning of {longer} ({value:bytes})",
	"why": "The longer index answers the same queries, with somewhat more to read; every write maintains both.",
	"action": "Where writes matter more than the smaller index, drop it; the first statement prints what makes it again.",
	"sql": ["SELECT pg_get_indexdef({name:L}::regclass);", "DROP INDEX CONCURRENTLY {schema:I}.{indexname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
