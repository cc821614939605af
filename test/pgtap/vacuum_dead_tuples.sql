-- vacuum.dead_tuples: thresholds and floor, and who is named as the one that keeps the rows. Golden samples of 2001-01-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(32);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'vacuum.dead_tuples'
$$;

-- A table with so many rows, and what holds the horizon at the time.
CREATE FUNCTION pg_temp.inject(at timestamptz, dead bigint, live bigint, holders jsonb DEFAULT '[]',
	more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_dead_tup', dead,
		'n_live_tup', live, 'pct_dead', 100.0 * dead / (dead + live), 'last_autovacuum', at - interval '2 h') || more)),
		pgdba.inject_sample('horizon', at, holders)
$$;
CREATE FUNCTION pg_temp.holder(at timestamptz, held interval, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('db', 'shop', 'kind', 'session', 'name', '4711', 'pid', 4711,
		'backend_start', '2001-01-03 00:00:00.25+00', 'catalog_only', false, 'xid_age', 50,
		'held_seconds', extract(epoch FROM held), 'held_since', at - held, 'role', 'app',
		'backend_type', 'client backend', 'state', 'idle in transaction') || more)
$$;

-- Quiet: exactly 20 %; a larger share of too few rows; exactly the floor.
SELECT pg_temp.inject('2001-01-03 01:00:00+00', 200000, 800000);
SELECT is(severity, 'ok', 'quiet at exactly 20 %') FROM pg_temp.verdict('2001-01-03 01:00:00+00');
SELECT pg_temp.inject('2001-01-03 01:10:00+00', 90000, 10000);
SELECT is(severity, 'ok', 'quiet with few dead rows, whatever their share') FROM pg_temp.verdict('2001-01-03 01:10:00+00');
SELECT pg_temp.inject('2001-01-03 01:20:00+00', 100000, 10000);
SELECT is(severity, 'ok', 'quiet at exactly the floor') FROM pg_temp.verdict('2001-01-03 01:20:00+00');

-- Warning, and vacuum that has not come.
SELECT pg_temp.inject('2001-01-03 02:00:00+00', 250000, 750000);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-01-03 02:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop', 25::float8, 'percent')$$, 'warning beyond 20 %');
SELECT is(message, '25 % of the rows of public.orders in shop are dead (250,000): vacuum came last 2 h ago',
	'the message says when vacuum came last') FROM pg_temp.verdict('2001-01-03 02:00:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-01-03 02:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$,
	'the SQL, its lock, and nothing to undo');
SELECT pg_temp.inject('2001-01-03 02:10:00+00', 250000, 750000, more => '{"last_autovacuum": null}');
SELECT alike(message, '%: vacuum has never come to it', 'never is said as never') FROM pg_temp.verdict('2001-01-03 02:10:00+00');
SELECT pg_temp.inject('2001-01-03 02:20:00+00', 250000, 750000, more => '{"last_vacuum": "2001-01-03 02:15:00+00"}');
SELECT alike(message, '%: vacuum came last 5 min ago', 'a VACUUM by hand counts') FROM pg_temp.verdict('2001-01-03 02:20:00+00');

-- Critical.
SELECT pg_temp.inject('2001-01-03 03:00:00+00', 600000, 400000);
SELECT is(severity, 'critical', 'critical beyond 50 %') FROM pg_temp.verdict('2001-01-03 03:00:00+00');

-- Unknown: no sample, a stale one, nothing known of the horizon, no number of rows.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-01-03 03:09:00+00');
SELECT pgdba.inject_sample('relation', '2001-01-03 03:30:00+00', '[{"db": "shop", "schema": "public", "relname": "orders",
	"n_dead_tup": 900000, "pct_dead": 90}]');
SELECT is(severity, 'unknown', 'unknown when the horizon is not known') FROM pg_temp.verdict('2001-01-03 03:30:00+00');
SELECT pg_temp.inject('2001-01-03 03:40:00+00', 900000, 100000, more => '{"pct_dead": null}');
SELECT is(severity, 'unknown', 'unknown without a share') FROM pg_temp.verdict('2001-01-03 03:40:00+00');

