-- indexes.redundant: advice for a large index that is the beginning of another. Golden samples of 2001-06-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(10);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'indexes.redundant'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, size bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('index', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'indexname', 'orders_a', 'index', 'public.orders_a', 'relation', 'public.orders', 'indexrelid', 7,
		'is_partitioned', false, 'longer', 'orders_a_b', 'size', size, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-06-02 01:00:00+00', 10485760);
SELECT is(severity, 'ok', 'quiet at exactly 10 MB') FROM pg_temp.verdict('2001-06-02 01:00:00+00');
SELECT pg_temp.inject('2001-06-02 01:10:00+00', 904857600);
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2001-06-02 01:10:00+00')$$,
	$$VALUES ('info', 'index:shop/public.orders_a',
		'index public.orders_a on public.orders in shop is the beginning of orders_a_b (862.94 MB)')$$, 'advice beyond, and never more');
SELECT is(sql, 'SELECT pg_get_indexdef(''public.orders_a''::regclass);' || E'\n' || 'DROP INDEX CONCURRENTLY public.orders_a;',
	'the SQL prints what makes it again, then drops it') FROM pg_temp.verdict('2001-06-02 01:10:00+00');

SELECT pg_temp.inject('2001-06-02 02:00:00+00', 904857600, '{"longer": null}');
SELECT is(severity, 'ok', 'quiet without a longer one') FROM pg_temp.verdict('2001-06-02 02:00:00+00');
SELECT pg_temp.inject('2001-06-02 02:10:00+00', 904857600, '{"is_partitioned": true}');
SELECT is(severity, 'ok', 'quiet for a partitioned one') FROM pg_temp.verdict('2001-06-02 02:10:00+00');
SELECT pg_temp.inject('2001-06-02 02:20:00+00', 904857600, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-06-02 02:20:00+00');

SELECT pg_temp.inject('2001-06-02 03:00:00+00', NULL);
SELECT is(severity, 'unknown', 'unknown without a size') FROM pg_temp.verdict('2001-06-02 03:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-02 04:00:00+00');

SELECT pg_temp.inject('2001-06-02 05:00:00+00', 904857600, jsonb_build_object('schema', 'a b', 'indexname', 'i''"; DROP TABLE x; --'));
SELECT alike(sql, '%DROP INDEX CONCURRENTLY "a b"."i''""; DROP TABLE x; --";', 'a hostile name is quoted')
FROM pg_temp.verdict('2001-06-02 05:00:00+00');

SELECT * FROM finish();
ROLLBACK;
