-- B-tree indexes with room that a rebuild would give back: estimated from statistics, and measured by pgstattuple
-- where it is installed.
--
-- The estimate is the library's: entries as wide as ANALYZE found the columns, in leaves as full as a rebuild leaves
-- them. Rows with the same key share it, so the number of keys matters as much as their width. Against what REINDEX
-- gave back it is right within 3 % for keys of fixed width and 9 % for text. Where it cannot know how many rows share
-- a key (a few common values beside many rare ones, several columns, a partial index) it rather says too little. An
-- index that grows in random order is two thirds full by nature: a quarter of it would come back, for a while.
--
-- No estimate: keys of type name, expressions without statistics, a table that was never analyzed, an index that is
-- not valid. pgstattuple is asked for the 50 largest, as far as pgdba.pgstattuple_limit goes. Under 1 MB none is
-- listed.
SELECT pgdba.define_probe(
	name => 'index_bloat',
	loop => 'hourly',
	query => $probe$
WITH namespace AS MATERIALIZED (
	SELECT n.oid, n.nspname, CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
		ELSE n.nspname::pg_catalog.text END AS label
	FROM pg_catalog.pg_namespace n
)
SELECT n.nspname::pg_catalog.text AS schema,
	c.relname::pg_catalog.text AS indexname,
	n.label || '.' || CASE WHEN c.relname ~ '[."]' THEN '"' || pg_catalog.replace(c.relname::pg_catalog.text, '"', '""') || '"'
		ELSE c.relname::pg_catalog.text END AS index,
	n.label || '.' || CASE WHEN t.relname ~ '[."]' THEN '"' || pg_catalog.replace(t.relname::pg_catalog.text, '"', '""') || '"'
		ELSE t.relname::pg_catalog.text END AS relation,
	c.oid AS indexrelid,
	t.oid AS relid,
	c.indisexclusion OR n.nspname = 'pg_catalog' AS must_lock,
	nullif(t.reltuples, -1)::pg_catalog.float8 AS table_reltuples,
	pg_catalog.pg_stat_get_mod_since_analyze(t.oid) AS modified_rows,
	pg_catalog.pg_relation_filepath(c.oid) AS size_bytes,
	c.oid AS estimated_bytes,
	CASE WHEN c.place <= 50 THEN c.oid END AS unused_bytes,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT b.oid, b.relname, b.relnamespace, x.indrelid, x.indisexclusion,
		pg_catalog.row_number() OVER (ORDER BY b.relpages DESC, b.oid) AS place
	FROM pg_catalog.pg_class b
	JOIN pg_catalog.pg_am m ON m.oid = b.relam
	JOIN pg_catalog.pg_index x ON x.indexrelid = b.oid
	WHERE b.relkind = 'i' AND m.amname = 'btree' AND b.relpersistence <> 't' AND b.relpages >= 128
		AND (NOT b.relisshared OR pg_catalog.current_database() = pg_catalog.current_setting('pgdba.database'))) c
JOIN pg_catalog.pg_class t ON t.oid = c.indrelid
JOIN namespace n ON n.oid = c.relnamespace
ORDER BY c.place
$probe$,
	key => '{db,schema,indexname}',
	columns => $columns${
	"db": {"help": "Database of the index"},
	"schema": {"kind": "info", "help": "Schema of the index and its table"},
	"indexname": {"kind": "info", "help": "Name of the index"},
	"index": {"kind": "label", "help": "schema.index as one text, for people and dashboards"},
	"relation": {"help": "schema.table as one text"},
	"indexrelid": {"help": "OID of the index"},
	"relid": {"help": "OID of the table"},
	"must_lock": {"help": "Whether it cannot be rebuilt concurrently: of a system catalog, or behind an exclusion constraint"},
	"table_reltuples": {"unit": "rows", "help": "Live rows of the table; NULL until its first vacuum or analyze"},
	"modified_rows": {"unit": "rows", "help": "Rows of the table changed since its last analyze: the more, the less the estimate says"},
	"size_bytes": {"unit": "bytes", "read": "file_size", "help": "Size of its file at that time"},
	"estimated_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_index_estimated_bloat_bytes", "read": "estimated_bloat",
		"help": "Estimate of what a rebuild would give back, as of the last vacuum or analyze; absent without statistics"},
	"unused_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_index_unused_bytes", "read": "unused_bytes",
		"help": "Empty pages, and what its leaves lack of their fillfactor, measured by pgstattuple; absent where it was not asked"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 10000,
	"top": {"n": "top_indexes", "by": ["estimated_bytes", "unused_bytes"]},
	"object": "index:{db:I}/{schema:I}.{indexname:I}"
}$options$);
