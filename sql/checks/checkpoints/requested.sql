-- Checkpoints forced by WAL, because max_wal_size is too small for what is written: their share in those that WAL or
-- time brought about in the last hour.
--
-- The server also counts as requested what CHECKPOINT, base backups, CREATE and DROP DATABASE ask for. What WAL forced
-- shows in the redo pointer: it went on by what makes the server force a checkpoint, max_wal_size / (1 +
-- checkpoint_completion_target) in segments, of which the first and the last count as whole. Less is not WAL's doing.
--
-- A checkpoint by time comes checkpoint_timeout after the one before. So where they come at less than half of it, more
-- than half are forced, and the share says it all. A standby does what its primary does, and is not judged.
SELECT pgdba.define_check(
	check_id => 'checkpoints.requested',
	query => $check$
WITH step AS MATERIALIZED (
	SELECT s.* FROM (
		SELECT h.sampled_at, h.timed, h.requested, h.elapsed,
			h.position - lag(h.position) OVER w AS written, h.redo_position - lag(h.redo_position) OVER w AS redo
		FROM pgdba.hist_checkpoint h
		WHERE h.sampled_at > (SELECT c.sampled_at FROM pgdba.last_checkpoint c) - interval '70 min' AND NOT h.in_recovery
		WINDOW w AS (ORDER BY h.sampled_at)) s
	WHERE s.sampled_at > (SELECT c.sampled_at FROM pgdba.last_checkpoint c) - interval '1 hour'
), hour AS MATERIALIZED (
	SELECT coalesce(sum(s.timed), 0)::int8 AS timed, coalesce(sum(s.requested), 0)::int8 AS requested,
		least(coalesce(sum(s.requested), 0), coalesce(sum(floor(s.redo / f.bytes)), 0))::int8 AS forced,
		sum(s.elapsed)::float8 AS seconds, (sum(s.written) / nullif(sum(s.elapsed), 0))::float8 AS rate
	FROM step s CROSS JOIN (SELECT greatest(floor(c.max_wal_size / c.wal_segment_size / (1 + c.completion_target)) - 2, 0.5)
			* c.wal_segment_size AS bytes
		FROM pgdba.last_checkpoint c WHERE NOT c.in_recovery) f
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	100.0 * h.forced / (h.forced + h.timed) AS value,
	'percent' AS unit,
	h.forced,
	jsonb_strip_nulls(jsonb_build_object(
		'forced', h.forced, 'timed', h.timed, 'asked', h.requested - h.forced, 'seconds', h.seconds,
		'every', h.seconds / (h.forced + h.timed), 'bytes_per_second', h.rate, 'busy_bytes_per_second', b.rate,
		'checkpoint_timeout', c.checkpoint_timeout, 'max_wal_size', c.max_wal_size,
		'present', c.max_wal_size / 1048576 || 'MB',
		'suggested', c.max_wal_size / 1048576 * (2 ^ least(greatest(ceil(log(2, (greatest(
			b.rate * c.checkpoint_timeout * (1 + c.completion_target) / c.max_wal_size, 1))::numeric)), 1), 4))::int8 || 'MB'
	)) AS evidence
FROM hour h
CROSS JOIN pgdba.last_checkpoint c
CROSS JOIN (SELECT (sum(s.written) / nullif(sum(s.elapsed), 0))::float8 AS rate
	FROM step s CROSS JOIN hour t WHERE s.written >= t.rate * s.elapsed) b
WHERE h.forced > 0
$check$,
	definition => $definition${
	"title": "Checkpoints forced by WAL",
	"loop": "workload",
	"probes": ["checkpoint"],
	"thresholds": {"warning": 20, "floor": {"forced": 2}},
	"message": "WAL forced {forced:count} checkpoints in the last hour, {timed:count} came by time: max_wal_size is {max_wal_size:bytes}",
	"why": "After each checkpoint whole pages go to the log again, so forced ones make more WAL and more I/O.",
	"action": "Raise max_wal_size when the disk of pg_wal has the room; recovery after a crash then takes longer. Needs no restart.",
	"sql": ["ALTER SYSTEM SET max_wal_size = {suggested:L};", "SELECT pg_reload_conf();"],
	"lock_level": "none",
	"undo": "ALTER SYSTEM SET max_wal_size = {present:L}; SELECT pg_reload_conf();"
}$definition$);
