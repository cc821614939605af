-- Tables as the catalog describes them: size, age, and when autovacuum is due. The counters are those of probe relation.
--
-- Thresholds are computed as the server does it, here and nowhere else: what the table's own storage parameters leave
-- open comes from the settings; a TOAST table without parameters takes those of its table; reltuples of -1 counts as 0;
-- from 18 on there is a maximum, and inserts count against the part that is not frozen yet. To the right of an unqualified
-- relallfrozen stands pg_class where it has that column (from 18), and the constant around it where not.
--
-- Sizes are read from the files by the library: the server's own size functions wait for locks. Catalogs that all
-- databases share go with the home database, temporary tables are left out.
SELECT pgdba.define_probe(
	name => 'table',
	loop => 'storage',
	scope => 'database',
	query => $probe$
WITH setting AS MATERIALIZED (
	SELECT pg_catalog.current_setting('autovacuum_vacuum_threshold')::pg_catalog.float8 AS vacuum_threshold,
		pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::pg_catalog.float8 AS vacuum_scale_factor,
		coalesce(pg_catalog.current_setting('autovacuum_vacuum_max_threshold', true)::pg_catalog.float8, -1) AS max_threshold,
		pg_catalog.current_setting('autovacuum_vacuum_insert_threshold')::pg_catalog.float8 AS insert_threshold,
		pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::pg_catalog.float8 AS insert_scale_factor,
		pg_catalog.current_setting('autovacuum_analyze_threshold')::pg_catalog.float8 AS analyze_threshold,
		pg_catalog.current_setting('autovacuum_analyze_scale_factor')::pg_catalog.float8 AS analyze_scale_factor,
		pg_catalog.current_setting('autovacuum_freeze_max_age')::pg_catalog.float8 AS freeze_max_age,
		pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::pg_catalog.float8 AS multixact_freeze_max_age
), option AS MATERIALIZED (
	SELECT c.oid, pg_catalog.jsonb_object_agg(o.option_name, o.option_value) AS options
	FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.pg_options_to_table(c.reloptions) o
	WHERE c.reloptions IS NOT NULL AND c.relkind IN ('r', 'm', 't')
	GROUP BY c.oid
), storage AS (
	SELECT c.*, o.options, due.*
	FROM (SELECT NULL::pg_catalog.int4 AS relallfrozen) older
	CROSS JOIN LATERAL (
		SELECT b.oid, b.relname, b.relnamespace, b.relkind, b.relpersistence, b.reltoastrelid, b.relispartition,
			b.relpages, b.relallvisible, relallfrozen AS frozen_pages, nullif(b.reltuples, -1)::pg_catalog.float8 AS rows_known,
			greatest(b.reltuples, 0)::pg_catalog.float8 AS rows_counted,
			CASE WHEN b.relfrozenxid <> '0' THEN pg_catalog.age(b.relfrozenxid) END AS xid_age,
			CASE WHEN b.relminmxid <> '0' THEN pg_catalog.mxid_age(b.relminmxid) END AS mxid_age
		FROM pg_catalog.pg_class b
		WHERE b.relkind IN ('r', 'm', 'p', 't') AND b.relpersistence <> 't'
			AND (NOT b.relisshared OR pg_catalog.current_database() = pg_catalog.current_setting('pgdba.database'))) c
	LEFT JOIN option o ON o.oid = c.oid
	LEFT JOIN (SELECT p.reltoastrelid AS toast, r.options FROM option r JOIN pg_catalog.pg_class p ON p.oid = r.oid
		WHERE p.reltoastrelid <> 0) owner ON owner.toast = c.oid AND o.oid IS NULL
	CROSS JOIN setting s
	CROSS JOIN LATERAL (SELECT coalesce(o.options, owner.options) AS own) given
	CROSS JOIN LATERAL (
		SELECT coalesce((own ->> 'autovacuum_enabled')::pg_catalog.bool, true) AS enabled,
			coalesce((own ->> 'autovacuum_vacuum_threshold')::pg_catalog.float8, s.vacuum_threshold) + rows_counted
				* coalesce((own ->> 'autovacuum_vacuum_scale_factor')::pg_catalog.float8, s.vacuum_scale_factor) AS uncapped,
			nullif(coalesce((own ->> 'autovacuum_vacuum_max_threshold')::pg_catalog.float8, s.max_threshold), -1) AS cap,
			nullif(coalesce((own ->> 'autovacuum_vacuum_insert_threshold')::pg_catalog.float8, s.insert_threshold), -1)
				+ rows_counted * CASE WHEN relpages > 0 AND frozen_pages > 0
					THEN 1 - least(frozen_pages, relpages)::pg_catalog.float8 / relpages ELSE 1 END
				* coalesce((own ->> 'autovacuum_vacuum_insert_scale_factor')::pg_catalog.float8, s.insert_scale_factor)
				AS insert_threshold,
			coalesce((own ->> 'autovacuum_analyze_threshold')::pg_catalog.float8, s.analyze_threshold) + rows_counted
				* coalesce((own ->> 'autovacuum_analyze_scale_factor')::pg_catalog.float8, s.analyze_scale_factor)
				AS analyze_threshold,
			least((own ->> 'autovacuum_freeze_max_age')::pg_catalog.float8, s.freeze_max_age) AS freeze_max_age,
			least((own ->> 'autovacuum_multixact_freeze_max_age')::pg_catalog.float8, s.multixact_freeze_max_age)
				AS multixact_freeze_max_age) due
)
SELECT n.nspname::pg_catalog.text AS schema,
	m.relname::pg_catalog.text AS relname,
	label.schema || '.' || label.relname AS relation,
	m.relkind::pg_catalog.text AS relkind,
	m.oid::pg_catalog.int8 AS relid,
	m.relpersistence::pg_catalog.text AS persistence,
	i.inhparent::pg_catalog.int8 AS parent_relid,
	pg_catalog.pg_relation_filepath(m.oid) AS size_bytes,
	pg_catalog.pg_relation_filepath(t.oid) AS toast_size_bytes,
	m.rows_known AS reltuples,
	m.relpages::pg_catalog.int8 AS relpages,
	m.relallvisible::pg_catalog.int8 AS relallvisible,
	m.frozen_pages::pg_catalog.int8 AS relallfrozen,
	greatest(m.xid_age, t.xid_age)::pg_catalog.int8 AS xid_age,
	greatest(m.mxid_age, t.mxid_age)::pg_catalog.int8 AS mxid_age,
	100 * greatest(m.xid_age / m.freeze_max_age, t.xid_age / t.freeze_max_age) AS pct_freeze_max_age,
	100 * greatest(m.mxid_age / m.multixact_freeze_max_age, t.mxid_age / t.multixact_freeze_max_age)
		AS pct_multixact_freeze_max_age,
	m.freeze_max_age::pg_catalog.int8 AS freeze_max_age,
	m.multixact_freeze_max_age::pg_catalog.int8 AS multixact_freeze_max_age,
	CASE WHEN m.relkind <> 'p' THEN m.enabled END AS autovacuum_enabled,
	CASE WHEN m.relkind <> 'p' THEN least(m.uncapped, m.cap) END AS vacuum_threshold,
	CASE WHEN m.relkind <> 'p' THEN m.insert_threshold END AS insert_threshold,
	CASE WHEN m.relkind <> 'p' THEN m.analyze_threshold END AS analyze_threshold,
	m.options,
	t.oid::pg_catalog.int8 AS toast_relid,
	t.xid_age::pg_catalog.int8 AS toast_xid_age,
	t.mxid_age::pg_catalog.int8 AS toast_mxid_age,
	t.enabled AS toast_autovacuum_enabled,
	least(t.uncapped, t.cap) AS toast_vacuum_threshold,
	t.insert_threshold AS toast_insert_threshold,
	t.options AS toast_options
FROM storage m
JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
LEFT JOIN storage t ON t.oid = m.reltoastrelid AND t.relkind = 't'
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = m.oid AND m.relispartition
CROSS JOIN LATERAL (
	SELECT CASE WHEN pg_catalog.strpos(part.schema, '.') + pg_catalog.strpos(part.schema, '"') > 0
			THEN '"' || pg_catalog.replace(part.schema, '"', '""') || '"' ELSE part.schema END AS schema,
		CASE WHEN pg_catalog.strpos(part.relname, '.') + pg_catalog.strpos(part.relname, '"') > 0
			THEN '"' || pg_catalog.replace(part.relname, '"', '""') || '"' ELSE part.relname END AS relname
	FROM (SELECT n.nspname::pg_catalog.text AS schema, m.relname::pg_catalog.text AS relname) part) label
WHERE m.relkind <> 't'
$probe$,
	key => '{schema,relname}',
	columns => $columns${
	"schema": {"kind": "info", "help": "Schema of the table"},
	"relname": {"kind": "info", "help": "Name of the table"},
	"relation": {"kind": "label", "help": "schema.table as one text, for people and dashboards"},
	"relkind": {"kind": "label", "help": "As in pg_class: r table, m materialized view, p partitioned table"},
	"relid": {"help": "OID of the table"},
	"persistence": {"help": "As in pg_class: p permanent, u unlogged"},
	"parent_relid": {"help": "OID of the partitioned table that it is a partition of"},
	"size_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_relation_size_bytes", "read": "file_size",
		"help": "Size of the table without its indexes and its TOAST table"},
	"toast_size_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_relation_toast_size_bytes", "read": "file_size",
		"help": "Size of its TOAST table without the index"},
	"reltuples": {"kind": "gauge", "unit": "rows", "metric": "pg_table_reltuples",
		"help": "Live rows as the planner and autovacuum count them; absent until the first vacuum or analyze"},
	"relpages": {"kind": "gauge", "unit": "blocks", "metric": "pg_table_relpages",
		"help": "Blocks as of the last vacuum or analyze"},
	"relallvisible": {"kind": "gauge", "unit": "blocks", "metric": "pg_table_all_visible_blocks",
		"help": "Blocks in which all rows are visible to all, as of the last vacuum or analyze"},
	"relallfrozen": {"kind": "gauge", "unit": "blocks", "metric": "pg_table_all_frozen_blocks",
		"help": "Blocks in which all rows are frozen; absent before PostgreSQL 18"},
	"xid_age": {"kind": "gauge", "unit": "transactions", "metric": "pg_table_xid_age",
		"help": "Age of the oldest transaction ID that is not frozen, in the table or its TOAST table"},
	"mxid_age": {"kind": "gauge", "unit": "multixacts", "metric": "pg_table_mxid_age",
		"help": "Age of the oldest multixact ID, in the table or its TOAST table"},
	"pct_freeze_max_age": {"kind": "gauge", "unit": "percent", "metric": "pg_table_pct_freeze_max_age",
		"help": "Age of the oldest transaction ID as a share of the one at which autovacuum comes whatever is set"},
	"pct_multixact_freeze_max_age": {"kind": "gauge", "unit": "percent", "metric": "pg_table_pct_multixact_freeze_max_age",
		"help": "Age of the oldest multixact ID as a share of the one at which autovacuum comes whatever is set"},
	"freeze_max_age": {"unit": "transactions", "help": "Age at which autovacuum comes to the table whatever is set"},
	"multixact_freeze_max_age": {"unit": "multixacts", "help": "Age of multixacts at which autovacuum comes to the table whatever is set"},
	"autovacuum_enabled": {"help": "Whether autovacuum is on for the table, by its storage parameter"},
	"vacuum_threshold": {"kind": "gauge", "unit": "rows", "metric": "pg_table_vacuum_threshold",
		"help": "Dead rows beyond which autovacuum is due"},
	"insert_threshold": {"kind": "gauge", "unit": "rows", "metric": "pg_table_vacuum_insert_threshold",
		"help": "Inserted rows beyond which autovacuum is due; absent when it is off"},
	"analyze_threshold": {"kind": "gauge", "unit": "rows", "metric": "pg_table_analyze_threshold",
		"help": "Changed rows beyond which an automatic analyze is due"},
	"options": {"help": "Storage parameters that were set for the table"},
	"toast_relid": {"help": "OID of its TOAST table"},
	"toast_xid_age": {"unit": "transactions", "help": "Age of the TOAST table alone"},
	"toast_mxid_age": {"unit": "multixacts", "help": "Age of the TOAST table's multixacts alone"},
	"toast_autovacuum_enabled": {"help": "Whether autovacuum is on for the TOAST table"},
	"toast_vacuum_threshold": {"unit": "rows", "help": "Dead rows of the TOAST table beyond which autovacuum is due"},
	"toast_insert_threshold": {"unit": "rows", "help": "Inserted rows of the TOAST table beyond which autovacuum is due"},
	"toast_options": {"help": "Storage parameters that were set for the TOAST table"}
}$columns$,
	options => $options${
	"max_rows": 100000,
	"top": {"n": "top_relations", "by": ["size_bytes", "toast_size_bytes", "xid_age", "mxid_age"]},
	"object": "relation:{db:I}/{schema:I}.{relname:I}"
}$options$);
