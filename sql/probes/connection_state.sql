-- Connections of clients by what they do. Every state has its row, also when nobody is in it.
--
-- A connection that is still being made has no state before PostgreSQL 18, and is "starting" from then on. It is counted
-- under that name in every version, in a row that is there only when there are any.
SELECT pgdba.define_probe(
	name => 'connection_state',
	loop => 'hot',
	query => $probe$
WITH client AS MATERIALIZED (
	SELECT coalesce(a.state, 'starting') AS state, pg_catalog.count(*) AS connections
	FROM pg_catalog.pg_stat_get_activity(NULL) a
	WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
	GROUP BY 1
)
SELECT s.state, coalesce(c.connections, 0) AS connections
FROM (VALUES ('active'), ('idle'), ('idle in transaction'), ('idle in transaction (aborted)'), ('fastpath function call'),
	('disabled')) AS s (state)
LEFT JOIN client c ON c.state = s.state
UNION ALL
SELECT c.state, c.connections FROM client c WHERE c.state = 'starting'
$probe$,
	key => '{state}',
	columns => $columns${
	"state": {"help": "State as pg_stat_activity shows it; starting while the connection is being made"},
	"connections": {"kind": "gauge", "unit": "connections", "metric": "pgdba_connections",
		"help": "Client connections in this state"}
}$columns$);
