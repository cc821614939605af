-- The last_ and hist_ views over injected samples: deltas, resets, gaps, filters on sampled_at, and pgdba.as_of.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
BEGIN;
SELECT plan(18);

SELECT pgdba.define_probe('ring_test', 'workload',
	$$SELECT 'a'::text AS name, 1::int8 AS calls, 1.5::float8 AS level, now() AS stats_reset$$, '{name}',
	'{"calls": {"kind": "counter"}, "level": {"kind": "gauge"}}');
SELECT pgdba.inject_sample('ring_test', at, rows) FROM (VALUES
	('2001-03-01 00:00:00+00'::timestamptz, '[{"name": "a", "calls": 10, "level": 1}, {"name": "b", "calls": 5}]'::jsonb),
	('2001-03-01 00:01:00+00', '[{"name": "a", "calls": 25, "level": 0.5}, {"name": "b", "calls": 5}]'),
	('2001-03-01 00:02:00+00', '[{"name": "a", "calls": 3, "level": null}, {"name": "c", "calls": 7}]'),
	('2001-03-01 00:03:00+00', '[{"name": "a", "calls": 4, "stats_reset": "2001-03-01 00:02:30+00"}]')) AS v (at, rows);

SELECT is_empty('SELECT * FROM pgdba.last_ring_test WHERE sampled_at < ''2002-01-01''', 'injected samples are not live');
SELECT is_empty('SELECT * FROM pgdba.hist_ring_test WHERE sampled_at < ''2002-01-01''', 'nor are they live history');

SET LOCAL pgdba.as_of = '2001-03-01 00:01:30+00';
SELECT results_eq('SELECT sampled_at, name, calls, level FROM pgdba.last_ring_test',
	$$VALUES ('2001-03-01 00:01:00+00'::timestamptz, 'a', 25::int8, 0.5::float8), ('2001-03-01 00:01:00+00', 'b', 5, NULL)$$,
	'as_of shows the newest sample of then, counters as they stood');
SET LOCAL pgdba.as_of = '2001-02-28 00:00:00+00';
SELECT is_empty('SELECT * FROM pgdba.last_ring_test', 'before the first sample there is none');

SET LOCAL pgdba.as_of = '2001-03-01 00:10:00+00';
SELECT is(count(*), 7::bigint, 'history has every row') FROM pgdba.hist_ring_test;
SELECT results_eq($$SELECT calls, elapsed, reset FROM pgdba.hist_ring_test WHERE name = 'a' ORDER BY sampled_at$$,
	$$VALUES (NULL::int8, NULL::float8, false), (15, 60, false), (NULL, 60, true), (NULL, 60, true)$$,
	'counters are deltas; unknown for the first sample, after a step down and after stats_reset');
SELECT results_eq($$SELECT calls FROM pgdba.hist_ring_test WHERE name = 'b' ORDER BY sampled_at$$, ARRAY[NULL, 0]::int8[],
	'a counter that did not move is 0');
SELECT is(calls, NULL, 'a row that was not there before has no delta') FROM pgdba.hist_ring_test WHERE name = 'c';
SELECT results_eq($$SELECT level FROM pgdba.hist_ring_test WHERE name = 'a' ORDER BY sampled_at$$,
	ARRAY[1, 0.5, NULL, NULL]::float8[], 'gauges are themselves');

SELECT results_eq($$SELECT calls FROM pgdba.hist_ring_test WHERE name = 'a' AND sampled_at >= '2001-03-01 00:01:00+00'
	AND sampled_at < '2001-03-01 00:02:00+00'$$, ARRAY[15]::int8[], 'a window knows the sample before it');
SELECT results_eq($$SELECT count(*) FROM pgdba.hist_ring_test WHERE '2001-03-01 00:01:00+00'::timestamptz < sampled_at$$,
	ARRAY[3]::int8[], 'a filter may stand the other way round');
SELECT is_empty('SELECT * FROM pgdba.hist_ring_test WHERE sampled_at > NULL', 'NULL gives nothing');
SELECT results_eq($$SELECT count(*) FROM (VALUES ('2001-03-01 00:00:00+00'::timestamptz), ('2001-03-01 00:03:00+00')) AS v (at)
	JOIN pgdba.hist_ring_test h ON h.sampled_at = v.at$$, ARRAY[3]::int8[], 'it can be joined');

CREATE FUNCTION pg_temp.bounds(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%Bounds on sampled_at%' THEN
			RETURN trim(line);
		END IF;
	END LOOP;
END $$;
SELECT is(pg_temp.bounds('SELECT * FROM pgdba.hist_ring_test WHERE sampled_at > now() - interval ''1 hour'' AND sampled_at < now()'),
	'Bounds on sampled_at: 2', 'filters on sampled_at are handed down');
SELECT is(pg_temp.bounds('SELECT * FROM pgdba.hist_ring_test WHERE sampled_at > clock_timestamp()'),
	'Bounds on sampled_at: 0', 'but not volatile ones');

RESET pgdba.as_of;
SELECT cmp_ok(count(*), '>', 0::bigint, 'the verdict set is a sample too') FROM pgdba.last_verdict;
SELECT throws_ok('SET pgdba.as_of = ''yesterday evening''', '22023', NULL, 'as_of must be a time');
SELECT throws_ok($$SELECT pgdba.inject_sample('ring_test', now(), '[{"nosuch": 1}]')$$, '22023', NULL,
	'an unknown column is refused');
SELECT * FROM finish();
ROLLBACK;
