-- sessions.long_backup: worth knowing, never to be ended. Golden samples of 2001-03-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(11);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sessions.long_backup'
$$;
CREATE FUNCTION pg_temp.backup(pid int, at timestamptz, age interval, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('pid', pid, 'backend_start', '2001-03-05 00:00:00.25+00', 'db', 'shop', 'role', 'app',
		'application_name', 'pg_dump', 'backend_type', 'client backend', 'state', 'active', 'xact_start', at - age) || more
$$;

-- Quiet: exactly the threshold; a client that is none; one that idles, which sessions.idle_in_transaction names; a
-- walsender that streams.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.backup(1, at, '1800 s'),
	pg_temp.backup(2, at, '3 h', '{"application_name": "psql"}'), pg_temp.backup(3, at, '3 h', '{"state": "idle in transaction"}'),
	pg_temp.backup(4, at, '3 h', '{"backend_type": "walsender", "application_name": "standby", "xact_start": null}')))
FROM (VALUES ('2001-03-05 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 1800 s') FROM pg_temp.verdict('2001-03-05 01:00:00+00');

-- Info is the only level. Parallel jobs of one dump are one finding.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.backup(2, at, '1801 s', '{"backend_xmin_age": 12}'),
	pg_temp.backup(1, at, '1790 s'), pg_temp.backup(3, at, '1790 s')))
FROM (VALUES ('2001-03-05 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-03-05 02:00:00+00')$$,
	$$VALUES ('info', 'session:2/2001-03-05 00:00:00.250000+00', 'shop', 1801::float8, 'seconds')$$, 'info beyond 1800 s');
SELECT is(message, 'backup: session 2 (role app, application pg_dump) has had its transaction open for 30 min 1 s: '
	'it holds back vacuum by 12 transactions', 'the message has the values in it') FROM pg_temp.verdict('2001-03-05 02:00:00+00');
SELECT is(sql, NULL, 'nothing ends it') FROM pg_temp.verdict('2001-03-05 02:00:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.backup(1, at, '30 d')))
FROM (VALUES ('2001-03-05 03:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'info', 'and never is it worse') FROM pg_temp.verdict('2001-03-05 03:00:00+00');
SELECT alike(message, '%: it holds back no vacuum', 'without a snapshot it is not blamed') FROM pg_temp.verdict('2001-03-05 03:00:00+00');

-- The first copy of a table for a subscription is a walsender in a transaction.
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.backup(1, at, '2 h',
	'{"backend_type": "walsender", "application_name": "pg_16_sync_17"}')))
FROM (VALUES ('2001-03-05 04:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, 'replication: session 1 %', 'a copy by replication') FROM pg_temp.verdict('2001-03-05 04:00:00+00');
SELECT is(sql, NULL, 'which nothing ends either') FROM pg_temp.verdict('2001-03-05 04:00:00+00');

-- Unknown, and names.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-05 04:10:00+00');
SELECT pgdba.inject_sample('activity', at, jsonb_build_array(pg_temp.backup(1, at, '2 h', jsonb_build_object('role', E'{pid}''\\"'))))
FROM (VALUES ('2001-03-05 05:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, E'backup: session 1 (role {pid}''\\\\", application pg\\_dump) has%', 'names are printed as they are')
FROM pg_temp.verdict('2001-03-05 05:00:00+00');

SELECT * FROM finish();
ROLLBACK;
