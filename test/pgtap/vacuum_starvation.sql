-- vacuum.starvation: six hours of churn without a vacuum. Golden samples of 2001-05-04 and after, a scene a day.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(24);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'vacuum.starvation'
$$;
-- Counters of the table: so many dead rows, so many updates ever.
CREATE FUNCTION pg_temp.counters(at timestamptz, dead bigint, updates bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_dead_tup', dead, 'n_live_tup', 1000000,
		'n_tup_upd', updates, 'n_tup_del', 0) || more))
$$;
-- A scene: dead rows and updates grew for some time, in three samples; the last vacuum was before that, or never.
CREATE FUNCTION pg_temp.scene(at timestamptz, dead_before bigint, dead bigint, updates bigint, counters jsonb DEFAULT '{}',
	described jsonb DEFAULT '{}', over interval DEFAULT '6 hours 5 minutes') RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.counters(at - over, dead_before, 5, counters);
	SELECT pg_temp.counters(at - over / 2, (dead_before + dead) / 2, 5 + updates / 2, counters);
	SELECT pg_temp.counters(at, dead, 5 + updates, counters);
	SELECT pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'autovacuum_enabled', true,
		'vacuum_threshold', 200050, 'reltuples', 1000000) || described));
$$;

-- It fires when vacuum came more than six hours ago.
SELECT pg_temp.scene('2001-05-04 12:00:00+00', 100000, 300000, 400000, '{"last_autovacuum": "2001-05-04 05:00:00+00"}');
SELECT results_eq($$SELECT severity, object, database, value FROM pg_temp.verdict('2001-05-04 12:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop', 25200::float8)$$, 'warning after more than six hours');
SELECT is(message, 'No vacuum came to public.orders in shop for 7 h: 100,000 dead rows 6 h ago, 300,000 now (23.1 %)', 'the message')
FROM pg_temp.verdict('2001-05-04 12:00:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-04 12:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL and its lock');
SELECT is(symptom_of, 'vacuum.overdue', 'an overdue autovacuum explains it') FROM pg_temp.verdict('2001-05-04 12:00:00+00');
SELECT pg_temp.scene('2001-05-05 12:00:00+00', 100000, 300000, 400000, '{"last_vacuum": "2001-05-05 06:00:00+00"}');
SELECT is(severity, 'ok', 'quiet after exactly six hours') FROM pg_temp.verdict('2001-05-05 12:00:00+00');
SELECT pg_temp.scene('2001-05-06 12:00:00+00', 100000, 300000, 400000);
SELECT alike(message, 'No vacuum has ever come to public.orders in shop: %', 'never is said as never')
FROM pg_temp.verdict('2001-05-06 12:00:00+00');
SELECT pg_temp.scene('2001-05-07 12:00:00+00', 100000, 300000, 400000, over => '6 hours');
SELECT is(severity, 'ok', 'quiet without six hours of history') FROM pg_temp.verdict('2001-05-07 12:00:00+00');

-- High churn, rising dead rows, and enough of them.
SELECT pg_temp.scene('2001-05-08 12:00:00+00', 100000, 300000, 100000);
SELECT is(severity, 'ok', 'quiet at exactly the floor of churn') FROM pg_temp.verdict('2001-05-08 12:00:00+00');
SELECT pg_temp.scene('2001-05-09 12:00:00+00', 100000, 300000, 100002);
SELECT is(severity, 'warning', 'and not above it') FROM pg_temp.verdict('2001-05-09 12:00:00+00');
SELECT pg_temp.scene('2001-05-10 12:00:00+00', 300000, 300000, 400000);
SELECT is(severity, 'ok', 'quiet when dead rows do not grow') FROM pg_temp.verdict('2001-05-10 12:00:00+00');
SELECT pg_temp.scene('2001-05-11 12:00:00+00', 100, 10000, 400000, '{"n_live_tup": 20000}', '{"vacuum_threshold": 50, "reltuples": 20000}');
SELECT is(severity, 'ok', 'quiet at exactly the floor of dead rows') FROM pg_temp.verdict('2001-05-11 12:00:00+00');
SELECT pg_temp.scene('2001-05-12 12:00:00+00', 100, 10001, 400000, '{"n_live_tup": 20000}', '{"vacuum_threshold": 50, "reltuples": 20000}');
SELECT is(severity, 'warning', 'and not above it') FROM pg_temp.verdict('2001-05-12 12:00:00+00');
SELECT pg_temp.scene('2001-05-13 12:00:00+00', 100000, 200000, 400000);
SELECT is(severity, 'ok', 'quiet while vacuum is not due') FROM pg_temp.verdict('2001-05-13 12:00:00+00');
SELECT pg_temp.scene('2001-05-14 12:00:00+00', 100000, 300000, 400000);
SELECT pg_temp.counters('2001-05-14 11:00:00+00', 250000, 3);
SELECT is(severity, 'ok', 'quiet when counters began anew meanwhile') FROM pg_temp.verdict('2001-05-14 12:00:00+00');

