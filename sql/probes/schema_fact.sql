-- What a database consists of, and what of it is out of the ordinary. Tables and so on are those of users and extensions, not
-- temporary ones; a partitioned table is no table here, each of its partitions is one.
--
-- A temporary table outlives its session when the server crashes. Autovacuum removes it, unless the number of the session
-- is in use again by one that has temporary tables, which cannot be told from here: so the orphans are those of numbers that
-- no session of the database has. Before 16 sessions do not show their number.
--
-- Columns are those of tables and partitioned tables, without their partitions. Some types are seldom what was wanted: money follows
-- lc_monetary, timestamp and time leave open which moment is meant, char(n) pads, json is parsed at each use.
SELECT pgdba.define_probe(
	name => 'schema_fact',
	loop => 'hourly',
	query => $probe$
WITH RECURSIVE indexed AS MATERIALIZED (
	SELECT x.indrelid, pg_catalog.count(*) AS indexes, pg_catalog.bool_or(x.indisprimary) AS has_key,
		pg_catalog.bool_or(x.indisreplident AND x.indisvalid) AS has_identity
	FROM pg_catalog.pg_index x
	WHERE x.indrelid >= 16384
	GROUP BY x.indrelid
), member AS MATERIALIZED (
	SELECT c.oid, c.relkind, c.relispartition, c.relnatts, c.relispopulated, c.relreplident, c.relnamespace, c.relpersistence,
		c.relname, CASE WHEN c.relpersistence = 't' AND c.relkind IN ('r', 't') THEN pg_catalog.age(c.relfrozenxid) END AS temp_age,
		coalesce(i.indexes, 0) AS indexes, coalesce(i.has_key, false) AS has_key,
		coalesce(i.has_identity, false) AS has_identity
	FROM pg_catalog.pg_class c LEFT JOIN indexed i ON i.indrelid = c.oid
	WHERE c.oid >= 16384
), most AS MATERIALIZED (
	SELECT m.indexes, n.nspname::pg_catalog.text AS schema, m.relname::pg_catalog.text AS relname
	FROM member m JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
	WHERE m.indexes > 0 AND m.relkind <> 't'
	ORDER BY m.indexes DESC, m.oid LIMIT 1
), typed AS (
	SELECT pg_catalog.count(*) FILTER (WHERE a.atttypid = 'pg_catalog.money'::pg_catalog.regtype) AS money_columns,
		pg_catalog.count(*) FILTER (WHERE a.atttypid = 'pg_catalog.timestamp'::pg_catalog.regtype) AS timestamp_columns,
		pg_catalog.count(*) FILTER (WHERE a.atttypid = 'pg_catalog.timetz'::pg_catalog.regtype) AS timetz_columns,
		pg_catalog.count(*) FILTER (WHERE a.atttypid = 'pg_catalog.bpchar'::pg_catalog.regtype AND a.atttypmod > 0) AS padded_columns,
		pg_catalog.count(*) FILTER (WHERE a.atttypid = 'pg_catalog.json'::pg_catalog.regtype) AS json_columns,
		pg_catalog.count(*) FILTER (WHERE a.atttypid IN ('pg_catalog.regcollation'::pg_catalog.regtype,
			'pg_catalog.regconfig'::pg_catalog.regtype, 'pg_catalog.regdictionary'::pg_catalog.regtype,
			'pg_catalog.regnamespace'::pg_catalog.regtype, 'pg_catalog.regoper'::pg_catalog.regtype,
			'pg_catalog.regoperator'::pg_catalog.regtype, 'pg_catalog.regproc'::pg_catalog.regtype,
			'pg_catalog.regprocedure'::pg_catalog.regtype)) AS unportable_columns,
		pg_catalog.count(*) FILTER (WHERE k.indrelid IS NOT NULL) AS narrow_keys
	FROM member m
	JOIN pg_catalog.pg_attribute a ON a.attrelid = m.oid
	LEFT JOIN pg_catalog.pg_index k ON k.indrelid = m.oid AND k.indisprimary AND k.indnkeyatts = 1 AND k.indkey[0] = a.attnum
		AND a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype)
	WHERE m.relkind IN ('r', 'p') AND m.relpersistence <> 't' AND NOT m.relispartition AND a.attnum > 0 AND NOT a.attisdropped
), reads AS MATERIALIZED (
	SELECT DISTINCT w.ev_class AS reader, d.refobjid AS view
	FROM pg_catalog.pg_rewrite w
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
		AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
	JOIN member m ON m.oid = d.refobjid AND m.relkind IN ('v', 'm')
	JOIN member o ON o.oid = w.ev_class AND o.relkind IN ('v', 'm')
	WHERE w.oid >= 16384 AND w.rulename = '_RETURN'
), nested (view, depth) AS (
	SELECT m.oid, 1 FROM member m WHERE m.relkind IN ('v', 'm')
	UNION
	SELECT r.reader, n.depth + 1 FROM nested n JOIN reads r ON r.view = n.view WHERE n.depth < 32
), deepest AS (
	SELECT v.depth, n.nspname::pg_catalog.text AS schema, m.relname::pg_catalog.text AS relname
	FROM nested v JOIN member m ON m.oid = v.view JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
	ORDER BY v.depth DESC, v.view LIMIT 1
), relations AS (
	SELECT pg_catalog.count(*) FILTER (WHERE m.relkind = 'r' AND m.relpersistence <> 't') AS tables,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'p') AS partitioned_tables,
		pg_catalog.count(*) FILTER (WHERE m.relkind IN ('r', 'f') AND m.relispartition) AS partitions,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'i' AND m.relpersistence <> 't' AND m.relnamespace <> 'pg_toast'::pg_catalog.regnamespace) AS indexes,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'v' AND m.relpersistence <> 't') AS views,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'm') AS materialized_views,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'm' AND NOT m.relispopulated) AS unpopulated_views,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'S' AND m.relpersistence <> 't') AS sequences,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'f') AS foreign_tables,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 't' AND m.relpersistence <> 't') AS toast_tables,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'c') AS composite_types,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'r' AND m.relpersistence = 'u') AS unlogged_tables,
		pg_catalog.count(*) FILTER (WHERE m.relkind IN ('r', 'p') AND m.relpersistence <> 't' AND NOT m.relispartition AND NOT m.has_key)
			AS tables_without_primary_key,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'r' AND m.relpersistence = 'p' AND (m.relreplident = 'n'
			OR m.relreplident = 'd' AND NOT m.has_key OR m.relreplident = 'i' AND NOT m.has_identity)) AS tables_without_replica_identity,
		pg_catalog.count(*) FILTER (WHERE m.relkind IN ('r', 'p') AND m.relpersistence <> 't' AND m.relnatts > 500) AS wide_tables,
		pg_catalog.max(m.relnatts) FILTER (WHERE m.relkind IN ('r', 'p') AND m.relpersistence <> 't') AS most_columns,
		pg_catalog.count(*) FILTER (WHERE m.relkind = 'r' AND m.relpersistence = 't') AS temp_tables,
		pg_catalog.max(m.temp_age) AS temp_xid_age
	FROM member m
)
SELECT r.tables,
	r.partitioned_tables,
	r.partitions,
	r.indexes,
	r.views,
	r.materialized_views,
	r.unpopulated_views,
	r.sequences,
	r.foreign_tables,
	r.toast_tables,
	r.composite_types,
	r.unlogged_tables,
	r.tables_without_primary_key,
	r.tables_without_replica_identity,
	r.wide_tables,
	r.most_columns::pg_catalog.int8 AS most_columns,
	t.indexes AS most_indexes,
	t.schema AS most_indexes_schema,
	t.relname AS most_indexes_relname,
	r.temp_tables,
	NULL::pg_catalog.int8 AS orphaned_temp_tables,
	r.temp_xid_age::pg_catalog.int8 AS temp_xid_age,
	g.triggers,
	g.disabled_triggers,
	g.disabled_foreign_keys,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_rewrite w WHERE w.oid >= 16384 AND w.rulename <> '_RETURN') AS rules,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D') AS event_triggers,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_foreign_server v WHERE v.oid >= 16384) AS foreign_servers,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0) AS foreign_keys,
	(SELECT coalesce(pg_catalog.sum(k.same - 1), 0)::pg_catalog.int8 FROM (
		SELECT pg_catalog.count(*) AS same FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0
		GROUP BY c.conrelid, c.confrelid, c.conkey, c.confkey) k) AS duplicate_foreign_keys,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_statistic_ext x) AS statistics_objects,
	y.money_columns,
	y.timestamp_columns,
	y.timetz_columns,
	y.padded_columns,
	y.json_columns,
	y.unportable_columns,
	y.narrow_keys,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_depend d JOIN member m ON m.oid = d.objid AND m.relkind = 'S'
		WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
			AND d.refobjsubid > 0 AND d.deptype = 'a') AS serial_columns,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_index x JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
		JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod AND a.amname = 'btree'
		WHERE x.indexrelid >= 16384 AND o.opcintype = 'pg_catalog.anyarray'::pg_catalog.regtype) AS array_indexes,
	coalesce(e.depth, 0)::pg_catalog.int8 AS view_depth,
	e.schema AS deepest_view_schema,
	e.relname AS deepest_view_relname,
	(SELECT pg_catalog.sum(c.relpages) FROM pg_catalog.pg_class c WHERE NOT c.relisshared)
		* pg_catalog.current_setting('block_size')::pg_catalog.int8 AS estimated_bytes
