-- Indexes: size, use, whether they are valid, and which of them others make superfluous.
--
-- Which index does the same as another is found here, where the whole catalog is at hand, from what pg_index holds. The
-- functions that print definitions wait for locked tables, so expressions and predicates are compared as trees,
-- without the positions in the statement that made them. Of the system's own indexes the large ones are listed, and
-- those that a failed rebuild has left.
--
-- When a server starts after a crash its counters begin anew, and no database says so. Counters kept once per cluster
-- do, but each may be reset by hand as well: the oldest of their resets is as old as the crash, or younger.
--
-- Whether somebody is at work on an index that is not valid: a build is in the progress view, under its table. A
-- concurrent DROP or REINDEX holds the index; locks are looked at only when there is an index that is not valid.
SELECT pgdba.define_probe(
	name => 'index',
	loop => 'storage',
	query => $probe$
WITH server AS MATERIALIZED (
	SELECT d.oid AS database, greatest(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid),
			least(b.stats_reset, w.stats_reset, a.stats_reset)) AS stats_reset
	FROM pg_catalog.pg_database d CROSS JOIN pg_catalog.pg_stat_bgwriter b
		CROSS JOIN pg_catalog.pg_stat_wal w CROSS JOIN pg_catalog.pg_stat_archiver a
	WHERE d.datname = pg_catalog.current_database()
), namespace AS MATERIALIZED (
	SELECT n.oid, n.nspname, n.nspname IN ('pg_catalog', 'pg_toast', 'information_schema') AS of_system,
		CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
			ELSE n.nspname::pg_catalog.text END AS label
	FROM pg_catalog.pg_namespace n
), item AS MATERIALIZED (
	SELECT x.indexrelid, x.indrelid, n.nspname, n.of_system, n.label AS schema_label, c.relname, c.relkind, c.relispartition, t.relname AS table_name,
		t.reltoastrelid, m.amname, x.indisunique, x.indisprimary, x.indisexclusion, x.indimmediate, x.indisclustered,
		x.indisvalid, x.indisready, x.indislive, x.indisreplident, x.indnullsnotdistinct, x.indnatts, x.indnkeyatts,
		x.indkey[0] AS first_column,
		x.indkey::pg_catalog.text AS columns, x.indclass::pg_catalog.text AS classes,
		x.indcollation::pg_catalog.text AS collations, x.indoption::pg_catalog.text AS options,
		pg_catalog.regexp_replace(x.indexprs::pg_catalog.text, ':(location|list_start|list_end) -?[0-9]+', '', 'g') AS expressions,
		pg_catalog.regexp_replace(x.indpred::pg_catalog.text, ':(location|list_start|list_end) -?[0-9]+', '', 'g') AS predicate,
		x.indexrelid IN (SELECT k.conindid FROM pg_catalog.pg_constraint k WHERE k.conindid <> 0) AS behind_constraint,
		x.indisvalid AND x.indisready AND x.indislive AS usable,
		CASE WHEN m.amname NOT IN ('btree', 'hash') THEN pg_catalog.concat(c.reloptions,
			(SELECT pg_catalog.string_agg(pg_catalog.concat(p.attnum, p.attoptions), ' ' ORDER BY p.attnum)
			FROM pg_catalog.pg_attribute p WHERE p.attrelid = x.indexrelid AND p.attoptions IS NOT NULL)) END AS parameters
	FROM pg_catalog.pg_index x
	JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
	JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
	JOIN namespace n ON n.oid = c.relnamespace
	JOIN pg_catalog.pg_am m ON m.oid = c.relam
	WHERE c.relpersistence <> 't' AND NOT c.relisshared
		AND (NOT n.of_system OR c.relpages >= 1280
			OR NOT (x.indisvalid AND x.indisready AND x.indislive))
), named AS (
	SELECT i.*, i.usable AND i.amname = 'btree' AS ordered, NOT (i.indisprimary OR i.indisexclusion OR i.behind_constraint
			OR i.indisreplident OR i.indisclustered OR i.relispartition OR i.of_system) AS droppable,
		CASE WHEN NOT (i.indisunique AND i.indimmediate) THEN 0 WHEN i.indnullsnotdistinct THEN 2 ELSE 1 END AS strength
	FROM item i
), judged AS MATERIALIZED (
	SELECT i.*, i.ordered AND i.droppable AND NOT i.indisunique AND i.indnatts = i.indnkeyatts AS prefix FROM named i
), place AS (
	SELECT i.indexrelid, i.droppable, pg_catalog.first_value(i.indexrelid) OVER same AS first,
		pg_catalog.first_value(i.relname) OVER same AS first_name
	FROM judged i
	WHERE i.usable
	WINDOW same AS (PARTITION BY i.indrelid, i.amname, i.columns, i.indnkeyatts, i.classes, i.collations, i.options,
		i.expressions, i.predicate, i.parameters ORDER BY i.strength DESC, i.droppable, i.indexrelid)
), twin AS (
	SELECT p.indexrelid, p.first_name AS relname FROM place p WHERE p.droppable AND p.first <> p.indexrelid
), longer AS (
	SELECT DISTINCT ON (d.indexrelid) d.indexrelid, k.relname
	FROM judged d
	JOIN judged k ON k.indrelid = d.indrelid AND k.first_column = d.first_column
	WHERE d.prefix AND k.ordered AND k.indnkeyatts >= d.indnkeyatts AND k.indnatts > d.indnatts
		AND pg_catalog.starts_with(k.columns, d.columns || ' ')
		AND pg_catalog.starts_with(k.classes || ' ', d.classes || ' ')
		AND pg_catalog.starts_with(k.collations || ' ', d.collations || ' ')
		AND pg_catalog.starts_with(k.options || ' ', d.options || ' ')
		AND k.expressions IS NOT DISTINCT FROM d.expressions AND k.predicate IS NOT DISTINCT FROM d.predicate
	ORDER BY d.indexrelid, k.indnatts, k.indexrelid
), reference AS (
	SELECT x.indexrelid
	FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index x ON x.indrelid = k.conrelid
	WHERE k.contype = 'f' AND x.indpred IS NULL AND x.indnkeyatts >= pg_catalog.cardinality(k.conkey)
		AND (x.indkey::pg_catalog.int8[])[0:pg_catalog.cardinality(k.conkey) - 1] <@ k.conkey::pg_catalog.int8[]
		AND (x.indkey::pg_catalog.int8[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey::pg_catalog.int8[]
), build AS MATERIALIZED (
	SELECT p.relid FROM pg_catalog.pg_stat_progress_create_index p JOIN server s ON s.database = p.datid
), held AS MATERIALIZED (
	SELECT l.relation FROM pg_catalog.pg_locks l JOIN server s ON s.database = l.database
	WHERE (SELECT pg_catalog.count(*) FROM item i WHERE NOT i.usable) > 0
		AND l.locktype = 'relation' AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
)
SELECT i.nspname::pg_catalog.text AS schema,
	i.relname::pg_catalog.text AS indexname,
	i.schema_label || '.' || CASE WHEN i.relname ~ '[."]' THEN '"' || pg_catalog.replace(i.relname::pg_catalog.text, '"', '""') || '"'
		ELSE i.relname::pg_catalog.text END AS index,
	i.schema_label || '.' || CASE WHEN i.table_name ~ '[."]' THEN '"' || pg_catalog.replace(i.table_name::pg_catalog.text, '"', '""') || '"'
		ELSE i.table_name::pg_catalog.text END AS relation,
	i.indexrelid,
	i.indrelid AS relid,
	CASE WHEN i.relispartition THEN pg_catalog.pg_partition_root(i.indexrelid)::pg_catalog.oid END AS root,
	i.relkind = 'I' AS is_partitioned,
	i.amname::pg_catalog.text AS access_method,
	i.indnkeyatts::pg_catalog.int8 AS key_columns,
	i.indisunique AS is_unique,
	i.indisprimary AS is_primary,
	i.indisexclusion AS is_exclusion,
	i.behind_constraint,
	i.indisreplident AS is_replica_identity,
	i.indisclustered AS is_clustered,
	i.indexrelid IN (SELECT r.indexrelid FROM reference r) AS is_for_foreign_key,
	NOT i.relispartition AND i.indrelid IN (SELECT h.inhrelid FROM pg_catalog.pg_inherits h) AS of_child,
	i.droppable,
	i.indisvalid AS is_valid,
	i.indisready AS is_ready,
	i.indislive AS is_live,
	NOT i.usable AND (i.indexrelid IN (SELECT h.relation FROM held h) OR EXISTS (SELECT FROM build b
		WHERE b.relid IN (i.indrelid, i.reltoastrelid) OR b.relid IN (
			SELECT o.oid FROM pg_catalog.pg_class o WHERE o.reltoastrelid = i.indrelid))) AS is_busy,
	twin.relname::pg_catalog.text AS twin,
	CASE WHEN twin.relname IS NULL THEN longer.relname::pg_catalog.text END AS longer,
	CASE WHEN i.relkind = 'i' THEN pg_catalog.pg_stat_get_numscans(i.indexrelid) END AS scans,
	CASE WHEN i.relkind = 'i' THEN pg_catalog.pg_stat_get_tuples_returned(i.indexrelid) END AS tup_read,
	CASE WHEN i.relkind = 'i' THEN pg_catalog.pg_stat_get_tuples_fetched(i.indexrelid) END AS tup_fetch,
	NULL::pg_catalog.timestamptz AS last_scan,
	pg_catalog.pg_relation_filepath(i.indexrelid) AS size,
	s.stats_reset,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM judged i
CROSS JOIN server s
LEFT JOIN twin ON twin.indexrelid = i.indexrelid
LEFT JOIN longer ON longer.indexrelid = i.indexrelid
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
	"root": {"help": "Of an index on a partition that belongs to a partitioned index: OID of the topmost one"},
	"is_partitioned": {"help": "Whether it is a partitioned index, which has no file of its own"},
	"access_method": {"help": "Kind of index: btree, hash, gin ..."},
	"key_columns": {"help": "Columns of its key, without those it only includes"},
	"is_unique": {"help": "Whether it is unique"},
	"is_primary": {"help": "Whether it is the primary key"},
	"is_exclusion": {"help": "Whether it stands behind an exclusion constraint"},
	"behind_constraint": {"help": "Whether a constraint of its own table stands on it, or a foreign key that refers to it"},
	"is_replica_identity": {"help": "Whether it is the replica identity"},
	"is_clustered": {"help": "Whether the table was last clustered on it"},
	"is_for_foreign_key": {"help": "Whether it begins with the columns of a foreign key of its table"},
	"of_child": {"help": "Whether its table inherits from another without being a partition"},
	"droppable": {"help": "Whether it may be dropped by itself: no constraint, no replica identity, no part of a partitioned index"},
	"is_valid": {"help": "Whether queries may use it"},
	"is_ready": {"help": "Whether it is kept up to date"},
	"is_live": {"help": "Whether it is not about to be dropped"},
	"is_busy": {"help": "Whether one that is not valid is being built, rebuilt or dropped"},
	"twin": {"help": "Another index of the table that does all it does"},
	"longer": {"help": "Another index of the table that begins with all its columns"},
	"scans": {"kind": "counter", "unit": "scans", "metric": "pg_index_scans_total",
		"help": "Scans of the index, on this server alone"},
	"tup_read": {"kind": "counter", "unit": "rows", "metric": "pg_index_tup_read_total",
		"help": "Entries returned by its scans"},
	"tup_fetch": {"kind": "counter", "unit": "rows", "metric": "pg_index_tup_fetched_total",
		"help": "Live rows fetched by its plain scans"},
	"last_scan": {"kind": "gauge", "unit": "seconds since", "metric": "pg_index_last_scan_seconds",
		"help": "Time since its last scan; absent when there was none, and before PostgreSQL 16"},
	"size": {"kind": "gauge", "unit": "bytes", "metric": "pg_index_size_bytes", "read": "file_size",
		"help": "Size of its file"},
	"stats_reset": {"help": "When its counters began"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 200000,
	"top": {"n": "top_indexes", "by": ["size", "scans"]},
	"object": "index:{db:I}/{schema:I}.{indexname:I}"
}$options$);

-- The time of the last scan is known from 16 on.
SELECT pgdba.define_probe_variant('index', 160000, pgdba.changed_text(p.query, 'NULL::pg_catalog.timestamptz AS last_scan',
	'CASE WHEN i.relkind = ''i'' THEN pg_catalog.pg_stat_get_lastscan(i.indexrelid) END AS last_scan'))
FROM pgdba.probe p
WHERE p.name = 'index';
