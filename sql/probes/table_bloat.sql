-- Tables with room that a rewrite would give back: estimated from statistics, and measured by pgstattuple where it is
-- installed.
--
-- The estimate is the library's: rows as they were counted, each as wide as ANALYZE found its columns, laid out as
-- the server does it (alignment, nulls, fillfactor), against the pages that were there at that time. Against what
-- VACUUM FULL gave back it is right within 3 % of the table after deletes and updates, and says 0 to 6 % of a freshly
-- loaded one, at most 8 % where rows have a few bytes and columns of varying width. What dropped columns left in old
-- rows counts, which pgstattuple does not see; the fillfactor does not. A column filled since the last ANALYZE looks
-- like bloat: for that the changes since are here.
--
-- TOAST tables have no statistics: only pgstattuple knows. It reads them, so it is asked for the 50 largest tables,
-- as far as pgdba.pgstattuple_limit goes. Tables under 1 MB are left out, unless nobody has counted their pages yet.
SELECT pgdba.define_probe(
	name => 'table_bloat',
	loop => 'hourly',
	query => $probe$
SELECT n.nspname::pg_catalog.text AS schema,
	c.relname::pg_catalog.text AS relname,
	CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
		ELSE n.nspname::pg_catalog.text END
		|| '.' || CASE WHEN c.relname ~ '[."]' THEN '"' || pg_catalog.replace(c.relname::pg_catalog.text, '"', '""') || '"'
			ELSE c.relname::pg_catalog.text END AS relation,
	c.oid AS relid,
	c.relkind::pg_catalog.text AS relkind,
	nullif(c.reltuples, -1)::pg_catalog.float8 AS reltuples,
	pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS modified_rows,
	pg_catalog.pg_relation_filepath(c.oid) AS size_bytes,
	c.oid AS estimated_bytes,
	CASE WHEN c.place <= 50 THEN c.oid END AS unused_bytes,
	c.toast_name::pg_catalog.text AS toast_name,
	pg_catalog.pg_relation_filepath(c.toast) AS toast_size_bytes,
	CASE WHEN c.place <= 50 THEN c.toast END AS toast_unused_bytes,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT b.*, t.oid AS toast, t.relname AS toast_name,
		pg_catalog.row_number() OVER (ORDER BY b.relpages + coalesce(t.relpages, 0) DESC, b.oid) AS place
	FROM pg_catalog.pg_class b
	LEFT JOIN pg_catalog.pg_class t ON t.oid = b.reltoastrelid
	WHERE b.relkind IN ('r', 'm') AND b.relpersistence <> 't'
		AND (NOT b.relisshared OR pg_catalog.current_database() = pg_catalog.current_setting('pgdba.database'))
		AND (b.relpages + coalesce(t.relpages, 0) >= 128
			OR b.reltuples = -1 AND pg_catalog.pg_stat_get_tuples_inserted(b.oid) >= 10000)) c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY c.place
$probe$,
	key => '{db,schema,relname}',
	columns => $columns${
	"db": {"help": "Database of the table"},
	"schema": {"kind": "info", "help": "Schema of the table"},
	"relname": {"kind": "info", "help": "Name of the table"},
	"relation": {"kind": "label", "help": "schema.table as one text, for people and dashboards"},
	"relid": {"help": "OID of the table"},
	"relkind": {"help": "As in pg_class: r table, m materialized view"},
	"reltuples": {"unit": "rows", "help": "Live rows that the estimate counts on; NULL until the first vacuum or analyze"},
	"modified_rows": {"unit": "rows", "help": "Rows changed since the last analyze: the more, the less the estimate says"},
	"size_bytes": {"unit": "bytes", "read": "file_size", "help": "Size of its file at that time"},
	"estimated_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_table_estimated_bloat_bytes", "read": "estimated_bloat",
		"help": "Estimate of what a rewrite would give back, as of the last vacuum or analyze; absent without statistics"},
	"unused_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_table_unused_bytes", "read": "unused_bytes",
		"help": "Dead or free beyond the fillfactor, measured by pgstattuple; absent where it was not asked"},
	"toast_name": {"help": "Name of its TOAST table, in schema pg_toast"},
	"toast_size_bytes": {"unit": "bytes", "read": "file_size", "help": "Size of the TOAST table's file at that time"},
	"toast_unused_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_table_toast_unused_bytes", "read": "unused_bytes",
		"help": "Dead or free in its TOAST table, measured by pgstattuple; absent where it was not asked"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 10000,
	"top": {"n": "top_relations", "by": ["estimated_bytes", "unused_bytes", "toast_unused_bytes"]},
	"object": "relation:{db:I}/{schema:I}.{relname:I}"
}$options$);
