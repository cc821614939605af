-- connections.leak: what grows and is not used again; no pool, at rest or at its start. Golden samples of 2001-03-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(28);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'connections.leak'
$$;
CREATE FUNCTION pg_temp.origin(at timestamptz, connections int, unused int, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('db', 'shop', 'backend_type', 'client backend', 'role', 'app', 'application_name', 'report',
		'client_addr', '10.0.0.5', 'state', 'idle', 'connections', connections, 'blocked', 0, 'unused', unused, 'forgotten', 0,
		'longest_seconds', 120, 'oldest_backend_start', at - interval '2 h', 'newest_backend_start', at) || more
$$;
CREATE FUNCTION pg_temp.usable(at timestamptz, connections int DEFAULT 50) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('connections', at, jsonb_build_array(jsonb_build_object('connections', connections, 'usable', 100)))
$$;
-- One origin whose unused connections were these, one number per 15 s, the last at that time. Injected samples outlive
-- the transaction: a few milliseconds keep those of one run of this test from those of another.
CREATE FUNCTION pg_temp.history(until timestamptz, unused int[], more jsonb DEFAULT '{}', used int DEFAULT 0) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	at timestamptz;
	apart interval := make_interval(secs => extract(microseconds FROM clock_timestamp())::int % 10000 / 1000000.0);
BEGIN
	FOR i IN 1 .. cardinality(unused) LOOP
		at := until - (cardinality(unused) - i) * interval '15 s' - apart;
		PERFORM pgdba.inject_sample('connection_origin', at,
			jsonb_build_array(pg_temp.origin(at, unused[i] + used, unused[i], more)));
	END LOOP;
	PERFORM pg_temp.usable(until);
END
$$;

-- Warning: it grows, and what it opened it did not use again.
SELECT pg_temp.history('2001-03-02 02:00:00+00', '{4,11,19,25,31}');
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2001-03-02 02:00:00+00')$$,
	$$VALUES ('warning', 'role:app', 31::float8, 'percent')$$, 'warning beyond 30 % of the usable connections');
SELECT is(message, 'role app, application report, from 10.0.0.5 looks like a leak: 31 of 100 connections, 31 unused since opened, '
	'27 more within 45 s', 'the message has the values in it') FROM pg_temp.verdict('2001-03-02 02:00:00+00');
