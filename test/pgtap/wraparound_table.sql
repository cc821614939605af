-- wraparound.table: tables that autovacuum does not freeze in time, and why. Golden samples of 2001-05-26.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(21);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'wraparound.table'
$$;
-- A table of that age. Keys of more: table, vacuums, holders, workers.
CREATE FUNCTION pg_temp.inject(at timestamptz, age bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'toast_relid', 11, 'xid_age', age,
			'mxid_age', 0, 'toast_xid_age', 5, 'toast_mxid_age', 0, 'freeze_max_age', 200000000, 'pct_freeze_max_age', age / 2e6,
			'multixact_freeze_max_age', 400000000, 'pct_multixact_freeze_max_age', 0) || coalesce(more -> 'table', '{}'))),
		pgdba.inject_sample('vacuum_progress', at, coalesce(more -> 'vacuums', '[]')),
		pgdba.inject_sample('horizon', at, coalesce(more -> 'holders', '[]')),
		pgdba.inject_sample('autovacuum', at, jsonb_build_array(jsonb_build_object('phase', 'analyzing', 'jobs', 0,
			'workers', coalesce(more -> 'workers', '0'), 'max_workers', 3)))
$$;

-- Levels, and the floor.
SELECT pg_temp.inject('2001-05-26 01:00:00+00', 220000000);
SELECT is(severity, 'ok', 'quiet at exactly 110 %') FROM pg_temp.verdict('2001-05-26 01:00:00+00');
SELECT pg_temp.inject('2001-05-26 01:10:00+00', 221000000);
SELECT results_eq($$SELECT severity, object, database, value FROM pg_temp.verdict('2001-05-26 01:10:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop', 110.5::float8)$$, 'warning beyond it');
SELECT is(message, 'public.orders in shop is 221,000,000 transactions old, 110.5 % of the age that forces a vacuum: no vacuum of it runs',
	'the message') FROM pg_temp.verdict('2001-05-26 01:10:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-26 01:10:00+00')$$,
	$$VALUES ('VACUUM (FREEZE, VERBOSE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL and its lock');
SELECT pg_temp.inject('2001-05-26 01:20:00+00', 250000000);
SELECT is(severity, 'warning', 'warning at exactly 125 %') FROM pg_temp.verdict('2001-05-26 01:20:00+00');
SELECT pg_temp.inject('2001-05-26 01:30:00+00', 251000000);
SELECT is(severity, 'critical', 'critical beyond it') FROM pg_temp.verdict('2001-05-26 01:30:00+00');
SELECT pg_temp.inject('2001-05-26 01:40:00+00', 11000000, '{"table": {"freeze_max_age": 1000000, "pct_freeze_max_age": 1100}}');
SELECT is(severity, 'ok', 'quiet at exactly ten million beyond a low age of its own') FROM pg_temp.verdict('2001-05-26 01:40:00+00');
SELECT pg_temp.inject('2001-05-26 01:50:00+00', 11000001, '{"table": {"freeze_max_age": 1000000, "pct_freeze_max_age": 1100}}');
SELECT is(severity, 'critical', 'but not more') FROM pg_temp.verdict('2001-05-26 01:50:00+00');
SELECT is(symptom_of, 'wraparound.database', 'its database is what matters') FROM pg_temp.verdict('2001-05-26 01:50:00+00');

-- Multixacts, and the TOAST table.
SELECT pg_temp.inject('2001-05-26 02:00:00+00', 210000000, '{"table": {"mxid_age": 480000000, "pct_multixact_freeze_max_age": 120}}');
SELECT alike(message, 'public.orders in shop is 480,000,000 multixacts old, 120 \% of %', 'multixacts, when they are worse')
FROM pg_temp.verdict('2001-05-26 02:00:00+00');
SELECT pg_temp.inject('2001-05-26 02:10:00+00', 240000000, '{"table": {"toast_xid_age": 240000000}}');
SELECT results_eq($$SELECT message LIKE 'the TOAST table of public.orders in shop is %', sql FROM pg_temp.verdict('2001-05-26 02:10:00+00')$$,
	$$VALUES (true, 'VACUUM (FREEZE, VERBOSE) public.orders;')$$, 'a TOAST table is vacuumed with its table');

