-- partitions.missing: how many widths there are ahead, and what is left alone. Golden samples of 2001-10-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(20);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'partitions.missing'
$$;

-- A table of daily partitions, the last of which ends so many days from then.
CREATE FUNCTION pg_temp.inject(at timestamptz, days float8, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('partition', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'visits', 'relation', 'public.visits', 'strategy', 'range', 'partitions', 30, 'is_time', true, 'below_time', false,
		'open_start', false, 'open_end', false, 'newest_time', at + days * interval '1 day', 'width_seconds', 86400,
		'ahead_seconds', days * 86400, 'ahead_partitions', days, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-10-01 01:00:00+00', 2);
SELECT is(severity, 'ok', 'quiet with two widths ahead') FROM pg_temp.verdict('2001-10-01 01:00:00+00');
SELECT pg_temp.inject('2001-10-01 02:00:00+00', 1.5);
SELECT results_eq($$SELECT severity, object, database, value, message, sql FROM pg_temp.verdict('2001-10-01 02:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.visits', 'shop', 1.5::float8,
		'partitions of public.visits in shop, of 1 d each, end in 1 d 12 h', NULL::text)$$, 'a warning with less');
SELECT is(why, 'From then on every insert of a present time fails.', 'with what happens then')
FROM pg_temp.verdict('2001-10-01 02:00:00+00');
SELECT pg_temp.inject('2001-10-01 03:00:00+00', 1.5, '{"default_relname": "visits_rest"}');
SELECT alike(why, '%go to the default partition visits_rest%', 'or does not, where there is a default partition')
FROM pg_temp.verdict('2001-10-01 03:00:00+00');
SELECT pg_temp.inject('2001-10-01 04:00:00+00', 0);
SELECT is(severity, 'warning', 'still a warning at the very end') FROM pg_temp.verdict('2001-10-01 04:00:00+00');
SELECT pg_temp.inject('2001-10-01 05:00:00+00', -0.125);
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-10-01 05:00:00+00')$$,
	$$VALUES ('critical', 'partitions of public.visits in shop, of 1 d each, ended 3 h ago')$$, 'critical after it');
SELECT pg_temp.inject('2001-10-01 06:00:00+00', -9.99);
SELECT is(severity, 'critical', 'critical for ten widths') FROM pg_temp.verdict('2001-10-01 06:00:00+00');

-- Left alone.
SELECT pg_temp.inject('2001-10-01 07:00:00+00', -10);
SELECT is(severity, 'ok', 'quiet when it was given up') FROM pg_temp.verdict('2001-10-01 07:00:00+00');
SELECT pg_temp.inject('2001-10-01 07:01:00+00', 1, '{"open_end": true, "ahead_seconds": null, "ahead_partitions": null}');
SELECT is(severity, 'ok', 'quiet when its end is open') FROM pg_temp.verdict('2001-10-01 07:01:00+00');
SELECT pg_temp.inject('2001-10-01 07:02:00+00', -1, '{"below_time": true}');
SELECT is(severity, 'ok', 'quiet when it ends with the range that it is itself') FROM pg_temp.verdict('2001-10-01 07:02:00+00');
SELECT pg_temp.inject('2001-10-01 07:03:00+00', 60.01, '{"width_seconds": 31536000, "ahead_partitions": 0.16}');
SELECT is(severity, 'ok', 'quiet when a year ends in 60 days') FROM pg_temp.verdict('2001-10-01 07:03:00+00');
SELECT pg_temp.inject('2001-10-01 07:04:00+00', 59.9, '{"width_seconds": 31536000, "ahead_partitions": 0.16}');
SELECT is(severity, 'warning', 'a warning when it ends in less') FROM pg_temp.verdict('2001-10-01 07:04:00+00');
SELECT pg_temp.inject('2001-10-01 07:07:00+00', -401, '{"width_seconds": 315360000, "ahead_partitions": -0.11}');
SELECT is(severity, 'ok', 'quiet when it was given up more than a year ago') FROM pg_temp.verdict('2001-10-01 07:07:00+00');
SELECT pg_temp.inject('2001-10-01 07:05:00+00', -1, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-10-01 07:05:00+00');
SELECT pg_temp.inject('2001-10-01 07:06:00+00', -1, '{"is_time": false, "newest_time": null, "ahead_partitions": null, "ahead_seconds": null, "newest_number": 7}');
SELECT is(severity, 'ok', 'quiet for ranges of numbers') FROM pg_temp.verdict('2001-10-01 07:06:00+00');

-- Unknown.
SELECT pg_temp.inject('2001-10-01 08:00:00+00', 1, '{"newest_time": null, "ahead_partitions": null, "ahead_seconds": null}');
SELECT results_eq($$SELECT severity, object, evidence ->> 'reason' FROM pg_temp.verdict('2001-10-01 08:00:00+00')$$,
	$$VALUES ('unknown', 'relation:shop/public.visits', 'the bounds of partitions of public.visits in shop cannot be read here')$$,
	'unknown when the bounds cannot be read');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-10-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-10-01 12:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-10-01 13:00:00+00', 1, '{"schema": "a b", "relname": "t\"; DROP TABLE x; --", "relation": "a b.t"}');
SELECT is(object, 'relation:shop/"a b"."t""; DROP TABLE x; --"', 'a hostile name is quoted') FROM pg_temp.verdict('2001-10-01 13:00:00+00');
SELECT pg_temp.inject('2001-10-01 14:00:00+00', 1, '{"default_relname": "{why}"}');
SELECT alike(why, '%default partition {why}, %', 'and a template is a name') FROM pg_temp.verdict('2001-10-01 14:00:00+00');

SELECT * FROM finish();
ROLLBACK;
