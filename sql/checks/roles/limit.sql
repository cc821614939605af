-- Connections of a role or a database, set against its own limit, which is met long before that of the server.
--
-- The limits do not hold for superusers, and replication connections and background processes do not count. A limit of 0 is
-- meant to keep everybody out.
SELECT pgdba.define_check(
	check_id => 'roles.limit',
	query => $check$
WITH counted AS MATERIALIZED (
	SELECT o.db, o.role, o.connections, o.state FROM pgdba.last_connection_origin o
	WHERE o.backend_type = 'client backend'
), held AS (
	SELECT 'role' AS kind, r.role AS name, NULL::text AS db, r.connection_limit, sum(c.connections) AS connections,
		sum(c.connections) FILTER (WHERE c.state = 'idle') AS idle
	FROM pgdba.last_role r JOIN counted c ON c.role = r.role
	WHERE r.connection_limit > 0 AND NOT r.superuser
	GROUP BY r.role, r.connection_limit
	UNION ALL
	SELECT 'database', d.db, d.db, d.datconnlimit, sum(c.connections), sum(c.connections) FILTER (WHERE c.state = 'idle')
	FROM pgdba.last_database d JOIN counted c ON c.db = d.db
	WHERE d.datconnlimit > 0
	GROUP BY d.db, d.datconnlimit
)
SELECT h.kind || ':' || quote_ident(h.name) AS object,
	h.db AS database,
	(100.0 * h.connections / h.connection_limit)::float8 AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'kind', h.kind, 'name', h.name, 'connections', h.connections, 'connection_limit', h.connection_limit,
		'idle', coalesce(h.idle, 0), 'limited_role', CASE h.kind WHEN 'role' THEN h.name END, 'limited_database', h.db,
		'next_step', CASE WHEN h.idle * 2 >= h.connections THEN 'Most are idle: make the pools smaller, or put a pooler in front.'
			ELSE 'Most are at work. When the server has room, raise the limit: ALTER '
				|| CASE h.kind WHEN 'role' THEN 'ROLE' ELSE 'DATABASE' END || ' ... CONNECTION LIMIT.' END
	)) AS evidence
FROM held h
ORDER BY 3 DESC, 1
LIMIT 100
$check$,
	definition => $definition${
	"title": "Connection limits of roles and databases",
	"loop": "workload",
	"probes": ["role", "database", "connection_origin"],
	"thresholds": {"warning": 80, "critical": 95, "for": "2m"},
	"message": "{kind} {name} has {connections} of {connection_limit} connections ({value:percent})",
	"why": "When none is left its clients are refused, although the server has room.",
	"action": "{next_step} The SQL lists who has how many.",
	"sql": [
		"SELECT db, application_name, client_addr, state, connections, longest_seconds FROM pgdba.last_connection_origin WHERE role = {limited_role:L} ORDER BY connections DESC LIMIT 20;",
		"SELECT role, application_name, client_addr, state, connections, longest_seconds FROM pgdba.last_connection_origin WHERE db = {limited_database:L} ORDER BY connections DESC LIMIT 20;"
	],
	"lock_level": "none"
}$definition$);
