-- roles.limit: connections against the limit of a role or a database, and which of them count. Golden samples of 2001-11-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(16);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'roles.limit'
$$;
-- Role app and database shop with limits, and their connections.
CREATE FUNCTION pg_temp.inject(at timestamptz, role_limit int, database_limit int, origins jsonb, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('role', at, jsonb_build_array(jsonb_build_object('role', 'app', 'superuser', false,
			'connection_limit', role_limit) || more)),
		pgdba.inject_sample('database', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'datconnlimit', database_limit))),
		pgdba.inject_sample('connection_origin', at, (SELECT jsonb_agg(
			'{"db": "shop", "backend_type": "client backend", "role": "app", "application_name": "a", "state": "active"}'::jsonb || o)
			FROM jsonb_array_elements(origins) o))
$$;

-- A role.
SELECT pg_temp.inject('2001-11-04 01:00:00+00', 10, -1, '[{"connections": 5}, {"connections": 3, "state": "idle"}]');
SELECT is(severity, 'ok', 'quiet at exactly 80 percent') FROM pg_temp.verdict('2001-11-04 01:00:00+00');
SELECT pg_temp.inject('2001-11-04 01:10:00+00', 10, -1, '[{"connections": 6}, {"connections": 3, "state": "idle"}]');
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-11-04 01:10:00+00')$$,
	$$VALUES ('warning', 'role:app', NULL::text, 90::float8, 'percent', 'role app has 9 of 10 connections (90 %)')$$, 'warning beyond');
SELECT alike(action, '%ALTER ROLE ... CONNECTION LIMIT.%', 'busy ones need a higher limit') FROM pg_temp.verdict('2001-11-04 01:10:00+00');
SELECT alike(sql, '%WHERE role = ''app'' ORDER%', 'the SQL lists its connections') FROM pg_temp.verdict('2001-11-04 01:10:00+00');
SELECT pg_temp.inject('2001-11-04 01:20:00+00', 20, -1, '[{"connections": 19}]');
SELECT is(severity, 'warning', 'exactly 95 percent is a warning') FROM pg_temp.verdict('2001-11-04 01:20:00+00');
SELECT pg_temp.inject('2001-11-04 01:30:00+00', 10, -1, '[{"connections": 1}, {"connections": 9, "state": "idle", "db": "other"}]');
SELECT is(severity, 'critical', 'critical when none is left, in whichever database') FROM pg_temp.verdict('2001-11-04 01:30:00+00');
SELECT alike(action, 'Most are idle%', 'idle ones need a smaller pool') FROM pg_temp.verdict('2001-11-04 01:30:00+00');

-- A database, with a role that has no limit.
SELECT pg_temp.inject('2001-11-04 02:00:00+00', -1, 10, '[{"connections": 6}, {"connections": 3, "role": "other"}]');
SELECT results_eq($$SELECT severity, object, database, message FROM pg_temp.verdict('2001-11-04 02:00:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 'database shop has 9 of 10 connections (90 %)')$$, 'a database has a limit as well');
SELECT alike(sql, '%WHERE db = ''shop'' ORDER%', 'with its own SQL') FROM pg_temp.verdict('2001-11-04 02:00:00+00');

-- What does not count, and limits that keep everybody out.
SELECT pg_temp.inject('2001-11-04 03:00:00+00', 10, 10, '[{"connections": 10, "backend_type": "walsender"}]');
SELECT is(severity, 'ok', 'replication does not count') FROM pg_temp.verdict('2001-11-04 03:00:00+00');
SELECT pg_temp.inject('2001-11-04 03:20:00+00', 10, 10, '[{"connections": 10, "backend_type": "parallel worker"}]');
SELECT is(severity, 'ok', 'nor do background processes') FROM pg_temp.verdict('2001-11-04 03:20:00+00');
SELECT pg_temp.inject('2001-11-04 03:30:00+00', 10, -1, '[{"connections": 10}]', '{"superuser": true}');
SELECT is(severity, 'ok', 'a superuser has no limit') FROM pg_temp.verdict('2001-11-04 03:30:00+00');
SELECT pg_temp.inject('2001-11-04 03:40:00+00', 0, -2, '[{"connections": 1}]');
SELECT is(severity, 'ok', 'neither 0 nor an invalid database is a limit to come near') FROM pg_temp.verdict('2001-11-04 03:40:00+00');

-- Unknown: no sample, a stale one. Hostile names.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the samples are stale') FROM pg_temp.verdict('2001-11-04 05:10:00+00');
SELECT pg_temp.inject('2001-11-04 06:00:00+00', 1, -1, jsonb_build_array(jsonb_build_object('connections', 1, 'role', 'x''"; DROP --{db}')),
	jsonb_build_object('role', 'x''"; DROP --{db}'));
SELECT results_eq($$SELECT object, sql LIKE '%role = ''x''''"; DROP --{db}'' ORDER%' FROM pg_temp.verdict('2001-11-04 06:00:00+00')$$,
	$$VALUES ('role:"x''""; DROP --{db}"', true)$$, 'a hostile name is quoted');

SELECT * FROM finish();
ROLLBACK;
