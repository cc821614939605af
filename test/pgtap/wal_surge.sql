-- wal.surge: what is usual, before that is known and after, and who wrote. Golden samples of 2001-04-10 to 15.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(17);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'wal.surge'
$$;

-- A history in steps of five minutes that begins at a time and has so many bytes per second in each step. Its last two
-- hours have database samples beside it, in which rows are changed.
CREATE FUNCTION pg_temp.inject(begin timestamptz, rates float8[], more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('wal', begin + n * interval '5 min', jsonb_build_array(jsonb_build_object(
			'in_recovery', false, 'position', w.bytes, 'written_bytes', w.bytes, 'records', w.bytes / 1000,
			'full_page_images', w.bytes / 100000, 'max_wal_size', 1073741824, 'checkpoint_timeout', 300,
			'stats_reset', '2001-01-01') || more)),
		CASE WHEN n > cardinality(rates) - 24 THEN pgdba.inject_sample('database', begin + n * interval '5 min',
			jsonb_build_array(jsonb_build_object('db', 'shop', 'tup_inserted', 1000 * n, 'tup_updated', 0, 'tup_deleted', 0),
				jsonb_build_object('db', E'o"d\nd', 'tup_inserted', 10 * n, 'tup_updated', 0, 'tup_deleted', 0))) END
	FROM (SELECT i.n, (sum(CASE WHEN i.n = 0 THEN 0 ELSE rates[i.n] END) OVER (ORDER BY i.n) * 300)::int8 AS bytes
		FROM generate_series(0, cardinality(rates)) AS i (n)) w
$$;
CREATE FUNCTION pg_temp.rates(VARIADIC parts float8[]) RETURNS float8[] LANGUAGE sql AS $$
	-- pairs of a count of steps and their rate in MiB/s
	SELECT array_agg(1048576 * parts[2 * p] ORDER BY p, i)
	FROM generate_series(1, cardinality(parts) / 2) p CROSS JOIN LATERAL generate_series(1, parts[2 * p - 1]::int) i
$$;

-- Before a day is known: max_wal_size per checkpoint_timeout, 3.4 MiB/s.
SELECT pg_temp.inject('2001-04-10 00:00:00+00', pg_temp.rates(12, 0.1, 3, 3.4));
SELECT is(severity, 'ok', 'quiet under max_wal_size per checkpoint_timeout') FROM pg_temp.verdict('2001-04-10 01:15:00+00');
SELECT pg_temp.inject('2001-04-10 02:00:00+00', pg_temp.rates(12, 0.1, 3, 3.5));
SELECT results_eq(
	$$SELECT severity, object, database, round(value), unit FROM pg_temp.verdict('2001-04-10 03:15:00+00')$$,
	$$VALUES ('warning', 'cluster', NULL::text, 103::float8, 'percent')$$, 'warning beyond it');
SELECT is(message, '3.5 MB/s of WAL in the last 15 minutes, 3495 kB/s is max_wal_size per checkpoint_timeout', 'and says what it is set against')
FROM pg_temp.verdict('2001-04-10 03:15:00+00');
SELECT alike(action, 'Most rows were changed in database shop: 3000 of 3030. %', 'the database is named')
FROM pg_temp.verdict('2001-04-10 03:15:00+00');
SELECT pg_temp.inject('2001-04-10 04:00:00+00', pg_temp.rates(1, 6));
SELECT is(severity, 'ok', 'quiet after five minutes: time that was not sampled counts as quiet')
FROM pg_temp.verdict('2001-04-10 04:05:00+00');
SELECT pg_temp.inject('2001-04-10 05:00:00+00', pg_temp.rates(12, 0.1, 3, 50), '{"in_recovery": true}');
SELECT is(severity, 'ok', 'a standby is not judged') FROM pg_temp.verdict('2001-04-10 06:15:00+00');

-- A day of 4 and 6 MiB/s by turns: 5 on the mean, a deviation of 1, so 8 is the end.
CREATE FUNCTION pg_temp.day() RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(1048576.0 * (4 + 2 * (i % 2)) ORDER BY i) FROM generate_series(1, 300) i
$$;
SELECT pg_temp.inject('2001-04-11 00:00:00+00', pg_temp.day() || pg_temp.rates(3, 7.9));
SELECT is(severity, 'ok', 'quiet within three deviations') FROM pg_temp.verdict('2001-04-12 01:15:00+00');
SELECT pg_temp.inject('2001-04-12 02:00:00+00', pg_temp.day() || pg_temp.rates(3, 8.2));
SELECT is(severity, 'warning', 'warning beyond them') FROM pg_temp.verdict('2001-04-13 03:15:00+00');
SELECT alike(message, '8.2 MB/s of WAL in the last 15 minutes, 51__ kB/s is usual', 'and says what is usual')
FROM pg_temp.verdict('2001-04-13 03:15:00+00');

-- What comes at the same time of each day is usual then, and only then.
SELECT pg_temp.inject('2001-04-13 04:00:00+00', pg_temp.rates(6, 0.1, 12, 40, 275, 0.1, 4, 40));
SELECT is(severity, 'ok', 'quiet when yesterday was the same') FROM pg_temp.verdict('2001-04-14 04:45:00+00');
SELECT is(severity, 'warning', 'warning at another time')
FROM (SELECT pg_temp.inject('2001-04-14 05:00:00+00', pg_temp.rates(150, 0.1, 6, 40, 150, 0.1, 4, 40))) i,
	pg_temp.verdict('2001-04-15 06:50:00+00');

-- An idle server has a usual of nothing: only much is more than that.
SELECT pg_temp.inject('2001-04-15 08:00:00+00', pg_temp.rates(300, 0, 3, 1.9));
SELECT is(severity, 'ok', 'quiet under 2 MiB/s, however idle it was') FROM pg_temp.verdict('2001-04-16 09:15:00+00');
SELECT pg_temp.inject('2001-04-16 10:00:00+00', pg_temp.rates(300, 0, 3, 2.1), '{"full_page_images": null}');
SELECT is(severity, 'warning', 'warning beyond them') FROM pg_temp.verdict('2001-04-17 11:15:00+00');

-- Whole pages are named first.
SELECT pg_temp.inject('2001-04-17 12:00:00+00', pg_temp.rates(12, 0.1, 3, 8));
SELECT pgdba.inject_sample('wal', '2001-04-17 13:20:00+00', '[{"in_recovery": false, "position": 10000000000,
	"written_bytes": 10000000000, "full_page_images": 1000000, "max_wal_size": 1073741824, "checkpoint_timeout": 300,
	"stats_reset": "2001-01-01"}]'), pgdba.inject_sample('database', '2001-04-17 13:20:00+00', '[]');
SELECT alike(action, 'More than half of it may be whole pages%', 'whole pages are named') FROM pg_temp.verdict('2001-04-17 13:20:00+00');

-- Unknown: no sample, a stale one. A reset of the counters is not a surge.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-17 14:20:00+00');
SELECT pg_temp.inject('2001-04-18 00:00:00+00', pg_temp.rates(12, 0.1));
SELECT pgdba.inject_sample('wal', '2001-04-18 01:05:00+00', '[{"in_recovery": false, "position": 90000000000,
	"written_bytes": 90000000000, "max_wal_size": 1073741824, "checkpoint_timeout": 300, "stats_reset": "2001-04-18 01:01:00+00"}]'),
	pgdba.inject_sample('database', '2001-04-18 01:05:00+00', '[]');
SELECT is(severity, 'ok', 'a reset is no surge') FROM pg_temp.verdict('2001-04-18 01:05:00+00');

SELECT * FROM finish();
ROLLBACK;
