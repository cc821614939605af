-- The archive of WAL: what was archived, what failed, what waits. No row while archive_mode is off; then nothing is looked at.
--
-- A file waits while there is a .ready file for it, made when the segment was complete. On a standby only archive_mode =
-- always archives; otherwise the times of its life as a primary say nothing of now, and are NULL. Of the command, which
-- may carry a password, only is kept that there is one.
SELECT pgdba.define_probe(
	name => 'archiver',
	loop => 'workload',
	query => $probe$
SELECT m.mode,
	m.archives,
	m.command OR m.library <> '' AS configured,
	m.command,
	m.library,
	a.archived_count,
	CASE WHEN m.archives THEN a.last_archived_wal END AS last_archived_wal,
	CASE WHEN m.archives THEN a.last_archived_time END AS last_archived_at,
	a.failed_count,
	CASE WHEN m.archives THEN a.last_failed_wal END AS last_failed_wal,
	CASE WHEN m.archives THEN a.last_failed_time END AS last_failed_at,
	w.ready_files,
	w.ready_segments * pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS ready_bytes,
	w.oldest_ready_at,
	a.stats_reset
FROM (SELECT s.mode, s.mode = 'always' OR NOT pg_catalog.pg_is_in_recovery() AS archives,
		pg_catalog.current_setting('archive_command') <> '' AS command,
		pg_catalog.current_setting('archive_library') AS library
	FROM (SELECT pg_catalog.current_setting('archive_mode') AS mode) s) m
CROSS JOIN pg_catalog.pg_stat_archiver a
CROSS JOIN (SELECT pg_catalog.count(*) AS ready_files,
		pg_catalog.count(*) FILTER (WHERE f.name ~ '^[0-9A-F]{24}(\.partial)?\.ready$') AS ready_segments,
		pg_catalog.min(f.modification) AS oldest_ready_at
	FROM pg_catalog.pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready') w
WHERE pg_catalog.current_setting('archive_mode') <> 'off'
$probe$,
	key => '{}',
	columns => $columns${
	"mode": {"help": "Setting archive_mode: on or always"},
	"archives": {"kind": "gauge", "metric": "pg_archiver_active",
		"help": "1 where WAL is archived from: everywhere but on a standby without archive_mode = always"},
	"configured": {"kind": "gauge", "metric": "pg_archiver_configured",
		"help": "1 when archive_command or archive_library is set; without one WAL waits"},
	"command": {"help": "Whether archive_command is set"},
	"library": {"help": "Setting archive_library, empty for archive_command"},
	"archived_count": {"kind": "counter", "unit": "files", "metric": "pg_archiver_archived_total", "help": "Files archived"},
	"last_archived_wal": {"help": "The file archived last"},
	"last_archived_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_archiver_last_archived_seconds",
		"help": "Time since a file was archived; grows while no WAL is written"},
	"failed_count": {"kind": "counter", "unit": "tries", "metric": "pg_archiver_failed_total",
		"help": "Tries to archive a file that failed"},
	"last_failed_wal": {"help": "The file that failed last"},
	"last_failed_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_archiver_last_failed_seconds",
		"help": "Time since a try failed"},
	"ready_files": {"kind": "gauge", "unit": "files", "metric": "pg_archiver_ready_files", "help": "Files that wait to be archived"},
	"ready_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_archiver_ready_bytes",
		"help": "WAL in segments that wait to be archived, and cannot be removed before"},
	"oldest_ready_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_archiver_oldest_ready_seconds",
		"help": "Time for which the first of them has waited; absent when none waits"},
	"stats_reset": {"help": "When these counters began"}
}$columns$);
