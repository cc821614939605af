-- Statements by what they cost: counters of pg_stat_statements, summed over users, and over clients and functions.
--
-- No texts: reading them means reading a file of any size. The probe statement_text has those of the few that are kept.
-- What belongs to dropped databases is left out: it has no name, and nothing is added to it any more.
-- A sum of float8 takes half the time of one of int8, and is exact up to 2^53.
SELECT pgdba.define_probe(
	name => 'statement',
	loop => 'workload',
	query => $probe$
SELECT d.datname::pg_catalog.text AS db, s.queryid, s.calls, s.exec_seconds, s.exec_seconds_squared, s.rows,
	s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written,
	s.temp_blks_read, s.temp_blks_written, s.blk_read_seconds, s.blk_write_seconds, s.wal_bytes, s.plan_seconds,
	s.stats_reset
FROM (SELECT r.dbid, r.queryid,
		pg_catalog.sum(r.calls::pg_catalog.float8)::pg_catalog.int8 AS calls,
		pg_catalog.sum(r.exec_time) / 1e3 AS exec_seconds,
		pg_catalog.sum(r.calls * r.exec_deviation * r.exec_deviation
			+ r.exec_time * r.exec_time / greatest(r.calls, 1)) / 1e6 AS exec_seconds_squared,
		pg_catalog.sum(r.rows::pg_catalog.float8)::pg_catalog.int8 AS rows,
		pg_catalog.sum(r.shared_blks_hit::pg_catalog.float8)::pg_catalog.int8 AS shared_blks_hit,
		pg_catalog.sum(r.shared_blks_read::pg_catalog.float8)::pg_catalog.int8 AS shared_blks_read,
		pg_catalog.sum(r.shared_blks_dirtied::pg_catalog.float8)::pg_catalog.int8 AS shared_blks_dirtied,
		pg_catalog.sum(r.shared_blks_written::pg_catalog.float8)::pg_catalog.int8 AS shared_blks_written,
		pg_catalog.sum(r.temp_blks_read::pg_catalog.float8)::pg_catalog.int8 AS temp_blks_read,
		pg_catalog.sum(r.temp_blks_written::pg_catalog.float8)::pg_catalog.int8 AS temp_blks_written,
		pg_catalog.sum(r.blk_read_time) / 1e3 AS blk_read_seconds,
		pg_catalog.sum(r.blk_write_time) / 1e3 AS blk_write_seconds,
		pg_catalog.sum(r.wal_bytes::pg_catalog.float8)::pg_catalog.int8 AS wal_bytes,
		pg_catalog.sum(r.plan_time) / 1e3 AS plan_seconds,
		pg_catalog.min(r.since) AS stats_reset
	FROM pgdba.statement_rows() r
	GROUP BY r.dbid, r.queryid) s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid
$probe$,
	key => '{db,queryid}',
	columns => $columns${
	"db": {"help": "Database in which the statement ran"},
	"queryid": {"help": "Identifier of the statement, the same as pg_stat_activity.query_id; NULL sums up what may not be seen"},
	"calls": {"kind": "counter", "unit": "calls", "metric": "pg_stmt_calls_total",
		"help": "Times that the statement was executed"},
	"exec_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_stmt_time_seconds_total",
		"help": "Time spent executing the statement"},
	"exec_seconds_squared": {"kind": "counter", "unit": "square seconds", "metric": "pg_stmt_time_seconds_squared_total",
		"help": "Sum of the squares of the times of each execution; with calls and time it gives the deviation over any interval"},
	"rows": {"kind": "counter", "unit": "rows", "metric": "pg_stmt_rows_total",
		"help": "Rows returned or changed by the statement"},
	"shared_blks_hit": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_shared_blks_hit_total",
		"help": "Blocks that the statement found in shared buffers"},
	"shared_blks_read": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_shared_blks_read_total",
		"help": "Blocks that the statement read from outside shared buffers"},
	"shared_blks_dirtied": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_shared_blks_dirtied_total",
		"help": "Blocks that the statement was the first to change"},
	"shared_blks_written": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_shared_blks_written_total",
		"help": "Blocks that the statement had to write itself"},
	"temp_blks_read": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_temp_blks_read_total",
		"help": "Blocks that the statement read from temporary files"},
	"temp_blks_written": {"kind": "counter", "unit": "blocks", "metric": "pg_stmt_temp_blks_written_total",
		"help": "Blocks that the statement wrote to temporary files"},
	"blk_read_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_stmt_blk_read_seconds_total",
		"help": "Time that the statement spent reading blocks of relations; 0 unless track_io_timing is on"},
	"blk_write_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_stmt_blk_write_seconds_total",
		"help": "Time that the statement spent writing blocks of relations; 0 unless track_io_timing is on"},
	"wal_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_stmt_wal_bytes_total",
		"help": "Bytes of WAL that the statement generated"},
	"plan_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_stmt_plan_seconds_total",
		"help": "Time spent planning the statement; 0 unless pg_stat_statements.track_planning is on"},
	"stats_reset": {"help": "When these counters began; NULL where the extension is older than version 1.9"}
}$columns$,
	options => $options${
	"max_rows": 1000000,
	"top": {"n": "top_queries", "by": ["exec_seconds", "calls", "shared_blks_read", "temp_blks_written"]},
	"needs_extension": "pg_stat_statements"
}$options$);
