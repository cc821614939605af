-- locks.blocked: who is the root, how long, and when ending it must not be suggested. Golden samples of 2001-01-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(26);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'locks.blocked'
$$;

-- A session; the waiting ones give whom they wait for and since when.
CREATE FUNCTION pg_temp.session(pid int, at timestamptz, state text, blocked_by int[] DEFAULT NULL,
	waited interval DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('pid', pid, 'backend_start', '2001-01-01 00:00:00.25+00', 'db', 'shop',
		'role', 'app', 'backend_type', 'client backend', 'state', state, 'xact_start', at - interval '10 min',
		'state_change', at - interval '9 min', 'blocked_by', to_jsonb(blocked_by), 'lock_wait_start', at - waited,
		'wait_event_type', CASE WHEN blocked_by IS NOT NULL THEN 'Lock' END)) || more
$$;

-- Quiet: nobody waits; and a wait of exactly the threshold.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'active')))
FROM (VALUES ('2001-01-01 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet without waits') FROM pg_temp.verdict('2001-01-01 01:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'idle in transaction'),
	pg_temp.session(2, at, 'active', '{1}', '30 s')))
FROM (VALUES ('2001-01-01 02:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 30 s') FROM pg_temp.verdict('2001-01-01 02:00:00+00');

-- Warning: a chain of three, judged by its longest wait and named by its root.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'idle in transaction'),
	pg_temp.session(2, at, 'active', '{1}', '31 s'), pg_temp.session(3, at, 'active', '{2}', '5 s')))
FROM (VALUES ('2001-01-01 03:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-01-01 03:00:00+00')$$,
	$$VALUES ('warning', 'session:1/2001-01-01 00:00:00.250000+00', 'shop', 31::float8, 'seconds')$$,
	'warning names the root of a chain');
