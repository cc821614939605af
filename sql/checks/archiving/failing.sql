-- WAL that cannot be archived: the last try failed after the last success, or nobody says where to archive to.
--
-- For how long: since the last success, or since the first of the files that wait was complete when that was later. The time
-- of the last failure says nothing, as the archiver tries again every minute; nor does the number of failures, which
-- counts all there ever were.
SELECT pgdba.define_check(
	check_id => 'archiving.failing',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	extract(epoch FROM a.sampled_at - coalesce(greatest(a.last_archived_at, a.oldest_ready_at), a.last_failed_at))::float8 AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'failed_wal', a.last_failed_wal, 'failed_at', a.last_failed_at, 'archived_wal', a.last_archived_wal,
		'archived_at', a.last_archived_at, 'failed_count', a.failed_count, 'files', a.ready_files, 'bytes', a.ready_bytes,
		'library', nullif(a.library, ''),
		'waiting', CASE a.ready_files WHEN 1 THEN '1 file waits' ELSE format('%s files wait', a.ready_files) END,
		'what', CASE WHEN a.configured THEN a.last_failed_wal || ' cannot be archived'
			ELSE 'archive_mode is ' || a.mode || ' without an archive_command' END,
		'next_step', CASE WHEN a.configured THEN 'The server log has what '
				|| CASE a.library WHEN '' THEN 'archive_command' ELSE a.library END || ' printed: look whether the archive can be reached, '
				|| 'is full, or has the file already with other content. The server tries again by itself.'
			ELSE 'Set archive_command or archive_library, a reload is enough. If there is to be no archive: archive_mode = off, '
				|| 'and restart the server.' END
	)) AS evidence
FROM pgdba.last_archiver a
WHERE a.archives AND CASE WHEN a.configured THEN a.last_failed_at > coalesce(a.last_archived_at, '-infinity')
	ELSE a.ready_files IS DISTINCT FROM 0 END
$check$,
	definition => $definition${
	"title": "Archiving that fails",
	"loop": "workload",
	"probes": ["archiver"],
	"thresholds": {"warning": 0, "critical": 300, "for": "1m"},
	"message": "{what}, for {value:duration}: {waiting}",
	"why": "A restore ends where the archive ends; what waits fills pg_wal, and with its disk full the server stops.",
	"action": "{next_step}"
}$definition$);
