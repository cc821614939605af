-- connections.saturation: how full, who takes most, and what they do there. Golden samples of 2001-03-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'connections.saturation'
$$;

-- Connections in numbers, and the origins that they have.
CREATE FUNCTION pg_temp.inject(at timestamptz, connections int, origins jsonb DEFAULT '[]', more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('connections', at, jsonb_build_array(jsonb_build_object('connections', connections, 'usable', 100,
		'active', 3, 'idle_in_transaction', 0) || more));
	SELECT pgdba.inject_sample('connection_origin', at, origins);
$$;
CREATE FUNCTION pg_temp.origin(application text, state text, connections int, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('db', 'shop', 'backend_type', 'client backend', 'role', 'app', 'application_name', application,
		'client_addr', '10.0.0.1', 'state', state, 'connections', connections, 'blocked', 0, 'unused', 0) || more
$$;

-- Quiet at exactly the threshold. Walsenders and background processes are not in the number.
SELECT pg_temp.inject('2001-03-01 01:00:00+00', 80);
SELECT is(severity, 'ok', 'quiet at exactly 80 %') FROM pg_temp.verdict('2001-03-01 01:00:00+00');

-- Warning: the largest origin, over its states, and what most of it does.
SELECT pg_temp.inject('2001-03-01 02:00:00+00', 81, jsonb_build_array(pg_temp.origin('web', 'idle', 40), pg_temp.origin('web', 'active', 5),
	pg_temp.origin('job', 'active', 36), pg_temp.origin('copy', 'active', 500, '{"backend_type": "walsender"}')));
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2001-03-01 02:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 81::float8, 'percent')$$, 'warning beyond 80 %');
SELECT is(message, '81 of 100 connections are taken (81 %): 45 by role app, application web, from 10.0.0.1, 40 idle',
	'the largest origin is named, with what it does') FROM pg_temp.verdict('2001-03-01 02:00:00+00');
SELECT is((evidence ->> 'origin_percent')::numeric, 55.6, 'and its share is in the evidence')
FROM pg_temp.verdict('2001-03-01 02:00:00+00');
SELECT is(lock_level, 'none', 'the SQL looks only') FROM pg_temp.verdict('2001-03-01 02:00:00+00');

-- Critical.
SELECT pg_temp.inject('2001-03-01 03:00:00+00', 90);
SELECT is(severity, 'warning', 'still a warning at exactly 90 %') FROM pg_temp.verdict('2001-03-01 03:00:00+00');
SELECT pg_temp.inject('2001-03-01 04:00:00+00', 91);
SELECT is(severity, 'critical', 'critical beyond 90 %') FROM pg_temp.verdict('2001-03-01 04:00:00+00');
SELECT is(message, '91 of 100 connections are taken (91 %)', 'without origins none is named')
FROM pg_temp.verdict('2001-03-01 04:00:00+00');

-- What to do depends on what they do.
SELECT pg_temp.inject('2001-03-01 05:00:00+00', 95, jsonb_build_array(pg_temp.origin('web', 'active', 90, '{"blocked": 70}')));
SELECT alike(action, 'Sessions queue behind a lock%', 'a queue behind a lock') FROM pg_temp.verdict('2001-03-01 05:00:00+00');
SELECT alike(message, '%, 70 wait for locks', 'is said') FROM pg_temp.verdict('2001-03-01 05:00:00+00');
SELECT pg_temp.inject('2001-03-01 06:00:00+00', 95, jsonb_build_array(pg_temp.origin('web', 'idle in transaction', 90)),
	'{"idle_in_transaction": 90}');
SELECT alike(action, 'Most sit in open transactions%', 'open transactions') FROM pg_temp.verdict('2001-03-01 06:00:00+00');
SELECT pg_temp.inject('2001-03-01 07:00:00+00', 95, jsonb_build_array(pg_temp.origin('web', 'idle', 90)));
SELECT alike(action, 'Most are idle%', 'idle pools') FROM pg_temp.verdict('2001-03-01 07:00:00+00');
SELECT pg_temp.inject('2001-03-01 08:00:00+00', 95, jsonb_build_array(pg_temp.origin('web', 'active', 90)));
SELECT alike(action, 'Most are at work%', 'slow statements') FROM pg_temp.verdict('2001-03-01 08:00:00+00');

-- Origins of another time are not those of now.
SELECT pgdba.inject_sample('connections', '2001-03-01 08:30:00+00', '[{"connections": 95, "usable": 100}]');
SELECT is(message, '95 of 100 connections are taken (95 %)', 'old origins are not named') FROM pg_temp.verdict('2001-03-01 08:30:00+00');

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-01 04:10:00+00');
SELECT pgdba.inject_sample('connections', '2001-03-01 09:00:00+00', '[{"connections": 95}]');
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2001-03-01 09:00:00+00');

-- Hostile names stay text.
SELECT pg_temp.inject('2001-03-01 10:00:00+00', 95, jsonb_build_array(pg_temp.origin('{value}\ '';', 'active', 90, '{"role": "x\"y"}')));
SELECT is(message, E'95 of 100 connections are taken (95 %): 90 by role x"y, application {value}\\ '';, from 10.0.0.1',
	'names are printed as they are') FROM pg_temp.verdict('2001-03-01 10:00:00+00');

SELECT * FROM finish();
ROLLBACK;
