-- temp.surge: per database, before it is known what is usual and after. Golden samples of 2001-04-20 to 25.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(14);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'temp.surge'
$$;

-- A history in steps of five minutes: so many MB of temporary files in each. Beside it a database without any.
CREATE FUNCTION pg_temp.inject(begin timestamptz, mb int[], db text DEFAULT 'shop') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', begin + n * interval '5 min', jsonb_build_array(
		jsonb_build_object('db', db, 'temp_files', n, 'temp_bytes', t.bytes),
		jsonb_build_object('db', 'quiet', 'temp_files', 0, 'temp_bytes', 0)))
	FROM (SELECT i.n, 1048576 * sum(CASE WHEN i.n = 0 THEN 0 ELSE mb[i.n] END) OVER (ORDER BY i.n) AS bytes
		FROM generate_series(0, cardinality(mb)) AS i (n)) t
$$;
CREATE FUNCTION pg_temp.steps(VARIADIC parts int[]) RETURNS int[] LANGUAGE sql AS $$
	-- pairs of a count of steps and their MB
	SELECT array_agg(parts[2 * p] ORDER BY p, i)
	FROM generate_series(1, cardinality(parts) / 2) p CROSS JOIN LATERAL generate_series(1, parts[2 * p - 1]) i
$$;

-- Before a day is known: 1 GB.
SELECT pg_temp.inject('2001-04-20 00:00:00+00', pg_temp.steps(6, 0, 1, 1024));
SELECT is(severity, 'ok', 'quiet at exactly 1 GB') FROM pg_temp.verdict('2001-04-20 00:35:00+00');
SELECT pg_temp.inject('2001-04-20 01:00:00+00', pg_temp.steps(6, 0, 1, 1536), E'o"d\nd');
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-04-20 01:35:00+00')$$,
	$$VALUES ('warning', E'database:"o""d\nd"', E'o"d\nd', 150::float8, 'percent')$$, 'warning beyond it, of that database');
SELECT pg_temp.inject('2001-04-20 02:00:00+00', pg_temp.steps(6, 0, 1, 1536, 1, 0));
SELECT is(message, '1.5 GB of temporary files in 5 minutes in shop, what is usual is not known yet', 'also five minutes later')
FROM pg_temp.verdict('2001-04-20 02:40:00+00');
SELECT pg_temp.inject('2001-04-20 03:00:00+00', pg_temp.steps(6, 0, 1, 1536, 2, 0));
SELECT is(severity, 'ok', 'and quiet when it is over') FROM pg_temp.verdict('2001-04-20 03:45:00+00');
SELECT pg_temp.inject('2001-04-20 04:00:00+00', pg_temp.steps(6, 0, 2, 1000));
SELECT is(severity, 'ok', 'ten minutes are not added up') FROM pg_temp.verdict('2001-04-20 04:40:00+00');

-- A day of 400 and 600 MB by turns: 500 on the mean, a deviation of 100, so 800 is the end.
CREATE FUNCTION pg_temp.day() RETURNS int[] LANGUAGE sql AS $$
	SELECT array_agg(400 + 200 * (i % 2) ORDER BY i) FROM generate_series(1, 300) i
$$;
SELECT pg_temp.inject('2001-04-20 12:00:00+00', pg_temp.day() || pg_temp.steps(1, 790));
SELECT is(severity, 'ok', 'quiet within three deviations') FROM pg_temp.verdict('2001-04-21 13:05:00+00');
SELECT pg_temp.inject('2001-04-21 14:00:00+00', pg_temp.day() || pg_temp.steps(1, 1000));
SELECT is(severity, 'warning', 'warning beyond them') FROM pg_temp.verdict('2001-04-22 15:05:00+00');
SELECT is(message, '1,000 MB of temporary files in 5 minutes in shop, 500 MB is usual', 'and says what is usual')
FROM pg_temp.verdict('2001-04-22 15:05:00+00');

-- What comes at the same time of each day is usual then, and only then.
SELECT pg_temp.inject('2001-04-22 16:00:00+00', pg_temp.steps(6, 0, 12, 3000, 275, 0, 2, 3000));
SELECT is(severity, 'ok', 'quiet when yesterday was the same') FROM pg_temp.verdict('2001-04-23 16:35:00+00');
SELECT pg_temp.inject('2001-04-23 17:00:00+00', pg_temp.steps(150, 0, 6, 3000, 150, 0, 2, 3000));
SELECT is(severity, 'warning', 'warning at another time') FROM pg_temp.verdict('2001-04-24 18:40:00+00');

-- Where there was nothing, only much is a surge.
SELECT pg_temp.inject('2001-04-24 20:00:00+00', pg_temp.steps(300, 0, 1, 512));
SELECT is(severity, 'ok', 'quiet at 512 MB, however little there was') FROM pg_temp.verdict('2001-04-25 21:05:00+00');
SELECT pg_temp.inject('2001-04-25 22:00:00+00', pg_temp.steps(300, 0, 1, 513));
SELECT is(severity, 'warning', 'warning beyond them') FROM pg_temp.verdict('2001-04-26 23:05:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-26 23:45:00+00');

SELECT * FROM finish();
ROLLBACK;