SELECT alike(why, '%At this pace none is left in 1 min 23 s.', 'and why says when it ends') FROM pg_temp.verdict('2001-03-02 02:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = ''client backend'' AND usename = ''app'' '
	'AND application_name = ''report'' AND client_addr = ''10.0.0.5'' AND state = ''idle'' AND state_change < now() - interval '
	'''2 minutes'';', 'the SQL ends what idles, of this origin') FROM pg_temp.verdict('2001-03-02 02:00:00+00');
SELECT pg_temp.history('2001-03-02 04:00:00+00', '{4,11,19,25,31}', '{"client_addr": null}');
SELECT alike(sql, '%usename = ''app'' AND application_name = ''report'' AND client_addr IS NULL AND%', 'also by a local socket')
FROM pg_temp.verdict('2001-03-02 04:00:00+00');

-- Quiet at exactly the threshold; critical beyond its own.
SELECT pg_temp.history('2001-03-02 06:00:00+00', '{4,11,19,25,30}');
SELECT is(severity, 'ok', 'quiet at exactly 30 %') FROM pg_temp.verdict('2001-03-02 06:00:00+00');
SELECT pg_temp.history('2001-03-02 08:00:00+00', '{14,21,39,55,61}');
SELECT is(severity, 'critical', 'critical beyond 60 %') FROM pg_temp.verdict('2001-03-02 08:00:00+00');

-- Fewer than ten are nothing, whatever their share.
SELECT pg_temp.history('2001-03-02 10:00:00+00', '{1,3,5,7,9}');
SELECT pgdba.inject_sample('connections', '2001-03-02 10:00:00+00', '[{"connections": 9, "usable": 10}]');
SELECT is(severity, 'ok', 'quiet at nine connections') FROM pg_temp.verdict('2001-03-02 10:00:00+00');
SELECT pg_temp.history('2001-03-02 12:00:00+00', '{1,3,5,7,10}');
SELECT pgdba.inject_sample('connections', '2001-03-02 12:00:00+00', '[{"connections": 10, "usable": 12}]');
SELECT is(severity, 'critical', 'but not at ten of twelve') FROM pg_temp.verdict('2001-03-02 12:00:00+00');

-- Pools: one that is used, one that has been idle all night, one that was filled at its start, one that shrinks again.
SELECT pg_temp.history('2001-03-02 14:00:00+00', '{4,11,19,25,31}', used => 31);
SELECT is(severity, 'ok', 'a pool whose connections are used') FROM pg_temp.verdict('2001-03-02 14:00:00+00');
SELECT pg_temp.history('2001-03-02 16:00:00+00', '{40,40,40,40,40}');
SELECT is(severity, 'ok', 'a pool at rest') FROM pg_temp.verdict('2001-03-02 16:00:00+00');
SELECT pg_temp.history('2001-03-02 18:00:00+00', '{10,25,40,40,40}');
SELECT is(severity, 'ok', 'a pool at its start') FROM pg_temp.verdict('2001-03-02 18:00:00+00');
SELECT pg_temp.history('2001-03-02 20:00:00+00', '{20,30,25,35,30,40,35,40}');
SELECT is(severity, 'ok', 'one that closes connections too') FROM pg_temp.verdict('2001-03-02 20:00:00+00');
SELECT pg_temp.history('2001-03-02 22:00:00+00', '{10,20,40,10,20,40,10,20,40,10,20,30,40}');
SELECT is(severity, 'ok', 'one that closes all of them again and again') FROM pg_temp.verdict('2001-03-02 22:00:00+00');

-- A restart of the application does not hide that it leaks again.
SELECT pg_temp.history('2001-03-03 02:00:00+00', '{60,70,80,3,10,20,31}');
SELECT is(evidence ->> 'grown', '28', 'growth is counted from the restart') FROM pg_temp.verdict('2001-03-03 02:00:00+00');

-- A leak that has stopped growing: unused for more than half an hour, opened at different times.
SELECT pg_temp.history('2001-03-03 04:00:00+00', '{40,40}', '{"forgotten": 21}');
SELECT is(severity, 'warning', 'a leak of some time ago') FROM pg_temp.verdict('2001-03-03 04:00:00+00');
SELECT alike(message, '%, 40 unused since opened, most for more than half an hour', 'is told so')
FROM pg_temp.verdict('2001-03-03 04:00:00+00');
SELECT unalike(why, '%At this pace%', 'and has no pace') FROM pg_temp.verdict('2001-03-03 04:00:00+00');
SELECT pg_temp.history('2001-03-03 06:00:00+00', '{40,40}', '{"forgotten": 20}');
SELECT is(severity, 'ok', 'quiet when half of them are that old') FROM pg_temp.verdict('2001-03-03 06:00:00+00');
SELECT pg_temp.history('2001-03-03 08:00:00+00', '{40,40}', '{"forgotten": 40, "oldest_backend_start": "2001-03-03 05:00:00+00",
	"newest_backend_start": "2001-03-03 05:10:00+00"}');
SELECT is(severity, 'ok', 'quiet when they were opened at one time') FROM pg_temp.verdict('2001-03-03 08:00:00+00');

-- An origin that has opened none lately does not grow, whatever a number in history says.
SELECT pg_temp.history('2001-03-03 09:00:00+00', '{4,11,19,25,31}', '{"newest_backend_start": "2001-03-03 08:29:00+00"}');
SELECT is(severity, 'ok', 'quiet when none was opened lately') FROM pg_temp.verdict('2001-03-03 09:00:00+00');

-- One finding per role, its largest origin; other processes are not connections of clients.
SELECT pgdba.inject_sample('connection_origin', at, jsonb_build_array(
	pg_temp.origin(at, n * 10, n * 10, '{"application_name": "one"}'), pg_temp.origin(at, n * 11, n * 11, '{"application_name": "two"}'),
	pg_temp.origin(at, n * 12, n * 12, '{"role": null, "backend_type": "walsender"}'))), pg_temp.usable(at)
FROM generate_series(1, 4) n, LATERAL (SELECT '2001-03-03 10:00:00+00'::timestamptz - (4 - n) * interval '15 s') AS v (at);
SELECT results_eq($$SELECT object, evidence ->> 'application_name' FROM pg_temp.verdict('2001-03-03 10:00:00+00')$$,
	$$VALUES ('role:app', 'two')$$, 'one finding per role');

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-02 02:10:00+00');
SELECT pg_temp.history('2001-03-03 12:00:00+00', '{4,11,19,25,31}');
SELECT pgdba.inject_sample('connections', '2001-03-03 12:00:00+00', '[{"connections": 31}]');
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2001-03-03 12:00:00+00');

-- Hostile names: quoted in the object and in the SQL.
SELECT pg_temp.history('2001-03-03 14:00:00+00', '{4,11,19,25,31}',
	jsonb_build_object('role', E'x''; DROP TABLE t; --', 'application_name', E'a\\''{role}'));
SELECT is(object, 'role:"x''; DROP TABLE t; --"', 'the object is quoted') FROM pg_temp.verdict('2001-03-03 14:00:00+00');
SELECT alike(sql, '%usename = ''x''''; DROP TABLE t; --'' AND application_name = %', 'so is the SQL')
FROM pg_temp.verdict('2001-03-03 14:00:00+00');
SELECT is(count(*), 2::bigint, 'which is one statement, with no end inside') FROM pg_temp.verdict('2001-03-03 14:00:00+00') v,
	LATERAL regexp_split_to_table(regexp_replace(v.sql, '''([^'']|'''')*''', '', 'g'), ';');

SELECT * FROM finish();
ROLLBACK;
