-- load.client_bound: sessions that wait for their clients while CPUs are free. Golden samples of 2002-02-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(14);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.client_bound'
$$;

-- What sessions did in a minute, looked at ten times a second: an event and its session-seconds.
CREATE FUNCTION pg_temp.wait(event text, seconds float8, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('db', 'shop', 'role', 'app', 'application_name', 'web', 'query_id', 4711, 'state', 'active',
		'event_type', split_part(event, ':', 1), 'event', split_part(event, ':', 2), 'class', split_part(event, ':', 1),
		'samples', (10 * seconds)::int8, 'seconds', seconds, 'folded', false, 'span_seconds', 60) || more
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, rows jsonb, tick jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('wait', at, rows), pgdba.inject_sample('wait_tick', at, jsonb_build_array(jsonb_build_object(
		'rate', 10, 'ticks', 600, 'span_seconds', 60, 'gap_seconds', 0, 'cpus', 2) || tick));
$$;

CREATE FUNCTION pg_temp.sessions(at timestamptz, forgotten int DEFAULT 0) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('activity', at, (SELECT jsonb_agg(jsonb_build_object('pid', n, 'backend_start', at, 'backend_type', 'client backend',
		'state', CASE WHEN n > 0 THEN 'idle in transaction' ELSE 'active' END, 'state_change', at - interval '1 h')) FROM generate_series(0, forgotten) n))
$$;
SELECT pg_temp.sessions('2002-02-05 01:00:00+00'), pg_temp.inject('2002-02-05 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when nothing is done') FROM pg_temp.verdict('2002-02-05 01:00:00+00');
SELECT pg_temp.sessions('2002-02-05 02:00:00+00'), pg_temp.inject('2002-02-05 02:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 75, '{"state": "idle"}'), pg_temp.wait('CPU:CPU', 25)));
SELECT is(severity, 'ok', 'quiet at exactly 75 %') FROM pg_temp.verdict('2002-02-05 02:00:00+00');
SELECT pg_temp.sessions('2002-02-05 03:00:00+00'), pg_temp.inject('2002-02-05 03:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 1000, '{"state": "idle"}'), pg_temp.wait('CPU:CPU', 120)));
SELECT is(severity, 'ok', 'quiet when there are not CPUs left') FROM pg_temp.verdict('2002-02-05 03:00:00+00');
SELECT pg_temp.sessions('2002-02-05 04:00:00+00'), pg_temp.inject('2002-02-05 04:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 30, '{"state": "idle"}')));
SELECT is(severity, 'ok', 'quiet with half a session') FROM pg_temp.verdict('2002-02-05 04:00:00+00');

SELECT pg_temp.sessions('2002-02-05 05:00:00+00'), pg_temp.inject('2002-02-05 05:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 60, '{"state": "idle"}'), pg_temp.wait('Client:ClientRead', 30, '{"state": "idle in transaction"}'),
	pg_temp.wait('CPU:CPU', 10)));
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2002-02-05 05:00:00+00')$$,
	$$VALUES ('info', 'cluster', 90::float8, 'percent')$$, 'said beyond 75 %, as information');
SELECT is(message, 'the database is not the bottleneck: 1.7 sessions wait 90 % of the time for clients (role app, application web)', 'in words')
FROM pg_temp.verdict('2002-02-05 05:00:00+00');
SELECT is(why, 'The load is 0.2 on 2 CPUs: tuning the server would not make the application faster.', 'with the load')
FROM pg_temp.verdict('2002-02-05 05:00:00+00');
SELECT is(symptom_of, 'load.commit_bound', 'commits row by row explain it') FROM pg_temp.verdict('2002-02-05 05:00:00+00');
SELECT pg_temp.sessions('2002-02-05 06:00:00+00'), pg_temp.inject('2002-02-05 06:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientWrite', 80), pg_temp.wait('CPU:CPU', 20)));
SELECT alike(action, 'The server waits for clients to take their rows%', 'clients that take their rows slowly') FROM pg_temp.verdict('2002-02-05 06:00:00+00');

-- Sessions that somebody forgot in a transaction are not at work.
SELECT pg_temp.sessions('2002-02-05 07:00:00+00', 35), pg_temp.inject('2002-02-05 07:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 2100, '{"state": "idle in transaction"}'), pg_temp.wait('CPU:CPU', 60)));
SELECT is(severity, 'ok', 'quiet with 35 forgotten sessions') FROM pg_temp.verdict('2002-02-05 07:00:00+00');
SELECT pg_temp.sessions('2002-02-05 08:00:00+00'), pg_temp.inject('2002-02-05 08:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 90, '{"state": "idle"}'), pg_temp.wait('CPU:CPU', 10)), '{"cpus": null}');
SELECT is(severity, 'unknown', 'unknown when nobody knows how many CPUs there are') FROM pg_temp.verdict('2002-02-05 08:00:00+00');
SELECT pg_temp.sessions('2002-02-05 09:00:00+00'), pg_temp.inject('2002-02-05 09:00:00+00', jsonb_build_array(
	pg_temp.wait('Client:ClientRead', 29, '{"state": "idle"}')), '{"ticks": 60, "span_seconds": 6}');
SELECT is(severity, 'ok', 'nothing is said below 300 samples') FROM pg_temp.verdict('2002-02-05 09:00:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-05 09:10:00+00');

SELECT * FROM finish();
ROLLBACK;
