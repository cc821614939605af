-- The files of pg_wal: how many, how large, how old, and how many segments lie ready for what is yet to be written.
--
-- A checkpoint does not remove a segment that nobody needs but renames it to one that comes: about as many as WAL was
-- written between two checkpoints, so these are no waste. What is behind the position is kept for the next checkpoint, for
-- wal_keep_size, slots or the archive.
SELECT pgdba.define_probe(
	name => 'wal_directory',
	loop => 'storage',
	query => $probe$
SELECT pg_catalog.count(*) AS files,
	pg_catalog.sum(f.size)::pg_catalog.int8 AS bytes,
	pg_catalog.count(f.segment) AS segments,
	pg_catalog.count(*) FILTER (WHERE f.segment > f.current) AS ahead_segments,
	pg_catalog.count(*) FILTER (WHERE f.segment < f.current) AS behind_segments,
	pg_catalog.min(f.modification) FILTER (WHERE f.segment <= f.current) AS oldest_at,
	pg_catalog.count(*) FILTER (WHERE f.name LIKE '%.partial') AS partial_files,
	pg_catalog.min(f.wal_segment_size) AS wal_segment_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_keep_size')) AS wal_keep_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('min_wal_size')) AS min_wal_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT d.name, d.size, d.modification, p.wal_segment_size,
		pg_catalog.div(p.position, p.wal_segment_size) AS current,
		CASE WHEN d.name ~ '^[0-9A-F]{24}$' THEN
			('x' || pg_catalog.substr(d.name, 9, 8))::pg_catalog.bit(32)::pg_catalog.int8 * (4294967296 / p.wal_segment_size)
			+ ('x' || pg_catalog.substr(d.name, 17, 8))::pg_catalog.bit(32)::pg_catalog.int8 END AS segment
	FROM pg_catalog.pg_ls_waldir() d
	CROSS JOIN (SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS wal_segment_size,
			CASE WHEN pg_catalog.pg_is_in_recovery()
				THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
				ELSE pg_catalog.pg_current_wal_insert_lsn() END - '0/0'::pg_catalog.pg_lsn AS position) p) f
$probe$,
	key => '{}',
	columns => $columns${
	"files": {"help": "Files in pg_wal, also history and backup files"},
	"bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_wal_size_bytes", "help": "Size of all files in pg_wal"},
	"segments": {"kind": "gauge", "unit": "segments", "metric": "pg_wal_segments", "help": "Segments in pg_wal"},
	"ahead_segments": {"kind": "gauge", "unit": "segments", "metric": "pg_wal_ahead_segments",
		"help": "Those of them that are ready to be written to"},
	"behind_segments": {"kind": "gauge", "unit": "segments", "metric": "pg_wal_behind_segments",
		"help": "Those that are complete: kept for a checkpoint, wal_keep_size, a slot or the archive"},
	"oldest_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_wal_oldest_segment_seconds",
		"help": "Time since the oldest segment with WAL was written"},
	"partial_files": {"help": "Segments of an old timeline that were never complete"},
	"wal_segment_size": {"unit": "bytes", "help": "Setting wal_segment_size"},
	"wal_keep_size": {"kind": "gauge", "unit": "bytes", "metric": "pg_wal_keep_size_bytes", "help": "Setting wal_keep_size"},
	"min_wal_size": {"unit": "bytes", "help": "Setting min_wal_size"},
	"max_wal_size": {"unit": "bytes", "help": "Setting max_wal_size"},
	"in_recovery": {"help": "Whether this is a standby"}
}$columns$);
