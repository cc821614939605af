-- Foreign keys with a fault: no index that finds the rows which refer to a given one, columns of other types than those
-- that they refer to, or rows that were never checked.
--
-- An index supports a foreign key when it begins with its columns, in any order, with the collations of the columns, and
-- is neither partial nor invalid nor a BRIN index. A foreign key of a partitioned table is one row, supported when it is on
-- every partition; size and counters are those of all partitions. Between types that differ an index may be of no use.
--
-- An update of what is referred to searches the table only when it changes the key, and then it is no HOT update.
SELECT pgdba.define_probe(
	name => 'foreign_key',
	loop => 'hourly',
	query => $probe$
WITH RECURSIVE server AS MATERIALIZED (
	SELECT greatest(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid),
		least(b.stats_reset, w.stats_reset, a.stats_reset)) AS stats_reset
	FROM pg_catalog.pg_database d CROSS JOIN pg_catalog.pg_stat_bgwriter b
		CROSS JOIN pg_catalog.pg_stat_wal w CROSS JOIN pg_catalog.pg_stat_archiver a
	WHERE d.datname = pg_catalog.current_database()
), key AS MATERIALIZED (
	SELECT k.oid, k.conparentid, k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey, k.convalidated, k.confupdtype,
		k.confdeltype, NULL::pg_catalog.bool AS enforced, c.relname, c.relnamespace, c.relkind
	FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
	WHERE k.contype = 'f' AND c.relpersistence <> 't'
), part AS (
	-- Each foreign key with those that it has on partitions. It has others, of its own table, for the partitions it refers to.
	SELECT k.oid AS top, k.oid, k.conrelid, k.conkey, k.relkind FROM key k WHERE k.conparentid = 0
	UNION ALL
	SELECT p.top, k.oid, k.conrelid, k.conkey, k.relkind FROM part p JOIN key k ON k.conparentid = p.oid AND k.conrelid <> p.conrelid
), unsupported AS MATERIALIZED (
	SELECT p.top, pg_catalog.count(*) AS tables FROM part p
	WHERE p.relkind <> 'p' AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_index x
		JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
		JOIN pg_catalog.pg_am m ON m.oid = i.relam
		WHERE x.indrelid = p.conrelid AND x.indisvalid AND x.indisready AND x.indislive AND x.indpred IS NULL
			AND m.amname <> 'brin' AND x.indnkeyatts >= pg_catalog.cardinality(p.conkey)
			AND (x.indkey::pg_catalog.int8[])[0:pg_catalog.cardinality(p.conkey) - 1] @> p.conkey::pg_catalog.int8[]
			AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, pg_catalog.cardinality(p.conkey) - 1) s (place)
				JOIN pg_catalog.pg_attribute a ON a.attrelid = p.conrelid AND a.attnum = x.indkey[s.place]
				WHERE x.indcollation[s.place] <> a.attcollation))
	GROUP BY p.top
), pair AS MATERIALIZED (
	SELECT k.oid, pg_catalog.jsonb_agg(a.attname::pg_catalog.text ORDER BY u.place) AS columns,
		pg_catalog.jsonb_agg(r.attname::pg_catalog.text ORDER BY u.place) AS referred_columns,
		(pg_catalog.array_agg(a.attname || ' is ' || pg_catalog.format_type(a.atttypid, NULL) || ', ' || r.attname || ' is '
			|| pg_catalog.format_type(r.atttypid, NULL) ORDER BY u.place) FILTER (WHERE NOT base.same))[1] AS mismatch
	FROM key k
	CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) WITH ORDINALITY u (number, referred, place)
	JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
	JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.referred
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	JOIN pg_catalog.pg_type y ON y.oid = r.atttypid
	CROSS JOIN LATERAL (SELECT pg_catalog.count(DISTINCT CASE b.type WHEN 'pg_catalog.varchar'::pg_catalog.regtype
			THEN 'pg_catalog.text'::pg_catalog.regtype ELSE b.type END) = 1 AS same
		FROM (VALUES (coalesce(nullif(t.typbasetype, 0), t.oid)), (coalesce(nullif(y.typbasetype, 0), y.oid))) b (type)) base
	WHERE k.conparentid = 0
	GROUP BY k.oid
), fault AS MATERIALIZED (
	SELECT k.*, p.columns, p.referred_columns, p.mismatch, u.top IS NULL AS has_index
	FROM key k
	JOIN pair p ON p.oid = k.oid
	LEFT JOIN unsupported u ON u.top = k.oid
	WHERE u.top IS NOT NULL OR p.mismatch IS NOT NULL OR NOT k.convalidated
), leaf AS (
	SELECT DISTINCT e.relid AS top, e.relid AS oid FROM fault f CROSS JOIN LATERAL (VALUES (f.conrelid), (f.confrelid)) e (relid)
	UNION ALL
	SELECT l.top, c.oid FROM leaf l JOIN pg_catalog.pg_inherits i ON i.inhparent = l.oid
		JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
), content AS MATERIALIZED (
	SELECT l.top, pg_catalog.string_agg(pg_catalog.pg_relation_filepath(l.oid), ' ') AS path,
		pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(l.oid))::pg_catalog.int8 AS deletes,
		pg_catalog.sum(pg_catalog.pg_stat_get_tuples_updated(l.oid) - pg_catalog.pg_stat_get_tuples_hot_updated(l.oid))::pg_catalog.int8
			AS updates
	FROM leaf l
	GROUP BY l.top
)
SELECT n.nspname::pg_catalog.text AS schema,
	f.relname::pg_catalog.text AS relname,
	f.conname::pg_catalog.text AS constraint_name,
	label.child AS relation,
	rn.nspname::pg_catalog.text AS referred_schema,
	r.relname::pg_catalog.text AS referred_relname,
	label.parent AS referred_relation,
	f.columns,
	f.referred_columns,
	CASE f.confdeltype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null'
		WHEN 'd' THEN 'set default' END AS on_delete,
	f.relkind = 'p' AS is_partitioned,
	f.has_index,
	f.mismatch,
	f.convalidated AS is_validated,
	f.enforced AS is_enforced,
	child.path AS size_bytes,
	parent.deletes AS referred_deletes,
	parent.updates AS referred_updates,
	s.stats_reset,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM fault f