-- A threshold that is too high: a share, or an absolute number.
SELECT pg_temp.scene('2001-05-15 12:00:00+00', 100000, 300000, 400000, described => '{"vacuum_threshold": 500000}');
SELECT results_eq($$SELECT action, sql, undo FROM pg_temp.verdict('2001-05-15 12:00:00+00')$$,
	$$VALUES ('Autovacuum waits for 500000 dead rows, 50 % of the table: give it a lower threshold of its own, as below.',
		E'VACUUM (VERBOSE, ANALYZE) public.orders;\nALTER TABLE public.orders SET (autovacuum_vacuum_scale_factor = 0.01, '
		'autovacuum_vacuum_threshold = 10000);',
		'ALTER TABLE public.orders RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);')$$,
	'a threshold of its own, and how to take it back');
SELECT pg_temp.scene('2001-05-16 12:00:00+00', 100000, 300000, 400000,
	described => '{"vacuum_threshold": 500000, "options": {"autovacuum_vacuum_scale_factor": "0.5"}}');
SELECT results_eq($$SELECT action, sql, undo FROM pg_temp.verdict('2001-05-16 12:00:00+00')$$,
	$$VALUES ('Autovacuum waits for 500000 dead rows, 50 % of the table, because of its own storage parameters: lower them.',
		'VACUUM (VERBOSE, ANALYZE) public.orders;', NULL::text)$$, 'what somebody has set is not overwritten');
SELECT pg_temp.scene('2001-05-17 12:00:00+00', 90000000, 100000000, 40000000, '{"n_live_tup": 725000000}',
	'{"vacuum_threshold": 145000050, "reltuples": 725000000}');
SELECT is(severity, 'ok', 'quiet at exactly 100 million') FROM pg_temp.verdict('2001-05-17 12:00:00+00');
SELECT pg_temp.scene('2001-05-18 12:00:00+00', 90000000, 100000001, 40000000, '{"n_live_tup": 725000000}',
	'{"vacuum_threshold": 145000050, "reltuples": 725000000}');
SELECT alike(sql, '%autovacuum_vacuum_scale_factor = 0.01%', 'a fifth of a huge table is too much')
FROM pg_temp.verdict('2001-05-18 12:00:00+00');
SELECT pg_temp.scene('2001-05-19 12:00:00+00', 100000, 300000, 400000, described => '{"autovacuum_enabled": false}');
SELECT is(action, 'Autovacuum is off for it: turn it on, and vacuum it now.', 'off for the table')
FROM pg_temp.verdict('2001-05-19 12:00:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-19 12:04:00+00');
SELECT pg_temp.counters('2001-05-19 14:00:00+00', 300000, 400000);
SELECT is(severity, 'unknown', 'unknown while thresholds are not known') FROM pg_temp.verdict('2001-05-19 14:00:00+00');
SELECT pg_temp.scene('2001-05-20 12:00:00+00', 100000, 300000, 400000, '{"n_tup_upd": null}');
SELECT is(severity, 'unknown', 'unknown when changes are not counted') FROM pg_temp.verdict('2001-05-20 12:00:00+00');

-- Hostile names.
SELECT pg_temp.scene('2001-05-21 12:00:00+00', 100000, 300000, 400000, jsonb_build_object('schema', 'a b', 'relname', 't"; --'),
	jsonb_build_object('schema', 'a b', 'relname', 't"; --', 'vacuum_threshold', 500000));
SELECT results_eq($$SELECT object, sql, undo FROM pg_temp.verdict('2001-05-21 12:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."t""; --"', E'VACUUM (VERBOSE, ANALYZE) "a b"."t""; --";\nALTER TABLE "a b"."t""; --" SET '
		'(autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000);',
		'ALTER TABLE "a b"."t""; --" RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);')$$, 'hostile names are quoted');
SELECT * FROM finish();
ROLLBACK;
