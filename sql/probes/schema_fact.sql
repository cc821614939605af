-- What a database consists of, and what of it is out of the ordinary. Tables and so on are those of users and extensions, not
-- temporary ones; a partitioned table is no table here, each of its partitions is one.
--
-- A temporary table outlives its session when the server crashes. Autovacuum removes it, unless the number of the session
-- is in use again by one that has temporary tables, which cannot be told from here: so the orphans are those of numbers that
-- no session of the database has. Before 16 sessions do not show their number.
SELECT pgdba.define_probe(
	name => 'schema_fact',
	loop => 'hourly',
	query => $probe$
WITH indexed AS MATERIALIZED (
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
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_statistic_ext x) AS statistics_objects
FROM relations r
LEFT JOIN most t ON true
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
	"statistics_objects": {"help": "Objects with extended statistics"}
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
