-- bloat.index: share and floor, what was measured before what was estimated, and what cannot be rebuilt concurrently.
-- Golden samples of 2001-09-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(21);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'bloat.index'
$$;

-- An index of so many MB, of which so many are estimated to be bloat.
CREATE FUNCTION pg_temp.inject(at timestamptz, size numeric, estimated numeric, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('index_bloat', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'indexname', 'orders_a', 'index', 'public.orders_a', 'relation', 'public.orders', 'indexrelid', 7, 'relid', 1, 'must_lock', false,
		'table_reltuples', 1000000, 'modified_rows', 0,
		'size_bytes', (size * 1048576)::bigint, 'estimated_bytes', (estimated * 1048576)::bigint, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-09-03 01:00:00+00', 10000, 4000);
SELECT is(severity, 'ok', 'quiet at exactly 40 %') FROM pg_temp.verdict('2001-09-03 01:00:00+00');
SELECT pg_temp.inject('2001-09-03 02:00:00+00', 10000, 5000);
SELECT is(severity, 'info', 'advice up to 50 %') FROM pg_temp.verdict('2001-09-03 02:00:00+00');
SELECT pg_temp.inject('2001-09-03 03:00:00+00', 10240, 6144);
SELECT results_eq($$SELECT severity, object, value, message FROM pg_temp.verdict('2001-09-03 03:00:00+00')$$,
	$$VALUES ('warning', 'index:shop/public.orders_a', 60::float8,
		'60 % of index public.orders_a on public.orders in shop is empty (6 GB of 10 GB, estimated)')$$, 'a warning beyond');
SELECT results_eq($$SELECT sql, lock_level FROM pg_temp.verdict('2001-09-03 03:00:00+00')$$,
	$$VALUES ('REINDEX INDEX CONCURRENTLY public.orders_a;', 'ShareUpdateExclusiveLock')$$, 'with the SQL that rebuilds it');
SELECT alike(action, '%It needs about 4 GB of disk meanwhile.', 'and the room that this takes') FROM pg_temp.verdict('2001-09-03 03:00:00+00');
SELECT pg_temp.inject('2001-09-03 04:00:00+00', 1100, 1024);
SELECT is(severity, 'ok', 'quiet at exactly 1 GB, whatever its share') FROM pg_temp.verdict('2001-09-03 04:00:00+00');
SELECT pg_temp.inject('2001-09-03 05:00:00+00', 1100, 1025);
SELECT is(severity, 'warning', 'a warning beyond') FROM pg_temp.verdict('2001-09-03 05:00:00+00');

SELECT pg_temp.inject('2001-09-03 06:00:00+00', 10240, 9000, '{"unused_bytes": 1073741824}');
SELECT is(severity, 'ok', 'quiet when pgstattuple found little') FROM pg_temp.verdict('2001-09-03 06:00:00+00');
SELECT pg_temp.inject('2001-09-03 07:00:00+00', 10240, NULL, '{"unused_bytes": 6442450944, "modified_rows": 900000}');
SELECT alike(message, '60 \% of index %(6 GB of 10 GB, measured by pgstattuple)', 'and says when it found much')
FROM pg_temp.verdict('2001-09-03 07:00:00+00');

SELECT pg_temp.inject('2001-09-03 08:00:00+00', 10240, NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-03 08:00:00+00')$$,
	$$VALUES ('unknown', 'nothing is known of the width of index public.orders_a (10 GB): no statistics, or a key of type name')$$, 'unknown without statistics');
SELECT pg_temp.inject('2001-09-03 09:00:00+00', 1024, NULL);
SELECT is(severity, 'ok', 'but of no interest where it cannot be 1 GB') FROM pg_temp.verdict('2001-09-03 09:00:00+00');
SELECT pg_temp.inject('2001-09-03 10:00:00+00', 10240, 6144, '{"modified_rows": 200001}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-03 10:00:00+00')$$,
	$$VALUES ('unknown',
		'6144 MB of index public.orders_a look like bloat, but 200001 of the 1000000 rows of its table changed since the last analyze')$$,
	'unknown when more than a fifth of the rows changed since');
SELECT pg_temp.inject('2001-09-03 11:00:00+00', 10240, 6144, '{"modified_rows": 200000}');
SELECT is(severity, 'warning', 'a fifth is believed') FROM pg_temp.verdict('2001-09-03 11:00:00+00');
SELECT pg_temp.inject('2001-09-03 12:00:00+00', NULL, 6144);
SELECT is(severity, 'unknown', 'unknown without a size') FROM pg_temp.verdict('2001-09-03 12:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-09-03 15:10:00+00');

SELECT pg_temp.inject('2001-09-04 01:00:00+00', 10240, 6144, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-09-04 01:00:00+00');
SELECT pg_temp.inject('2001-09-04 02:00:00+00', 10240, 6144, '{"must_lock": true}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-09-04 02:00:00+00')$$, $$VALUES ('warning', NULL::text)$$,
	'no SQL for one that cannot be rebuilt concurrently');
SELECT alike(action, 'It cannot be rebuilt concurrently.%AccessExclusiveLock%', 'but the lock that it would take')
FROM pg_temp.verdict('2001-09-04 02:00:00+00');

SELECT pg_temp.inject('2001-09-04 03:00:00+00', 10240, 6144, jsonb_build_object('schema', 'a b', 'indexname', 'i''"; DROP TABLE x; --'));
SELECT is(sql, 'REINDEX INDEX CONCURRENTLY "a b"."i''""; DROP TABLE x; --";', 'a hostile name is quoted')
FROM pg_temp.verdict('2001-09-04 03:00:00+00');
SELECT is(object, 'index:shop/"a b"."i''""; DROP TABLE x; --"', 'and its object is unambiguous') FROM pg_temp.verdict('2001-09-04 03:00:00+00');

SELECT * FROM finish();
ROLLBACK;
