-- locks.storm: how many sessions wait, who stands at the head, and which request in the queue makes it long. Golden samples of
-- 2002-02-07.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(23);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'locks.storm'
$$;

-- A session; the waiting ones give whom they wait for and since when.
CREATE FUNCTION pg_temp.session(pid int, at timestamptz, blocked_by int[] DEFAULT NULL, waited interval DEFAULT NULL,
	more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('pid', pid, 'backend_start', '2002-01-01 00:00:00.25+00', 'db', 'shop', 'role', 'app',
		'backend_type', 'client backend', 'state', 'active', 'blocked_by', to_jsonb(blocked_by), 'lock_wait_start', at - waited,
		'lock_type', CASE WHEN blocked_by IS NOT NULL THEN 'transactionid' END)) || more
$$;
-- So many sessions wait for one.
CREATE FUNCTION pg_temp.queue(at timestamptz, waiting int, waited interval, more jsonb DEFAULT '[]') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('activity', at, (SELECT jsonb_agg(pg_temp.session(n, at, CASE WHEN n > 1 THEN '{1}'::int[] END,
		CASE WHEN n > 1 THEN waited END)) FROM generate_series(1, waiting + 1) n) || more)
$$;

-- Quiet: nobody waits; two do; many do, for a moment.
SELECT pg_temp.queue('2002-02-07 01:00:00+00', 0, NULL);
SELECT is(severity, 'ok', 'quiet without waits') FROM pg_temp.verdict('2002-02-07 01:00:00+00');
SELECT pg_temp.queue('2002-02-07 02:00:00+00', 2, '1 h');
SELECT is(severity, 'ok', 'quiet while two wait, however long: that is locks.blocked''s') FROM pg_temp.verdict('2002-02-07 02:00:00+00');
SELECT pg_temp.queue('2002-02-07 03:00:00+00', 50, '900 ms');
SELECT is(severity, 'ok', 'quiet while many wait for less than a second') FROM pg_temp.verdict('2002-02-07 03:00:00+00');

-- Warning from three on, critical from ten on.
SELECT pg_temp.queue('2002-02-07 04:00:00+00', 3, '5 s');
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2002-02-07 04:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 3::float8, 'sessions')$$, 'a warning from three on');
SELECT is(message, '3 sessions wait for locks, up to 5 s, 3 of them behind session 1 (role app, active)', 'and who stands at the head')
FROM pg_temp.verdict('2002-02-07 04:00:00+00');
SELECT is(why, 'Each keeps its connection while it waits, and more come: of 4 connections 3 do nothing now.', 'and what it does')
FROM pg_temp.verdict('2002-02-07 04:00:00+00');
SELECT results_eq($$SELECT action, sql FROM pg_temp.verdict('2002-02-07 04:00:00+00')$$,
	$$VALUES ('Deal with who stands at the head, see locks.blocked: then the queue dissolves.', NULL::text)$$, 'who stands there is not to be ended here');
SELECT is(symptom_of, 'locks.blocked', 'which explains it') FROM pg_temp.verdict('2002-02-07 04:00:00+00');
SELECT pg_temp.queue('2002-02-07 05:00:00+00', 9, '5 s');
SELECT is(severity, 'warning', 'still a warning with nine') FROM pg_temp.verdict('2002-02-07 05:00:00+00');
SELECT pg_temp.queue('2002-02-07 06:00:00+00', 10, '5 s');
SELECT is(severity, 'critical', 'critical from ten on') FROM pg_temp.verdict('2002-02-07 06:00:00+00');

-- DDL in the queue: it waits for a reader, and all who come later wait for it.
SELECT pgdba.inject_sample('relation', '2002-02-07 07:00:00+00', '[{"db": "shop", "schema": "public", "relname": "orders", "relation": "public.orders", "relid": 99}]'),
	pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at),
		pg_temp.session(2, at, '{1}', '60 s', '{"lock_type": "relation", "lock_mode": "AccessExclusiveLock", "lock_relid": 99}'))
	|| (SELECT jsonb_agg(pg_temp.session(n, at, '{2}', '20 s', '{"lock_type": "relation", "lock_mode": "AccessShareLock", "lock_relid": 99}'))
		FROM generate_series(3, 20) n))
FROM (VALUES ('2002-02-07 07:00:00+00'::timestamptz)) AS v (at);
SELECT is(message, '19 sessions wait for locks, up to 1 min, 19 of them behind session 1 (role app, active), 18 behind waiting DDL of session 2 on public.orders',
	'the request that makes the queue long is named') FROM pg_temp.verdict('2002-02-07 07:00:00+00');
