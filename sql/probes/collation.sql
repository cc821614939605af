-- Collations that indexes or partitions are sorted by: the version of the sorting rules when they were made, and that of the
-- library that sorts now. When the library changes its rules, as glibc and ICU do between releases, what was sorted
-- by the old ones is searched by the new ones.
--
-- The row named default is that of the database. Others are listed when they have a version: C, POSIX and C.UTF-8 of libc
-- never change and have none, nor has any of a library that does not tell.
SELECT pgdba.define_probe(
	name => 'collation',
	loop => 'hourly',
	query => $probe$
WITH used AS MATERIALIZED (
	SELECT u.collation_oid, pg_catalog.count(DISTINCT u.relid) FILTER (WHERE u.is_index) AS indexes,
		pg_catalog.count(DISTINCT u.relid) FILTER (WHERE NOT u.is_index) AS partitioned_tables
	FROM (SELECT k.collation_oid, x.indexrelid AS relid, true AS is_index
		FROM pg_catalog.pg_index x CROSS JOIN LATERAL pg_catalog.unnest(x.indcollation::pg_catalog.oid[]) k (collation_oid)
		WHERE k.collation_oid <> 0
		UNION ALL
		SELECT k.collation_oid, g.partrelid, false
		FROM pg_catalog.pg_partitioned_table g CROSS JOIN LATERAL pg_catalog.unnest(g.partcollation::pg_catalog.oid[]) k (collation_oid)
		WHERE k.collation_oid <> 0 AND g.partstrat = 'r') u
	GROUP BY u.collation_oid
)
SELECT c.schema,
	c.collation_name,
	c.label AS collation_text,
	CASE c.provider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE c.provider END AS provider,
	c.recorded AS recorded_version,
	c.actual AS actual_version,
	CASE WHEN c.recorded IS NOT NULL THEN c.recorded IS DISTINCT FROM c.actual END AS is_changed,
	coalesce(u.indexes, 0) AS indexes,
	coalesce(u.partitioned_tables, 0) AS partitioned_tables,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT o.oid, n.nspname::pg_catalog.text AS schema, o.collname::pg_catalog.text AS collation_name,
		CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
			ELSE n.nspname::pg_catalog.text END || '.' || CASE WHEN o.collname ~ '[."]'
			THEN '"' || pg_catalog.replace(o.collname::pg_catalog.text, '"', '""') || '"' ELSE o.collname::pg_catalog.text END AS label,
		o.collprovider::pg_catalog.text AS provider, o.collversion AS recorded, pg_catalog.pg_collation_actual_version(o.oid) AS actual
	FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
	WHERE o.oid IN (SELECT w.collation_oid FROM used w) AND o.collprovider <> 'd'
	UNION ALL
	SELECT o.oid, 'pg_catalog', 'default', 'pg_catalog.default', d.datlocprovider::pg_catalog.text, d.datcollversion,
		pg_catalog.pg_database_collation_actual_version(d.oid)
	FROM pg_catalog.pg_database d CROSS JOIN pg_catalog.pg_collation o
	WHERE d.datname = pg_catalog.current_database() AND o.collprovider = 'd') c
LEFT JOIN used u ON u.collation_oid = c.oid
WHERE c.collation_name = 'default' AND c.schema = 'pg_catalog' OR c.recorded IS NOT NULL OR c.actual IS NOT NULL
$probe$,
	key => '{db,schema,collation_name}',
	columns => $columns${
	"db": {"help": "Database of the collation"},
	"schema": {"kind": "info", "help": "Schema of the collation"},
	"collation_name": {"kind": "info", "help": "Name of the collation; default is that of the database"},
	"collation_text": {"kind": "label", "help": "schema.collation as one text, for people and dashboards"},
	"provider": {"help": "libc, icu or builtin"},
	"recorded_version": {"help": "Version of its rules when it was made or refreshed; NULL when none was recorded"},
	"actual_version": {"help": "Version of its rules in the library that is loaded; NULL when that has no versions"},
	"is_changed": {"kind": "gauge", "metric": "pg_collation_changed",
		"help": "1 when the two versions differ; absent when none was recorded"},
	"indexes": {"kind": "gauge", "unit": "indexes", "metric": "pg_collation_indexes", "help": "Indexes sorted by it"},
	"partitioned_tables": {"kind": "gauge", "unit": "tables", "metric": "pg_collation_partitioned_tables",
		"help": "Tables partitioned by ranges in its order"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 1000,
	"object": "collation:{db:I}/{schema:I}.{collation_name:I}"
}$options$);
