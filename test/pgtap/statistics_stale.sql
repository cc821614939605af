-- statistics.stale: how much changed, when, and since when nobody analyzed. Golden samples of 2001-05-27 and 28.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(21);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'statistics.stale'
$$;
-- Counters of a table of 100,000 rows: so many changed since analyze, so many inserts ever.
CREATE FUNCTION pg_temp.counters(at timestamptz, modified bigint, inserts bigint, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_mod_since_analyze', modified,
		'n_live_tup', 90000, 'n_tup_ins', inserts, 'n_tup_upd', 0, 'n_tup_del', 0) || more))
$$;
CREATE FUNCTION pg_temp.described(at timestamptz, more jsonb DEFAULT '{}', settings jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'autovacuum_enabled', true,
			'reltuples', 100000, 'analyze_threshold', 10050) || more)),
		pgdba.inject_sample('setting', at, (SELECT jsonb_agg(jsonb_build_object('name', s.key, 'value', s.value))
			FROM jsonb_each('{"autovacuum": "on", "track_counts": "on"}' || settings) s))
$$;
-- A scene: half an hour ago, ten minutes ago and now, 100 inserts in all; analyzed 13 hours ago.
CREATE FUNCTION pg_temp.scene(at timestamptz, modified bigint, more jsonb DEFAULT '{}', described jsonb DEFAULT '{}',
	settings jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.counters(at - interval '30 minutes', modified - 100, 1000, jsonb_build_object('last_analyze', at - interval '13 h') || more);
	SELECT pg_temp.counters(at - interval '10 minutes', modified - 50, 1050, jsonb_build_object('last_analyze', at - interval '13 h') || more);
	SELECT pg_temp.counters(at, modified, 1100, jsonb_build_object('last_analyze', at - interval '13 h') || more);
	SELECT pg_temp.described(at, described, settings);
$$;

SELECT pg_temp.scene('2001-05-27 01:00:00+00', 10000);
SELECT is(severity, 'ok', 'quiet at exactly 10 %') FROM pg_temp.verdict('2001-05-27 01:00:00+00');
SELECT pg_temp.scene('2001-05-27 03:00:00+00', 20000);
SELECT results_eq($$SELECT severity, object, database, value FROM pg_temp.verdict('2001-05-27 03:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop', 20::float8)$$, 'warning beyond it');
SELECT is(message, '20 % of public.orders in shop (20,000 rows) changed since its last analyze 13 h ago', 'the message')
FROM pg_temp.verdict('2001-05-27 03:00:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-27 03:00:00+00')$$,
	$$VALUES ('ANALYZE (VERBOSE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL and its lock');
SELECT alike(action, '%Autovacuum is due and does not come%', 'due, and it did not come') FROM pg_temp.verdict('2001-05-27 03:00:00+00');
SELECT pg_temp.scene('2001-05-27 05:00:00+00', 1000, described => '{"reltuples": 500}', more => '{"n_live_tup": 600}');
SELECT is(severity, 'ok', 'quiet at exactly 1,000 rows') FROM pg_temp.verdict('2001-05-27 05:00:00+00');
SELECT pg_temp.scene('2001-05-27 07:00:00+00', 20000, '{"last_autoanalyze": "2001-05-26 19:00:00+00"}');
SELECT is(severity, 'ok', 'quiet when it was analyzed twelve hours ago') FROM pg_temp.verdict('2001-05-27 07:00:00+00');
SELECT pg_temp.scene('2001-05-27 09:00:00+00', 20000, '{"n_tup_ins": 1100}');
SELECT is(severity, 'ok', 'quiet when nothing changed in the last hour') FROM pg_temp.verdict('2001-05-27 09:00:00+00');
SELECT pg_temp.scene('2001-05-27 11:00:00+00', 20000, '{"schema": "pg_catalog", "relname": "pg_statistic"}');
SELECT is(severity, 'ok', 'quiet about what is never analyzed') FROM pg_temp.verdict('2001-05-27 11:00:00+00');

-- Autovacuum has ten minutes; none where it is off or not due.
SELECT pg_temp.counters(at, modified, modified, '{"last_analyze": "2001-05-27 00:00:00+00"}')
FROM (VALUES ('2001-05-27 12:30:00+00'::timestamptz, 900), ('2001-05-27 12:50:00+00', 10050), ('2001-05-27 13:00:00+00', 20000)) AS v (at, modified);
SELECT pg_temp.described('2001-05-27 13:00:00+00');
SELECT is(severity, 'ok', 'quiet when it is due for less than ten minutes') FROM pg_temp.verdict('2001-05-27 13:00:00+00');
SELECT pg_temp.described('2001-05-27 13:00:00.5+00', '{"autovacuum_enabled": false}');
SELECT alike(action, '%is off for the table.', 'where it is off for the table there is nothing to wait for')
FROM pg_temp.verdict('2001-05-27 13:00:01+00');
SELECT pg_temp.described('2001-05-27 13:00:01.5+00', settings => '{"autovacuum": "off"}');
SELECT alike(action, '%is off in the cluster.', 'nor where it is off in the cluster') FROM pg_temp.verdict('2001-05-27 13:00:02+00');
SELECT pg_temp.described('2001-05-27 13:00:02.5+00', '{"analyze_threshold": 20000}');
SELECT alike(action, '%only does so from 20000 changed rows on: lower %', 'nor where it is not due')
FROM pg_temp.verdict('2001-05-27 13:00:03+00');

-- No analyze on record: history must show twelve hours without one.
SELECT pg_temp.scene('2001-05-27 15:00:00+00', 20000, '{"last_analyze": null}');
SELECT is(severity, 'ok', 'quiet when nobody knows how long') FROM pg_temp.verdict('2001-05-27 15:00:00+00');
SELECT pg_temp.counters('2001-05-28 02:50:00+00', 0, 0, '{"last_analyze": null}');
SELECT pg_temp.scene('2001-05-28 15:00:00+00', 20000, '{"last_analyze": null}');
SELECT alike(message, '% changed since its last analyze more than 12 h ago', 'history shows it') FROM pg_temp.verdict('2001-05-28 15:00:00+00');
SELECT pg_temp.scene('2001-05-28 17:00:00+00', 20000, '{"last_analyze": null}', '{"reltuples": null}');
SELECT is(severity, 'ok', 'a table that never was analyzed is not stale') FROM pg_temp.verdict('2001-05-28 17:00:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-27 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-28 17:04:00+00');
SELECT pg_temp.counters('2001-05-28 19:00:00+00', 90000, 90000);
SELECT is(severity, 'unknown', 'unknown while tables are not known') FROM pg_temp.verdict('2001-05-28 19:00:00+00');
SELECT pg_temp.scene('2001-05-28 21:00:00+00', NULL);
SELECT is(severity, 'ok', 'no finding where changes are not counted') FROM pg_temp.verdict('2001-05-28 21:00:00+00');

-- Hostile names.
SELECT pg_temp.scene('2001-05-28 23:00:00+00', 20000, '{"schema": "a b", "relname": "t\"; --", "relation": "a b.t"}');
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-05-28 23:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."t""; --"', 'ANALYZE (VERBOSE) "a b"."t""; --";')$$, 'hostile names are quoted');
SELECT * FROM finish();
ROLLBACK;
