-- load.one_query: one statement with most of the load, where there is load. Golden samples of 2002-02-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(17);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.one_query'
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

-- Quiet: nothing; half; most of nothing.
SELECT pg_temp.inject('2002-02-02 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when nothing is done') FROM pg_temp.verdict('2002-02-02 01:00:00+00');
SELECT pg_temp.inject('2002-02-02 02:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 40), pg_temp.wait('CPU:CPU', 40, '{"query_id": 2}')));
SELECT is(severity, 'ok', 'quiet at exactly half of it') FROM pg_temp.verdict('2002-02-02 02:00:00+00');
SELECT pg_temp.inject('2002-02-02 03:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 60)));
SELECT is(severity, 'ok', 'quiet while the load is half of the CPUs') FROM pg_temp.verdict('2002-02-02 03:00:00+00');
SELECT pg_temp.inject('2002-02-02 04:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 40), pg_temp.wait('CPU:CPU', 40, '{"db": "other"}')));
SELECT is(severity, 'ok', 'the same identifier in another database is another statement') FROM pg_temp.verdict('2002-02-02 04:00:00+00');
SELECT pg_temp.inject('2002-02-02 04:30:00+00', jsonb_build_array(pg_temp.wait('Lock:tuple', 400), pg_temp.wait('CPU:CPU', 20)));
SELECT is(severity, 'ok', 'what waits for a lock is somebody else''s doing') FROM pg_temp.verdict('2002-02-02 04:30:00+00');

-- Warning: summed up over events and clients.
SELECT pg_temp.inject('2002-02-02 05:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 25), pg_temp.wait('IO:DataFileRead', 30),
	pg_temp.wait('CPU:CPU', 6, '{"role": "job"}'), pg_temp.wait('CPU:CPU', 40, '{"query_id": null}'), pg_temp.wait('CPU:CPU', 19, '{"query_id": 2}')));
SELECT results_eq($$SELECT severity, object, database, round(value::numeric, 2), unit FROM pg_temp.verdict('2002-02-02 05:00:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 50.83, 'percent')$$, 'a warning beyond half; what has no identifier counts as load');
SELECT is(message, 'statement 4711 in shop has 50.8 % of the load of 2, mostly on a CPU', 'the statement, and what it does')
FROM pg_temp.verdict('2002-02-02 05:00:00+00');
SELECT is(sql, 'SELECT calls, mean_exec_time, shared_blks_read, query FROM pg_stat_statements WHERE queryid = ''4711'';', 'how to see it')
FROM pg_temp.verdict('2002-02-02 05:00:00+00');
SELECT is(evidence ->> 'role', 'app', 'whose it mostly is') FROM pg_temp.verdict('2002-02-02 05:00:00+00');

-- Unknown: few samples, no identifiers.
SELECT pg_temp.inject('2002-02-02 06:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 29)), '{"ticks": 50, "span_seconds": 5}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-02 06:00:00+00')$$,
	$$VALUES ('unknown', 'only 290 samples of active sessions in 5 s: 300 are needed')$$, 'unknown below 300 samples');
SELECT pg_temp.inject('2002-02-02 07:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 120, '{"query_id": null}')));
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-02 07:00:00+00')$$,
	$$VALUES ('unknown', 'statements have no identifier: compute_query_id is off')$$, 'unknown without identifiers');
SELECT pg_temp.inject('2002-02-02 08:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 50, '{"query_id": null}')));
SELECT is(severity, 'ok', 'which matters only where there is load') FROM pg_temp.verdict('2002-02-02 08:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2002-02-02 09:00:00+00', jsonb_build_array(pg_temp.wait('CPU:CPU', 120, jsonb_build_object('db', E'a"; DROP TABLE t; --',
	'role', '{query_id}', 'application_name', E'x''y', 'query_id', -1))));
SELECT is(object, 'database:"a""; DROP TABLE t; --"', 'a hostile database is quoted') FROM pg_temp.verdict('2002-02-02 09:00:00+00');
SELECT alike(action, '%role {query_id}, application x''y.', 'and names are not taken for templates') FROM pg_temp.verdict('2002-02-02 09:00:00+00');
SELECT alike(sql, '%queryid = ''-1'';', 'identifiers may be negative') FROM pg_temp.verdict('2002-02-02 09:00:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-02 09:10:00+00');

SELECT * FROM finish();
ROLLBACK;
