-- indexes.invalid: seen twice, nobody at work; what is left by what, and what is to be done. Golden samples of 2001-06-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'indexes.invalid'
$$;

-- An index that has been seen not to be valid for so long.
CREATE FUNCTION pg_temp.inject(at timestamptz, seen interval, more jsonb DEFAULT '{}', name text DEFAULT 'orders_a')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('index', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'indexname', name, 'index', 'public.' || name, 'relation', 'public.orders', 'indexrelid', 7, 'is_unique', false,
			'is_partitioned', false, 'droppable', true, 'is_valid', false, 'is_ready', true, 'is_live', true,
			'is_busy', false, 'in_recovery', false) || more)),
		pgdba.inject_sample('index_watch', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', coalesce(more ->> 'schema', 'public'),
			'indexname', name, 'indexrelid', 7, 'invalid_since', at - seen)))
$$;

SELECT pg_temp.inject('2001-06-03 01:00:00+00', '0');
SELECT is(severity, 'ok', 'quiet when it is seen for the first time') FROM pg_temp.verdict('2001-06-03 01:00:00+00');
SELECT pg_temp.inject('2001-06-03 01:10:00+00', '10 min');
SELECT results_eq($$SELECT severity, object, database, value, message, sql FROM pg_temp.verdict('2001-06-03 01:10:00+00')$$,
	$$VALUES ('warning', 'index:shop/public.orders_a', 'shop', 600::float8,
		'index public.orders_a on public.orders in shop is not valid: a CREATE or DROP INDEX CONCURRENTLY of it failed',
		'REINDEX INDEX CONCURRENTLY public.orders_a;')$$, 'a warning when it is seen again');
SELECT pg_temp.inject('2001-06-03 01:20:00+00', '20 min', '{"is_unique": true}');
SELECT alike(action, 'Remove what is there twice%', 'a unique one has a reason to fail') FROM pg_temp.verdict('2001-06-03 01:20:00+00');

-- Quiet: somebody is at work on it; it is valid by now; it is gone by now.
SELECT pg_temp.inject('2001-06-03 02:00:00+00', '1 h', '{"is_busy": true}');
SELECT is(severity, 'ok', 'quiet while somebody is at work on it') FROM pg_temp.verdict('2001-06-03 02:00:00+00');
SELECT pg_temp.inject('2001-06-03 02:10:00+00', '1 h', '{"is_valid": true}');
SELECT is(severity, 'ok', 'quiet when it is valid by now') FROM pg_temp.verdict('2001-06-03 02:10:00+00');
SELECT pg_temp.inject('2001-06-03 02:20:00+00', '1 h', '{"indexrelid": 8, "is_valid": true}');
SELECT is(severity, 'ok', 'quiet when another one has its name') FROM pg_temp.verdict('2001-06-03 02:20:00+00');
SELECT pg_temp.inject('2001-06-03 02:30:00+00', '1 h', '{"db": "other"}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-06-03 02:30:00+00')$$, $$VALUES ('warning', NULL::text)$$,
	'it stays when its database could not be read, without SQL');

-- What a failed rebuild or drop has left.
SELECT pg_temp.inject('2001-06-03 03:00:00+00', '1 h', name => 'orders_a_ccnew1');
SELECT results_eq($$SELECT message, sql FROM pg_temp.verdict('2001-06-03 03:00:00+00')$$,
	$$VALUES ('index public.orders_a_ccnew1 on public.orders in shop is left by a REINDEX CONCURRENTLY that failed',
		'DROP INDEX CONCURRENTLY public.orders_a_ccnew1;')$$, 'the copy of a rebuild is to be dropped');
SELECT pg_temp.inject('2001-06-03 03:10:00+00', '1 h', name => 'orders_a_ccold');
SELECT results_eq($$SELECT action, sql FROM pg_temp.verdict('2001-06-03 03:10:00+00')$$,
	$$VALUES ('Drop it: the new index has taken its place.', 'DROP INDEX CONCURRENTLY public.orders_a_ccold;')$$,
	'and so is the one that was replaced');
SELECT pg_temp.inject('2001-06-03 03:20:00+00', '1 h', '{"is_ready": false, "is_live": false}');
SELECT is(sql, 'DROP INDEX CONCURRENTLY public.orders_a;', 'one half dropped is to be dropped')
FROM pg_temp.verdict('2001-06-03 03:20:00+00');
SELECT pg_temp.inject('2001-06-03 03:30:00+00', '1 h', '{"droppable": false}', 'orders_a_ccnew');
SELECT is(sql, 'REINDEX INDEX CONCURRENTLY public.orders_a_ccnew;', 'never one that a constraint stands on, whatever its name')
FROM pg_temp.verdict('2001-06-03 03:30:00+00');
SELECT pg_temp.inject('2001-06-03 03:40:00+00', '1 h', '{"droppable": false, "schema": "pg_toast"}', 'pg_toast_5_index_ccnew');
SELECT is(sql, 'DROP INDEX CONCURRENTLY pg_toast.pg_toast_5_index_ccnew;', 'the copy of a TOAST index can be dropped')
FROM pg_temp.verdict('2001-06-03 03:40:00+00');

-- A partitioned index that waits for its parts has a day.
SELECT pg_temp.inject('2001-06-03 04:00:00+00', '1 day', '{"is_partitioned": true}');
SELECT is(severity, 'ok', 'quiet for the first day of a partitioned one') FROM pg_temp.verdict('2001-06-03 04:00:00+00');
SELECT pg_temp.inject('2001-06-03 04:10:00+00', '1 day 1 s', '{"is_partitioned": true}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-06-03 04:10:00+00')$$, $$VALUES ('warning', NULL::text)$$,
	'then a warning, and nothing to drop');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-03 05:00:00+00');
SELECT pgdba.inject_sample('index', '2001-06-03 06:00:00+00', '[]');
SELECT is(severity, 'unknown', 'unknown when one of the probes has none') FROM pg_temp.verdict('2001-06-03 06:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-06-03 07:00:00+00', '1 h', '{"schema": "a b"}', 'i"; DROP TABLE x; --');
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-06-03 07:00:00+00')$$,
	$$VALUES ('index:shop/"a b"."i""; DROP TABLE x; --"', 'REINDEX INDEX CONCURRENTLY "a b"."i""; DROP TABLE x; --";')$$,
	'a hostile name is quoted');

SELECT * FROM finish();
ROLLBACK;
