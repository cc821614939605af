-- databases.checksum_failures: by the age of the last one. Golden samples of 2001-07-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'databases.checksum_failures'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, failures bigint, age interval, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at, jsonb_build_array('{"db": "sound", "checksum_failures": 0}'::jsonb,
		'{"db": "unchecked"}'::jsonb,
		jsonb_build_object('db', 'shop', 'checksum_failures', failures, 'checksum_last_failure', at - age) || more))
$$;

-- Quiet: none; no checksums; more than 30 days ago.
SELECT pg_temp.inject('2001-07-03 01:00:00+00', 0, NULL);
SELECT is(severity, 'ok', 'quiet without failures') FROM pg_temp.verdict('2001-07-03 01:00:00+00');
SELECT pg_temp.inject('2001-07-03 01:10:00+00', 5, '30 d');
SELECT is(severity, 'ok', 'quiet after 30 days') FROM pg_temp.verdict('2001-07-03 01:10:00+00');

-- Warning: not handled yet, but not new.
SELECT pg_temp.inject('2001-07-03 02:00:00+00', 5, '29 d 23 h');
SELECT is(severity, 'warning', 'a warning for 30 days') FROM pg_temp.verdict('2001-07-03 02:00:00+00');
SELECT pg_temp.inject('2001-07-03 02:10:00+00', 5, '24 h');
SELECT is(severity, 'warning', 'still a warning at exactly a day') FROM pg_temp.verdict('2001-07-03 02:10:00+00');

-- Critical: the last day.
SELECT pg_temp.inject('2001-07-03 03:00:00+00', 5, '23 h 59 min');
SELECT results_eq($$SELECT severity, object, database, unit FROM pg_temp.verdict('2001-07-03 03:00:00+00')$$,
	$$VALUES ('critical', 'database:shop', 'shop', 'seconds')$$, 'critical within a day, in its database alone');
SELECT pg_temp.inject('2001-07-03 03:10:00+00', 1, '90 s');
SELECT is(message, '1 page read with a wrong checksum in shop, the last 1 min 30 s ago: data may be damaged',
	'the message has the values in it') FROM pg_temp.verdict('2001-07-03 03:10:00+00');
SELECT results_eq($$SELECT sql, lock_level FROM pg_temp.verdict('2001-07-03 03:10:00+00')$$,
	$$VALUES ('SELECT datname, checksum_failures, checksum_last_failure FROM pg_stat_database WHERE checksum_failures > 0;', 'none')$$,
	'the SQL only looks');
SELECT unalike(action, '%VACUUM%', 'and nothing is suggested that would write') FROM pg_temp.verdict('2001-07-03 03:10:00+00');
SELECT pg_temp.inject('2001-07-03 03:20:00+00', 2, '-5 s');
SELECT is(severity, 'critical', 'a failure during the sample is a failure') FROM pg_temp.verdict('2001-07-03 03:20:00+00');

-- Unknown: no sample, a stale one, no time.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-03 03:40:00+00');
SELECT pg_temp.inject('2001-07-03 04:00:00+00', 5, NULL);
SELECT is(severity, 'unknown', 'unknown without a time') FROM pg_temp.verdict('2001-07-03 04:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-07-03 05:00:00+00', 5, '1 h', jsonb_build_object('db', 'a"; DROP --{db}'));
SELECT is(object, 'database:"a""; DROP --{db}"', 'a hostile name is unambiguous') FROM pg_temp.verdict('2001-07-03 05:00:00+00');

SELECT * FROM finish();
ROLLBACK;
