-- databases.rollbacks: a share of enough transactions in ten minutes. Golden samples of 2001-07-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'databases.rollbacks'
$$;

-- Two samples a minute apart: what was committed and rolled back in between. They begin lower each time, so that what
-- lies between two of these pairs is a reset.
CREATE FUNCTION pg_temp.inject(at timestamptz, commits bigint, rollbacks bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at - interval '1 min', jsonb_build_array(jsonb_build_object('db', coalesce(more ->> 'db', 'shop'),
		'xact_commit', s.base, 'xact_rollback', s.base, 'deadlocks', 0, 'conflicts', 0))),
		pgdba.inject_sample('database', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'xact_commit', s.base + commits,
			'xact_rollback', s.base + rollbacks, 'deadlocks', 0, 'conflicts', 0) || more))
	FROM (SELECT 100000 - extract(epoch FROM at - '2001-07-02 00:00:00+00')::bigint AS base) s
$$;

-- Quiet: exactly 10 %; exactly the floor; a reset.
SELECT pg_temp.inject('2001-07-02 01:00:00+00', 9000, 1000);
SELECT is(severity, 'ok', 'quiet at exactly 10 %') FROM pg_temp.verdict('2001-07-02 01:00:00+00');
SELECT pg_temp.inject('2001-07-02 01:20:00+00', 500, 500);
SELECT is(severity, 'ok', 'quiet at exactly 1,000 transactions') FROM pg_temp.verdict('2001-07-02 01:20:00+00');
SELECT pg_temp.inject('2001-07-02 01:40:00+00', -100, -10);
SELECT is(severity, 'ok', 'quiet after a reset') FROM pg_temp.verdict('2001-07-02 01:40:00+00');

-- Warning.
SELECT pg_temp.inject('2001-07-02 02:00:00+00', 8000, 2000);
SELECT results_eq($$SELECT severity, object, database, value, unit, sql FROM pg_temp.verdict('2001-07-02 02:00:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 20::float8, 'percent', NULL::text)$$, 'warning beyond 10 %');
SELECT is(message, '20 % of the transactions in shop were rolled back in 10 minutes (2,000)', 'the message has the values in it')
FROM pg_temp.verdict('2001-07-02 02:00:00+00');
SELECT alike(action, '%server log%ROLLBACK%threshold%', 'the action says what else it may be') FROM pg_temp.verdict('2001-07-02 02:00:00+00');
SELECT is(severity, 'ok', 'quiet when they are ten minutes old') FROM (SELECT pgdba.inject_sample('database', '2001-07-02 02:10:00+00',
	'[{"db": "shop", "xact_commit": 100801, "xact_rollback": 94800, "deadlocks": 0, "conflicts": 0}]')) i,
	LATERAL pg_temp.verdict('2001-07-02 02:10:00+00');
SELECT pg_temp.inject('2001-07-02 03:00:00+00', 8000, 2000, '{"deadlocks": 3, "conflicts": 4}');
SELECT alike(message, '%(2,000, 3 by deadlocks, 4 by conflicts with recovery)', 'it says how many have a known cause')
FROM pg_temp.verdict('2001-07-02 03:00:00+00');

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-02 03:10:00+00');
SELECT pg_temp.inject('2001-07-02 04:00:00+00', 8000, 2000, '{"xact_rollback": null}');
SELECT is(severity, 'unknown', 'unknown without a counter') FROM pg_temp.verdict('2001-07-02 04:00:00+00');

-- Hostile names, and thresholds as data.
SELECT pg_temp.inject('2001-07-02 05:00:00+00', 8000, 2000, jsonb_build_object('db', 'a"; DROP --{db}'));
SELECT is(object, 'database:"a""; DROP --{db}"', 'a hostile name is unambiguous') FROM pg_temp.verdict('2001-07-02 05:00:00+00');
SELECT pgdba.set_threshold('databases.rollbacks', 'database:shop', 30, NULL);
SELECT is(severity, 'ok', 'an application that rolls back by habit can be allowed to') FROM pg_temp.verdict('2001-07-02 02:00:00+00');

SELECT * FROM finish();
ROLLBACK;
