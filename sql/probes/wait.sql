-- What sessions did since the sample before: on a CPU, or waiting for what. Looked at `pgdba.wait_rate` times a second by the launcher.
--
-- It reads the state of each session straight from shared memory, without a snapshot, a transaction or a lock. Seen are sessions that are active,
-- idle in a transaction, or idle for less than a second, the time that a client takes between two statements. Load is what is active.
-- Events are named as PostgreSQL 17 and later name them, whatever the server is: IO:WalSync is who writes a commit to disk, LWLock:WALWrite who waits
-- for that. Of more than 100 rows the smaller ones are added up, per state and class, in rows that are `folded`: so totals are whole.
SELECT pgdba.define_probe(
	name => 'wait',
	loop => 'workload',
	query => NULL,
	key => '{db,role,application_name,query_id,state,event_type,event}',
	columns => $columns${
	"db": {"help": "Name of the database, NULL for a process that is connected to none"},
	"role": {"help": "Who is logged in, NULL for a process of the server"},
	"application_name": {"help": "What the client calls itself"},
	"query_id": {"help": "Which statement, as in pg_stat_statements; of an idle session the last one; NULL when it is not known"},
	"state": {"help": "active; idle in transaction; idle, for less than a second"},
	"event_type": {"help": "Kind of event it waited for, CPU when it waited for none"},
	"event": {"help": "What it waited for, CPU when for nothing"},
	"class": {"help": "CPU, IO, Lock, LWLock, Client, IPC, Timeout, Extension, BufferPin, Activity or other"},
	"samples": {"kind": "gauge", "unit": "samples", "help": "How often it was seen"},
	"seconds": {"kind": "gauge", "unit": "seconds", "help": "Session-seconds: the time between the looks at which it was seen"},
	"blocked_seconds": {"kind": "gauge", "unit": "seconds", "help": "Of these, how long it waited for a lock that another session holds"},
	"folded": {"help": "Whether the row adds up what is beyond the largest 100; then db, role, application_name and query_id are NULL"},
	"span_seconds": {"kind": "gauge", "unit": "seconds", "help": "How long was looked at in all, the same in every row"}
}$columns$,
	scope => 'native');
