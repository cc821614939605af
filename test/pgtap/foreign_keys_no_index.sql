-- foreign_keys.no_index: a large table, and deletes in what it refers to. Golden samples of 2001-10-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(17);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'foreign_keys.no_index'
$$;

-- A table of a gigabyte, and so many deletes and updates in ten days.
CREATE FUNCTION pg_temp.inject(at timestamptz, deletes int, updates int, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('foreign_key', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'lines', 'constraint_name', 'lines_order_fkey', 'relation', 'public.lines', 'referred_relation', 'public.orders',
		'columns', '["order_id"]'::jsonb, 'on_delete', 'cascade', 'is_partitioned', false, 'has_index', false, 'is_validated', true,
		'size_bytes', 1073741824, 'referred_deletes', deletes, 'referred_updates', updates, 'stats_reset', at - interval '10 days',
		'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-10-04 01:00:00+00', 10, 0);
SELECT is(severity, 'ok', 'quiet with one delete a day') FROM pg_temp.verdict('2001-10-04 01:00:00+00');
SELECT pg_temp.inject('2001-10-04 02:00:00+00', 12340, 0);
SELECT results_eq($$SELECT severity, object, database, value, message, sql, lock_level FROM pg_temp.verdict('2001-10-04 02:00:00+00')$$,
	$$VALUES ('warning', 'constraint:shop/public.lines.lines_order_fkey', 'shop', 1073741824::float8,
		'foreign key lines_order_fkey of public.lines (1 GB) in shop has no index, and 1,234 rows a day are deleted from public.orders',
		'CREATE INDEX CONCURRENTLY ON public.lines (order_id);', 'ShareUpdateExclusiveLock')$$, 'a warning with more');
SELECT pg_temp.inject('2001-10-04 03:00:00+00', 11, 0, '{"size_bytes": 10485761}');
SELECT is(severity, 'warning', 'a warning from 10 MB on') FROM pg_temp.verdict('2001-10-04 03:00:00+00');
SELECT pg_temp.inject('2001-10-04 03:01:00+00', 11, 0, '{"size_bytes": 10485760}');
SELECT is(severity, 'info', 'advice below that') FROM pg_temp.verdict('2001-10-04 03:01:00+00');
SELECT pg_temp.inject('2001-10-04 03:02:00+00', 11, 0, '{"size_bytes": 1048576}');
SELECT is(severity, 'ok', 'quiet up to 1 MB') FROM pg_temp.verdict('2001-10-04 03:02:00+00');

-- Updates may have changed the key, or not.
SELECT pg_temp.inject('2001-10-04 04:00:00+00', 0, 1000000);
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-10-04 04:00:00+00')$$,
	$$VALUES ('info', 'foreign key lines_order_fkey of public.lines (1 GB) in shop has no index, and 100,000 rows a day are updated in public.orders')$$,
	'advice when rows are only updated');
SELECT pg_temp.inject('2001-10-04 04:01:00+00', 0, 10);
SELECT is(severity, 'ok', 'quiet when they hardly are') FROM pg_temp.verdict('2001-10-04 04:01:00+00');

-- Counted for an hour: as if for a day.
SELECT pg_temp.inject('2001-10-04 05:00:00+00', 1, 0, '{"stats_reset": "2001-10-04 04:00:00+00"}');
SELECT is(severity, 'ok', 'quiet with one delete in the first hour') FROM pg_temp.verdict('2001-10-04 05:00:00+00');

-- Nothing to do.
SELECT pg_temp.inject('2001-10-04 06:00:00+00', 1000, 0, '{"has_index": true, "mismatch": "a is bigint, b is integer"}');
SELECT is(severity, 'ok', 'quiet with an index') FROM pg_temp.verdict('2001-10-04 06:00:00+00');
SELECT pg_temp.inject('2001-10-04 06:01:00+00', 1000, 0, '{"is_enforced": false}');
SELECT is(severity, 'ok', 'quiet when it is not enforced') FROM pg_temp.verdict('2001-10-04 06:01:00+00');
SELECT pg_temp.inject('2001-10-04 06:02:00+00', 1000, 0, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-10-04 06:02:00+00');

SELECT pg_temp.inject('2001-10-04 07:00:00+00', 1000, 0, '{"is_partitioned": true}');
SELECT results_eq($$SELECT severity, sql, action LIKE '%ATTACH PARTITION.' FROM pg_temp.verdict('2001-10-04 07:00:00+00')$$,
	$$VALUES ('warning', NULL::text, true)$$, 'a partitioned table gets no CREATE INDEX CONCURRENTLY');

-- Unknown.
SELECT pg_temp.inject('2001-10-04 08:00:00+00', 1000, 0, '{"size_bytes": null}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-10-04 08:00:00+00')$$,
	$$VALUES ('unknown', 'the size of public.lines in shop could not be read')$$, 'unknown without a size');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-10-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-10-04 12:00:00+00');

-- Hostile names, several columns.
SELECT pg_temp.inject('2001-10-04 13:00:00+00', 1000, 0, '{"schema": "a b", "relname": "t\"; DROP TABLE x; --",
	"constraint_name": "c.d", "columns": ["b\"", "A", "c, d"]}');
SELECT is(sql, 'CREATE INDEX CONCURRENTLY ON "a b"."t""; DROP TABLE x; --" ("b""", "A", "c, d");', 'every name is quoted')
FROM pg_temp.verdict('2001-10-04 13:00:00+00');
SELECT is(object, 'constraint:shop/"a b"."t""; DROP TABLE x; --"."c.d"', 'also in the object') FROM pg_temp.verdict('2001-10-04 13:00:00+00');

SELECT * FROM finish();
ROLLBACK;
