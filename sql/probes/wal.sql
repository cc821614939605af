-- What is written to the log. Where it ends is known at once, and survives a crash and a reset of statistics; the
-- counters of a session arrive when its statement ends. On a standby the log ends where replay is.
--
-- From 18 on writes and syncs are counted in pg_stat_io, there also those of a walreceiver, which are left out, and with
-- track_wal_io_timing instead of the same setting under pg_stat_wal.
SELECT pgdba.define_probe_variant('wal', 180000, $probe$
SELECT p.in_recovery,
	p.position,
	p.position AS written_bytes,
	w.wal_records AS records,
	w.wal_bytes::pg_catalog.int8 AS record_bytes,
	w.wal_fpi AS full_page_images,
	w.wal_buffers_full AS buffers_full,
	i.writes,
	i.syncs,
	i.write_seconds,
	i.sync_seconds,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
	extract(epoch FROM pg_catalog.current_setting('checkpoint_timeout')::pg_catalog.interval)::pg_catalog.float8
		AS checkpoint_timeout,
	greatest(w.stats_reset, i.stats_reset) AS stats_reset
FROM pg_catalog.pg_stat_wal w
CROSS JOIN (SELECT pg_catalog.sum(s.writes) FILTER (WHERE s.backend_type <> 'walreceiver')::pg_catalog.int8 AS writes,
		pg_catalog.sum(s.fsyncs)::pg_catalog.int8 AS syncs,
		pg_catalog.sum(s.write_time) FILTER (WHERE s.backend_type <> 'walreceiver') / 1000 AS write_seconds,
		pg_catalog.sum(s.fsync_time) / 1000 AS sync_seconds,
		pg_catalog.max(s.stats_reset) AS stats_reset
	FROM pg_catalog.pg_stat_io s WHERE s.object = 'wal' AND s.context = 'normal') i
CROSS JOIN (SELECT l.in_recovery, (CASE WHEN l.in_recovery THEN pg_catalog.pg_last_wal_replay_lsn()
		ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l) p
$probe$);

SELECT pgdba.define_probe(
	name => 'wal',
	loop => 'workload',
	query => $probe$
SELECT p.in_recovery,
	p.position,
	p.position AS written_bytes,
	w.wal_records AS records,
	w.wal_bytes::pg_catalog.int8 AS record_bytes,
	w.wal_fpi AS full_page_images,
	w.wal_buffers_full AS buffers_full,
	w.wal_write AS writes,
	w.wal_sync AS syncs,
	w.wal_write_time / 1000 AS write_seconds,
	w.wal_sync_time / 1000 AS sync_seconds,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
	extract(epoch FROM pg_catalog.current_setting('checkpoint_timeout')::pg_catalog.interval)::pg_catalog.float8
		AS checkpoint_timeout,
	w.stats_reset
FROM pg_catalog.pg_stat_wal w
CROSS JOIN (SELECT l.in_recovery, (CASE WHEN l.in_recovery THEN pg_catalog.pg_last_wal_replay_lsn()
		ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l) p
$probe$,
	key => '{}',
	columns => $columns${
	"in_recovery": {"help": "Whether this is a standby"},
	"position": {"unit": "bytes", "help": "Where the log ends, on a standby where replay is"},
	"written_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_wal_bytes_written_total",
		"help": "Bytes of the log, on a standby those replayed, since the cluster was made"},
	"records": {"kind": "counter", "unit": "records", "metric": "pg_wal_records_total", "help": "Records written to the log"},
	"record_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_wal_record_bytes_total",
		"help": "Bytes of these records, without the padding of segments"},
	"full_page_images": {"kind": "counter", "unit": "pages", "metric": "pg_wal_full_page_images_total",
		"help": "Whole pages in these records, written at the first change after a checkpoint"},
	"buffers_full": {"kind": "counter", "unit": "writes", "metric": "pg_wal_buffers_full_total",
		"help": "How often a session had to write the log because wal_buffers was full"},
	"writes": {"kind": "counter", "unit": "writes", "metric": "pg_wal_writes_total", "help": "Writes to files of the log"},
	"syncs": {"kind": "counter", "unit": "syncs", "metric": "pg_wal_syncs_total", "help": "Syncs of files of the log"},
	"write_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_wal_write_seconds_total",
		"help": "Time spent writing the log; 0 unless track_wal_io_timing is on"},
	"sync_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_wal_sync_seconds_total",
		"help": "Time spent syncing the log; 0 unless track_wal_io_timing is on"},
	"max_wal_size": {"unit": "bytes", "help": "Setting max_wal_size"},
	"checkpoint_timeout": {"unit": "seconds", "help": "Setting checkpoint_timeout"},
	"stats_reset": {"help": "When the counters of records, writes and syncs began"}
}$columns$);
