-- databases.deadlocks: any within five minutes, many a minute, and which steps count. Golden samples of 2001-07-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(17);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'databases.deadlocks'
$$;

-- Samples a minute apart, the last at `at`: the counter of database shop as it stood in each.
CREATE FUNCTION pg_temp.inject(at timestamptz, counters bigint[], more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at - (cardinality(counters) - c.place) * interval '1 min',
		jsonb_build_array(jsonb_build_object('db', 'shop', 'deadlocks', c.counter) || more,
			'{"db": "quiet", "deadlocks": 3}'::jsonb))
	FROM unnest(counters) WITH ORDINALITY AS c (counter, place) ORDER BY c.place
$$;

-- Quiet: none; long ago; a first sample, whatever it says.
SELECT pg_temp.inject('2001-07-01 01:00:00+00', '{7,7,7,7}');
SELECT is(severity, 'ok', 'quiet without deadlocks') FROM pg_temp.verdict('2001-07-01 01:00:00+00');
SELECT pg_temp.inject('2001-07-01 01:20:00+00', '{7,9,9,9,9,9,9}');
SELECT is(severity, 'ok', 'quiet five minutes after the last one') FROM pg_temp.verdict('2001-07-01 01:20:00+00');
SELECT pg_temp.inject('2001-07-01 01:40:00+00', '{7,9,9,9,9,9}');
SELECT is(severity, 'warning', 'and not before') FROM pg_temp.verdict('2001-07-01 01:40:00+00');
SELECT pgdba.inject_sample('database', '2001-06-30 01:00:00+00', '[{"db": "shop", "deadlocks": 1000}]');
SELECT is(severity, 'ok', 'quiet at the first sample') FROM pg_temp.verdict('2001-06-30 01:00:00+00');

-- Warning.
SELECT pg_temp.inject('2001-07-01 02:00:00+00', '{7,7,7,8}');
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-07-01 02:00:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 1::float8, 'deadlocks per minute', '1 deadlock in shop within 5 minutes')$$,
	'one deadlock is a warning, in its database alone');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-07-01 02:00:00+00')$$,
	$$VALUES (NULL::text, NULL::text, NULL::text)$$, 'there is no SQL for it');
SELECT alike(action, '%server log%40P01%', 'but there is something to do') FROM pg_temp.verdict('2001-07-01 02:00:00+00');
SELECT pg_temp.inject('2001-07-01 02:20:00+00', '{0,5,10,15,20,25}');
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-07-01 02:20:00+00')$$, $$VALUES ('warning', 5::float8)$$,
	'exactly 5 a minute is a warning');

-- Critical: in the last minute, or on average.
SELECT pg_temp.inject('2001-07-01 03:00:00+00', '{0,0,0,6}');
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-07-01 03:00:00+00')$$, $$VALUES ('critical', 6::float8)$$,
	'more than 5 in a minute is critical');
SELECT pg_temp.inject('2001-07-01 03:20:00+00', '{0,30,30,30,30}');
SELECT results_eq($$SELECT severity, value, message FROM pg_temp.verdict('2001-07-01 03:20:00+00')$$,
	$$VALUES ('critical', 6::float8, '30 deadlocks in shop within 5 minutes')$$, 'so are more than 25 in five minutes');
SELECT pgdba.inject_sample('database', at, rows) FROM (VALUES
	('2001-07-01 03:40:00+00'::timestamptz, '[{"db": "shop", "deadlocks": 0}]'::jsonb),
	('2001-07-01 03:42:00+00', '[{"db": "shop", "deadlocks": 8}]')) AS v (at, rows);
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-07-01 03:42:00+00')$$, $$VALUES ('warning', 4::float8)$$,
	'a step of two minutes counts half for the last one');

-- Steps that do not count: a counter that began again.
SELECT pg_temp.inject('2001-06-30 02:00:00+00', '{500,9}');
SELECT is(severity, 'ok', 'a reset is no deadlock') FROM pg_temp.verdict('2001-06-30 02:00:00+00');

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-01 04:10:00+00');
SELECT pg_temp.inject('2001-07-01 05:00:00+00', '{NULL,NULL}');
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-07-01 05:00:00+00')$$,
	$$VALUES ('unknown', 'database:shop')$$, 'unknown without a counter');

-- Hostile names.
SELECT pg_temp.inject('2001-07-01 06:00:00+00', '{1,2}', jsonb_build_object('db', 'a"; DROP --{db}'));
SELECT is(object, 'database:"a""; DROP --{db}"', 'a hostile name is unambiguous') FROM pg_temp.verdict('2001-07-01 06:00:00+00');
SELECT is(message, '1 deadlock in a"; DROP --{db} within 5 minutes', 'and printed as it is')
FROM pg_temp.verdict('2001-07-01 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
