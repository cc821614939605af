-- subscriptions.down: enabled without a worker in two samples, disabled by an error, and what is neither. Golden samples of
-- 2001-11-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'subscriptions.down'
$$;
-- Subscription orders of database shop as it stood at a time, and one that always runs.
CREATE FUNCTION pg_temp.inject(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('subscription', at, jsonb_build_array(
		'{"db": "shop", "subscription": "orders", "enabled": true, "disable_on_error": false, "slot_name": "orders", "running": true,
			"apply_errors": 0, "sync_errors": 0, "in_recovery": false}'::jsonb || more,
		'{"db": "shop", "subscription": "well", "enabled": true, "disable_on_error": true, "running": true,
			"apply_errors": 3, "sync_errors": 0, "in_recovery": false}'::jsonb))
$$;

-- Quiet: it runs; it is away in one sample; it has only just been enabled; it is disabled; this is a standby.
SELECT pg_temp.inject('2001-11-01 01:00:00+00');
SELECT is(severity, 'ok', 'quiet while it runs') FROM pg_temp.verdict('2001-11-01 01:00:00+00');
SELECT pg_temp.inject('2001-11-01 01:01:00+00', '{"running": false}');
SELECT is(severity, 'ok', 'quiet when it is away in one sample') FROM pg_temp.verdict('2001-11-01 01:01:00+00');
SELECT pg_temp.inject('2001-11-01 01:02:00+00', '{"running": false}');
SELECT results_eq($$SELECT severity, object, database, value, message FROM pg_temp.verdict('2001-11-01 01:02:00+00')$$,
	$$VALUES ('critical', 'subscription:shop/orders', 'shop', 2::float8,
		'subscription orders has no apply worker, the last one was seen 2 min ago')$$, 'critical when it is missing in two');
SELECT alike(action, '%the slot orders is gone or in use%', 'without an error the causes are named')
FROM pg_temp.verdict('2001-11-01 01:02:00+00');
SELECT is(sql, NULL, 'there is no SQL for that') FROM pg_temp.verdict('2001-11-01 01:02:00+00');
SELECT pg_temp.inject('2001-11-01 01:03:00+00');
SELECT is(severity, 'ok', 'quiet when it is back') FROM pg_temp.verdict('2001-11-01 01:03:00+00');
SELECT pg_temp.inject('2001-11-01 02:00:00+00', '{"enabled": false, "running": false}');
SELECT is(severity, 'ok', 'quiet when it is disabled') FROM pg_temp.verdict('2001-11-01 02:00:00+00');
SELECT pg_temp.inject('2001-11-01 02:01:00+00', '{"running": false}');
SELECT is(severity, 'ok', 'and when it has just been enabled') FROM pg_temp.verdict('2001-11-01 02:01:00+00');
SELECT pg_temp.inject(at, '{"running": false, "in_recovery": true}')
FROM (VALUES ('2001-11-01 03:00:00+00'::timestamptz), ('2001-11-01 03:01:00+00')) AS v (at);
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-11-01 03:01:00+00');

-- It fails again and again.
SELECT pg_temp.inject('2001-11-01 04:00:00+00', '{"running": false}');
SELECT pg_temp.inject('2001-11-01 04:01:00+00', '{"running": false, "apply_errors": 12}');
SELECT is(message, 'subscription orders has no apply worker, and had none in the last hour: it fails', 'errors are said')
FROM pg_temp.verdict('2001-11-01 04:01:00+00');
SELECT is(symptom_of, 'subscriptions.errors', 'which another check explains') FROM pg_temp.verdict('2001-11-01 04:01:00+00');

-- Disabled, and by an error as it seems.
SELECT pg_temp.inject('2001-11-01 05:00:00+00', '{"enabled": false, "running": false, "disable_on_error": true, "apply_errors": 1, "sync_errors": 2}');
SELECT results_eq($$SELECT severity, value, message, sql, lock_level, undo FROM pg_temp.verdict('2001-11-01 05:00:00+00')$$,
	$$VALUES ('warning', 1::float8, 'subscription orders is disabled and has failed 3 times', 'ALTER SUBSCRIPTION orders ENABLE;',
		'AccessExclusiveLock', 'ALTER SUBSCRIPTION orders DISABLE;')$$, 'warning when an error may have disabled it');
SELECT pg_temp.inject('2001-11-01 05:01:00+00', '{"enabled": false, "running": false, "apply_errors": 1}');
SELECT is(severity, 'ok', 'not when errors do not disable it') FROM pg_temp.verdict('2001-11-01 05:01:00+00');
SELECT pg_temp.inject('2001-11-01 05:02:00+00', '{"enabled": false, "running": false, "disable_on_error": true}');
SELECT is(severity, 'ok', 'nor when there was none') FROM pg_temp.verdict('2001-11-01 05:02:00+00');

-- Unknown: no sample, a stale one. Hostile names.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-01 05:30:00+00');
SELECT pg_temp.inject('2001-11-01 06:00:00+00', jsonb_build_object('db', 'a/b', 'subscription', 'x"; DROP --{db}', 'enabled', false,
	'disable_on_error', true, 'apply_errors', 1));
SELECT is(object, 'subscription:"a/b"/"x""; DROP --{db}"', 'a hostile name is unambiguous') FROM pg_temp.verdict('2001-11-01 06:00:00+00');
SELECT is(sql, 'ALTER SUBSCRIPTION "x""; DROP --{db}" ENABLE;', 'and quoted') FROM pg_temp.verdict('2001-11-01 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
