-- statistics.missing: tables that neither vacuum nor analyze ever saw. Golden samples of 2001-05-29.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(16);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'statistics.missing'
$$;
CREATE FUNCTION pg_temp.counters(at timestamptz, live bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_live_tup', live) || more))
$$;
-- A scene: the table has had so many rows for a quarter of an hour.
CREATE FUNCTION pg_temp.scene(at timestamptz, live bigint, described jsonb DEFAULT '{}', more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.counters(at - interval '15 minutes', live, more);
	SELECT pg_temp.counters(at, live, more);
	SELECT pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'autovacuum_enabled', true) || described));
$$;

SELECT pg_temp.scene('2001-05-29 01:00:00+00', 10000);
SELECT is(severity, 'ok', 'quiet at exactly 10,000 rows') FROM pg_temp.verdict('2001-05-29 01:00:00+00');
SELECT pg_temp.scene('2001-05-29 03:00:00+00', 10001);
SELECT results_eq($$SELECT severity, object, database, message, sql, lock_level FROM pg_temp.verdict('2001-05-29 03:00:00+00')$$,
	$$VALUES ('info', 'relation:shop/public.orders', 'shop', 'public.orders in shop has 10,001 rows and was never analyzed',
		'ANALYZE (VERBOSE) public.orders;', 'ShareUpdateExclusiveLock')$$, 'advice beyond it');
SELECT pg_temp.scene('2001-05-29 05:00:00+00', 1000000);
SELECT is(severity, 'info', 'advice at exactly a million') FROM pg_temp.verdict('2001-05-29 05:00:00+00');
SELECT pg_temp.scene('2001-05-29 07:00:00+00', 1000001);
SELECT is(severity, 'warning', 'warning beyond it') FROM pg_temp.verdict('2001-05-29 07:00:00+00');
SELECT pg_temp.scene('2001-05-29 09:00:00+00', 2000000, '{"reltuples": 2000000}');
SELECT is(severity, 'ok', 'quiet when its rows were counted once') FROM pg_temp.verdict('2001-05-29 09:00:00+00');
SELECT pg_temp.scene('2001-05-29 11:00:00+00', 2000000, more => '{"last_autoanalyze": "2001-05-29 10:59:00+00"}');
SELECT is(severity, 'ok', 'quiet when it was analyzed just now') FROM pg_temp.verdict('2001-05-29 11:00:00+00');
SELECT pg_temp.scene('2001-05-29 12:40:00+00', 0);
SELECT pg_temp.scene('2001-05-29 13:00:00+00', 0, more => '{"relid": 3}');
SELECT pg_temp.counters('2001-05-29 12:50:01+00', 2000000), pg_temp.counters('2001-05-29 13:00:00.2+00', 2000000);
SELECT is(severity, 'ok', 'quiet while it is new') FROM pg_temp.verdict('2001-05-29 13:00:00+00');
SELECT pgdba.inject_sample('table', '2001-05-29 13:00:00.5+00', '[{"db": "shop", "schema": "public", "relname": "orders",
	"relation": "public.orders", "relid": 1, "relkind": "r", "autovacuum_enabled": false}]');
SELECT results_eq($$SELECT severity, action LIKE '%is off for the table.' FROM pg_temp.verdict('2001-05-29 13:00:01+00')$$,
	$$VALUES ('warning', true)$$, 'unless autovacuum will not come');

SELECT pg_temp.scene('2001-05-29 13:30:00+00', 2000000, '{"schema": "pgdba"}');
SELECT is(severity, 'ok', 'quiet about the tables of pgdba') FROM pg_temp.verdict('2001-05-29 13:30:00+00');

-- A partitioned table: its partitions were analyzed, it was not.
CREATE FUNCTION pg_temp.partitioned(at timestamptz, parent jsonb, part float8) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.counters(at, 5), pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'a b',
			'relname', 'p"; --', 'relation', 'a b.p', 'relid', 7, 'relkind', 'p') || parent,
		jsonb_build_object('db', 'shop', 'schema', 'public', 'relname', 'p1', 'relation', 'public.p1', 'relid', 8, 'relkind', 'r',
			'parent_relid', 7, 'reltuples', part),
		jsonb_build_object('db', 'shop', 'schema', 'public', 'relname', 'p2', 'relation', 'public.p2', 'relid', 9, 'relkind', 'r',
			'parent_relid', 7, 'reltuples', part)))
$$;
SELECT pg_temp.partitioned('2001-05-29 14:00:00+00', '{}', 5000);
SELECT is(severity, 'ok', 'quiet at exactly 10,000 rows in all') FROM pg_temp.verdict('2001-05-29 14:00:00+00');
SELECT pg_temp.partitioned('2001-05-29 14:10:00+00', '{}', 50000000);
SELECT results_eq($$SELECT severity, object, message, sql FROM pg_temp.verdict('2001-05-29 14:10:00+00')$$,
	$$VALUES ('info', 'relation:shop/"a b"."p""; --"', 'a b.p in shop has 100,000,000 rows and was never analyzed',
		'ANALYZE (VERBOSE) "a b"."p""; --";')$$, 'a partitioned table is advice, however large; hostile names are quoted');
SELECT pg_temp.partitioned('2001-05-29 14:20:00+00', '{"reltuples": 1}', 50000000);
SELECT is(severity, 'ok', 'quiet once it was analyzed') FROM pg_temp.verdict('2001-05-29 14:20:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-29 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-29 14:24:00+00');
SELECT pg_temp.counters('2001-05-29 16:00:00+00', 2000000);
SELECT is(severity, 'unknown', 'unknown while tables are not known') FROM pg_temp.verdict('2001-05-29 16:00:00+00');
SELECT pg_temp.scene('2001-05-29 18:00:00+00', NULL);
SELECT is(severity, 'ok', 'no finding where rows are not counted') FROM pg_temp.verdict('2001-05-29 18:00:00+00');
SELECT * FROM finish();
ROLLBACK;
