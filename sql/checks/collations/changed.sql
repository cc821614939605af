-- Collations whose rules have another version than when the indexes sorted by them were made, as after an upgrade of the
-- operating system, or on a standby with another one than its primary. Value is how many indexes and partitioned tables are
-- sorted by it: with none it is advice.
SELECT pgdba.define_check(
	check_id => 'collations.changed',
	query => $check$
SELECT format('collation:%I/%I.%I', c.db, c.schema, c.collation_name) AS object,
	c.db AS database,
	CASE WHEN c.is_changed THEN (c.indexes + c.partitioned_tables)::float8 END AS value,
	'uses' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'collation', c.collation_text, 'collation_name', c.collation_name, 'provider', c.provider,
		'recorded_version', coalesce(c.recorded_version, 'none'), 'actual_version', coalesce(c.actual_version, 'none'), 'indexes', c.indexes,
		'partitioned_tables', c.partitioned_tables,
		'reason', CASE WHEN c.is_changed IS NULL
			THEN format('no version of collation %s in %s was recorded when it was made', c.collation_text, c.db) END,
		'next_step', CASE WHEN c.in_recovery
			THEN 'This standby sorts by another library than its primary: do not rely on its queries, do not promote it, give it the same release of the system.'
			ELSE 'Run the statements that the first one prints (in psql: \gexec), then the second. A unique index that cannot be rebuilt has rows twice. '
				'Look as well at materialized views, check constraints and ranges of partitions that depend on the order.' END,
		'used', CASE WHEN NOT c.in_recovery AND c.indexes > 0 THEN format('%I.%I', c.schema, c.collation_name) END,
		'refresh_database', CASE WHEN NOT c.in_recovery AND c.collation_text = 'pg_catalog.default' THEN c.db END,
		'refresh_schema', CASE WHEN NOT c.in_recovery AND c.collation_text <> 'pg_catalog.default' THEN c.schema END
	)) AS evidence
FROM pgdba.last_collation c
WHERE c.is_changed OR c.is_changed IS NULL AND c.actual_version IS NOT NULL AND c.indexes + c.partitioned_tables > 0
ORDER BY c.is_changed DESC NULLS LAST, c.indexes + c.partitioned_tables DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Collations whose rules have changed",
	"loop": "hourly",
	"probes": ["collation"],
	"thresholds": {"info": -1, "critical": 0},
	"message": "collation {collation} in {database} was version {recorded_version}, is now {actual_version}; {indexes:count} indexes use it",
	"why": "An index sorted by the old rules is searched by the new ones: rows are not found, unique values come in twice.",
	"action": "{next_step}",
	"sql": ["SELECT format('REINDEX INDEX%s %I.%I;', CASE WHEN NOT x.indisexclusion THEN ' CONCURRENTLY' END, n.nspname, c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' AND {used:L}::regcollation = ANY (x.indcollation);",
		"ALTER DATABASE {refresh_database:I} REFRESH COLLATION VERSION;",
		"ALTER COLLATION {refresh_schema:I}.{collation_name:I} REFRESH VERSION;"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