FROM relations r
CROSS JOIN typed y
LEFT JOIN most t ON true
LEFT JOIN deepest e ON true
CROSS JOIN (SELECT pg_catalog.count(*) FILTER (WHERE NOT o.tgisinternal) AS triggers,
		pg_catalog.count(*) FILTER (WHERE NOT o.tgisinternal AND o.tgenabled = 'D') AS disabled_triggers,
		pg_catalog.count(DISTINCT o.tgconstraint) FILTER (WHERE o.tgisinternal AND o.tgenabled = 'D') AS disabled_foreign_keys
	FROM pg_catalog.pg_trigger o) g
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Name of the database"},
	"tables": {"kind": "gauge", "unit": "tables", "metric": "pg_schema_tables", "help": "Tables, among them the partitions"},
	"partitioned_tables": {"help": "Partitioned tables, at every level"},
	"partitions": {"help": "Partitions that have rows of their own"},
	"indexes": {"kind": "gauge", "unit": "indexes", "metric": "pg_schema_indexes",
		"help": "Indexes, without those on TOAST tables and partitioned tables"},
	"views": {"help": "Views"},
	"materialized_views": {"help": "Materialized views"},
	"unpopulated_views": {"help": "Materialized views that were never filled, and cannot be queried"},
	"sequences": {"help": "Sequences"},
	"foreign_tables": {"help": "Foreign tables"},
	"toast_tables": {"help": "TOAST tables"},
	"composite_types": {"help": "Types made of columns, without those of tables"},
	"unlogged_tables": {"kind": "gauge", "unit": "tables", "metric": "pg_schema_unlogged_tables",
		"help": "Tables that a crash empties and standbys lack"},
	"tables_without_primary_key": {"kind": "gauge", "unit": "tables", "metric": "pg_schema_tables_without_primary_key",
		"help": "Tables and partitioned tables without a primary key; partitions are not counted"},
	"tables_without_replica_identity": {"help": "Logged tables by whose rows logical replication cannot find an updated or deleted one"},
	"wide_tables": {"help": "Tables of more than 500 columns, dropped ones included: at 1,600 none can be added"},
	"most_columns": {"help": "Columns of the table that has most, dropped ones included"},
	"most_indexes": {"help": "Indexes of the table that has most"},
	"most_indexes_schema": {"help": "Schema of that table"},
	"most_indexes_relname": {"help": "Name of that table"},
	"temp_tables": {"kind": "gauge", "unit": "tables", "metric": "pg_schema_temp_tables", "help": "Temporary tables"},
	"orphaned_temp_tables": {"kind": "gauge", "unit": "tables", "metric": "pg_schema_orphaned_temp_tables",
		"help": "Temporary tables that a session of a number nobody has left behind; absent before PostgreSQL 16"},
	"temp_xid_age": {"kind": "gauge", "unit": "transactions", "metric": "pg_schema_temp_xid_age",
		"help": "Age of the oldest transaction ID in a temporary table, which autovacuum does not freeze"},
	"triggers": {"help": "Triggers, without those that foreign keys have"},
	"disabled_triggers": {"kind": "gauge", "unit": "triggers", "metric": "pg_schema_disabled_triggers",
		"help": "Triggers that are disabled"},
	"disabled_foreign_keys": {"kind": "gauge", "unit": "constraints", "metric": "pg_schema_disabled_foreign_keys",
		"help": "Foreign keys and other constraints whose triggers are disabled, so that they do not hold"},
	"rules": {"help": "Rules, without those that make views"},
	"event_triggers": {"help": "Event triggers that are enabled"},
	"foreign_servers": {"help": "Foreign servers"},
	"foreign_keys": {"help": "Foreign keys, without those of partitions that come from above"},
	"duplicate_foreign_keys": {"unit": "constraints",
		"help": "Foreign keys that say the same as another of their table, and make each change of a row be looked up twice"},
	"statistics_objects": {"help": "Objects with extended statistics"},
	"money_columns": {"unit": "columns", "help": "Columns of type money, whose values mean something else when lc_monetary changes"},
	"timestamp_columns": {"unit": "columns", "help": "Columns of type timestamp without time zone"},
	"timetz_columns": {"unit": "columns", "help": "Columns of type time with time zone, which no rule for summer time can be applied to"},
	"padded_columns": {"unit": "columns", "help": "Columns of type char(n), which are filled up with spaces"},
	"json_columns": {"unit": "columns", "help": "Columns of type json instead of jsonb"},
	"unportable_columns": {"unit": "columns",
		"help": "Columns of types such as regproc that store an OID which pg_upgrade does not keep: it refuses the database"},
	"narrow_keys": {"unit": "columns",
		"help": "Columns of type integer or smallint that are a primary key by themselves: there are 2,147,483,647 or 32,767 values"},
	"serial_columns": {"unit": "columns", "help": "Columns that own a sequence without being an identity, as serial makes them"},
	"array_indexes": {"unit": "indexes", "help": "B-tree indexes that begin with an array, which find whole arrays, never an element"},
	"view_depth": {"unit": "views", "help": "Views that stand on each other at the deepest place: 1 for one that reads tables only"},
	"deepest_view_schema": {"help": "Schema of the view on top there"},
	"deepest_view_relname": {"help": "Name of that view"},
	"estimated_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_schema_estimated_bytes",
		"help": "Size of all relations of the database as of their last vacuum or analyze"}
}$columns$,
	scope => 'database',
	options => '{"object": "database:{db:I}"}');

-- From 16 on sessions show the number that is in the name of their temporary schema.
SELECT pgdba.define_probe_variant('schema_fact', 160000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.int8 AS orphaned_temp_tables', $piece$(SELECT pg_catalog.count(*) FROM member m
		WHERE m.relkind = 'r' AND m.relpersistence = 't' AND m.relnamespace NOT IN (
			SELECT n.oid FROM pg_catalog.pg_stat_get_backend_idset() b (number)
			JOIN pg_catalog.pg_database d ON d.oid = pg_catalog.pg_stat_get_backend_dbid(b.number)
			JOIN pg_catalog.pg_namespace n ON n.nspname = ('pg_temp_' || b.number::pg_catalog.text)::pg_catalog.name
			WHERE d.datname = pg_catalog.current_database()
				AND pg_catalog.pg_stat_get_backend_pid(b.number) <> pg_catalog.pg_backend_pid())) AS orphaned_temp_tables$piece$))
FROM pgdba.probe p WHERE p.name = 'schema_fact';