SELECT is(evidence -> 'waiting', '[2, 3]', 'both waiters are named') FROM pg_temp.verdict('2001-01-01 03:00:00+00');
SELECT is((evidence ->> 'depth')::int, 2, 'the depth is that of the chain') FROM pg_temp.verdict('2001-01-01 03:00:00+00');
SELECT is(message, 'session 1 (role app, idle in transaction for 9 min) blocks 2 sessions, the longest for 31 s',
	'the message has the values in it') FROM pg_temp.verdict('2001-01-01 03:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 1 AND backend_start = '
	'''2001-01-01 00:00:00.250000+00'';', 'ending it is guarded by its start') FROM pg_temp.verdict('2001-01-01 03:00:00+00');

-- Critical.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'active'),
	pg_temp.session(2, at, 'active', '{1}', '121 s')))
FROM (VALUES ('2001-01-01 04:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'critical', 'critical beyond 120 s') FROM pg_temp.verdict('2001-01-01 04:00:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-01-01 04:10:00+00');

-- Two roots are two findings.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'active'),
	pg_temp.session(2, at, 'active', '{1}', '40 s'), pg_temp.session(3, at, 'active'),
	pg_temp.session(4, at, 'active', '{3}', '200 s')))
FROM (VALUES ('2001-01-01 05:00:00+00'::timestamptz)) AS v (at);
SELECT bag_eq($$SELECT (evidence ->> 'pid')::int, severity FROM pg_temp.verdict('2001-01-01 05:00:00+00')$$,
	$$VALUES (1, 'warning'), (3, 'critical')$$, 'each root is judged by its own queue');

-- A queue behind a root: those ahead in the queue are not blamed.
SELECT pgdba.inject_sample('activity', at, jsonb_agg(s))
FROM (VALUES ('2001-01-01 06:00:00+00'::timestamptz)) AS v (at), LATERAL (
	SELECT pg_temp.session(1, at, 'active') UNION ALL
	SELECT pg_temp.session(n, at, 'active', (SELECT array_agg(b) FROM generate_series(1, least(n - 1, 5)) b),
		make_interval(secs => 100 - n / 10.0)) FROM generate_series(2, 300) n) AS s (s)
GROUP BY at;
SELECT is((evidence ->> 'pid')::int, 1, 'only the holder is the root of a queue of 299')
FROM pg_temp.verdict('2001-01-01 06:00:00+00');
SELECT is((evidence ->> 'blocked_sessions')::int, 299, 'and all of the queue is counted')
FROM pg_temp.verdict('2001-01-01 06:00:00+00');

-- A queue whose holder waits itself: the root is behind it.
SELECT pgdba.inject_sample('activity', at, jsonb_agg(s))
FROM (VALUES ('2001-01-01 07:00:00+00'::timestamptz)) AS v (at), LATERAL (
	SELECT pg_temp.session(1, at, 'active') UNION ALL
	SELECT pg_temp.session(2, at, 'active', '{1}', '33 s') UNION ALL
	SELECT pg_temp.session(n, at, 'active', (SELECT array_agg(b) FROM generate_series(2, least(n - 1, 5)) b),
		make_interval(secs => 100 - n / 10.0)) FROM generate_series(3, 200) n) AS s (s)
GROUP BY at;
SELECT results_eq($$SELECT (evidence ->> 'pid')::int AS pid, (evidence ->> 'blocked_sessions')::int AS blocked
	FROM pg_temp.verdict('2001-01-01 07:00:00+00')$$, $$VALUES (1, 199)$$, 'the root is who does not wait');

-- A deadlock has no root; the server resolves it.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'active', '{2}', '200 s'),
	pg_temp.session(2, at, 'active', '{1}', '200 s')))
FROM (VALUES ('2001-01-01 08:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'a circle has no root') FROM pg_temp.verdict('2001-01-01 08:00:00+00');

-- Never end a walsender, a backup or a vacuum.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(
	pg_temp.session(1, at, 'active', more => '{"backend_type": "walsender"}'),
	pg_temp.session(2, at, 'active', '{1}', '200 s'),
	pg_temp.session(3, at, 'active', more => '{"backend_type": "autovacuum worker"}'),
	pg_temp.session(4, at, 'active', '{3}', '200 s'),
	pg_temp.session(5, at, 'active', more => '{"application_name": "pg_dump"}'),
	pg_temp.session(6, at, 'active', '{5}', '200 s')))
FROM (VALUES ('2001-01-01 09:00:00+00'::timestamptz)) AS v (at);
SELECT is(count(*), 3::bigint, 'they are roots like others') FROM pg_temp.verdict('2001-01-01 09:00:00+00');
SELECT is(sql, NULL, 'but nothing ends ' || (evidence ->> 'backend_type') || ' ' || (evidence ->> 'pid'))
FROM pg_temp.verdict('2001-01-01 09:00:00+00') ORDER BY (evidence ->> 'pid')::int;
SELECT unalike(action, '%ends%', 'nor does its action, for ' || (evidence ->> 'pid'))
FROM pg_temp.verdict('2001-01-01 09:00:00+00') ORDER BY (evidence ->> 'pid')::int;

-- A prepared transaction is process 0.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(2, at, 'active', '{0}', '200 s'))),
	pgdba.inject_sample('horizon', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'kind', 'prepared transaction',
		'name', 'order 7', 'held_since', at - interval '1 h')))
FROM (VALUES ('2001-01-01 10:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT severity, object, database, evidence -> 'prepared', sql FROM pg_temp.verdict('2001-01-01 10:00:00+00')$$,
	$$VALUES ('critical', 'cluster', 'shop', '["order 7"]'::jsonb, NULL::text)$$, 'a prepared transaction is a root');

-- The relation of the longest wait, when its name is known.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, 'active'),
		pg_temp.session(2, at, 'active', '{1}', '200 s', '{"lock_type": "relation", "lock_relid": 4711}'))),
	pgdba.inject_sample('relation', at, '[{"db": "shop", "relid": 4711, "schema": "public", "relname": "orders",
		"relation": "public.orders"}]')
FROM (VALUES ('2001-01-01 11:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%blocks 1 session on public.orders%', 'the relation is named')
FROM pg_temp.verdict('2001-01-01 11:00:00+00');

-- Hostile names stay text.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(
	pg_temp.session(1, at, 'active', more => jsonb_build_object('role', E'x''; DROP TABLE t; --', 'application_name', '{pid}\')),
	pg_temp.session(2, at, 'active', '{1}', '200 s')))
FROM (VALUES ('2001-01-01 12:00:00+00'::timestamptz)) AS v (at);
SELECT unalike(sql, '%DROP%', 'a role''s name is not in the SQL') FROM pg_temp.verdict('2001-01-01 12:00:00+00');
SELECT alike(message, 'session 1 (role x''; DROP TABLE t; --, application {pid}\\%', 'and is itself in the message')
FROM pg_temp.verdict('2001-01-01 12:00:00+00');

SELECT * FROM finish();
ROLLBACK;
