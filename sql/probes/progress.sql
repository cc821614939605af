-- Long commands that run now, and how far they are: ANALYZE, CREATE INDEX and REINDEX, CLUSTER and VACUUM FULL, COPY, base
-- backups. VACUUM is in probe vacuum_progress.
--
-- Each command counts something else in each phase: blocks while it scans, rows while it loads, transactions while it
-- waits for them. done and total are about the present phase, in the unit that stands beside them; NULL where the phase
-- counts nothing, and total also where nobody knows the end: of a COPY that is not from a file, of a backup whose size
-- was not to be estimated. What an earlier phase has counted stays in the server's views, and is not taken for this one.
SELECT pgdba.define_probe(
	name => 'progress',
	loop => 'hot',
	query => $probe$
SELECT p.db,
	p.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	p.command,
	p.phase,
	nullif(p.relid, 0)::pg_catalog.int8 AS relid,
	nullif(p.index_relid, 0)::pg_catalog.int8 AS index_relid,
	a.query_start AS started,
	a.wait_event_type,
	a.wait_event,
	p.unit,
	CASE WHEN p.unit IS NOT NULL THEN p.done END AS done,
	nullif(p.total, 0) AS total,
	least(100 * p.done::pg_catalog.float8 / nullif(p.total, 0), 100) AS percent
FROM (
	SELECT z.pid, z.datname::pg_catalog.text AS db, 'ANALYZE' AS command, z.phase, z.relid, 0::pg_catalog.oid AS index_relid,
		u.unit,
		CASE u.unit WHEN 'blocks' THEN z.sample_blks_scanned WHEN 'tables' THEN z.child_tables_done
			WHEN 'statistics' THEN z.ext_stats_computed END AS done,
		CASE u.unit WHEN 'blocks' THEN z.sample_blks_total WHEN 'tables' THEN z.child_tables_total
			WHEN 'statistics' THEN z.ext_stats_total END AS total
	FROM pg_catalog.pg_stat_progress_analyze z
	CROSS JOIN LATERAL (SELECT CASE z.phase WHEN 'acquiring sample rows' THEN 'blocks'
		WHEN 'acquiring inherited sample rows' THEN 'tables' WHEN 'computing extended statistics' THEN 'statistics' END AS unit) u
	UNION ALL
	SELECT i.pid, i.datname::pg_catalog.text, i.command, i.phase, i.relid, i.index_relid,
		u.unit,
		CASE u.unit WHEN 'transactions' THEN i.lockers_done WHEN 'blocks' THEN i.blocks_done WHEN 'rows' THEN i.tuples_done END,
		CASE u.unit WHEN 'transactions' THEN i.lockers_total WHEN 'blocks' THEN i.blocks_total WHEN 'rows' THEN i.tuples_total END
	FROM pg_catalog.pg_stat_progress_create_index i
	CROSS JOIN LATERAL (SELECT CASE WHEN i.phase LIKE 'waiting %' THEN 'transactions' WHEN i.blocks_total > 0 THEN 'blocks'
		WHEN i.tuples_total > 0 THEN 'rows' END AS unit) u
	UNION ALL
	SELECT c.pid, c.datname::pg_catalog.text, c.command, c.phase, c.relid, c.cluster_index_relid,
		u.unit,
		CASE u.unit WHEN 'blocks' THEN c.heap_blks_scanned WHEN 'rows' THEN c.heap_tuples_written
			WHEN 'indexes' THEN c.index_rebuild_count END,
		CASE WHEN u.unit = 'blocks' THEN c.heap_blks_total WHEN c.phase = 'writing new heap' THEN c.heap_tuples_scanned END
	FROM pg_catalog.pg_stat_progress_cluster c
	CROSS JOIN LATERAL (SELECT CASE c.phase WHEN 'seq scanning heap' THEN 'blocks' WHEN 'index scanning heap' THEN 'rows'
		WHEN 'writing new heap' THEN 'rows' WHEN 'rebuilding index' THEN 'indexes' END AS unit) u
	UNION ALL
	SELECT c.pid, c.datname::pg_catalog.text, c.command, NULL, c.relid, 0, 'bytes', c.bytes_processed, c.bytes_total
	FROM pg_catalog.pg_stat_progress_copy c
	UNION ALL
	SELECT b.pid, NULL, 'BASE BACKUP', b.phase, 0, 0,
		u.unit,
		b.backup_streamed,
		CASE WHEN u.unit = 'bytes' THEN b.backup_total END
	FROM pg_catalog.pg_stat_progress_basebackup b
	CROSS JOIN LATERAL (SELECT CASE b.phase WHEN 'streaming database files' THEN 'bytes' END AS unit) u
) p
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the table, NULL for a base backup"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"command": {"help": "What it is, such as CREATE INDEX CONCURRENTLY, VACUUM FULL, COPY FROM or BASE BACKUP"},
	"phase": {"help": "What it does now, in the server's words; NULL for COPY, which has one phase"},
	"relid": {"help": "OID of the table; NULL for a base backup, and for COPY of a query"},
	"index_relid": {"help": "OID of the index that is built, or by which a table is clustered"},
	"started": {"help": "When its statement began"},
	"wait_event_type": {"help": "Kind of what it waits for"},
	"wait_event": {"help": "What it waits for"},
	"unit": {"help": "What this phase counts: blocks, rows, bytes, tables, statistics, indexes or transactions; NULL for nothing"},
	"done": {"help": "How many of them are done"},
	"total": {"help": "How many there are; NULL when that is not known"},
	"percent": {"unit": "percent", "help": "How far this phase is; NULL when the end is not known"}
}$columns$);
