-- indexes.unused: size and time, too little history, standbys, foreign keys, partitions. Golden samples of 2001-06-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(21);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'indexes.unused'
$$;

-- An index that has not been scanned for so long, watched for 30 days unless `watch` says otherwise.
CREATE FUNCTION pg_temp.inject(at timestamptz, size bigint, unused interval, watch jsonb DEFAULT '{}', more jsonb DEFAULT '{}',
	others jsonb DEFAULT '[]') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('index', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'indexname', 'orders_a', 'index', 'public.orders_a', 'relation', 'public.orders', 'indexrelid', 7,
			'is_partitioned', false, 'is_for_foreign_key', false, 'size', size, 'in_recovery', false) || more)),
		pgdba.inject_sample('index_watch', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'indexname', 'orders_a', 'indexrelid', 7, 'parts', 1, 'size', size, 'scans', 0, 'unused_since', at - unused,
			'stats_since', at - interval '40 days', 'watched_since', at - interval '30 days', 'standbys', 0) || watch) || others)
$$;

-- More than 100 MB and more than seven days.
SELECT pg_temp.inject('2001-06-04 01:00:00+00', 904857600, '7 days');
SELECT is(severity, 'ok', 'quiet at exactly seven days') FROM pg_temp.verdict('2001-06-04 01:00:00+00');
SELECT pg_temp.inject('2001-06-04 01:10:00+00', 104857600, '20 days');
SELECT is(severity, 'ok', 'quiet at exactly 100 MB') FROM pg_temp.verdict('2001-06-04 01:10:00+00');
SELECT pg_temp.inject('2001-06-04 01:20:00+00', 904857600, '7 days 1 s');
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-06-04 01:20:00+00')$$,
	$$VALUES ('info', 'index:shop/public.orders_a', 'shop', 904857600::float8, 'bytes',
		'index public.orders_a on public.orders in shop (862.94 MB) was not scanned in the 7 d that are known')$$,
	'advice beyond both, with the time that is known');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-06-04 01:20:00+00')$$,
	$$VALUES ('SELECT pg_get_indexdef(''public.orders_a''::regclass);' || E'\n' || 'DROP INDEX CONCURRENTLY public.orders_a;',
		'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL prints what makes it again, then drops it');
SELECT pg_temp.inject('2001-06-04 01:30:00+00', 104857601, '20 days', '{"scans": 500}');
SELECT is(severity, 'info', 'scans of long ago do not count') FROM pg_temp.verdict('2001-06-04 01:30:00+00');

-- A standby may use it; a foreign key may; a partitioned one cannot be dropped concurrently.
SELECT pg_temp.inject('2001-06-04 02:00:00+00', 904857600, '20 days', '{"standbys": 1}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-06-04 02:00:00+00')$$, $$VALUES ('info', NULL::text)$$,
	'with a standby there is nothing to drop');
SELECT alike(action, '%on each standby%', 'and it is said why') FROM pg_temp.verdict('2001-06-04 02:00:00+00');
SELECT pg_temp.inject('2001-06-04 02:10:00+00', 904857600, '20 days', more => '{"is_for_foreign_key": true}');
SELECT results_eq($$SELECT severity, sql, action LIKE '%foreign key%' FROM pg_temp.verdict('2001-06-04 02:10:00+00')$$,
	$$VALUES ('info', NULL::text, true)$$, 'nor where a foreign key begins with its columns');
SELECT pg_temp.inject('2001-06-04 02:20:00+00', 904857600, '20 days', '{"parts": 12}', '{"is_partitioned": true}');
SELECT results_eq($$SELECT severity, sql, action LIKE '%cannot be done concurrently%' FROM pg_temp.verdict('2001-06-04 02:20:00+00')$$,
	$$VALUES ('info', NULL::text, true)$$, 'nor for a partitioned one');

