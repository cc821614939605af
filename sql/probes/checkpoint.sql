-- Checkpoints: how many and why, what they wrote, and where the last one left the log.
--
-- Before 17 the server counts the restartpoints of a standby as checkpoints, so all versions add them up here. It counts
-- as requested what WAL forced, but also CHECKPOINT, base backups, CREATE and DROP DATABASE, and as timed also those
-- that had nothing to do. The position of the redo pointer tells how much WAL lay between two checkpoints.
--
-- From 17 on what backends wrote stands in pg_stat_io; blocks appended are counted there too, as they were before. From 18
-- on one operation may append several blocks, so bytes are what is counted there.
SELECT pgdba.define_probe_variant('checkpoint', 170000, $probe$
SELECT s.num_timed + s.restartpoints_timed AS timed,
	s.num_requested + s.restartpoints_req AS requested,
	NULL::pg_catalog.int8 AS done,
	s.restartpoints_timed,
	s.restartpoints_req AS restartpoints_requested,
	s.restartpoints_done,
	s.write_time / 1000 AS write_seconds,
	s.sync_time / 1000 AS sync_seconds,
	s.buffers_written,
	b.buffers_clean,
	b.maxwritten_clean,
	b.buffers_alloc,
	i.buffers_backend,
	i.buffers_backend_fsync,
	c.checkpoint_time,
	c.timeline_id::pg_catalog.int8 AS timeline,
	c.full_page_writes,
	p.in_recovery,
	p.position,
	(c.redo_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS redo_position,
	greatest(p.position - (c.redo_lsn - '0/0'::pg_catalog.pg_lsn), 0)::pg_catalog.int8 AS redo_bytes,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS wal_segment_size,
	extract(epoch FROM pg_catalog.current_setting('checkpoint_timeout')::pg_catalog.interval)::pg_catalog.float8
		AS checkpoint_timeout,
	pg_catalog.current_setting('checkpoint_completion_target')::pg_catalog.float8 AS completion_target,
	greatest(s.stats_reset, b.stats_reset, i.stats_reset) AS stats_reset
FROM pg_catalog.pg_stat_checkpointer s
CROSS JOIN pg_catalog.pg_stat_bgwriter b
CROSS JOIN (SELECT pg_catalog.sum(coalesce(o.writes, 0) + coalesce(o.extends, 0))::pg_catalog.int8 AS buffers_backend,
		pg_catalog.sum(o.fsyncs)::pg_catalog.int8 AS buffers_backend_fsync,
		pg_catalog.max(o.stats_reset) AS stats_reset
	FROM pg_catalog.pg_stat_io o
	WHERE o.object = 'relation' AND o.backend_type NOT IN ('checkpointer', 'background writer')) i
CROSS JOIN pg_catalog.pg_control_checkpoint() c
CROSS JOIN (SELECT l.in_recovery, (CASE WHEN l.in_recovery THEN pg_catalog.pg_last_wal_replay_lsn()
		ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l) p
$probe$);

SELECT pgdba.define_probe_variant('checkpoint', 180000, pgdba.changed_text(v.query,
	'NULL::pg_catalog.int8 AS done', 's.num_done AS done',
	'pg_catalog.sum(coalesce(o.writes, 0) + coalesce(o.extends, 0))::pg_catalog.int8',
	'pg_catalog.div(pg_catalog.sum(coalesce(o.write_bytes, 0) + coalesce(o.extend_bytes, 0)),
			pg_catalog.current_setting(''block_size'')::pg_catalog.numeric)::pg_catalog.int8'))
FROM pgdba.probe_variant v WHERE v.name = 'checkpoint' AND v.from_version = 170000;

SELECT pgdba.define_probe(
	name => 'checkpoint',
	loop => 'workload',
	query => $probe$
SELECT s.checkpoints_timed AS timed,
	s.checkpoints_req AS requested,
	NULL::pg_catalog.int8 AS done,
	NULL::pg_catalog.int8 AS restartpoints_timed,
	NULL::pg_catalog.int8 AS restartpoints_requested,
	NULL::pg_catalog.int8 AS restartpoints_done,
	s.checkpoint_write_time / 1000 AS write_seconds,
	s.checkpoint_sync_time / 1000 AS sync_seconds,
	s.buffers_checkpoint AS buffers_written,
	s.buffers_clean,
	s.maxwritten_clean,
	s.buffers_alloc,
	s.buffers_backend,
	s.buffers_backend_fsync,
	c.checkpoint_time,
	c.timeline_id::pg_catalog.int8 AS timeline,
	c.full_page_writes,
	p.in_recovery,
	p.position,
	(c.redo_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS redo_position,
	greatest(p.position - (c.redo_lsn - '0/0'::pg_catalog.pg_lsn), 0)::pg_catalog.int8 AS redo_bytes,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS wal_segment_size,
	extract(epoch FROM pg_catalog.current_setting('checkpoint_timeout')::pg_catalog.interval)::pg_catalog.float8
		AS checkpoint_timeout,
	pg_catalog.current_setting('checkpoint_completion_target')::pg_catalog.float8 AS completion_target,
	s.stats_reset
FROM pg_catalog.pg_stat_bgwriter s
CROSS JOIN pg_catalog.pg_control_checkpoint() c
CROSS JOIN (SELECT l.in_recovery, (CASE WHEN l.in_recovery THEN pg_catalog.pg_last_wal_replay_lsn()
		ELSE pg_catalog.pg_current_wal_lsn() END - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l) p
$probe$,
	key => '{}',
	columns => $columns${
	"timed": {"kind": "counter", "unit": "checkpoints", "metric": "pg_checkpoints_timed_total",
		"help": "Checkpoints, on a standby restartpoints, because checkpoint_timeout was over"},
	"requested": {"kind": "counter", "unit": "checkpoints", "metric": "pg_checkpoints_requested_total",
		"help": "Checkpoints, on a standby restartpoints, forced by WAL or asked for by a command"},
	"done": {"kind": "counter", "unit": "checkpoints", "metric": "pg_checkpoints_done_total",
		"help": "Checkpoints that were done and not skipped; absent before 18"},
	"restartpoints_timed": {"kind": "counter", "unit": "restartpoints", "metric": "pg_restartpoints_timed_total",
		"help": "Restartpoints because checkpoint_timeout was over; absent before 17"},
	"restartpoints_requested": {"kind": "counter", "unit": "restartpoints", "metric": "pg_restartpoints_requested_total",
		"help": "Restartpoints that were asked for; absent before 17"},
	"restartpoints_done": {"kind": "counter", "unit": "restartpoints", "metric": "pg_restartpoints_done_total",
		"help": "Restartpoints that were done; absent before 17"},
	"write_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_checkpoint_write_seconds_total",
		"help": "Time in which checkpoints wrote, with the pauses that spread them"},
	"sync_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_checkpoint_sync_seconds_total",
		"help": "Time in which checkpoints synced files"},
	"buffers_written": {"kind": "counter", "unit": "buffers", "metric": "pg_checkpoint_buffers_written_total",
		"help": "Buffers written by checkpoints"},
	"buffers_clean": {"kind": "counter", "unit": "buffers", "metric": "pg_bgwriter_buffers_written_total",
		"help": "Buffers written by the background writer"},
	"maxwritten_clean": {"kind": "counter", "unit": "rounds", "metric": "pg_bgwriter_maxwritten_total",
		"help": "Rounds that the background writer broke off at bgwriter_lru_maxpages"},
	"buffers_alloc": {"kind": "counter", "unit": "buffers", "metric": "pg_buffers_allocated_total",
		"help": "Buffers given to pages that were not in shared buffers"},
	"buffers_backend": {"kind": "counter", "unit": "buffers", "metric": "pg_backend_buffers_written_total",
		"help": "Blocks that sessions and other processes wrote or appended themselves"},
	"buffers_backend_fsync": {"kind": "counter", "unit": "syncs", "metric": "pg_backend_fsyncs_total",
		"help": "Syncs that they had to do themselves, which should be 0"},
	"checkpoint_time": {"kind": "gauge", "unit": "seconds since", "metric": "pg_checkpoint_age_seconds",
		"help": "Time since the last checkpoint began, on a standby since the one it last restarted from"},
	"timeline": {"kind": "gauge", "metric": "pg_timeline", "help": "Timeline of the last checkpoint"},
	"full_page_writes": {"help": "Whether full_page_writes was on at the last checkpoint"},
	"in_recovery": {"help": "Whether this is a standby"},
	"position": {"unit": "bytes", "help": "Where the log ends, on a standby where replay is"},
	"redo_position": {"unit": "bytes", "help": "Where replay would begin after a crash"},
	"redo_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_redo_bytes",
		"help": "WAL that would be replayed after a crash"},
	"max_wal_size": {"kind": "gauge", "unit": "bytes", "metric": "pg_max_wal_size_bytes", "help": "Setting max_wal_size"},
	"wal_segment_size": {"kind": "gauge", "unit": "bytes", "metric": "pg_wal_segment_size_bytes",
		"help": "Setting wal_segment_size"},
	"checkpoint_timeout": {"kind": "gauge", "unit": "seconds", "metric": "pg_checkpoint_timeout_seconds",
		"help": "Setting checkpoint_timeout"},
	"completion_target": {"kind": "gauge", "metric": "pg_checkpoint_completion_target",
		"help": "Setting checkpoint_completion_target"},
	"stats_reset": {"help": "When these counters began"}
}$columns$);
