-- sessions.prepared_transaction: forgotten ones, per database, and how to finish them. Golden samples of 2001-03-07.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(15);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sessions.prepared_transaction'
$$;
CREATE FUNCTION pg_temp.prepared(gid text, at timestamptz, age interval, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('kind', 'prepared transaction', 'name', gid, 'db', 'shop', 'role', 'app', 'catalog_only', false,
		'xid_age', 12, 'held_since', at - age, 'held_seconds', extract(epoch FROM age)) || more
$$;

-- Quiet: exactly the threshold; other holders, however old.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared('a', at, '300 s'),
	pg_temp.prepared('b', at, '3 d', '{"kind": "session"}'), pg_temp.prepared('c', at, '3 d', '{"kind": "slot"}')))
FROM (VALUES ('2001-03-07 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 300 s') FROM pg_temp.verdict('2001-03-07 01:00:00+00');

-- Warning.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared('order 7', at, '301 s')))
FROM (VALUES ('2001-03-07 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-03-07 02:00:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 301::float8, 'seconds')$$, 'warning beyond 300 s');
SELECT is(message, 'prepared transaction order 7 in shop: unfinished for 5 min 1 s',
	'the message has the values in it') FROM pg_temp.verdict('2001-03-07 02:00:00+00');
SELECT is(sql, 'ROLLBACK PREPARED ''order 7'';', 'the SQL finishes it') FROM pg_temp.verdict('2001-03-07 02:00:00+00');
SELECT is(lock_level, 'none', 'without a lock') FROM pg_temp.verdict('2001-03-07 02:00:00+00');
SELECT alike(action, 'Ask app, %in database shop;%', 'the action says whom to ask and where to run it')
FROM pg_temp.verdict('2001-03-07 02:00:00+00');

-- Critical.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared('a', at, '3600 s')))
FROM (VALUES ('2001-03-07 03:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'warning', 'still a warning at exactly an hour') FROM pg_temp.verdict('2001-03-07 03:00:00+00');
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared('a', at, '3601 s')))
FROM (VALUES ('2001-03-07 04:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'critical', 'critical beyond an hour') FROM pg_temp.verdict('2001-03-07 04:00:00+00');

-- One finding per database, its oldest named.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared('young', at, '310 s'), pg_temp.prepared('old', at, '900 s'),
	pg_temp.prepared('new', at, '1 s'), pg_temp.prepared('other', at, '800 s', '{"db": "club"}')))
FROM (VALUES ('2001-03-07 05:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, evidence -> 'gids' FROM pg_temp.verdict('2001-03-07 05:00:00+00')$$,
	$$VALUES ('database:shop', '["old", "young", "new"]'::jsonb), ('database:club', '["other"]')$$, 'one finding per database');
SELECT is(message, '3 prepared transactions, the oldest named old, in shop: unfinished for 15 min', 'which says how many there are')
FROM pg_temp.verdict('2001-03-07 05:00:00+00') WHERE database = 'shop';

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-07 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-07 04:10:00+00');
SELECT pgdba.inject_sample('horizon', '2001-03-07 06:00:00+00', '[{"kind": "prepared transaction", "name": "a", "db": "shop"}]');
SELECT is(severity, 'unknown', 'unknown without a time') FROM pg_temp.verdict('2001-03-07 06:00:00+00');

-- Hostile names.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.prepared(E'x''; DROP TABLE t; --{db}', at, '400 s', '{"db": "A \"b"}')))
FROM (VALUES ('2001-03-07 07:00:00+00'::timestamptz)) AS v (at);
SELECT is(sql, 'ROLLBACK PREPARED ''x''''; DROP TABLE t; --{db}'';', 'a name is quoted in the SQL')
FROM pg_temp.verdict('2001-03-07 07:00:00+00');
SELECT is(object, 'database:"A ""b"', 'and in the object') FROM pg_temp.verdict('2001-03-07 07:00:00+00');

SELECT * FROM finish();
ROLLBACK;