-- Causes. A vacuum that runs is never ended, and nothing is run beside it.
SELECT pg_temp.inject('2001-05-26 03:00:00+00', 240000000, '{"workers": 3, "vacuums": [{"db": "shop", "pid": 9, "relid": 11,
	"backend_start": "2001-05-26 01:00:00+00", "started": "2001-05-26 01:00:00+00", "phase": "scanning heap", "autovacuum": true,
	"prevents_wraparound": true, "heap_blks_total": 1000, "heap_blks_scanned": 420}]}');
SELECT results_eq($$SELECT split_part(message, ': ', 2), sql FROM pg_temp.verdict('2001-05-26 03:00:00+00')$$,
	$$VALUES ('its vacuum has run for 2 h (scanning heap, 42 % scanned)', NULL::text)$$, 'its vacuum runs');
SELECT alike(action, 'Let it finish and never end it%', 'and is to be left alone') FROM pg_temp.verdict('2001-05-26 03:00:00+00');
SELECT pg_temp.inject('2001-05-26 03:10:00+00', 240000000, '{"workers": 3}');
SELECT results_eq($$SELECT split_part(message, ': ', 2), sql FROM pg_temp.verdict('2001-05-26 03:10:00+00')$$,
	$$VALUES ('all autovacuum workers are busy, none with it', 'VACUUM (FREEZE, VERBOSE) public.orders;')$$, 'no worker is free');
SELECT pg_temp.inject('2001-05-26 03:20:00+00', 240000000, '{"workers": 3, "holders": [{"db": null, "kind": "slot", "name": "s1",
	"catalog_only": false, "xid_age": 100000001}]}');
SELECT results_eq($$SELECT split_part(message, ': ', 2), sql FROM pg_temp.verdict('2001-05-26 03:20:00+00')$$,
	$$VALUES ('slot s1 holds back freezing by 100000001 transactions', NULL::text)$$, 'the horizon is held');
SELECT pg_temp.inject('2001-05-26 03:30:00+00', 240000000, '{"holders": [{"db": null, "kind": "slot", "name": "s1",
	"catalog_only": true, "xid_age": 200000000}, {"db": "crm", "kind": "session", "name": "5", "catalog_only": false,
	"xid_age": 200000000}, {"db": "shop", "kind": "session", "name": "6", "catalog_only": false, "xid_age": 100000000}]}');
SELECT alike(message, '%: no vacuum of it runs', 'not by what holds catalogs, another database, or too little')
FROM pg_temp.verdict('2001-05-26 03:30:00+00');

-- Unknown, and what has no age.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-26 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-26 03:34:00+00');
SELECT pgdba.inject_sample('table', '2001-05-26 05:00:00+00', '[{"db": "shop", "schema": "public", "relname": "orders",
	"relation": "public.orders", "xid_age": 900000000, "freeze_max_age": 200000000, "pct_freeze_max_age": 450}]');
SELECT is(severity, 'unknown', 'unknown while nothing is known of workers') FROM pg_temp.verdict('2001-05-26 05:00:00+00');
SELECT pg_temp.inject('2001-05-26 06:00:00+00', NULL, '{"table": {"relkind": "p", "mxid_age": null, "pct_multixact_freeze_max_age": null}}');
SELECT is(severity, 'ok', 'a partitioned table has no age') FROM pg_temp.verdict('2001-05-26 06:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-05-26 07:00:00+00', 240000000, '{"table": {"schema": "a b", "relname": "t\"; --", "relation": "a b.t"}}');
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-05-26 07:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."t""; --"', 'VACUUM (FREEZE, VERBOSE) "a b"."t""; --";')$$, 'hostile names are quoted');
SELECT * FROM finish();
ROLLBACK;
