-- How full the server is, and who stands in whose way, as one row of numbers.
--
-- Idle sessions take a slot as well, and only client backends do. The slots reserved for superusers are not usable.
SELECT pgdba.define_probe(
	name => 'connections',
	loop => 'hot',
	query => $probe$
SELECT s.connections,
	(pg_catalog.current_setting('max_connections')::pg_catalog.int8
		- pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int8
		- coalesce(pg_catalog.current_setting('reserved_connections', true)::pg_catalog.int8, 0)) AS usable,
	s.active,
	s.idle_in_transaction,
	s.oldest_transaction_seconds,
	s.blocked,
	s.blocked AS blocked_level,
	CASE WHEN s.blocked = 0 THEN 0 ELSE (
		SELECT coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(l.waitstart)), 0)
		FROM pg_catalog.pg_locks l WHERE NOT l.granted) END::pg_catalog.float8 AS longest_blocked_seconds
FROM (SELECT pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend') AS connections,
		pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend' AND a.state = 'active') AS active,
		pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend'
			AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')) AS idle_in_transaction,
		coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(a.xact_start)
			FILTER (WHERE a.backend_type = 'client backend')), 0)::pg_catalog.float8 AS oldest_transaction_seconds,
		pg_catalog.count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS blocked
	FROM pg_catalog.pg_stat_activity a
	WHERE a.pid <> pg_catalog.pg_backend_pid()) s
$probe$,
	key => '{}',
	columns => $columns${
	"connections": {"kind": "gauge", "unit": "connections", "metric": "pg_connections",
		"help": "Client connections in any state"},
	"usable": {"kind": "gauge", "unit": "connections", "metric": "pg_max_connections",
		"help": "Connections that ordinary roles can have: max_connections less the reserved ones"},
	"active": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_active_connections",
		"help": "Client connections that run a statement right now"},
	"idle_in_transaction": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_idle_in_transaction_sessions",
		"help": "Client sessions that are idle in a transaction"},
	"oldest_transaction_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_oldest_transaction_seconds",
		"help": "Age of the oldest transaction of a client, 0 without one"},
	"blocked": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_blocked_sessions",
		"help": "Sessions that wait for a lock"},
	"blocked_level": {"kind": "gauge", "unit": "sessions", "metric": "pg_blocked_sessions_total",
		"help": "The same as pgdba_blocked_sessions: sessions that wait now, not a count of events"},
	"longest_blocked_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_longest_blocked_seconds",
		"help": "Longest time that a session has waited for its lock, 0 when none waits"}
}$columns$);
