-- Files that wait to be archived, because the archive is slower than WAL is written or does not take it at all.
--
-- One segment may always wait, that which was completed last; a hundred of them are 1.6 GB with segments of the usual size.
SELECT pgdba.define_check(
	check_id => 'archiving.backlog',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	a.ready_files::float8 AS value,
	'files' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'bytes', a.ready_bytes, 'oldest_ready_at', a.oldest_ready_at,
		'age', extract(epoch FROM a.sampled_at - a.oldest_ready_at)::float8,
		'archived_wal', a.last_archived_wal, 'archived_at', a.last_archived_at,
		'reason', CASE WHEN a.ready_files IS NULL THEN 'pg_wal/archive_status cannot be read' END
	)) AS evidence
FROM pgdba.last_archiver a
WHERE a.archives
$check$,
	definition => $definition${
	"title": "WAL that waits to be archived",
	"loop": "workload",
	"probes": ["archiver"],
	"thresholds": {"warning": 100, "critical": 500, "clear": 50, "for": "5m"},
	"message": "{value:count} files of WAL, {bytes:bytes}, wait to be archived, the first for {age:duration}",
	"why": "A restore loses what is not archived yet, and pg_wal keeps it: in the end its disk is full and the server stops.",
	"action": "See whether archive_command hangs, or is slow: it takes one file at a time. Never remove files from pg_wal by hand.",
	"symptom_of": "archiving.failing"
}$definition$);