-- A holder is named once vacuum has run under it, or when it has held for a minute.
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h')) FROM (VALUES ('2001-01-03 04:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: session 4711 (role app, idle in transaction) keeps vacuum from removing what died since it began 3 h ago',
	'the holder is named') FROM pg_temp.verdict('2001-01-03 04:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 4711 AND '
	'backend_start = ''2001-01-03 00:00:00.250000+00'';' || E'\n' || 'VACUUM (VERBOSE, ANALYZE) public.orders;',
	'and dealt with first') FROM pg_temp.verdict('2001-01-03 04:00:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '30 s'), '{"last_autovacuum": "2001-01-03 04:09:50+00"}')
FROM (VALUES ('2001-01-03 04:10:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%session 4711%', 'a young holder is named when vacuum has run under it')
FROM pg_temp.verdict('2001-01-03 04:10:00+00');

-- Not named: too young; no transaction went by since; another database; only catalogs.
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '30 s')) FROM (VALUES ('2001-01-03 05:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%vacuum came last%', 'a young holder is not named') FROM pg_temp.verdict('2001-01-03 05:00:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"xid_age": 0}')) FROM (VALUES ('2001-01-03 05:10:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%vacuum came last%', 'nor one since when nothing died') FROM pg_temp.verdict('2001-01-03 05:10:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"db": "other"}')) FROM (VALUES ('2001-01-03 05:20:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%vacuum came last%', 'nor one in another database') FROM pg_temp.verdict('2001-01-03 05:20:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"catalog_only": true}')) FROM (VALUES ('2001-01-03 05:30:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%vacuum came last%', 'nor one that holds catalogs') FROM pg_temp.verdict('2001-01-03 05:30:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"catalog_only": true}'),
	'{"schema": "pg_catalog", "relname": "pg_class", "relation": "pg_catalog.pg_class"}')
FROM (VALUES ('2001-01-03 05:40:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%session 4711%', 'but of a catalog it is') FROM pg_temp.verdict('2001-01-03 05:40:00+00');

-- The oldest holder is the horizon. Slots and standbys hold every database and do not say since when.
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h')
	|| '[{"kind": "slot", "name": "old''slot", "catalog_only": false, "xid_age": 20000, "state": "inactive"}]'::jsonb)
FROM (VALUES ('2001-01-03 06:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: slot old''slot keeps vacuum from removing what died since 20000 transactions ago', 'a slot is named')
FROM pg_temp.verdict('2001-01-03 06:00:00+00');
SELECT alike(action, '%SELECT pg_drop_replication_slot(''old''''slot'');%', 'its name quoted') FROM pg_temp.verdict('2001-01-03 06:00:00+00');
SELECT pg_temp.inject(at, 250000, 750000, '[{"kind": "slot", "name": "s", "catalog_only": false, "xid_age": 9999}]')
FROM (VALUES ('2001-01-03 06:10:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%vacuum came last%', 'a slot that keeps up is not named') FROM pg_temp.verdict('2001-01-03 06:10:00+00');
SELECT pg_temp.inject(at, 250000, 750000, '[{"kind": "standby", "name": "9", "catalog_only": false, "xid_age": 10000, "application_name": "s2"}]')
FROM (VALUES ('2001-01-03 06:20:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: a standby (s2) keeps%', 'a standby''s feedback is named') FROM pg_temp.verdict('2001-01-03 06:20:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"kind": "prepared transaction", "name": "g''1", "pid": null}'))
FROM (VALUES ('2001-01-03 06:30:00+00'::timestamptz)) AS v (at);
SELECT alike(action, 'First finish it in database shop: COMMIT PREPARED ''g''''1''; or ROLLBACK PREPARED ''g''''1''; Then%',
	'a prepared transaction is to be finished') FROM pg_temp.verdict('2001-01-03 06:30:00+00');
SELECT pg_temp.inject(at, 250000, 750000, pg_temp.holder(at, '3 h', '{"application_name": "pg_dump"}'))
FROM (VALUES ('2001-01-03 06:40:00+00'::timestamptz)) AS v (at);
SELECT is(action, 'First let session 4711 finish. Then vacuum the table.', 'a backup is not to be ended')
FROM pg_temp.verdict('2001-01-03 06:40:00+00');

-- Hostile names are quoted in the SQL.
SELECT pg_temp.inject('2001-01-03 07:00:00+00', 250000, 750000,
	more => jsonb_build_object('schema', 'a b', 'relname', 't"; DROP TABLE x; --', 'relation', 'a b.t"; DROP TABLE x; --'));
SELECT is(sql, 'VACUUM (VERBOSE, ANALYZE) "a b"."t""; DROP TABLE x; --";', 'a hostile name is quoted')
FROM pg_temp.verdict('2001-01-03 07:00:00+00');
SELECT is(object, 'relation:shop/"a b"."t""; DROP TABLE x; --"', 'and its object is unambiguous')
FROM pg_temp.verdict('2001-01-03 07:00:00+00');

-- Thresholds are data: the most specific pattern counts, the check's floor stays.
SELECT pgdba.set_threshold('vacuum.dead_tuples', '%', 1, 2);
SELECT pgdba.set_threshold('vacuum.dead_tuples', 'relation:shop/public.orders', 60, 80);
SELECT throws_ok($$SELECT pgdba.set_threshold('vacuum.dead_tuples', '%', 80, 60)$$, '22023', NULL, 'levels in the wrong order are refused');
SELECT is(severity, 'ok', 'an override for one table makes it quiet') FROM pg_temp.verdict('2001-01-03 02:00:00+00');
SELECT is(severity, 'ok', 'a floor stays') FROM pg_temp.verdict('2001-01-03 01:20:00+00');

SELECT * FROM finish();
ROLLBACK;
