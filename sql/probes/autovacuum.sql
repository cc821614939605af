-- What the autovacuum workers do: how many are in each phase, and how many they may be. Every phase has a row.
--
-- A worker without a progress row is between two tables. That a vacuum prevents wraparound is only told by the end of its
-- text, which names a table of another database, maybe in another encoding. So bytes are compared; textsend() gives them
-- as they are where client and server encoding are the same, and elsewhere nobody knows.
SELECT pgdba.define_probe(
	name => 'autovacuum',
	loop => 'hot',
	query => $probe$
WITH worker AS MATERIALIZED (
	SELECT coalesce(v.phase, CASE WHEN z.pid IS NOT NULL THEN 'analyzing' ELSE 'between tables' END) AS phase,
		a.wait_event_type,
		CASE WHEN pg_catalog.current_setting('client_encoding') = pg_catalog.current_setting('server_encoding')
			THEN pg_catalog.substr(pg_catalog.textsend(a.query), pg_catalog.octet_length(a.query) - 23)
				= ' (to prevent wraparound)'::pg_catalog.bytea END AS prevents_wraparound
	FROM pg_catalog.pg_stat_activity a
	LEFT JOIN pg_catalog.pg_stat_progress_vacuum v ON v.pid = a.pid
	LEFT JOIN pg_catalog.pg_stat_progress_analyze z ON z.pid = a.pid
	WHERE a.backend_type = 'autovacuum worker'
)
SELECT p.phase,
	pg_catalog.count(w.phase) AS jobs,
	CASE WHEN pg_catalog.count(w.phase) = pg_catalog.count(w.prevents_wraparound)
		THEN pg_catalog.count(*) FILTER (WHERE w.prevents_wraparound) END AS wraparound_jobs,
	pg_catalog.count(*) FILTER (WHERE w.wait_event_type = 'Lock') AS blocked_jobs,
	(SELECT pg_catalog.count(*) FROM worker) AS workers,
	least(pg_catalog.current_setting('autovacuum_max_workers')::pg_catalog.int8,
		pg_catalog.current_setting('autovacuum_worker_slots', true)::pg_catalog.int8) AS max_workers
FROM (VALUES ('initializing'), ('scanning heap'), ('vacuuming indexes'), ('vacuuming heap'), ('cleaning up indexes'),
		('truncating heap'), ('performing final cleanup'), ('analyzing'), ('between tables')) AS p (phase)
LEFT JOIN worker w ON w.phase = p.phase
GROUP BY p.phase
$probe$,
	key => '{phase}',
	columns => $columns${
	"phase": {"help": "Phase of the vacuum, or: analyzing, between tables"},
	"jobs": {"kind": "gauge", "unit": "workers", "metric": "pg_autovacuum_jobs",
		"help": "Autovacuum workers in the phase"},
	"wraparound_jobs": {"kind": "gauge", "unit": "workers", "metric": "pg_autovacuum_wraparound_jobs",
		"help": "Autovacuum workers in the phase that prevent wraparound; absent when that cannot be told"},
	"blocked_jobs": {"kind": "gauge", "unit": "workers", "metric": "pg_autovacuum_blocked_jobs",
		"help": "Autovacuum workers in the phase that wait for a lock"},
	"workers": {"unit": "workers", "help": "Autovacuum workers in all phases"},
	"max_workers": {"unit": "workers", "help": "How many there may be at a time"}
}$columns$);