CROSS JOIN server s
JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
JOIN content child ON child.top = f.conrelid
JOIN content parent ON parent.top = f.confrelid
CROSS JOIN LATERAL (
	SELECT pg_catalog.max(t.name) FILTER (WHERE t.place = 1) AS child, pg_catalog.max(t.name) FILTER (WHERE t.place = 2) AS parent
	FROM (SELECT w.place, pg_catalog.string_agg(CASE WHEN w.part ~ '[."]' THEN '"' || pg_catalog.replace(w.part, '"', '""') || '"'
			ELSE w.part END, '.' ORDER BY w.number) AS name
		FROM (VALUES (1, 1, n.nspname::pg_catalog.text), (1, 2, f.relname::pg_catalog.text),
			(2, 1, rn.nspname::pg_catalog.text), (2, 2, r.relname::pg_catalog.text)) w (place, number, part)
		GROUP BY w.place) t) label
$probe$,
	key => '{db,schema,relname,constraint_name}',
	columns => $columns${
	"db": {"help": "Database of the table"},
	"schema": {"help": "Schema of the table that refers to another"},
	"relname": {"help": "Name of that table"},
	"constraint_name": {"help": "Name of the foreign key"},
	"relation": {"help": "schema.table as one text"},
	"referred_schema": {"help": "Schema of the table that it refers to"},
	"referred_relname": {"help": "Name of the table that it refers to"},
	"referred_relation": {"help": "schema.table of that table as one text"},
	"columns": {"help": "Its columns, a list"},
	"referred_columns": {"help": "The columns that they refer to, a list"},
	"on_delete": {"help": "What a delete of what it refers to does: no action, restrict, cascade, set null or set default"},
	"is_partitioned": {"help": "Whether the table is partitioned"},
	"has_index": {"help": "Whether an index finds the rows that refer to a given one, on every partition"},
	"mismatch": {"help": "The first two columns whose types differ, and the types; text and varchar do not differ"},
	"is_validated": {"help": "Whether all rows are known to fulfil it"},
	"is_enforced": {"help": "Whether new rows have to fulfil it; NULL before PostgreSQL 18, where they always have to"},
	"size_bytes": {"unit": "bytes", "read": "file_size", "help": "Size of the table, or of its partitions"},
	"referred_deletes": {"kind": "counter", "unit": "rows", "help": "Rows deleted from the table that it refers to"},
	"referred_updates": {"kind": "counter", "unit": "rows",
		"help": "Rows updated there that were no HOT updates: only these can change a key"},
	"stats_reset": {"help": "When the counters began"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 20000,
	"top": {"n": "top_relations", "by": ["size_bytes", "referred_deletes"]},
	"object": "constraint:{db:I}/{schema:I}.{relname:I}.{constraint_name:I}"
}$options$);

-- Whether it is enforced is known from 18 on.
SELECT pgdba.define_probe_variant('foreign_key', 180000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.bool AS enforced', 'k.conenforced AS enforced'))
FROM pgdba.probe p WHERE p.name = 'foreign_key';
