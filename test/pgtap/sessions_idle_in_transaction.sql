-- sessions.idle_in_transaction: one finding per origin, and blame for vacuum only where it is due. Golden samples of
-- 2001-01-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(17);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sessions.idle_in_transaction'
$$;

CREATE FUNCTION pg_temp.idle(pid int, at timestamptz, idle interval, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('pid', pid, 'backend_start', '2001-01-02 00:00:00.25+00', 'db', 'shop', 'role', 'app',
		'backend_type', 'client backend', 'state', 'idle in transaction', 'xact_start', at - idle - interval '1 s',
		'state_change', at - idle) || more
$$;

-- Quiet: exactly the threshold, a plain idle session, a busy one, a process of the server.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '300 s'),
	pg_temp.idle(2, at, '3 h', '{"state": "idle"}'), pg_temp.idle(3, at, '3 h', '{"state": "active"}'),
	pg_temp.idle(4, at, '3 h', '{"backend_type": "walsender"}')))
FROM (VALUES ('2001-01-02 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 300 s') FROM pg_temp.verdict('2001-01-02 01:00:00+00');

-- Warning. It read under READ COMMITTED: no snapshot, no transaction ID, so it is not blamed for vacuum.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '301 s')))
FROM (VALUES ('2001-01-02 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-01-02 02:00:00+00')$$,
	$$VALUES ('warning', 'session:1/2001-01-02 00:00:00.250000+00', 'shop', 301::float8, 'seconds')$$,
	'warning beyond 300 s');
SELECT is(message, 'session 1 (role app) is idle in transaction for 5 min 1 s: no snapshot and no transaction ID, '
	'so vacuum is not held back', 'a session without a snapshot is not blamed') FROM pg_temp.verdict('2001-01-02 02:00:00+00');
SELECT is(evidence ->> 'holders', '0', 'it holds nothing') FROM pg_temp.verdict('2001-01-02 02:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 1 AND backend_start = '
	'''2001-01-02 00:00:00.250000+00'';', 'ending it is guarded by its start') FROM pg_temp.verdict('2001-01-02 02:00:00+00');

-- With a snapshot (REPEATABLE READ) or a transaction ID (it wrote) it holds back vacuum.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '400 s', '{"backend_xmin_age": 12}')))
FROM (VALUES ('2001-01-02 03:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: it holds back vacuum by 12 transactions', 'a snapshot is blamed')
FROM pg_temp.verdict('2001-01-02 03:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '400 s', '{"backend_xid_age": 7}')))
FROM (VALUES ('2001-01-02 04:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: it holds back vacuum by 7 transactions', 'a transaction ID is blamed')
FROM pg_temp.verdict('2001-01-02 04:00:00+00');

-- Critical, also in an aborted transaction.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '1801 s', '{"state": "idle in transaction (aborted)"}')))
FROM (VALUES ('2001-01-02 05:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'critical', 'critical beyond 1800 s') FROM pg_temp.verdict('2001-01-02 05:00:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-01-02 05:10:00+00');

-- 35 sessions of one origin are one finding; another address is another origin.
SELECT pgdba.inject_sample('activity', at, jsonb_agg(s))
FROM (VALUES ('2001-01-02 06:00:00+00'::timestamptz)) AS v (at), LATERAL (
	SELECT pg_temp.idle(n, at, make_interval(days => 133, secs => -n),
		'{"client_addr": "10.0.0.1", "application_name": "worker"}') FROM generate_series(1, 35) n
	UNION ALL SELECT pg_temp.idle(99, at, '400 s', '{"client_addr": "10.0.0.2", "application_name": "worker"}')) AS s (s)
GROUP BY at;
SELECT bag_eq($$SELECT (evidence ->> 'pid')::int AS pid, (evidence ->> 'sessions')::int AS sessions, severity
	FROM pg_temp.verdict('2001-01-02 06:00:00+00')$$, $$VALUES (1, 35, 'critical'), (99, 1, 'warning')$$,
	'one finding per origin, its oldest session named');
SELECT is(message, '35 sessions of one origin (role app, application worker, from 10.0.0.1) are idle in transaction, '
	'the longest, session 1, for 132 d 23 h: no snapshot and no transaction ID, so vacuum is not held back',
	'and none of the 35 is blamed for vacuum') FROM pg_temp.verdict('2001-01-02 06:00:00+00') WHERE severity = 'critical';
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '900 s'),
	pg_temp.idle(2, at, '800 s', '{"backend_xmin_age": 5000}')))
FROM (VALUES ('2001-01-02 07:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: 1 of them hold back vacuum by up to 5000 transactions', 'one holder among them is said')
FROM pg_temp.verdict('2001-01-02 07:00:00+00');

-- A backup is never ended; names are text.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '900 s', '{"application_name": "pg_dump"}')))
FROM (VALUES ('2001-01-02 08:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'warning', 'a backup is found like any other') FROM pg_temp.verdict('2001-01-02 08:00:00+00');
SELECT is(sql, NULL, 'but nothing ends it') FROM pg_temp.verdict('2001-01-02 08:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.idle(1, at, '900 s',
	jsonb_build_object('role', E'a''b"c', 'application_name', 'x {value} \ '))))
FROM (VALUES ('2001-01-02 09:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, E'session 1 (role a''b"c, application x {value} \\\\ ) is idle%', 'names are printed as they are')
FROM pg_temp.verdict('2001-01-02 09:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 1 AND backend_start = '
	'''2001-01-02 00:00:00.250000+00'';', 'and are not in the SQL') FROM pg_temp.verdict('2001-01-02 09:00:00+00');

SELECT * FROM finish();
ROLLBACK;
