-- indexes.duplicate: which size is which level, what is printed, partitioned indexes, standbys. Golden samples of 2001-06-01.
-- Which index is another's twin is the probe's work, tested against live tables.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(14);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'indexes.duplicate'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, size bigint, more jsonb DEFAULT '{}', others jsonb DEFAULT '[]') RETURNS void
LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('index', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'indexname', 'orders_a2', 'index', 'public.orders_a2', 'relation', 'public.orders', 'indexrelid', 7,
		'is_partitioned', false, 'twin', 'orders_a', 'size', size, 'in_recovery', false) || more) || others)
$$;

-- Advice at any size, a warning beyond 100 MB; nothing for an index without a file.
SELECT pg_temp.inject('2001-06-01 01:00:00+00', 0);
SELECT is(severity, 'ok', 'quiet for an empty file') FROM pg_temp.verdict('2001-06-01 01:00:00+00');
SELECT pg_temp.inject('2001-06-01 01:10:00+00', 8192);
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-06-01 01:10:00+00')$$,
	$$VALUES ('info', 'index:shop/public.orders_a2', 'shop', 8192::float8, 'bytes',
		'index public.orders_a2 on public.orders in shop does nothing that orders_a does not do (8 kB)')$$, 'advice for a small one');
SELECT pg_temp.inject('2001-06-01 01:20:00+00', 104857600);
SELECT is(severity, 'info', 'and at exactly 100 MB') FROM pg_temp.verdict('2001-06-01 01:20:00+00');
SELECT pg_temp.inject('2001-06-01 01:30:00+00', 104857601);
SELECT is(severity, 'warning', 'a warning beyond') FROM pg_temp.verdict('2001-06-01 01:30:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-06-01 01:30:00+00')$$,
	$$VALUES ('SELECT pg_get_indexdef(''public.orders_a2''::regclass);' || E'\n' || 'DROP INDEX CONCURRENTLY public.orders_a2;',
		'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL prints what makes it again, then drops it');

-- Quiet: no twin; on a standby, where nothing can be dropped.
SELECT pg_temp.inject('2001-06-01 02:00:00+00', 904857600, '{"twin": null}');
SELECT is(severity, 'ok', 'quiet without a twin') FROM pg_temp.verdict('2001-06-01 02:00:00+00');
SELECT pg_temp.inject('2001-06-01 02:10:00+00', 904857600, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-06-01 02:10:00+00');

-- A partitioned index is as large as its parts, and cannot be dropped concurrently.
SELECT pg_temp.inject('2001-06-01 03:00:00+00', NULL, '{"is_partitioned": true}',
	'[{"db": "shop", "schema": "public", "indexname": "p1", "root": 7, "size": 60000000},
	  {"db": "shop", "schema": "public", "indexname": "p2", "root": 7, "size": 60000000},
	  {"db": "crm", "schema": "public", "indexname": "p2", "root": 7, "size": 60000000}]');
SELECT results_eq($$SELECT severity, value, sql FROM pg_temp.verdict('2001-06-01 03:00:00+00')$$,
	$$VALUES ('warning', 120000000::float8, NULL::text)$$, 'a partitioned one counts its parts, and has no SQL');
SELECT pg_temp.inject('2001-06-01 03:10:00+00', NULL, '{"is_partitioned": true}');
SELECT is(severity, 'ok', 'quiet while it has no parts') FROM pg_temp.verdict('2001-06-01 03:10:00+00');

-- Unknown.
SELECT pg_temp.inject('2001-06-01 04:00:00+00', NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-06-01 04:00:00+00')$$,
	$$VALUES ('unknown', 'the size of public.orders_a2 in shop could not be read')$$, 'unknown without a size');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-01 05:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-06-01 06:00:00+00', 8192, jsonb_build_object('schema', 'a b', 'indexname', 'i''"; DROP TABLE x; --'));
SELECT is(sql, 'SELECT pg_get_indexdef(''"a b"."i''''""; DROP TABLE x; --"''::regclass);' || E'\n'
	'DROP INDEX CONCURRENTLY "a b"."i''""; DROP TABLE x; --";', 'a hostile name is quoted') FROM pg_temp.verdict('2001-06-01 06:00:00+00');
SELECT is(object, 'index:shop/"a b"."i''""; DROP TABLE x; --"', 'and its object is unambiguous')
FROM pg_temp.verdict('2001-06-01 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
