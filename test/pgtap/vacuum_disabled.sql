-- vacuum.disabled: off in the cluster, off for a table that needs it, and where off is meant. Golden samples of 2001-05-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(22);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'vacuum.disabled'
$$;

-- A table with so many dead rows; the settings of the cluster.
CREATE FUNCTION pg_temp.inject(at timestamptz, dead bigint, enabled bool, counters jsonb DEFAULT '{}', described jsonb DEFAULT '{}',
	settings jsonb DEFAULT '{"autovacuum": "on", "track_counts": "on"}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_dead_tup', dead,
			'n_live_tup', 100000) || counters)),
		pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'autovacuum_enabled', enabled,
			'vacuum_threshold', 20050) || described)),
		pgdba.inject_sample('setting', at, (SELECT jsonb_agg(jsonb_build_object('name', s.key, 'value', s.value,
			'source', 'configuration file')) FROM jsonb_each(settings) s))
$$;

-- For a table.
SELECT pg_temp.inject('2001-05-01 01:00:00+00', 20050, false);
SELECT is(severity, 'ok', 'quiet at exactly the threshold') FROM pg_temp.verdict('2001-05-01 01:00:00+00');
SELECT pg_temp.inject('2001-05-01 01:10:00+00', 20051, false);
SELECT results_eq($$SELECT severity, object, database FROM pg_temp.verdict('2001-05-01 01:10:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop')$$, 'warning beyond it');
SELECT is(message, 'autovacuum is off for public.orders in shop, which has 20,051 dead rows and would be due from 20,050',
	'the message says how much') FROM pg_temp.verdict('2001-05-01 01:10:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-01 01:10:00+00')$$,
	$$VALUES (E'ALTER TABLE public.orders RESET (autovacuum_enabled);\nVACUUM (VERBOSE, ANALYZE) public.orders;',
		'ShareUpdateExclusiveLock', 'ALTER TABLE public.orders SET (autovacuum_enabled = off);')$$, 'the SQL, its lock and the undo');
SELECT pg_temp.inject('2001-05-01 01:20:00+00', 900000, true);
SELECT is(severity, 'ok', 'quiet where autovacuum is on') FROM pg_temp.verdict('2001-05-01 01:20:00+00');
SELECT pg_temp.inject('2001-05-01 01:30:00+00', 10000, false, described => '{"vacuum_threshold": 100}');
SELECT is(severity, 'ok', 'quiet with few dead rows') FROM pg_temp.verdict('2001-05-01 01:30:00+00');
SELECT pg_temp.inject('2001-05-01 01:40:00+00', 10001, false, described => '{"vacuum_threshold": 100}');
SELECT is(severity, 'warning', 'but not with more') FROM pg_temp.verdict('2001-05-01 01:40:00+00');
SELECT pg_temp.inject('2001-05-01 01:50:00+00', 0, false, '{"n_ins_since_vacuum": 900000, "n_mod_since_analyze": 900000}');
SELECT is(severity, 'ok', 'quiet when it is only filled') FROM pg_temp.verdict('2001-05-01 01:50:00+00');
SELECT pg_temp.inject('2001-05-01 02:00:00+00', 900000, false, '{"last_vacuum": "2001-04-30 02:00:01+00"}');
SELECT is(severity, 'ok', 'quiet when it is vacuumed by hand every day') FROM pg_temp.verdict('2001-05-01 02:00:00+00');
SELECT pg_temp.inject('2001-05-01 02:10:00+00', 900000, false, '{"last_vacuum": "2001-04-30 02:00:00+00"}');
SELECT is(severity, 'warning', 'but not when that was longer ago') FROM pg_temp.verdict('2001-05-01 02:10:00+00');
SELECT pg_temp.inject('2001-05-01 02:20:00+00', 900000, false, '{"relid": 2}');
SELECT is(severity, 'ok', 'a table of the same name that came later is another one') FROM pg_temp.verdict('2001-05-01 02:20:00+00');

-- For the cluster.
SELECT pg_temp.inject('2001-05-01 03:00:00+00', 0, true, settings => '{"autovacuum": "off", "track_counts": "on"}');
SELECT results_eq($$SELECT severity, object, database, message, sql, undo FROM pg_temp.verdict('2001-05-01 03:00:00+00')$$,
	$$VALUES ('critical', 'setting:autovacuum', NULL::text, 'autovacuum is off in the whole cluster', NULL::text, NULL::text)$$,
	'critical when it is off in the cluster');
SELECT is(action, 'Take autovacuum = off away (it comes from the configuration file), or run: ALTER SYSTEM SET autovacuum = on; '
	'SELECT pg_reload_conf();', 'what to do') FROM pg_temp.verdict('2001-05-01 03:00:00+00');
SELECT pg_temp.inject('2001-05-01 03:10:00+00', 0, true, settings => '{"autovacuum": "on", "track_counts": "off"}');
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2001-05-01 03:10:00+00')$$,
	$$VALUES ('critical', 'setting:track_counts', 'track_counts is off, so autovacuum does not know what to do')$$,
	'and when nothing is counted');
SELECT pg_temp.inject('2001-05-01 03:20:00+00', 50000, false, settings => '{"autovacuum": "off", "track_counts": "off"}');
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-05-01 03:20:00+00') ORDER BY object$$,
	$$VALUES ('warning', 'relation:shop/public.orders'), ('critical', 'setting:autovacuum'), ('critical', 'setting:track_counts')$$,
	'each on its own');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-01 03:51:00+00');
SELECT pgdba.inject_sample('setting', '2001-05-01 04:00:00+00', '[{"name": "autovacuum", "value": "on"}]');
SELECT is(severity, 'unknown', 'unknown while tables are not known') FROM pg_temp.verdict('2001-05-01 04:00:00+00');
SELECT pg_temp.inject('2001-05-01 04:10:00+00', 900000, NULL);
SELECT is(severity, 'ok', 'no finding where it is not known whether it is off') FROM pg_temp.verdict('2001-05-01 04:10:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-05-01 05:00:00+00', 50000, false,
	jsonb_build_object('schema', 'a b', 'relname', 't"; DROP TABLE x; --', 'relation', 'a b.t"; DROP TABLE x; --'));
SELECT results_eq($$SELECT object, sql, undo FROM pg_temp.verdict('2001-05-01 05:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."t""; DROP TABLE x; --"', E'ALTER TABLE "a b"."t""; DROP TABLE x; --" RESET (autovacuum_enabled);\n'
		'VACUUM (VERBOSE, ANALYZE) "a b"."t""; DROP TABLE x; --";',
		'ALTER TABLE "a b"."t""; DROP TABLE x; --" SET (autovacuum_enabled = off);')$$, 'hostile names are quoted');

-- Levels of all tables can be turned off, those of the cluster stay.
SELECT pgdba.set_threshold('vacuum.disabled', 'relation:%', 'Infinity', 'Infinity');
SELECT is(severity, 'ok', 'quiet for tables when told so') FROM pg_temp.verdict('2001-05-01 01:10:00+00');
SELECT is(severity, 'critical', 'but not for the cluster') FROM pg_temp.verdict('2001-05-01 03:00:00+00');

SELECT * FROM finish();
ROLLBACK;
