-- Indexes that are not valid and that nobody is building, rebuilding or dropping: they cost every write and serve no query.
--
-- The first sample that sees one says nothing yet: between two moments of one sample a build may have ended. Since when one
-- is not valid is known from the samples before, and the newest has to say so as well, unless its database could not be read. A partitioned index is not valid
-- until every partition has its own; that is work under way and gets a day.
SELECT pgdba.define_check(
	check_id => 'indexes.invalid',
	query => $check$
SELECT format('index:%I/%I.%I', f.db, f.schema, f.indexname) AS object,
	f.db AS database,
	f.seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'index', coalesce(f.index, f.schema || '.' || f.indexname), 'relation', f.relation, 'schema', f.schema, 'indexname', f.indexname, 'size', f.size,
		'is_unique', f.is_unique, 'is_ready', f.is_ready, 'is_live', f.is_live,
		'what', CASE f.kind
			WHEN 'copy' THEN 'left by a REINDEX CONCURRENTLY that failed'
			WHEN 'old copy' THEN 'left by a REINDEX CONCURRENTLY that did not get to its end'
			WHEN 'partitioned' THEN 'a partitioned index that lacks a valid index on some partition'
			WHEN 'dropped' THEN 'left by a DROP INDEX CONCURRENTLY that did not get to its end'
			ELSE 'not valid: a CREATE or DROP INDEX CONCURRENTLY of it failed' END,
		'next_step', CASE f.kind
			WHEN 'copy' THEN 'Drop it, then repeat the REINDEX; the index that it was to replace still works.'
			WHEN 'old copy' THEN 'Drop it: the new index has taken its place.'
			WHEN 'partitioned' THEN 'Create the missing index on each partition with CREATE INDEX CONCURRENTLY, then ALTER INDEX ... ATTACH PARTITION.'
			WHEN 'dropped' THEN 'Drop it to the end.'
			WHEN 'kept' THEN 'Rebuild it. A constraint or a partitioned index needs it, so it cannot be dropped by itself.'
			ELSE CASE WHEN f.is_unique THEN 'Remove what is there twice, then rebuild it; or drop it.'
				ELSE 'Rebuild it, or drop it: DROP INDEX CONCURRENTLY.' END END,
		'drop_schema', CASE WHEN f.kind IN ('copy', 'old copy', 'dropped') THEN f.schema END,
		'rebuild_schema', CASE WHEN f.kind IN ('kept', 'build') THEN f.schema END
	)) AS evidence
FROM (SELECT w.db, w.schema, w.indexname, i.index, i.relation, i.is_unique, i.is_ready, i.is_live, i.size,
		extract(epoch FROM w.sampled_at - w.invalid_since)::float8 AS seconds,
		CASE
			WHEN i.db IS NULL THEN 'not seen now'
			WHEN i.is_partitioned THEN 'partitioned'
			WHEN NOT (i.droppable OR i.schema = 'pg_toast') THEN 'kept'
			WHEN w.indexname ~ '_ccnew[0-9]*$' THEN 'copy'
			WHEN w.indexname ~ '_ccold[0-9]*$' THEN 'old copy'
			WHEN NOT i.is_live THEN 'dropped'
			ELSE 'build' END AS kind
	FROM pgdba.last_index_watch w
	LEFT JOIN pgdba.last_index i ON i.db = w.db AND i.indexrelid = w.indexrelid
	WHERE w.invalid_since IS NOT NULL
		AND CASE WHEN i.db IS NOT NULL THEN NOT (i.is_busy OR i.is_valid AND i.is_ready AND i.is_live)
			ELSE w.db NOT IN (SELECT o.db FROM pgdba.last_index o) END) f
WHERE f.kind <> 'partitioned' OR f.seconds > 86400
ORDER BY f.seconds DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Indexes that are not valid",
	"loop": "storage",
	"probes": ["index", "index_watch"],
	"thresholds": {"warning": 0},
	"message": "index {index} on {relation} in {database} is {what}",
	"why": "No query uses it, while writes may have to maintain it all the same; a unique one protects nothing.",
	"action": "{next_step}",
	"sql": ["DROP INDEX CONCURRENTLY {drop_schema:I}.{indexname:I};", "REINDEX INDEX CONCURRENTLY {rebuild_schema:I}.{indexname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