SELECT alike(action, 'Cancel the DDL first%', 'and is the first to go') FROM pg_temp.verdict('2002-02-07 07:00:00+00');
SELECT is(sql, 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = 2 AND backend_start = ''2002-01-01 00:00:00.250000+00'';',
	'its statement is cancelled, if it is still the same session') FROM pg_temp.verdict('2002-02-07 07:00:00+00');
SELECT is(evidence ->> 'depth', '2', 'the depth of the queue') FROM pg_temp.verdict('2002-02-07 07:00:00+00');

-- Never a vacuum; a prepared transaction; no one culprit; a circle.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at),
		pg_temp.session(2, at, '{1}', '60 s', '{"backend_type": "autovacuum worker", "lock_type": "relation", "lock_mode": "AccessExclusiveLock"}'))
	|| (SELECT jsonb_agg(pg_temp.session(n, at, '{2}', '20 s')) FROM generate_series(3, 6) n))
FROM (VALUES ('2002-02-07 08:00:00+00'::timestamptz)) AS v (at);
SELECT is(sql, NULL, 'a vacuum is not cancelled') FROM pg_temp.verdict('2002-02-07 08:00:00+00');
SELECT pgdba.inject_sample('activity', at, (SELECT jsonb_agg(pg_temp.session(n, at, '{0}', '20 s')) FROM generate_series(1, 4) n))
FROM (VALUES ('2002-02-07 09:00:00+00'::timestamptz)) AS v (at);
SELECT is(message, '4 sessions wait for locks, up to 20 s, 4 of them behind a prepared transaction', 'a prepared transaction at the head')
FROM pg_temp.verdict('2002-02-07 09:00:00+00');
SELECT pgdba.inject_sample('activity', at, (SELECT jsonb_agg(pg_temp.session(n, at) ) || jsonb_agg(pg_temp.session(n + 100, at, ARRAY[n], '2 s'))
	FROM generate_series(1, 12) n))
FROM (VALUES ('2002-02-07 10:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT severity, evidence ->> 'roots', left(action, 24) FROM pg_temp.verdict('2002-02-07 10:00:00+00')$$,
	$$VALUES ('critical', '12', 'There is no one culprit:')$$, 'twelve pairs are a storm without one culprit');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at, '{2}', '2 s'), pg_temp.session(2, at, '{1}', '2 s'),
	pg_temp.session(3, at, '{1}', '2 s')))
FROM (VALUES ('2002-02-07 11:00:00+00'::timestamptz)) AS v (at);
SELECT is(message, '3 sessions wait for locks, up to 2 s', 'a circle has no head') FROM pg_temp.verdict('2002-02-07 11:00:00+00');

-- Hostile names.
SELECT pg_temp.queue('2002-02-07 12:00:00+00', 0, NULL, (SELECT jsonb_agg(pg_temp.session(n, at, '{9}', '9 s')) FROM generate_series(2, 5) n)
	|| jsonb_build_array(pg_temp.session(9, at, more => jsonb_build_object('role', '{pid}', 'application_name', E'\'; DROP TABLE t; --'))))
FROM (VALUES ('2002-02-07 12:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%behind session 9 (role {pid}, application ''; DROP TABLE t; --, active)', 'names are not taken for templates')
FROM pg_temp.verdict('2002-02-07 12:00:00+00');

-- Unknown: sessions are hidden; no sample; a stale one.
SELECT pgdba.inject_sample('activity', '2002-02-07 13:00:00+00', '[{"pid": 1}]');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-07 13:00:00+00')$$,
	$$VALUES ('unknown', 'the server hides sessions: GRANT pg_monitor TO pgdba_sampler;')$$, 'unknown when sessions are hidden');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-07 13:10:00+00');

-- A long queue is walked in no time: this is the hot loop. (500 sessions, each behind the five before it.)
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.session(1, at))
	|| (SELECT jsonb_agg(pg_temp.session(n, at, (SELECT array_agg(b) FROM generate_series(1, least(n - 1, 5)) b), '5 s')) FROM generate_series(2, 500) n))
FROM (VALUES ('2002-02-07 14:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT value, evidence ->> 'root_pid', evidence ->> 'root_sessions' FROM pg_temp.verdict('2002-02-07 14:00:00+00')$$,
	$$VALUES (499::float8, '1', '499')$$, 'a queue of 499 has one head');

SELECT * FROM finish();
ROLLBACK;
