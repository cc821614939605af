-- B-tree indexes of which half and more than 1 GB is empty: what pgstattuple measured, else the estimate.
--
-- The estimate stands on statistics. Where there are none, or where more than a fifth of the rows changed since they
-- were made, an index that might be bloated is unknown. One that grows in random order is two thirds full by nature,
-- so advice begins at 40 %. A standby is as bloated as its primary, which says so.
SELECT pgdba.define_check(
	check_id => 'bloat.index',
	query => $check$
WITH judged AS (
	SELECT f.*, least(f.bloat, f.size_bytes) AS bytes, 100.0 * least(f.bloat, f.size_bytes) / nullif(f.size_bytes, 0) AS percent,
		CASE WHEN f.size_bytes IS NULL AND f.bloat > 1073741824 THEN format('the size of index %s could not be read', f.index)
			WHEN f.unused_bytes IS NOT NULL OR f.size_bytes <= 1073741824 THEN NULL
			WHEN f.estimated_bytes IS NULL THEN format('nothing is known of the width of index %s (%s): no statistics, or a key of type name',
				f.index, pg_size_pretty(f.size_bytes))
			WHEN f.estimated_bytes > 1073741824 AND f.modified_rows > 0.2 * f.table_reltuples
				THEN format('%s of index %s look like bloat, but %s of the %s rows of its table changed since the last analyze',
					pg_size_pretty(f.estimated_bytes), f.index, f.modified_rows, f.table_reltuples) END AS reason
	FROM (SELECT b.*, coalesce(b.unused_bytes, b.estimated_bytes) AS bloat FROM pgdba.last_index_bloat b WHERE NOT b.in_recovery) f
)
SELECT format('index:%I/%I.%I', j.db, j.schema, j.indexname) AS object,
	j.db AS database,
	CASE WHEN j.reason IS NULL THEN j.percent END::float8 AS value,
	'percent' AS unit,
	j.bytes,
	jsonb_strip_nulls(jsonb_build_object(
		'index', j.index, 'relation', j.relation, 'schema', j.schema, 'indexname', j.indexname,
		'size', j.size_bytes, 'bytes', j.bytes, 'needed', j.size_bytes - j.bytes,
		'estimated', j.estimated_bytes, 'measured', j.unused_bytes,
		'source', CASE WHEN j.unused_bytes IS NULL THEN 'estimated' ELSE 'measured by pgstattuple' END,
		'modified', j.modified_rows, 'reason', j.reason,
		'online_schema', CASE WHEN NOT j.must_lock THEN j.schema END,
		'next_step', CASE WHEN j.must_lock
			THEN 'It cannot be rebuilt concurrently. REINDEX INDEX locks the table against writes (ShareLock), and the index '
				'against reads (AccessExclusiveLock): when nobody works.'
			ELSE 'Rebuild it; reads and writes go on. When that fails it leaves an invalid index, which indexes.invalid names.' END
	)) AS evidence
FROM judged j
WHERE j.reason IS NOT NULL OR j.percent > 0
ORDER BY j.reason IS NOT NULL OR j.bytes > 1073741824 DESC, j.reason IS NULL DESC, j.percent DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Bloated indexes",
	"loop": "hourly",
	"probes": ["index_bloat"],
	"thresholds": {"info": 40, "warning": 50, "for": "1h", "floor": {"bytes": 1073741824}},
	"message": "{value:percent} of index {index} on {relation} in {database} is empty ({bytes:bytes} of {size:bytes}, {source})",
	"why": "It takes room on disk and in the cache for nothing, and scans read more of it.",
	"action": "{next_step} It needs about {needed:bytes} of disk meanwhile.",
	"sql": "REINDEX INDEX CONCURRENTLY {online_schema:I}.{indexname:I};",
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
