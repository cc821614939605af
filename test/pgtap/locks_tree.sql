-- lock_tree() and lock_waits() over injected samples of 2001-02-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(11);

-- A root that reads, a DDL behind it, a reader behind that; and a prepared transaction with a hot row behind it.
CREATE FUNCTION pg_temp.sample(at timestamptz) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('lock_wait', at, jsonb_build_array(
		jsonb_build_object('pid', 1, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'place', 0, 'depth', 0, 'path', '[1]'::jsonb,
			'blocked', 2),
		jsonb_build_object('pid', 2, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'place', 1, 'depth', 1, 'path', '[1, 2]'::jsonb,
			'blocked', 1, 'lock_type', 'relation', 'mode', 'AccessExclusiveLock', 'blocker_mode', 'AccessShareLock', 'blocker_holds', true,
			'wait_start', at - interval '20 s', 'lock_relid', 4711, 'relation', 'public."Orders; --"', 'blocked_by', '[1]'::jsonb, 'queued_ddl', true),
		jsonb_build_object('pid', 3, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'place', 2, 'depth', 2, 'path', '[1, 2, 3]'::jsonb,
			'blocked', 0, 'lock_type', 'relation', 'mode', 'AccessShareLock', 'blocker_mode', 'AccessExclusiveLock', 'blocker_holds', false,
			'wait_start', at - interval '5 s', 'lock_relid', 4711, 'relation', 'public."Orders; --"', 'blocked_by', '[2]'::jsonb),
		jsonb_build_object('pid', 0, 'prepared_xid', 77, 'prepared_gid', 'order ''7', 'prepared_owner', 'app', 'db', 'shop', 'place', 3,
			'prepared_at', at - interval '1 h', 'depth', 0, 'path', '[0]'::jsonb, 'blocked', 2),
		jsonb_build_object('pid', 4, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'place', 4, 'depth', 1, 'path', '[0, 4]'::jsonb,
			'blocked', 1, 'lock_type', 'transactionid', 'mode', 'ShareLock', 'blocker_mode', 'ExclusiveLock', 'blocker_holds', true,
			'wait_start', at - interval '9 s', 'lock_relid', 815, 'target', '(0,7)', 'blocked_by', '[0]'::jsonb),
		jsonb_build_object('pid', 5, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'place', 5, 'depth', 2, 'path', '[0, 4, 5]'::jsonb,
			'blocked', 0, 'lock_type', 'tuple', 'mode', 'ExclusiveLock', 'blocker_mode', 'ExclusiveLock', 'blocker_holds', true,
			'wait_start', at - interval '8 s', 'lock_relid', 815, 'target', '(0,7)', 'blocked_by', '[4]'::jsonb))),
	pgdba.inject_sample('activity', at, jsonb_build_array(
		jsonb_build_object('pid', 1, 'backend_start', '2001-02-01 00:00+00', 'db', 'shop', 'role', 'app', 'state', 'idle in transaction',
			'xact_start', at - interval '30 s', 'query', 'SELECT 1'),
		jsonb_build_object('pid', 2, 'backend_start', '2001-01-31 00:00+00', 'db', 'shop', 'role', 'somebody else')))
$$;
SELECT pg_temp.sample('2001-02-01 01:00:00+00');

SELECT results_eq($$SELECT pid, depth, root, path, blocked_by, blocked, queued_ddl FROM pgdba.lock_tree('2001-02-01 01:00:00+00')$$,
	$$VALUES (1, 0, 1, '{1}'::int[], '{}'::int[], 2::bigint, false), (2, 1, 1, '{1,2}', '{1}', 1, true), (3, 2, 1, '{1,2,3}', '{2}', 0, false),
		(0, 0, 0, '{0}', '{}', 2, false), (4, 1, 0, '{0,4}', '{0}', 1, false), (5, 2, 0, '{0,4,5}', '{4}', 0, false)$$, 'the tree of then, in its order');
SELECT results_eq($$SELECT role, state, xact_seconds, query FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 1$$,
	$$VALUES ('app', 'idle in transaction', 30::float8, 'SELECT 1')$$, 'with what the session did');
SELECT is(role, NULL, 'but of no session that only has the same process ID') FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 2;
SELECT is(line, '  2@shop waits 20 s for AccessExclusiveLock on relation public."Orders; --", held: AccessShareLock, 1 behind it, holds up readers or writers',
	'a line for people') FROM (SELECT replace(line, '2 ', '2') AS line FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 99
		UNION ALL SELECT regexp_replace(line, '^(  2) ?(@shop)?', '  2@shop') FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 2) l;
SELECT results_eq($$SELECT prepared_gid, role, xact_seconds, line FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 0$$,
	$$VALUES ('order ''7', 'app', 3600::float8, 'prepared transaction order ''7 app@shop, in transaction for 3600 s, 2 behind it')$$,
	'a prepared transaction by its name');
SELECT is(relation, '815', 'a relation without a name stays an OID') FROM pgdba.lock_tree('2001-02-01 01:00:00+00') WHERE pid = 4;
SELECT is_empty($$SELECT FROM pgdba.lock_tree('2001-02-01 00:59:59+00')$$, 'nothing before');
SELECT is_empty($$SELECT FROM pgdba.lock_tree('2001-02-01 01:10:00+00')$$, 'nor long after, when nobody looked');

SELECT pg_temp.sample('2001-02-01 01:00:15+00');
SET LOCAL pgdba.as_of = '2001-02-01 01:00:20+00';
SELECT results_eq($$SELECT lock_type, relation, waits, sessions, longest_seconds, hot_row, hot_row_sessions FROM pgdba.lock_waits('1 min') ORDER BY 1$$,
	$$VALUES ('relation', 'public."Orders; --"', 4::bigint, 2::bigint, 20::float8, NULL, NULL::bigint),
		('transactionid', '815', 2, 1, 9, '(0,7)', 2), ('tuple', '815', 2, 1, 8, '(0,7)', 2)$$, 'waits by relation and kind, and the hot row');
SELECT is(seconds, 50::float8, 'seconds of all of them') FROM pgdba.lock_waits('1 min') WHERE lock_type = 'relation';
SELECT is_empty($$SELECT FROM pgdba.lock_waits('1 second')$$, 'none in a span without samples');

SELECT * FROM finish();
ROLLBACK;
