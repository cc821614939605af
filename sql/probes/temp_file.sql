-- Who fills temporary files right now: bytes and files per process, from the names of the files.
--
-- The server's counters of temporary files grow only when a file is closed; these are the files that are open. Files
-- that processes share (parallel hash joins, parallel index builds) lie in directories of their own, which
-- pg_ls_tmpdir() does not enter: they are not counted. pg_global has no directory, and would list pg_default's again.
SELECT pgdba.define_probe(
	name => 'temp_file',
	loop => 'hot',
	query => $probe$
SELECT a.datname::pg_catalog.text AS db,
	f.pid,
	f.bytes,
	f.files,
	f.tablespaces,
	a.backend_start,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	pg_catalog.host(a.client_addr) AS client_addr,
	a.backend_type,
	a.leader_pid::pg_catalog.int8 AS leader_pid,
	a.state,
	a.query_start,
	a.query_id
FROM (SELECT pg_catalog.substring(l.name, '^pgsql_tmp([0-9]{1,10})\.')::pg_catalog.int8 AS pid,
		pg_catalog.sum(l.size)::pg_catalog.int8 AS bytes, pg_catalog.count(*) AS files,
		pg_catalog.count(DISTINCT t.oid) AS tablespaces
	FROM pg_catalog.pg_tablespace t
	CROSS JOIN LATERAL pg_catalog.pg_ls_tmpdir(t.oid) l
	WHERE t.spcname <> 'pg_global' AND pg_catalog.starts_with(l.name, 'pgsql_tmp')
	GROUP BY 1) f
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = f.pid
WHERE f.pid IS NOT NULL
$probe$,
	key => '{pid}',
	columns => $columns${
	"db": {"help": "Database of the process"},
	"pid": {"help": "Process that made the files; the rest is NULL when it is gone and left them behind"},
	"bytes": {"unit": "bytes", "help": "Size of its temporary files"},
	"files": {"unit": "files", "help": "How many temporary files it has"},
	"tablespaces": {"unit": "tablespaces", "help": "In how many tablespaces"},
	"backend_start": {"help": "Start of the process"},
	"role": {"help": "Role that logged in"},
	"application_name": {"help": "What the client calls itself"},
	"client_addr": {"help": "Address of the client, NULL for a local socket"},
	"backend_type": {"help": "Kind of process"},
	"leader_pid": {"help": "Leader of a parallel worker"},
	"state": {"help": "State as pg_stat_activity shows it"},
	"query_start": {"help": "Start of its statement, or of the last one"},
	"query_id": {"help": "Identifier of the statement, NULL when compute_query_id is off"}
}$columns$,
	options => '{"top": {"n": 50, "by": ["bytes"]}}');
