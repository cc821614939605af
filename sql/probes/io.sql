-- Reads and writes by kind of process, object and context, from pg_stat_io: rows with any activity. None before 16.
--
-- From 18 on one operation may read or append several blocks, before that the server counts blocks. So bytes are what is the
-- same everywhere; operations of reading and appending are NULL before 18, and one of writing a relation is one block in
-- all versions. WAL is there from 18 on. Times are counted only with track_io_timing, those of WAL with track_wal_io_timing.
SELECT pgdba.define_probe(
	name => 'io',
	loop => 'workload',
	query => $probe$
SELECT NULL::pg_catalog.text AS backend_type,
	NULL::pg_catalog.text AS object,
	NULL::pg_catalog.text AS context,
	NULL::pg_catalog.int8 AS reads,
	NULL::pg_catalog.int8 AS read_bytes,
	NULL::pg_catalog.float8 AS read_seconds,
	NULL::pg_catalog.int8 AS writes,
	NULL::pg_catalog.int8 AS write_bytes,
	NULL::pg_catalog.float8 AS write_seconds,
	NULL::pg_catalog.int8 AS extends,
	NULL::pg_catalog.int8 AS extend_bytes,
	NULL::pg_catalog.float8 AS extend_seconds,
	NULL::pg_catalog.int8 AS writebacks,
	NULL::pg_catalog.float8 AS writeback_seconds,
	NULL::pg_catalog.int8 AS fsyncs,
	NULL::pg_catalog.float8 AS fsync_seconds,
	NULL::pg_catalog.int8 AS hits,
	NULL::pg_catalog.int8 AS evictions,
	NULL::pg_catalog.int8 AS reuses,
	NULL::pg_catalog.timestamptz AS stats_reset
WHERE false
$probe$,
	key => '{backend_type,object,context}',
	columns => $columns${
	"backend_type": {"help": "Kind of process, as in pg_stat_activity"},
	"object": {"help": "relation, temp relation, or from 18 on wal"},
	"context": {"help": "normal, bulkread, bulkwrite or vacuum, which use a small ring of buffers, or init for new files"},
	"reads": {"kind": "counter", "unit": "reads", "metric": "pg_io_reads_total",
		"help": "Read operations of one or more blocks; absent before 18"},
	"read_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_io_read_bytes_total", "help": "Bytes read"},
	"read_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_io_read_seconds_total",
		"help": "Time spent reading; 0 unless track_io_timing is on"},
	"writes": {"kind": "counter", "unit": "writes", "metric": "pg_io_writes_total", "help": "Write operations"},
	"write_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_io_write_bytes_total", "help": "Bytes written"},
	"write_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_io_write_seconds_total",
		"help": "Time spent writing; 0 unless track_io_timing is on"},
	"extends": {"kind": "counter", "unit": "extends", "metric": "pg_io_extends_total",
		"help": "Operations that appended one or more blocks to a relation; absent before 18"},
	"extend_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_io_extend_bytes_total",
		"help": "Bytes by which relations grew"},
	"extend_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_io_extend_seconds_total",
		"help": "Time spent appending; 0 unless track_io_timing is on"},
	"writebacks": {"kind": "counter", "unit": "blocks", "metric": "pg_io_writebacks_total",
		"help": "Blocks that the kernel was asked to write to disk"},
	"writeback_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_io_writeback_seconds_total",
		"help": "Time spent asking for it; 0 unless track_io_timing is on"},
	"fsyncs": {"kind": "counter", "unit": "syncs", "metric": "pg_io_fsyncs_total", "help": "Syncs of files"},
	"fsync_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_io_fsync_seconds_total",
		"help": "Time spent syncing; 0 unless track_io_timing is on"},
	"hits": {"kind": "counter", "unit": "blocks", "metric": "pg_io_hits_total", "help": "Blocks found in a buffer"},
	"evictions": {"kind": "counter", "unit": "blocks", "metric": "pg_io_evictions_total",
		"help": "Buffers that were emptied for another block"},
	"reuses": {"kind": "counter", "unit": "blocks", "metric": "pg_io_reuses_total",
		"help": "Buffers of a small ring that were used again"},
	"stats_reset": {"help": "When these counters began"}
}$columns$);

SELECT pgdba.define_probe_variant('io', 180000, $probe$
SELECT s.backend_type,
	s.object,
	s.context,
	s.reads,
	s.read_bytes::pg_catalog.int8 AS read_bytes,
	s.read_time / 1000 AS read_seconds,
	s.writes,
	s.write_bytes::pg_catalog.int8 AS write_bytes,
	s.write_time / 1000 AS write_seconds,
	s.extends,
	s.extend_bytes::pg_catalog.int8 AS extend_bytes,
	s.extend_time / 1000 AS extend_seconds,
	s.writebacks,
	s.writeback_time / 1000 AS writeback_seconds,
	s.fsyncs,
	s.fsync_time / 1000 AS fsync_seconds,
	s.hits,
	s.evictions,
	s.reuses,
	s.stats_reset
FROM pg_catalog.pg_stat_io s
WHERE greatest(s.reads, s.writes, s.extends, s.writebacks, s.fsyncs, s.hits, s.evictions, s.reuses) > 0
$probe$);

SELECT pgdba.define_probe_variant('io', 160000, pgdba.changed_text(v.query,
	's.reads,
	s.read_bytes::pg_catalog.int8', 'NULL::pg_catalog.int8 AS reads,
	s.reads * s.op_bytes',
	's.write_bytes::pg_catalog.int8', 's.writes * s.op_bytes',
	's.extends,
	s.extend_bytes::pg_catalog.int8', 'NULL::pg_catalog.int8 AS extends,
	s.extends * s.op_bytes'))
FROM pgdba.probe_variant v WHERE v.name = 'io' AND v.from_version = 180000;