-- Quiet: it is gone, or not to be judged.
SELECT pg_temp.inject('2001-06-04 03:00:00+00', 904857600, '20 days', '{"indexrelid": 8}');
SELECT is(severity, 'ok', 'quiet when it is gone by now') FROM pg_temp.verdict('2001-06-04 03:00:00+00');
SELECT pg_temp.inject('2001-06-04 03:10:00+00', 904857600, '20 days', '{"unused_since": null, "invalid_since": "2001-06-04 00:00:00+00"}');
SELECT is(severity, 'ok', 'quiet for one that is not valid') FROM pg_temp.verdict('2001-06-04 03:10:00+00');

-- Too little is known: one finding for all.
SELECT pg_temp.inject('2001-06-04 04:00:00+00', 904857600, '2 days', '{"watched_since": "2001-06-02 04:00:00+00"}');
SELECT results_eq($$SELECT severity, object, evidence ->> 'reason' FROM pg_temp.verdict('2001-06-04 04:00:00+00')$$,
	$$VALUES ('unknown', 'cluster', '1 index of more than 100 MB was not scanned so far (the largest is public.orders_a in shop), '
		'but known are only 2 d of the 7 days that it takes to say')$$, 'unknown when it has been watched for too short a time');
SELECT pg_temp.inject('2001-06-04 04:10:00+00', 904857600, '3 days', '{"stats_since": "2001-06-01 04:10:00+00"}', others =>
	'[{"db": "crm", "schema": "s", "indexname": "larger", "indexrelid": 9, "size": 1904857600, "scans": 0, "standbys": 0,
	"unused_since": "2001-06-01 04:10:00+00", "stats_since": "2001-06-01 04:10:00+00", "watched_since": "2001-05-01 00:00:00+00"}]');
SELECT results_eq($$SELECT severity, object, evidence ->> 'reason' FROM pg_temp.verdict('2001-06-04 04:10:00+00')$$,
	$$VALUES ('unknown', 'cluster', '2 indexes of more than 100 MB were not scanned so far (the largest is s.larger in crm), '
		'but known are only 3 d of the 7 days that it takes to say')$$, 'or the statistics are too young');
SELECT pg_temp.inject('2001-06-04 04:20:00+00', 904857600, '2 days');
SELECT is(severity, 'ok', 'quiet for a young index among old ones') FROM pg_temp.verdict('2001-06-04 04:20:00+00');
SELECT pg_temp.inject('2001-06-04 04:30:00+00', 904857600, '2 days', '{"watched_since": "2001-06-02 04:30:00+00", "scans": 5}');
SELECT is(severity, 'ok', 'quiet for one that had scans before') FROM pg_temp.verdict('2001-06-04 04:30:00+00');
SELECT pg_temp.inject('2001-06-04 04:40:00+00', 104857600, '2 days', '{"watched_since": "2001-06-02 04:40:00+00"}');
SELECT is(severity, 'ok', 'quiet for one of 100 MB') FROM pg_temp.verdict('2001-06-04 04:40:00+00');

-- Unknown.
SELECT pg_temp.inject('2001-06-04 05:00:00+00', NULL, '20 days');
SELECT is(severity, 'unknown', 'unknown without a size') FROM pg_temp.verdict('2001-06-04 05:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-04 06:00:00+00');
SELECT pgdba.inject_sample('index', '2001-06-04 07:00:00+00', '[]');
SELECT is(severity, 'unknown', 'unknown when one of the probes has none') FROM pg_temp.verdict('2001-06-04 07:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-06-04 08:00:00+00', 904857600, '20 days', '{"schema": "a b", "indexname": "i''\"; DROP TABLE x; --"}');
SELECT is(sql, 'SELECT pg_get_indexdef(''"a b"."i''''""; DROP TABLE x; --"''::regclass);' || E'\n'
	'DROP INDEX CONCURRENTLY "a b"."i''""; DROP TABLE x; --";', 'a hostile name is quoted') FROM pg_temp.verdict('2001-06-04 08:00:00+00');

SELECT * FROM finish();
ROLLBACK;
