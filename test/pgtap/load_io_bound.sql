-- load.io_bound: load that waits for storage, and which part of it. Golden samples of 2002-02-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(12);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.io_bound'
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

SELECT pg_temp.inject('2002-02-03 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when nothing is done') FROM pg_temp.verdict('2002-02-03 01:00:00+00');
SELECT pg_temp.inject('2002-02-03 02:00:00+00', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 60), pg_temp.wait('CPU:CPU', 60)));
SELECT is(severity, 'ok', 'quiet at exactly half of it') FROM pg_temp.verdict('2002-02-03 02:00:00+00');
SELECT pg_temp.inject('2002-02-03 03:00:00+00', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 60)));
SELECT is(severity, 'ok', 'quiet while the load is half of the CPUs') FROM pg_temp.verdict('2002-02-03 03:00:00+00');
SELECT pg_temp.inject('2002-02-03 04:00:00+00', jsonb_build_array(pg_temp.wait('IO:WalSync', 200), pg_temp.wait('CPU:CPU', 40)));
SELECT is(severity, 'ok', 'commits are another matter') FROM pg_temp.verdict('2002-02-03 04:00:00+00');

SELECT pg_temp.inject('2002-02-03 05:00:00+00', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 60), pg_temp.wait('IPC:BufferIo', 20, '{"query_id": 2}'),
	pg_temp.wait('CPU:CPU', 70), pg_temp.wait('Client:ClientRead', 600, '{"state": "idle"}')));
SELECT results_eq($$SELECT severity, object, round(value::numeric, 1), evidence ->> 'query_id' FROM pg_temp.verdict('2002-02-03 05:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 53.3, '4711')$$, 'a warning; who waits for the read of another waits for storage too');
SELECT is(message, '53.3 % of the load of 2.5 on 2 CPUs waits for storage, mostly IO:DataFileRead', 'and what for')
FROM pg_temp.verdict('2002-02-03 05:00:00+00');
SELECT alike(action, 'It reads:%', 'what to do about reads') FROM pg_temp.verdict('2002-02-03 05:00:00+00');
SELECT pg_temp.inject('2002-02-03 06:00:00+00', jsonb_build_array(pg_temp.wait('IO:BuffileWrite', 80), pg_temp.wait('IO:BuffileRead', 20)));
SELECT alike(action, 'It is temporary files:%', 'and about temporary files') FROM pg_temp.verdict('2002-02-03 06:00:00+00');

SELECT pg_temp.inject('2002-02-03 07:00:00+00', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 29)), '{"ticks": 50, "span_seconds": 5}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-03 07:00:00+00')$$,
	$$VALUES ('unknown', 'only 290 samples of active sessions in 5 s: 300 are needed')$$, 'unknown below 300 samples');
SELECT pg_temp.inject('2002-02-03 08:00:00+00', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 200, '{"db": null, "role": null, "query_id": null}')));
SELECT is(severity, 'warning', 'processes of the server are load as well') FROM pg_temp.verdict('2002-02-03 08:00:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-03 08:10:00+00');

SELECT * FROM finish();
ROLLBACK;
