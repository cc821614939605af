-- load.cpu_starved: sessions that wait for a CPU while others have them. Golden samples of 2002-02-06.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(16);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.cpu_starved'
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

-- A minute of a machine with 4 CPUs: seconds that all processes used, and the server; of its sessions on a CPU how long they waited for one.
CREATE FUNCTION pg_temp.minute(at timestamptz, used float8, own float8, runnable float8, machine jsonb DEFAULT '{}', tick jsonb DEFAULT '{}',
	seconds float8 DEFAULT 100) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('machine', at - interval '1 min', '[{"cpus": 4, "usable_cpus": 4, "cpu_user": 1000, "cpu_system": 0, "cpu_steal": 0, "group_throttled": 0}]'),
		pgdba.inject_sample('machine', at, jsonb_build_array(jsonb_build_object('cpus', 4, 'usable_cpus', 4, 'cpu_user', 1000 + used,
			'cpu_system', 0, 'cpu_steal', 0, 'group_throttled', 0) || machine)),
		pgdba.inject_sample('process', at - interval '1 min', '[{"pid": 1, "backend_start": "2002-01-01 00:00:00+00", "cpu_seconds": 10}]'),
		pgdba.inject_sample('process', at, jsonb_build_array(jsonb_build_object('pid', 1, 'backend_start', '2002-01-01 00:00:00+00', 'cpu_seconds', 10 + own))),
		pg_temp.inject(at, jsonb_build_array(pg_temp.wait('CPU:CPU', seconds), pg_temp.wait('IO:DataFileRead', 50)),
			jsonb_build_object('cpus', 4, 'cpu_seconds', seconds - runnable, 'runnable_seconds', runnable) || tick)
$$;

SELECT pg_temp.minute('2002-02-06 01:00:00+00', 240, 80, 20);
SELECT is(severity, 'ok', 'quiet at exactly 20 %') FROM pg_temp.verdict('2002-02-06 01:00:00+00');
SELECT pg_temp.minute('2002-02-06 02:00:00+00', 240, 180, 60);
SELECT is(severity, 'ok', 'quiet when others have a quarter: it is the server itself') FROM pg_temp.verdict('2002-02-06 02:00:00+00');
SELECT pg_temp.minute('2002-02-06 03:00:00+00', 240, 40, 60);
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2002-02-06 03:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 60::float8, 'percent')$$, 'a warning when others have the CPUs');
SELECT is(message, 'sessions on a CPU wait 60 % of their time to get one: other processes use 3.3 of 4 CPUs', 'who has them')
FROM pg_temp.verdict('2002-02-06 03:00:00+00');
SELECT alike(action, 'top or pidstat%The server itself used 0.67 CPUs.', 'and where to look') FROM pg_temp.verdict('2002-02-06 03:00:00+00');

-- Processes that are gone are not in the last sample; what their sessions used is.
SELECT pg_temp.minute('2002-02-06 04:00:00+00', 240, 0, 60, tick => '{"cpu_seconds": 180, "runnable_seconds": 90}', seconds => 270);
SELECT is(severity, 'ok', 'sessions that ended are the server''s own') FROM pg_temp.verdict('2002-02-06 04:00:00+00');

-- The hypervisor, the limit of the control group.
SELECT pg_temp.minute('2002-02-06 05:00:00+00', 60, 60, 50, machine => '{"cpu_steal": 150}');
SELECT alike(message, '%: the hypervisor takes 2.5 of 4 CPUs', 'a hypervisor') FROM pg_temp.verdict('2002-02-06 05:00:00+00');
SELECT pg_temp.minute('2002-02-06 06:00:00+00', 60, 60, 50, machine => '{"group_throttled": 30, "usable_cpus": 1}');
SELECT alike(message, '%: the limit of its control group stops it 50 \% of the time', 'a limit') FROM pg_temp.verdict('2002-02-06 06:00:00+00');
SELECT alike(action, 'Raise the CPU limit%', 'what to do about it') FROM pg_temp.verdict('2002-02-06 06:00:00+00');

-- Nobody on a CPU; few samples; what the system does not tell.
SELECT pg_temp.minute('2002-02-06 07:00:00+00', 240, 0, 0, seconds => 0);
SELECT is(severity, 'ok', 'quiet when nobody wants a CPU') FROM pg_temp.verdict('2002-02-06 07:00:00+00');
SELECT pg_temp.minute('2002-02-06 07:30:00+00', 240, 5, 10, seconds => 20);
SELECT is(severity, 'ok', 'nor when hardly anybody does') FROM pg_temp.verdict('2002-02-06 07:30:00+00');
SELECT pg_temp.minute('2002-02-06 08:00:00+00', 240, 5, 10, seconds => 20, tick => '{"ticks": 200, "span_seconds": 20}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-06 08:00:00+00')$$,
	$$VALUES ('unknown', 'only 200 samples of sessions on a CPU in 20 s: 300 are needed')$$, 'unknown below 300 samples');
SELECT pg_temp.minute('2002-02-06 09:00:00+00', 240, 40, 60, tick => '{"runnable_seconds": null, "cpu_seconds": null}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-06 09:00:00+00')$$,
	$$VALUES ('unknown', 'the system does not tell how long sessions wait for a CPU')$$, 'unknown where the system does not tell');
SELECT pg_temp.minute('2002-02-06 10:00:00+00', 240, 40, 60, machine => '{"cpu_user": null}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-06 10:00:00+00')$$,
	$$VALUES ('unknown', 'the CPU time of the machine is not known')$$, 'unknown without the machine');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-06 10:10:00+00');

SELECT * FROM finish();
ROLLBACK;
