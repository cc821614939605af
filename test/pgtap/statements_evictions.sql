-- statements.evictions: how often pg_stat_statements was full in the last hour. Golden samples of 2001-07-06.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(15);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'statements.evictions'
$$;
CREATE FUNCTION pg_temp.extension(at timestamptz, ok bool) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('preflight', at, jsonb_build_array(jsonb_build_object('item', 'pg_stat_statements extension', 'ok', ok)))
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, evictions bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('statement_info', at, jsonb_build_array(jsonb_build_object('preloaded', true, 'version', '1.10',
		'track', 'top', 'max_entries', 5000, 'entries', 4900, 'evictions', evictions, 'stats_reset', '2001-07-01 00:00:00+00') || more));
	SELECT pg_temp.extension(at, true)
$$;

-- Quiet: exactly ten; more, but before the hour; the first sample, whatever it says; a reset.
SELECT pg_temp.inject('2001-07-06 01:00:00+00', 500);
SELECT is(severity, 'ok', 'quiet at the first sample') FROM pg_temp.verdict('2001-07-06 01:00:00+00');
SELECT pg_temp.inject('2001-07-06 01:01:00+00', 510);
SELECT is(severity, 'ok', 'quiet at exactly ten') FROM pg_temp.verdict('2001-07-06 01:01:00+00');

-- Warning.
SELECT pg_temp.inject('2001-07-06 01:02:00+00', 511);
SELECT results_eq($$SELECT severity, object, value, unit, message FROM pg_temp.verdict('2001-07-06 01:02:00+00')$$,
	$$VALUES ('warning', 'cluster', 11::float8, 'evictions',
		'pg_stat_statements was full 11 times in the last hour: it holds 5000 statements')$$, 'warning beyond ten');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-07-06 01:02:00+00')$$,
	$$VALUES ('ALTER SYSTEM SET pg_stat_statements.max = 10000;', 'none', 'ALTER SYSTEM SET pg_stat_statements.max = 5000;')$$,
	'the SQL, and what takes it back');
SELECT alike(action, '%restart%', 'it needs a restart') FROM pg_temp.verdict('2001-07-06 01:02:00+00');
SELECT pg_temp.inject('2001-07-06 01:03:00+00', 511, '{"max_entries": 10000}');
SELECT is(severity, 'ok', 'quiet once there is more room') FROM pg_temp.verdict('2001-07-06 01:03:00+00');
SELECT pg_temp.inject('2001-07-06 02:01:00+00', 511);
SELECT is(severity, 'ok', 'quiet an hour later') FROM pg_temp.verdict('2001-07-06 02:01:00+00');
SELECT pg_temp.inject('2001-07-06 02:02:00+00', 30, '{"stats_reset": "2001-07-06 02:01:30+00"}');
SELECT is(severity, 'ok', 'quiet after a reset') FROM pg_temp.verdict('2001-07-06 02:02:00+00');
SELECT pg_temp.inject('2001-07-06 02:03:00+00', 50, '{"stats_reset": "2001-07-06 02:01:30+00", "max_entries": 900000}');
SELECT pg_temp.inject('2001-07-06 02:04:00+00', 90, '{"stats_reset": "2001-07-06 02:01:30+00", "max_entries": 900000}');
SELECT is(sql, 'ALTER SYSTEM SET pg_stat_statements.max = 1000000;', 'what is suggested has a bound') FROM pg_temp.verdict('2001-07-06 02:04:00+00');

-- Unknown: no sample, a stale one, no counter.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-06 00:00:00+00');
SELECT pg_temp.extension('2001-07-06 02:20:00+00', true);
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-06 02:20:00+00');
SELECT pg_temp.extension('2001-07-06 02:21:00+00', false);
SELECT is(severity, 'ok', 'quiet without the extension') FROM pg_temp.verdict('2001-07-06 02:21:00+00');
SELECT pg_temp.inject('2001-07-06 03:00:00+00', NULL, '{"version": "1.8''"}');
SELECT is(severity, 'unknown', 'unknown without a counter') FROM pg_temp.verdict('2001-07-06 03:00:00+00');
SELECT alike(message, '%version 1.8'' of extension pg_stat_statements does not count evictions%', 'it says why')
FROM pg_temp.verdict('2001-07-06 03:00:00+00');
SELECT pg_temp.inject('2001-07-06 03:10:00+00', NULL, '{"preloaded": false, "version": null}');
SELECT alike(message, '%pg_stat_statements is not preloaded%', 'and when it is not preloaded') FROM pg_temp.verdict('2001-07-06 03:10:00+00');

SELECT * FROM finish();
ROLLBACK;
