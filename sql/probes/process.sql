-- What each process of the server costs the machine: CPU time, memory of its own, bytes read from and written to storage.
--
-- From /proc, so a process that holds CPU or memory is seen whatever it says of itself. `own_bytes` is what it does not share: the memory
-- that goes when it ends. Resident memory counts shared_buffers again in every process that touched them. Kept are the ones that used most.
SELECT pgdba.define_probe(
	name => 'process',
	loop => 'workload',
	query => $probe$
SELECT a.datname::pg_catalog.text AS db,
	p.pid,
	coalesce(a.backend_start, pg_catalog.pg_postmaster_start_time()) AS backend_start,
	a.backend_type,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	p.state,
	p.user_seconds,
	p.system_seconds,
	p.user_seconds + p.system_seconds AS cpu_seconds,
	p.major_faults,
	p.resident_bytes,
	p.own_bytes,
	p.read_bytes,
	p.written_bytes,
	p.oom_score
FROM pgdba.host_processes() p
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the session, NULL for a process of the cluster"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process, of one that pg_stat_activity does not show that of the server"},
	"backend_type": {"help": "Kind of process as pg_stat_activity names it; NULL of one that is not there: the postmaster, the logger, workers without a connection"},
	"role": {"help": "Role that logged in"},
	"application_name": {"help": "What the client calls itself"},
	"state": {"help": "R runs, S waits, D waits for storage and cannot be interrupted, T is stopped, Z is gone"},
	"user_seconds": {"kind": "counter", "unit": "seconds", "help": "CPU time of the process itself"},
	"system_seconds": {"kind": "counter", "unit": "seconds", "help": "CPU time of the kernel for it"},
	"cpu_seconds": {"kind": "counter", "unit": "seconds", "help": "Both"},
	"major_faults": {"kind": "counter", "unit": "faults", "help": "Pages that had to be read from storage first"},
	"resident_bytes": {"unit": "bytes", "help": "Memory in use, what it shares with others counted in"},
	"own_bytes": {"unit": "bytes", "help": "Memory in use that it does not share"},
	"read_bytes": {"kind": "counter", "unit": "bytes", "help": "Read from storage"},
	"written_bytes": {"kind": "counter", "unit": "bytes", "help": "Written to storage, or to the page cache for it"},
	"oom_score": {"help": "oom_score_adj: -1000 is never killed for want of memory"}
}$columns$,
	options => $options${
	"max_rows": 20000,
	"top": {"n": 20, "by": ["cpu_seconds", "own_bytes", "read_bytes", "written_bytes"]},
	"object": "session:{pid}/{backend_start}"
}$options$);
