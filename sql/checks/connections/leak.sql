-- An origin (role, application, address) that opens connections and does not give them back.
--
-- A pool has many idle connections too, but opens a new one only when the others are busy: they are all used again, it
-- stops growing, and what it opens at its start it opens at once. So an origin is suspected only when most of its
-- connections have not been used since soon after they were opened, and, within half an hour, their number has risen
-- again and again (three times, 5 s apart) and hardly fallen; or, when that is over, most have lain there for longer
-- although they were not opened at the same time. When half of them go at once the application was restarted, and growth
-- is counted from there; when that happens all the time, they are given back after all.
--
-- History is what costs: it is read only when there is a suspect that has opened a connection lately.
SELECT pgdba.define_check(
	check_id => 'connections.leak',
	query => $check$
WITH origin AS MATERIALIZED (
	SELECT o.role, o.application_name, o.client_addr, max(o.sampled_at) AS sampled_at, sum(o.connections) AS connections,
		sum(o.unused) AS unused, sum(o.forgotten) AS forgotten, max(o.longest_seconds) FILTER (WHERE o.unused > 0) AS idle_seconds,
		max(o.newest_backend_start) - min(o.oldest_backend_start) AS spread,
		max(o.newest_backend_start) > max(o.sampled_at) - interval '30 min' AS opens, jsonb_agg(DISTINCT o.db) AS databases
	FROM pgdba.last_connection_origin o
	WHERE o.backend_type = 'client backend'
	GROUP BY o.role, o.application_name, o.client_addr
	HAVING sum(o.connections) >= 10 AND sum(o.unused) * 2 > sum(o.connections)
), past AS (
	SELECT g.*, lag(g.unused) OVER origin AS before
	FROM (SELECT h.role, h.application_name, h.client_addr, h.sampled_at, sum(h.unused) AS unused
		FROM pgdba.hist_connection_origin h
		WHERE EXISTS (SELECT FROM origin o WHERE o.opens) AND h.backend_type = 'client backend'
			AND h.sampled_at > (SELECT max(o.sampled_at) FROM origin o) - interval '30 min'
		GROUP BY h.role, h.application_name, h.client_addr, h.sampled_at) g
	WINDOW origin AS (PARTITION BY g.role, g.application_name, g.client_addr ORDER BY g.sampled_at)
), life AS (
	SELECT p.*, p.unused - p.before AS step, count(*) FILTER (WHERE p.before >= 10 AND p.unused * 2 <= p.before)
			OVER (PARTITION BY p.role, p.application_name, p.client_addr ORDER BY p.sampled_at DESC
				ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS restarts
	FROM past p
), growth AS (
	SELECT l.role, l.application_name, l.client_addr, max(l.restarts) AS restarts,
		min(l.sampled_at) FILTER (WHERE l.step > 0 AND l.restarts = 0) AS since,
		count(DISTINCT date_bin('5 s', l.sampled_at, '2001-01-01 00:00:00+00')) FILTER (WHERE l.step > 0 AND l.restarts = 0) AS steps,
		sum(greatest(l.step, 0)) FILTER (WHERE l.restarts = 0) AS risen,
		sum(greatest(-l.step, 0)) FILTER (WHERE l.restarts = 0) AS fallen
	FROM life l
	GROUP BY l.role, l.application_name, l.client_addr
), suspect AS (
	SELECT o.*, c.usable, 100.0 * o.connections / nullif(c.usable, 0) AS share,
		c.usable - c.connections AS free, g.grows, g.risen - g.fallen AS grown,
		extract(epoch FROM o.sampled_at - g.since)::float8 AS growing_seconds,
		row_number() OVER (PARTITION BY o.role ORDER BY o.connections DESC, o.application_name, o.client_addr) AS place
	FROM origin o
	CROSS JOIN pgdba.last_connections c
	LEFT JOIN LATERAL (SELECT w.*, w.steps >= 3 AND w.risen >= 5 AND w.fallen * 5 <= w.risen AND w.restarts <= 2 AS grows
		FROM growth w
		WHERE w.role IS NOT DISTINCT FROM o.role AND w.application_name IS NOT DISTINCT FROM o.application_name
			AND w.client_addr IS NOT DISTINCT FROM o.client_addr) g ON true
	WHERE (g.grows AND o.opens) OR (o.forgotten * 2 > o.connections AND o.spread > interval '10 min')
)
SELECT 'role:' || coalesce(quote_ident(s.role), 'unknown') AS object,
	NULL::text AS database,
	s.share AS value,
	'percent' AS unit,
	s.connections::float8 AS connections,
	jsonb_strip_nulls(jsonb_build_object(
		'role', s.role, 'application_name', s.application_name, 'client_addr', s.client_addr, 'databases', s.databases,
		'socket_role', CASE WHEN s.client_addr IS NULL THEN s.role END,
		'connections', s.connections, 'usable', s.usable, 'unused', s.unused, 'longest_idle_seconds', s.idle_seconds,
		'grown', s.grown, 'growing_seconds', s.growing_seconds,
		'reason', CASE WHEN s.share IS NULL THEN 'the number of usable connections is not known' END,
		'who', coalesce(nullif(concat_ws(', ', 'role ' || s.role, 'application ' || nullif(s.application_name, ''),
			'from ' || s.client_addr), ''), 'an unknown origin'),
		'trend', CASE
			WHEN NOT coalesce(s.grows, false) THEN ', most for more than half an hour'
			WHEN s.growing_seconds < 1 THEN ', and more and more'
			ELSE ', ' || s.grown || ' more within ' || pgdba.duration_text(s.growing_seconds) END,
		'forecast', CASE WHEN s.grows AND s.grown > 0 AND s.growing_seconds >= 1 AND s.free > 0 THEN ' At this pace none is left in '
			|| pgdba.duration_text(s.free * s.growing_seconds / s.grown::float8) || '.' ELSE '' END
	)) AS evidence
FROM suspect s
WHERE s.place = 1
ORDER BY s.share DESC NULLS FIRST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Connections that are not given back",
	"loop": "hot",
	"probes": ["connections", "connection_origin"],
	"thresholds": {"warning": 30, "critical": 60, "floor": {"connections": 9}},
	"message": "{who} looks like a leak: {connections} of {usable} connections, {unused} unused since opened{trend}",
	"why": "Connections that are opened and never given back take every place in the end, and then nobody can connect.{forecast}",
	"action": "Look where this application opens a connection and does not close it, as on its error paths, or makes a pool per request. Restarting it frees them. The SQL ends those that have idled for over 2 minutes; whoever still uses one gets an error.",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = {role:L} AND application_name = {application_name:L} AND client_addr = {client_addr:L} AND state = 'idle' AND state_change < now() - interval '2 minutes';",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = {socket_role:L} AND application_name = {application_name:L} AND client_addr IS NULL AND state = 'idle' AND state_change < now() - interval '2 minutes';"],
	"lock_level": "none"
}$definition$);
