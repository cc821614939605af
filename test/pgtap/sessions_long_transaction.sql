-- sessions.long_transaction: the oldest of each origin, what it holds, whom not to blame. Golden samples of 2001-03-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(23);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sessions.long_transaction'
$$;
CREATE FUNCTION pg_temp.busy(pid int, at timestamptz, age interval, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('pid', pid, 'backend_start', '2001-03-04 00:00:00.25+00', 'db', 'shop', 'role', 'app',
		'backend_type', 'client backend', 'state', 'active', 'xact_start', at - age, 'query_start', at - age,
		'state_change', at - age) || more
$$;

-- Quiet: exactly the threshold; those that idle; a VACUUM; processes of the server; backups.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '300 s'),
	pg_temp.busy(2, at, '3 h', '{"state": "idle in transaction"}'), pg_temp.busy(3, at, '3 h', '{"state": "idle", "xact_start": null}'),
	pg_temp.busy(4, at, '3 h', '{"command": "VACUUM"}'), pg_temp.busy(5, at, '3 h', '{"backend_type": "autovacuum worker"}'),
	pg_temp.busy(6, at, '3 h', '{"backend_type": "walsender"}'), pg_temp.busy(7, at, '3 h', '{"backend_type": "parallel worker"}'),
	pg_temp.busy(8, at, '3 h', '{"application_name": "pg_dump"}'),
	pg_temp.busy(9, at, '3 h', '{"state": "idle in transaction (aborted)"}')))
FROM (VALUES ('2001-03-04 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 300 s, and for all others') FROM pg_temp.verdict('2001-03-04 01:00:00+00');

-- Warning. A writer has a transaction ID, a reader a snapshot; between two statements of one it has neither.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '301 s', '{"backend_xmin_age": 12}')))
FROM (VALUES ('2001-03-04 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-03-04 02:00:00+00')$$,
	$$VALUES ('warning', 'session:1/2001-03-04 00:00:00.250000+00', 'shop', 301::float8, 'seconds')$$, 'warning beyond 300 s');
SELECT is(message, 'session 1 (role app) has had its transaction open for 5 min 1 s: it holds back vacuum by 12 transactions',
	'a snapshot is said') FROM pg_temp.verdict('2001-03-04 02:00:00+00');
SELECT is(sql, 'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = 1 AND backend_start = '
	'''2001-03-04 00:00:00.250000+00'';', 'it can be cancelled, guarded by its start') FROM pg_temp.verdict('2001-03-04 02:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(
	pg_temp.busy(1, at, '400 s', '{"backend_xid_age": 7, "backend_xmin_age": 3}')))
FROM (VALUES ('2001-03-04 03:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: it holds back vacuum by 7 transactions', 'and a transaction ID') FROM pg_temp.verdict('2001-03-04 03:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '400 s')))
FROM (VALUES ('2001-03-04 04:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: it holds back no vacuum', 'one without either is not blamed') FROM pg_temp.verdict('2001-03-04 04:00:00+00');

-- Critical.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '1800 s')))
FROM (VALUES ('2001-03-04 05:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'warning', 'still a warning at exactly 1800 s') FROM pg_temp.verdict('2001-03-04 05:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '1801 s')))
FROM (VALUES ('2001-03-04 06:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'critical', 'critical beyond 1800 s') FROM pg_temp.verdict('2001-03-04 06:00:00+00');

-- One finding per origin: the oldest, and how many are as old as half of it.
SELECT pgdba.inject_sample('activity', at, jsonb_agg(s))
FROM (VALUES ('2001-03-04 07:00:00+00'::timestamptz)) AS v (at), LATERAL (
	SELECT pg_temp.busy(n, at, make_interval(secs => 1000 - n)) FROM generate_series(1, 20) n
	UNION ALL SELECT pg_temp.busy(n, at, make_interval(secs => 1000 - n)) FROM generate_series(600, 610) n
	UNION ALL SELECT pg_temp.busy(99, at, '400 s', '{"client_addr": "10.0.0.2"}')) AS s (s)
GROUP BY at;
SELECT bag_eq($$SELECT (evidence ->> 'pid')::int AS pid, (evidence ->> 'more')::int AS more FROM pg_temp.verdict('2001-03-04 07:00:00+00')$$,
	$$VALUES (1, 19), (99, 0)$$, 'one finding per origin, its oldest session named');
SELECT is(message, 'session 1 (role app) has had its transaction open for 16 min 39 s, and 19 more of its origin: it holds back no vacuum',
	'and the others are counted') FROM pg_temp.verdict('2001-03-04 07:00:00+00') WHERE evidence ->> 'pid' = '1';

-- Who waits for a lock is held up: nothing ends it.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '400 s',
	'{"wait_event_type": "Lock", "wait_event": "relation", "blocked_by": [2], "backend_xid_age": 5}')))
FROM (VALUES ('2001-03-04 08:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%: it waits for a lock', 'a wait for a lock is said') FROM pg_temp.verdict('2001-03-04 08:00:00+00');
SELECT is(sql, NULL, 'and the SQL does not end the one that waits') FROM pg_temp.verdict('2001-03-04 08:00:00+00');
SELECT alike(action, '%locks.blocked%', 'but leads to who blocks it') FROM pg_temp.verdict('2001-03-04 08:00:00+00');

-- A long command is said.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '400 s', '{"command": "CREATE INDEX"}')))
FROM (VALUES ('2001-03-04 09:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, 'session 1 (role app, CREATE INDEX) has%', 'a CREATE INDEX is called so') FROM pg_temp.verdict('2001-03-04 09:00:00+00');
SELECT alike(action, 'Let its CREATE INDEX finish%', 'and left alone first') FROM pg_temp.verdict('2001-03-04 09:00:00+00');

-- Unknown: no sample, a stale one, sessions that the server hides.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-04 06:10:00+00');
SELECT pgdba.inject_sample('activity', '2001-03-04 10:00:00+00', '[{"pid": 1, "db": "shop", "role": "app"}]');
SELECT is(severity, 'unknown', 'unknown when sessions are hidden') FROM pg_temp.verdict('2001-03-04 10:00:00+00');
SELECT alike(message, '%the server hides sessions%', 'and says so') FROM pg_temp.verdict('2001-03-04 10:00:00+00');

-- Names are text.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '400 s',
	jsonb_build_object('role', E'a''b"c; DROP TABLE t', 'application_name', 'x {value} \ '))))
FROM (VALUES ('2001-03-04 11:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, E'session 1 (role a''b"c; DROP TABLE t, application x {value} \\\\ ) has%', 'names are printed as they are')
FROM pg_temp.verdict('2001-03-04 11:00:00+00');
SELECT unalike(sql, '%DROP%', 'and are not in the SQL') FROM pg_temp.verdict('2001-03-04 11:00:00+00');

-- An origin without any name is one as well.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.busy(1, at, '400 s', '{"role": null}'),
	pg_temp.busy(2, at, '390 s', '{"role": null}')))
FROM (VALUES ('2001-03-04 12:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT message FROM pg_temp.verdict('2001-03-04 12:00:00+00')$$,
	$$VALUES ('session 1 has had its transaction open for 6 min 40 s, and 1 more of its origin: it holds back no vacuum')$$,
	'sessions without a role are one origin');

-- A cluster at rest.
SELECT pgdba.inject_sample('activity', '2001-03-04 13:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet without sessions') FROM pg_temp.verdict('2001-03-04 13:00:00+00');

SELECT * FROM finish();
ROLLBACK;
