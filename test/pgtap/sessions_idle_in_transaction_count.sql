-- sessions.idle_in_transaction_count: many at once are one finding, and not one that another check makes as well. Golden
-- samples of 2001-03-06.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(20);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sessions.idle_in_transaction_count'
$$;
-- That many sessions which idle; their process IDs begin after a number.
CREATE FUNCTION pg_temp.idle(sessions int, at timestamptz, idle interval, after int DEFAULT 0, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('pid', after + n, 'backend_start', '2001-03-06 00:00:00+00', 'db', 'shop', 'role', 'app',
		'application_name', 'worker', 'client_addr', '10.0.0.1', 'backend_type', 'client backend', 'state', 'idle in transaction',
		'xact_start', at - idle, 'state_change', at - idle) || more) FROM generate_series(1, sessions) n
$$;

-- Quiet: exactly the threshold; short moments; those that idle outside, or are not clients.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(10, at, '9 s') || pg_temp.idle(40, at, '4.9 s', 100)
	|| pg_temp.idle(40, at, '9 s', 200, '{"state": "idle"}') || pg_temp.idle(40, at, '9 s', 300, '{"state": "active"}')
	|| pg_temp.idle(40, at, '9 s', 400, '{"backend_type": "walsender"}'))
FROM (VALUES ('2001-03-06 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 10') FROM pg_temp.verdict('2001-03-06 01:00:00+00');

-- Warning.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(5, at, '9 s') || pg_temp.idle(6, at, '5 s', 100,
	'{"state": "idle in transaction (aborted)"}'))
FROM (VALUES ('2001-03-06 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-03-06 02:00:00+00')$$,
	$$VALUES ('warning', 'role:app', 'shop', 11::float8, 'sessions')$$, 'warning beyond 10, aborted ones too');
SELECT is(message, '11 sessions of one origin (role app, application worker, from 10.0.0.1) are idle in transaction, up to 9 s: '
	'none holds back vacuum', 'the message has the values in it') FROM pg_temp.verdict('2001-03-06 02:00:00+00');
SELECT alike(sql, 'SELECT pid, %usename = ''app''%', 'the SQL looks only') FROM pg_temp.verdict('2001-03-06 02:00:00+00');

-- 35 sessions of one origin are one finding; two roles are two, two addresses of a role one, the larger named.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(35, at, '60 s', 0, '{"backend_xmin_age": 3}')
	|| pg_temp.idle(12, at, '60 s', 100, '{"role": "other"}') || pg_temp.idle(20, at, '60 s', 200, '{"client_addr": "10.0.0.2"}'))
FROM (VALUES ('2001-03-06 03:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, value, evidence ->> 'client_addr' FROM pg_temp.verdict('2001-03-06 03:00:00+00')$$,
	$$VALUES ('role:app', 35::float8, '10.0.0.1'), ('role:other', 12, '10.0.0.1')$$, 'one finding per role, its largest origin');
SELECT alike(message, '%: 35 hold back vacuum', 'who holds back vacuum is counted') FROM pg_temp.verdict('2001-03-06 03:00:00+00')
WHERE object = 'role:app';
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(6, at, '60 s') || pg_temp.idle(6, at, '60 s', 100, '{"client_addr": "10.0.0.2"}'))
FROM (VALUES ('2001-03-06 04:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'origins are not added up') FROM pg_temp.verdict('2001-03-06 04:00:00+00');

-- Not twice: once the longest has idled for more than 5 min the other check speaks of all of them.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(35, at, '300 s'))
FROM (VALUES ('2001-03-06 05:00:00+00'::timestamptz)) AS v (at);
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(35, at, '301 s'))
FROM (VALUES ('2001-03-06 06:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT check_id, severity FROM pgdba.verdicts_at('2001-03-06 05:00:00+00')
	WHERE check_id LIKE 'sessions.idle%' ORDER BY 1$$,
	$$VALUES ('sessions.idle_in_transaction', 'ok'), ('sessions.idle_in_transaction_count', 'warning')$$, 'up to 5 min it is this one');
SELECT results_eq($$SELECT check_id, severity FROM pgdba.verdicts_at('2001-03-06 06:00:00+00')
	WHERE check_id LIKE 'sessions.idle%' ORDER BY 1$$,
	$$VALUES ('sessions.idle_in_transaction', 'warning'), ('sessions.idle_in_transaction_count', 'ok')$$, 'then the other');
SELECT is(evidence ->> 'sessions', '35', 'which says how many they are') FROM pgdba.verdicts_at('2001-03-06 06:00:00+00')
WHERE check_id = 'sessions.idle_in_transaction';
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(1, at, '301 s') || pg_temp.idle(35, at, '60 s', 100, '{"role": "other"}'))
FROM (VALUES ('2001-03-06 07:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object FROM pg_temp.verdict('2001-03-06 07:00:00+00')$$, $$VALUES ('role:other')$$,
	'one old session does not hide another origin');

-- Where its sessions are in several databases none is named.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(6, at, '60 s') || pg_temp.idle(6, at, '60 s', 100, '{"db": "club"}'))
FROM (VALUES ('2001-03-06 08:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT database, value FROM pg_temp.verdict('2001-03-06 08:00:00+00')$$, $$VALUES (NULL::text, 12::float8)$$,
	'an origin may be in several databases');

-- Unknown: no sample, a stale one, sessions that the server hides.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-06 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-06 02:10:00+00');
SELECT pgdba.inject_sample('activity', '2001-03-06 09:00:00+00', '[{"pid": 1, "db": "shop", "role": "app"}]');
SELECT is(severity, 'unknown', 'unknown when sessions are hidden') FROM pg_temp.verdict('2001-03-06 09:00:00+00');
SELECT alike(message, '%the server hides sessions%', 'and says so') FROM pg_temp.verdict('2001-03-06 09:00:00+00');

-- Hostile names.
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(11, at, '60 s', 0,
	jsonb_build_object('role', E'x''; DROP TABLE t; --', 'application_name', '{value}\')))
FROM (VALUES ('2001-03-06 10:00:00+00'::timestamptz)) AS v (at);
SELECT is(object, 'role:"x''; DROP TABLE t; --"', 'the object is quoted') FROM pg_temp.verdict('2001-03-06 10:00:00+00');
SELECT alike(sql, '%usename = ''x''''; DROP TABLE t; --'' AND%', 'so is the SQL') FROM pg_temp.verdict('2001-03-06 10:00:00+00');
SELECT alike(message, E'11 sessions of one origin (role x''; DROP TABLE t; --, application {value}\\\\, from%', 'the message is not')
FROM pg_temp.verdict('2001-03-06 10:00:00+00');
SELECT pgdba.inject_sample('activity', at, pg_temp.idle(11, at, '60 s', 0, '{"role": null, "application_name": null, "client_addr": null}'))
FROM (VALUES ('2001-03-06 11:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-03-06 11:00:00+00')$$, $$VALUES ('role:unknown', NULL::text)$$,
	'without names there is an object, and no SQL');

SELECT * FROM finish();
ROLLBACK;
