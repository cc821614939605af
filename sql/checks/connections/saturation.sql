-- How full the server is with connections, and who takes most of them. An idle connection takes a place as well, so all
-- of a client's count; background processes and replication have places of their own.
--
-- What to do about it depends on what they do: a queue behind a lock, open transactions, idle pools and slow statements
-- fill a server in the same way.
SELECT pgdba.define_check(
	check_id => 'connections.saturation',
	query => $check$
WITH client AS MATERIALIZED (
	SELECT o.* FROM pgdba.last_connection_origin o
	JOIN pgdba.last_connections c ON o.sampled_at > c.sampled_at - interval '10 min'
	WHERE o.backend_type = 'client backend'
), origin AS (
	SELECT o.role, o.application_name, o.client_addr, sum(o.connections) AS connections,
		coalesce(sum(o.connections) FILTER (WHERE o.state = 'idle'), 0) AS idle,
		coalesce(sum(o.connections) FILTER (WHERE o.state IN ('idle in transaction', 'idle in transaction (aborted)')), 0)
			AS in_transaction,
		sum(o.blocked) AS blocked
	FROM client o
	GROUP BY o.role, o.application_name, o.client_addr
	ORDER BY 4 DESC, o.role, o.application_name, o.client_addr
	LIMIT 1
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	100.0 * c.connections / nullif(c.usable, 0) AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'connections', c.connections, 'usable', c.usable, 'active', c.active, 'idle_in_transaction', c.idle_in_transaction,
		'blocked', a.blocked, 'idle', a.idle,
		'role', o.role, 'application_name', o.application_name, 'client_addr', o.client_addr,
		'origin_connections', o.connections, 'origin_percent', round((100.0 * o.connections / nullif(c.connections, 0))::numeric, 1),
		'origin_idle', o.idle, 'origin_idle_in_transaction', o.in_transaction, 'origin_blocked', o.blocked,
		'reason', CASE WHEN c.connections IS NULL OR c.usable IS NULL THEN 'the number of connections is not known' END,
		'most', coalesce(': ' || o.connections || ' by ' || coalesce(nullif(concat_ws(', ', 'role ' || o.role,
				'application ' || nullif(o.application_name, ''), 'from ' || o.client_addr), ''), 'an unknown origin')
			|| CASE
				WHEN o.blocked * 2 >= o.connections THEN ', ' || o.blocked || ' wait for locks'
				WHEN o.in_transaction * 2 >= o.connections THEN ', ' || o.in_transaction || ' idle in transaction'
				WHEN o.idle * 2 >= o.connections THEN ', ' || o.idle || ' idle'
				ELSE '' END, ''),
		'next_step', CASE
			WHEN a.blocked * 4 >= c.connections THEN
				'Sessions queue behind a lock: see locks.blocked. Once the blocker is gone the queue dissolves.'
			WHEN c.idle_in_transaction * 2 >= c.connections THEN
				'Most sit in open transactions: make the application commit before it waits, see sessions.idle_in_transaction.'
			WHEN a.idle * 2 >= c.connections THEN
				'Most are idle: make the largest pools smaller, or put a pooler such as PgBouncer in front. See connections.leak.'
			WHEN o.connections IS NOT NULL THEN
				'Most are at work: find out which statements are slow. More connections would make them slower still.'
			ELSE 'Find out who has most of them.' END
	)) AS evidence
FROM pgdba.last_connections c
LEFT JOIN origin o ON true
LEFT JOIN (SELECT sum(l.blocked) AS blocked, coalesce(sum(l.connections) FILTER (WHERE l.state = 'idle'), 0) AS idle FROM client l) a
	ON true
$check$,
	definition => $definition${
	"title": "Connections",
	"loop": "hot",
	"probes": ["connections"],
	"thresholds": {"warning": 80, "critical": 90, "for": "2m"},
	"message": "{connections} of {usable} connections are taken ({value:percent}){most}",
	"why": "When none is left nobody can connect but superusers, however little the server has to do.",
	"action": "{next_step} The SQL lists who has how many.",
	"sql": "SELECT role, application_name, client_addr, state, connections, longest_seconds FROM pgdba.last_connection_origin WHERE backend_type = 'client backend' ORDER BY connections DESC LIMIT 20;",
	"lock_level": "none"
}$definition$);
