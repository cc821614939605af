-- Sessions that have been active, or in a transaction, for longer than pgdba.slow_session: the hundred that began first.
--
-- Each row tells the story so far: what the session has waited for since its statement or transaction began, who blocks
-- it, what to do next. Where the server began to watch later than that, watched_seconds is less than seconds.
SELECT pgdba.define_probe(
	name => 'slow_session',
	loop => 'hot',
	query => $probe$
SELECT s.db, s.pid, s.backend_start, s.began, s.seconds, s.kind, s.role, s.application_name, s.client_addr, s.backend_type,
	s.state, s.xact_start, s.query_start, s.query_id, s.command, s.wait_event_type, s.wait_event, s.waits, s.watched_seconds,
	s.blocked_by, s.roots, s.next_step, s.slow_sessions
FROM pgdba.slow_session_rows() s
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the session"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"began": {"help": "Start of its transaction, or of its statement where that is older"},
	"seconds": {"unit": "seconds", "help": "How long that has been"},
	"kind": {"help": "statement or transaction: what is slow"},
	"role": {"help": "Role that logged in"},
	"application_name": {"help": "What the client calls itself"},
	"client_addr": {"help": "Address of the client, NULL for a local socket"},
	"backend_type": {"help": "Kind of process"},
	"state": {"help": "State as pg_stat_activity shows it"},
	"xact_start": {"help": "Start of its transaction, NULL without one"},
	"query_start": {"help": "Start of its statement, or of the last one"},
	"query_id": {"help": "Identifier of the statement, NULL when compute_query_id is off"},
	"command": {"help": "Long command that it reports the progress of"},
	"wait_event_type": {"help": "Kind of what it waits for now"},
	"wait_event": {"help": "What it waits for now"},
	"waits": {"help": "Seconds by what it has waited for since it began, the ten longest and the rest as other; CPU is no wait"},
	"watched_seconds": {"unit": "seconds", "help": "Sum of these: how much of its time was sampled"},
	"blocked_by": {"help": "Process IDs that it waits for; 0 is a prepared transaction"},
	"roots": {"help": "Process IDs at the head of its queue, which wait for nobody"},
	"next_step": {"help": "What to do next"},
	"slow_sessions": {"unit": "sessions", "help": "How many were slow at that time, also beyond the hundred"}
}$columns$,
	options => '{"max_rows": 100}');
