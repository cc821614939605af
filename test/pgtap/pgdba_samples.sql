-- pgdba.samples: a late loop, a degraded one, a failing probe. Golden samples of 2001-01-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(10);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'pgdba.samples'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, storage_age interval, loop jsonb DEFAULT '{}', probe jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('heartbeat', at, jsonb_build_array(
			jsonb_build_object('loop', 'hot', 'tick', 9, 'last_tick', at, 'interval_seconds', 15, 'degraded', false),
			jsonb_build_object('loop', 'storage', 'tick', 2, 'last_tick', at - storage_age, 'interval_seconds', 600,
				'degraded', false) || loop)),
		pgdba.inject_sample('probe_run', at, jsonb_build_array(
			jsonb_build_object('probe', 'activity', 'loop', 'hot', 'runs', 9, 'errors', 0) || probe))
$$;

SELECT pg_temp.inject('2001-01-04 01:00:00+00', '30 min');
SELECT is(severity, 'ok', 'quiet at exactly three intervals') FROM pg_temp.verdict('2001-01-04 01:00:00+00');
SELECT pg_temp.inject('2001-01-04 02:00:00+00', '31 min');
SELECT results_eq($$SELECT severity, object, message, value FROM pg_temp.verdict('2001-01-04 02:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 'loop storage is late, its last tick was 31 min ago', 1::float8)$$, 'a late loop is a warning');
SELECT is(sql, NULL, 'and there is nothing to run') FROM pg_temp.verdict('2001-01-04 02:00:00+00');
SELECT pg_temp.inject('2001-01-04 03:00:00+00', '1 min', '{"degraded": true, "reason": "published by \"p\""}');
SELECT is(message, 'loop storage: published by "p"', 'a degraded loop is a warning, with its reason')
FROM pg_temp.verdict('2001-01-04 03:00:00+00');
SELECT pg_temp.inject('2001-01-04 04:00:00+00', '1 min', probe => '{"errors": 3, "last_error": "canceling statement"}');
SELECT is(message, 'probe activity fails: canceling statement', 'a failing probe is a warning, with its error')
FROM pg_temp.verdict('2001-01-04 04:00:00+00');
SELECT pg_temp.inject('2001-01-04 05:00:00+00', '1 min', probe => '{"errors": 3}');
SELECT is(severity, 'ok', 'quiet when a probe failed once and works again') FROM pg_temp.verdict('2001-01-04 05:00:00+00');
SELECT pg_temp.inject('2001-01-04 06:00:00+00', '31 min', '{"degraded": true, "reason": "failed: size"}',
	'{"last_error": "boom {value} \" ''"}');
SELECT is(value, 2::float8, 'problems are counted, a failed probe only once') FROM pg_temp.verdict('2001-01-04 06:00:00+00');
SELECT is(message, 'loop storage is late, its last tick was 31 min ago; probe activity fails: boom {value} " ''',
	'and are all named, as they are') FROM pg_temp.verdict('2001-01-04 06:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-01-04 06:10:00+00');

SELECT * FROM finish();
ROLLBACK;
