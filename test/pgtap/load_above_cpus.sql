-- load.above_cpus: sessions at work against CPUs, over five minutes, and what they wait for. Golden samples of 2002-02-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.above_cpus'
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

-- Quiet: nothing is done; and as much as there are CPUs.
SELECT pg_temp.inject('2002-02-01 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when nothing is done') FROM pg_temp.verdict('2002-02-01 01:00:00+00');
SELECT pg_temp.inject('2002-02-01 02:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 120)));
SELECT is(severity, 'ok', 'quiet at exactly one session a CPU') FROM pg_temp.verdict('2002-02-01 02:00:00+00');

-- Warning, with the classes and the statement that has most of it.
SELECT pg_temp.inject('2002-02-01 03:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 30), pg_temp.wait('Lock:transactionid', 90, '{"query_id": 7}'),
	pg_temp.wait('Client:ClientRead', 600, '{"state": "idle"}'), pg_temp.wait('IO:DataFileRead', 6, '{"query_id": null, "folded": true}')));
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2002-02-01 03:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 1.05::float8, 'times')$$, 'a warning beyond; clients that think are no load, what is folded is');
SELECT is(message, 'load is 2.1 on 2 CPUs in the last 1 min: Lock 1.5, CPU 0.5, IO 0.1', 'with what they do')
FROM pg_temp.verdict('2002-02-01 03:00:00+00');
SELECT is(evidence ->> 'query_id', '7', 'the statement with most of it') FROM pg_temp.verdict('2002-02-01 03:00:00+00');
SELECT alike(action, 'Most wait for locks: locks.storm%', 'what to do depends on what most wait for') FROM pg_temp.verdict('2002-02-01 03:00:00+00');
SELECT is(symptom_of, 'locks.storm', 'a queue for locks explains it') FROM pg_temp.verdict('2002-02-01 03:00:00+00');

-- Critical; and the last five minutes are judged, not the last one.
SELECT pg_temp.inject('2002-02-01 04:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 240)));
SELECT is(severity, 'warning', 'still a warning at exactly twice') FROM pg_temp.verdict('2002-02-01 04:00:00+00');
SELECT pg_temp.inject('2002-02-01 05:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 241)));
SELECT is(severity, 'critical', 'critical beyond twice') FROM pg_temp.verdict('2002-02-01 05:00:00+00');
SELECT pg_temp.inject('2002-02-01 05:01:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 10)));
SELECT is(round(value::numeric, 2), 1.05, 'the minute after it is averaged with it') FROM pg_temp.verdict('2002-02-01 05:01:00+00');
SELECT pg_temp.inject('2002-02-01 05:05:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 80)));
SELECT is(severity, 'ok', 'after five minutes it is over') FROM pg_temp.verdict('2002-02-01 05:05:00+00');

-- Few samples: unknown where they look like load, ok where little was done.
SELECT pg_temp.inject('2002-02-01 06:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 29.9)), '{"ticks": 50, "span_seconds": 5}');
SELECT results_eq($$SELECT severity, value, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-01 06:00:00+00')$$,
	$$VALUES ('unknown', NULL::float8, 'only 299 samples of active sessions in 5 s: 300 are needed')$$, 'unknown below 300 samples');
SELECT pg_temp.inject('2002-02-01 07:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 30)), '{"ticks": 50, "span_seconds": 5}');
SELECT is(severity, 'critical', 'judged from 300 on') FROM pg_temp.verdict('2002-02-01 07:00:00+00');
SELECT pg_temp.inject('2002-02-01 08:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 20)));
SELECT is(severity, 'ok', 'ok where little was done') FROM pg_temp.verdict('2002-02-01 08:00:00+00');
SELECT pg_temp.inject('2002-02-01 09:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 300)), '{"cpus": null}');
SELECT is(severity, 'unknown', 'unknown when nobody knows how many CPUs there are') FROM pg_temp.verdict('2002-02-01 09:00:00+00');

-- Half a CPU, as a control group gives it.
SELECT pg_temp.inject('2002-02-01 10:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 45)), '{"cpus": 0.5}');
SELECT is(value, 1.5::float8, 'against a part of a CPU') FROM pg_temp.verdict('2002-02-01 10:00:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-01 10:10:00+00');

SELECT * FROM finish();
ROLLBACK;
