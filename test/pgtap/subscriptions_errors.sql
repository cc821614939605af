-- subscriptions.errors: any in ten minutes, of either kind, and which steps count. Golden samples of 2001-11-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(15);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'subscriptions.errors'
$$;
-- Samples a minute apart, the last at `at`: the counters of subscription orders as they stood in each.
CREATE FUNCTION pg_temp.inject(at timestamptz, apply bigint[], sync bigint[] DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('subscription', at - (cardinality(apply) - i) * interval '1 min', jsonb_build_array(
		jsonb_build_object('db', 'shop', 'subscription', 'orders', 'enabled', true, 'running', false, 'slot_name', 'orders',
			'apply_errors', apply[i], 'sync_errors', CASE WHEN sync IS NULL THEN 0 ELSE sync[i] END) || more,
		'{"db": "shop", "subscription": "old", "apply_errors": 40, "sync_errors": 7}'::jsonb))
	FROM generate_subscripts(apply, 1) i ORDER BY i
$$;

-- Quiet: none; long ago; a first sample, whatever it says; a counter that began again.
SELECT pg_temp.inject('2001-11-02 01:00:00+00', '{7,7,7}');
SELECT is(severity, 'ok', 'quiet without errors') FROM pg_temp.verdict('2001-11-02 01:00:00+00');
SELECT pg_temp.inject('2001-11-02 01:30:00+00', '{7,9,9,9,9,9,9,9,9,9,9,9}');
SELECT is(severity, 'ok', 'quiet ten minutes after the last one') FROM pg_temp.verdict('2001-11-02 01:30:00+00');
SELECT pg_temp.inject('2001-11-02 02:00:00+00', '{7,9,9,9,9,9,9,9,9,9,9}');
SELECT is(severity, 'warning', 'and not before') FROM pg_temp.verdict('2001-11-02 02:00:00+00');
SELECT pgdba.inject_sample('subscription', '2001-11-01 22:00:00+00', '[{"db": "shop", "subscription": "orders", "apply_errors": 1000, "sync_errors": 9}]');
SELECT is(severity, 'ok', 'quiet at the first sample') FROM pg_temp.verdict('2001-11-01 22:00:00+00');
SELECT pg_temp.inject('2001-11-01 23:00:00+00', '{500,9}');
SELECT is(severity, 'ok', 'a reset is no error') FROM pg_temp.verdict('2001-11-01 23:00:00+00');

-- Warning.
SELECT pg_temp.inject('2001-11-02 03:00:00+00', '{0,4,12}');
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-11-02 03:00:00+00')$$,
	$$VALUES ('warning', 'subscription:shop/orders', 'shop', 12::float8, 'errors',
		'subscription orders failed in the last 10 min: 12 to apply changes')$$, 'warning for errors of applying');
SELECT alike(action, '%ALTER SUBSCRIPTION ... SKIP%', 'with what helps') FROM pg_temp.verdict('2001-11-02 03:00:00+00');
SELECT pg_temp.inject('2001-11-02 03:30:00+00', '{0,0}', '{1,3}');
SELECT results_eq($$SELECT severity, value, message FROM pg_temp.verdict('2001-11-02 03:30:00+00')$$,
	$$VALUES ('warning', 2::float8, 'subscription orders failed in the last 10 min: 2 to copy tables')$$, 'and of copying');
SELECT is(sql, NULL, 'there is no SQL for it') FROM pg_temp.verdict('2001-11-02 03:30:00+00');
SELECT pg_temp.inject('2001-11-02 04:00:00+00', '{0,1}', '{0,2}');
SELECT is(message, 'subscription orders failed in the last 10 min: 1 to apply changes and 2 to copy tables', 'of both')
FROM pg_temp.verdict('2001-11-02 04:00:00+00');

-- Unknown: no sample, a stale one, no counter.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-02 04:10:00+00');
SELECT pg_temp.inject('2001-11-02 05:00:00+00', '{NULL,NULL}');
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-11-02 05:00:00+00')$$,
	$$VALUES ('unknown', 'subscription:shop/orders')$$, 'unknown without a counter');

-- Hostile names.
SELECT pg_temp.inject('2001-11-02 06:00:00+00', '{1,2}', NULL, jsonb_build_object('subscription', 'x"; DROP --{db}'));
SELECT is(object, 'subscription:shop/"x""; DROP --{db}"', 'a hostile name is unambiguous') FROM pg_temp.verdict('2001-11-02 06:00:00+00');
SELECT is(message, 'subscription x"; DROP --{db} failed in the last 10 min: 1 to apply changes', 'and printed as it is')
FROM pg_temp.verdict('2001-11-02 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
