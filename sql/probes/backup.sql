-- Base backups that this server has seen end: each leaves a history file in pg_wal, and removes those before it that are archived.
--
-- The clone of a standby is such a backup as well. Without archiving no file stays; a backup that is taken from a standby, by a snapshot of
-- the disk or with pg_dump leaves none; and after a failover the new primary has none: then last_ended_at is NULL, which means not known.
SELECT pgdba.define_probe(
	name => 'backup',
	loop => 'hourly',
	query => $probe$
SELECT pg_catalog.max(f.modification) AS last_ended_at,
	pg_catalog.count(f.name) AS history_files,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_progress_basebackup) AS running,
	pg_catalog.current_setting('archive_mode') <> 'off' AND NOT pg_catalog.pg_is_in_recovery() AS leaves_trace,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM pg_catalog.pg_ls_waldir() f
WHERE f.name ~ '^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$'
$probe$,
	key => '{}',
	columns => $columns${
	"last_ended_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_backup_last_ended_seconds",
		"help": "Time since a base backup of this server ended; absent when none is known"},
	"history_files": {"unit": "files", "help": "History files of backups in pg_wal"},
	"running": {"kind": "gauge", "unit": "backups", "metric": "pg_backup_running", "help": "Base backups that are being streamed now"},
	"leaves_trace": {"help": "Whether a backup of this server leaves a history file: on a primary that archives"},
	"in_recovery": {"help": "Whether the server is a standby"}
}$columns$);
