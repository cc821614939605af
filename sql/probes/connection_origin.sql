-- Where connections come from: one row per kind of process, database, role, application, address and state.
--
-- A connection is unused when it has idled for nine tenths of its life: opened, asked something at most, and never
-- asked again. A pool's connections are asked again and again, those of a leak are not.
SELECT pgdba.define_probe(
	name => 'connection_origin',
	loop => 'hot',
	query => $probe$
SELECT o.datname::pg_catalog.text AS db,
	o.backend_type,
	o.usename::pg_catalog.text AS role,
	o.application_name,
	o.client_addr,
	o.state,
	o.connections,
	o.blocked,
	o.unused,
	o.forgotten,
	o.longest_seconds,
	o.oldest_backend_start,
	o.newest_backend_start
FROM (SELECT s.datname, s.backend_type, s.usename, s.application_name, pg_catalog.host(s.client_addr) AS client_addr, s.state,
		pg_catalog.count(*) AS connections,
		pg_catalog.count(*) FILTER (WHERE s.wait_event_type = 'Lock') AS blocked,
		pg_catalog.count(*) FILTER (WHERE s.unused) AS unused,
		pg_catalog.count(*) FILTER (WHERE s.unused AND s.state_seconds > 1800) AS forgotten,
		pg_catalog.max(s.state_seconds) AS longest_seconds,
		pg_catalog.min(s.backend_start) AS oldest_backend_start,
		pg_catalog.max(s.backend_start) AS newest_backend_start
	FROM (SELECT a.*, t.state_seconds, a.state IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')
				AND t.state_seconds >= 0.9 * extract(epoch FROM n.now - a.backend_start) AS unused
		FROM pg_catalog.pg_stat_activity a
		CROSS JOIN (SELECT pg_catalog.clock_timestamp() AS now OFFSET 0) n
		CROSS JOIN LATERAL (SELECT extract(epoch FROM n.now - a.state_change)::pg_catalog.float8 AS state_seconds) t
		WHERE a.pid <> pg_catalog.pg_backend_pid()) s
	GROUP BY s.datname, s.backend_type, s.usename, s.application_name, s.client_addr, s.state) o
$probe$,
	key => '{db,backend_type,role,application_name,client_addr,state}',
	columns => $columns${
	"db": {"help": "Database of the connections, NULL for none"},
	"backend_type": {"kind": "info", "help": "Kind of process; client backend for connections of clients"},
	"role": {"kind": "info", "help": "Role that logged in"},
	"application_name": {"kind": "info", "help": "What the client calls itself"},
	"client_addr": {"kind": "info", "help": "Address of the client, NULL for a local socket"},
	"state": {"kind": "info", "help": "State as pg_stat_activity shows it, NULL for processes that have none"},
	"connections": {"unit": "connections", "help": "How many there are"},
	"blocked": {"unit": "connections", "help": "How many of them wait for a lock"},
	"unused": {"unit": "connections", "help": "How many of them have idled for nine tenths of their life"},
	"forgotten": {"unit": "connections", "help": "How many of those for more than half an hour"},
	"longest_seconds": {"unit": "seconds", "help": "Longest time that one has had this state"},
	"oldest_backend_start": {"help": "When the oldest was opened"},
	"newest_backend_start": {"help": "When the newest was opened"}
}$columns$,
	options => '{"top": {"n": 50, "by": ["connections"]}}');
