-- databases.invalid: what an interrupted DROP DATABASE left, not one that runs. Golden samples of 2001-07-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'databases.invalid'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, connection_limit bigint, name text DEFAULT 'shop') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at, jsonb_build_array(jsonb_build_object('db', name, 'datconnlimit', connection_limit)))
$$;

-- Quiet: no limit, a limit, none allowed; a DROP DATABASE that works on it; one that was dropped again.
SELECT pg_temp.inject(at, l) FROM (VALUES ('2001-07-04 01:00:00+00'::timestamptz, -1), ('2001-07-04 01:01:00+00', 5),
	('2001-07-04 01:02:00+00', 0)) AS v (at, l);
SELECT is(severity, 'ok', 'quiet with any limit') FROM pg_temp.verdict('2001-07-04 01:02:00+00');
SELECT pg_temp.inject(at, l) FROM (VALUES ('2001-07-04 02:00:00+00'::timestamptz, -1), ('2001-07-04 02:01:00+00', -2)) AS v (at, l);
SELECT is(severity, 'ok', 'quiet while it may still be dropped') FROM pg_temp.verdict('2001-07-04 02:01:00+00');

-- Warning.
SELECT pg_temp.inject('2001-07-04 02:02:00+00', -2);
SELECT results_eq($$SELECT severity, object, database, message FROM pg_temp.verdict('2001-07-04 02:02:00+00')$$,
	$$VALUES ('warning', 'database:shop', NULL::text,
		'database shop is invalid: a DROP DATABASE was interrupted, some of its files are gone')$$, 'a warning when it stays');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-07-04 02:02:00+00')$$,
	$$VALUES ('DROP DATABASE shop;', 'AccessExclusiveLock', NULL::text)$$, 'the SQL, its lock, and nothing to undo');
SELECT pg_temp.inject('2001-07-04 02:03:00+00', -1, 'other');
SELECT is(severity, 'ok', 'quiet when it is gone') FROM pg_temp.verdict('2001-07-04 02:03:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-04 02:10:00+00');

-- Hostile names.
SELECT pg_temp.inject(at, -2, 'a"; DROP DATABASE b; --') FROM (VALUES ('2001-07-04 03:00:00+00'::timestamptz),
	('2001-07-04 03:01:00+00')) AS v (at);
SELECT is(sql, 'DROP DATABASE "a""; DROP DATABASE b; --";', 'a name is quoted in the SQL') FROM pg_temp.verdict('2001-07-04 03:01:00+00');
SELECT is(object, 'database:"a""; DROP DATABASE b; --"', 'and its object is unambiguous') FROM pg_temp.verdict('2001-07-04 03:01:00+00');

SELECT * FROM finish();
ROLLBACK;
