-- Tables, and TOAST tables, of which half and more than 1 GB is dead or free: what pgstattuple measured, else the
-- estimate.
--
-- The estimate stands on statistics. Where there are none, or where more than a fifth of the rows changed since they
-- were made, a table that might be bloated is unknown. A standby is as bloated as its primary, which says so.
SELECT pgdba.define_check(
	check_id => 'bloat.table',
	query => $check$
WITH file AS MATERIALIZED (
	SELECT b.db, b.schema, b.relname, b.relation, b.relation AS what, b.relkind, b.reltuples, b.schema = 'pg_catalog' AS of_system,
		format('relation:%I/%I.%I', b.db, b.schema, b.relname) AS object, b.size_bytes AS size,
		coalesce(b.unused_bytes, b.estimated_bytes) AS bloat, b.estimated_bytes AS estimated, b.unused_bytes AS unused,
		b.modified_rows AS modified
	FROM pgdba.last_table_bloat b
	WHERE NOT b.in_recovery
	UNION ALL
	SELECT b.db, b.schema, b.relname, b.relation, 'the TOAST table of ' || b.relation, 't', NULL, b.schema = 'pg_catalog',
		format('relation:%I/pg_toast.%I', b.db, b.toast_name), b.toast_size_bytes, b.toast_unused_bytes, NULL, b.toast_unused_bytes, NULL
	FROM pgdba.last_table_bloat b
	WHERE NOT b.in_recovery AND b.toast_unused_bytes IS NOT NULL
), judged AS (
	SELECT f.*, least(f.bloat, f.size) AS bytes, 100.0 * least(f.bloat, f.size) / nullif(f.size, 0) AS percent,
		CASE WHEN f.size IS NULL AND f.bloat > 1073741824 THEN format('the size of %s could not be read', f.what)
			WHEN f.unused IS NOT NULL OR f.size <= 1073741824 THEN NULL
			WHEN f.reltuples IS NULL THEN format('nobody has counted the rows of %s (%s): it was never vacuumed or analyzed',
				f.what, pg_size_pretty(f.size))
			WHEN f.estimated IS NULL THEN format('%s (%s) has a column without statistics', f.what, pg_size_pretty(f.size))
			WHEN f.estimated > 1073741824 AND f.modified > 0.2 * f.reltuples
				THEN format('%s of %s look like bloat, but %s of its %s rows changed since its last analyze',
					pg_size_pretty(f.estimated), f.what, f.modified, f.reltuples) END AS reason
	FROM file f
)
SELECT j.object,
	j.db AS database,
	CASE WHEN j.reason IS NULL THEN j.percent END::float8 AS value,
	'percent' AS unit,
	j.bytes,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', j.relation, 'schema', j.schema, 'relname', j.relname, 'relkind', j.relkind, 'what', j.what,
		'size', j.size, 'bytes', j.bytes, 'estimated', j.estimated, 'measured', j.unused,
		'source', CASE WHEN j.unused IS NULL THEN 'estimated' ELSE 'measured by pgstattuple' END,
		'modified', j.modified, 'reason', j.reason,
		'next_step', CASE
			WHEN j.of_system THEN 'First find what fills it, often temporary tables. Only VACUUM FULL gives it back, '
				'and locks a catalog that every session needs (AccessExclusiveLock): when nobody works.'
			WHEN j.relkind = 'm' THEN 'REFRESH MATERIALIZED VIEW gives it back, and locks the view against reads meanwhile '
				'(AccessExclusiveLock); CONCURRENTLY does not.'
			ELSE 'When the table will not fill it again, pg_repack gives it back with short locks. VACUUM FULL does too, '
				'but locks the table against reads and writes until it is rewritten (AccessExclusiveLock).' END
	)) AS evidence
FROM judged j
WHERE j.reason IS NOT NULL OR j.percent > 0
ORDER BY j.reason IS NOT NULL OR j.bytes > 1073741824 DESC, j.reason IS NULL DESC, j.percent DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Bloated tables",
	"loop": "hourly",
	"probes": ["table_bloat"],
	"thresholds": {"info": 30, "warning": 50, "for": "1h", "floor": {"bytes": 1073741824}},
	"message": "{value:percent} of {what} in {database} is bloat ({bytes:bytes} of {size:bytes}, {source})",
	"why": "Scans, backups and the cache carry the empty room too; new rows fill it, but its file does not get smaller.",
	"action": "VACUUM makes room for new rows, and gives back what is free at the end of the file, no more. {next_step}",
	"sql": "VACUUM (VERBOSE, ANALYZE) {schema:I}.{relname:I};",
	"lock_level": "ShareUpdateExclusiveLock",
	"symptom_of": "vacuum.dead_tuples"
}$definition$);
