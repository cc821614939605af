-- Slow sessions: who counts as slow, what is said to do next, and the story of several samples. Golden samples of 2003-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(28);
SELECT is(current_setting('pgdba.slow_session')::interval, '10 s', 'the limit of this test is the default');

CREATE FUNCTION pg_temp.session(pid int, at timestamptz, seconds float8, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('pid', pid, 'backend_start', '2003-01-01 00:00:00.25+00', 'db', 'shop', 'role', 'app',
		'backend_type', 'client backend', 'state', 'active', 'xact_start', at - make_interval(secs => seconds),
		'query_start', at - make_interval(secs => seconds), 'state_change', at - make_interval(secs => seconds), 'query_id', 10 + pid) || more
$$;
CREATE FUNCTION pg_temp.sample(at timestamptz, VARIADIC sessions jsonb[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pgdba.inject_sample('activity', at, to_jsonb(sessions));
	PERFORM set_config('pgdba.as_of', at::text, true);
	RETURN;
END
$$;

-- Quiet.
SELECT pg_temp.sample(at, pg_temp.session(1, at, 10), pg_temp.session(2, at, 9999, '{"state": "idle", "xact_start": null}'),
	pg_temp.session(3, at, 9999, '{"backend_type": "walsender", "xact_start": null}'),
	pg_temp.session(4, at, 9999, '{"backend_type": "parallel worker", "leader_pid": 1}'),
	pg_temp.session(5, at, 9999, '{"backend_type": "pgdba reader"}'),
	pg_temp.session(6, at, 9999, '{"backend_type": null, "backend_start": null}'))
FROM (VALUES ('2003-01-01 01:00:00+00'::timestamptz)) AS v (at);
SELECT is_empty('SELECT * FROM pgdba.slow_session_rows()',
	'quiet at the limit, and for idle sessions, streaming, parallel workers, our own, and what is hidden');

-- Statements and transactions.
SELECT pg_temp.sample(at, pg_temp.session(1, at, 10.1),
	pg_temp.session(2, at, 60, '{"state": "idle in transaction"}'), pg_temp.session(3, at, 50, '{"state": "idle in transaction (aborted)"}'),
	pg_temp.session(4, at, 40) || jsonb_build_object('query_start', at - interval '3 s'),
	pg_temp.session(5, at, 39) || jsonb_build_object('query_start', at - interval '38.99 s'),
	pg_temp.session(6, at, 5, '{"command": "VACUUM"}') || jsonb_build_object('query_start', at - interval '900 s'),
	pg_temp.session(7, at, 20, '{"wait_event_type": "Client", "wait_event": "ClientWrite"}'))
FROM (VALUES ('2003-01-01 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq('SELECT pid, kind, round(seconds::numeric, 2) FROM pgdba.slow_session_rows()',
	$$VALUES (6::bigint, 'statement', 900.00), (2, 'transaction', 60), (3, 'transaction', 50), (4, 'transaction', 40),
		(5, 'statement', 39), (7, 'statement', 20), (1, 'statement', 10.1)$$, 'the oldest first; a command of many transactions by its statement');
CREATE FUNCTION pg_temp.step(bigint) RETURNS text LANGUAGE sql AS 'SELECT next_step FROM pgdba.slow_session_rows() WHERE pid = $1';
SELECT matches(pg_temp.step(1), '^Wait for it, .*pg_cancel_backend\(1\)\.$', 'a statement');
SELECT matches(pg_temp.step(2), '^Commit or roll back', 'an idle transaction');
SELECT matches(pg_temp.step(3), '^Roll back', 'a failed one');
SELECT matches(pg_temp.step(4), 'smaller ones', 'a transaction of many statements');
SELECT is(pg_temp.step(6), 'Let its VACUUM finish.', 'a command');
SELECT matches(pg_temp.step(7), 'client', 'one whose client does not read');
SELECT is(slow_sessions, 7::bigint, 'all are counted') FROM pgdba.slow_session_rows() LIMIT 1;

-- Blocked: the root is named, not who stands between.
SELECT pg_temp.sample(at, pg_temp.session(1, at, 60, '{"state": "idle in transaction", "application_name": "café \"x\""}'),
	pg_temp.session(2, at, 50, '{"blocked_by": [1]}'), pg_temp.session(3, at, 40, '{"blocked_by": [2]}'),
	pg_temp.session(4, at, 30, '{"blocked_by": [0]}'), pg_temp.session(5, at, 30, '{"blocked_by": [6]}'), pg_temp.session(6, at, 30, '{"blocked_by": [5]}'),
	pg_temp.session(7, at, 25), pg_temp.session(8, at, 20, '{"blocked_by": [1, 7]}'))
FROM (VALUES ('2003-01-01 03:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq('SELECT pid, roots FROM pgdba.slow_session_rows() WHERE blocked_by IS NOT NULL ORDER BY pid',
	$$VALUES (2::bigint, '[1]'::jsonb), (3, '[1]'), (4, '[0]'), (5, NULL), (6, NULL), (8, '[1, 7]')$$, 'roots');
SELECT is(pg_temp.step(3), 'It waits for session 1 (role app, application café "x", idle in transaction for 1 min): commit or roll back there.', 'the root of a chain');
SELECT matches(pg_temp.step(4), 'ROLLBACK PREPARED', 'a prepared transaction');
SELECT matches(pg_temp.step(5), 'deadlock', 'a circle');
SELECT matches(pg_temp.step(8), 'session 1 .* and 1 more: ', 'two roots');

-- What must never be ended.
SELECT pg_temp.sample(at, pg_temp.session(1, at, 60, '{"backend_type": "walsender"}'),
	pg_temp.session(2, at, 60, '{"backend_type": "walsender", "xact_start": null, "command": "BASEBACKUP"}'),
	pg_temp.session(3, at, 60, '{"application_name": "pg_dump"}'), pg_temp.session(4, at, 60, '{"backend_type": "autovacuum worker", "command": "VACUUM"}'),
	pg_temp.session(5, at, 60, '{"backend_type": "logical replication worker"}'),
	pg_temp.session(6, at, 60, '{"application_name": "pg_dump", "state": "idle in transaction"}'),
	pg_temp.session(11, at, 50, '{"blocked_by": [1]}'), pg_temp.session(12, at, 50, '{"blocked_by": [3]}'),
	pg_temp.session(13, at, 50, '{"blocked_by": [4]}'), pg_temp.session(14, at, 50, '{"blocked_by": [5]}'))
FROM (VALUES ('2003-01-01 04:00:00+00'::timestamptz)) AS v (at);
SELECT is(count(*)::int, 10, 'all are slow') FROM pgdba.slow_session_rows();
SELECT is_empty($$SELECT pid, next_step FROM pgdba.slow_session_rows() WHERE next_step ~* 'cancel|terminate|roll back'$$,
	'nothing suggests to end replication, a backup, a vacuum or a worker');
SELECT is_empty($$SELECT pid, next_step FROM pgdba.slow_session_rows() WHERE next_step !~ '[Ll]et (it|the vacuum) finish'$$, 'but to let it finish');

-- Waits go on from the sample before, of the same transaction only; ten events and the rest.
SELECT pgdba.inject_sample('slow_session', at, jsonb_build_array(
	jsonb_build_object('pid', 1, 'backend_start', '2003-01-01 00:00:00.25+00', 'began', at - interval '30 s', 'watched_seconds', 78, 'waits',
		(SELECT jsonb_object_agg('IO:E' || n, n) FROM generate_series(1, 12) n)),
	jsonb_build_object('pid', 2, 'backend_start', '2003-01-01 00:00:00.25+00', 'began', at - interval '31 s', 'watched_seconds', 5, 'waits', '{"CPU": 5}'::jsonb)))
FROM (VALUES ('2003-01-01 05:00:00+00'::timestamptz)) AS v (at);
SELECT pg_temp.sample(at + interval '15 s', pg_temp.session(1, at, 30), pg_temp.session(2, at, 30))
FROM (VALUES ('2003-01-01 05:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq('SELECT pid, waits, watched_seconds FROM pgdba.slow_session_rows() ORDER BY pid',
	$$VALUES (1::bigint, jsonb '{"IO:E3": 3, "IO:E4": 4, "IO:E5": 5, "IO:E6": 6, "IO:E7": 7, "IO:E8": 8, "IO:E9": 9, "IO:E10": 10, "IO:E11": 11, "IO:E12": 12, "other": 3}', 78::float8),
		(2, '{}', 0)$$, 'waits of before are added up, the smallest as other');

-- Many.
SELECT pg_temp.sample(at, VARIADIC ARRAY(SELECT pg_temp.session(n, at, 10 + n) FROM generate_series(1, 250) n))
FROM (VALUES ('2003-01-01 06:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq('SELECT count(*), max(pid), min(pid), max(slow_sessions) FROM pgdba.slow_session_rows()',
	'VALUES (100::bigint, 250::bigint, 151::bigint, 250::bigint)', 'a hundred at most, those that began first');

-- A queue of 500 behind one.
SELECT pg_temp.sample(at, VARIADIC ARRAY(SELECT pg_temp.session(1, at, 999) UNION ALL
	SELECT pg_temp.session(n, at, 700 - n) || jsonb_build_object('blocked_by', (SELECT jsonb_agg(b) FROM generate_series(1, least(n - 1, 5)) b))
	FROM generate_series(2, 501) n))
FROM (VALUES ('2003-01-01 07:00:00+00'::timestamptz)) AS v (at);
SELECT is(count(*)::int, 99, 'all of a long queue have its root') FROM pgdba.slow_session_rows() WHERE roots = '[1]';

-- The stories.
SELECT pgdba.inject_sample('slow_session', '2003-01-01 08:00:00+00', '[
	{"pid": 1, "backend_start": "2003-01-01 07:00:00+00", "began": "2003-01-01 07:59:00+00", "seconds": 60, "kind": "statement", "query_id": 5, "waits": {"CPU": 60}, "roots": [7]},
	{"pid": 2, "backend_start": "2003-01-01 07:00:00+00", "began": "2003-01-01 07:59:45+00", "seconds": 15, "kind": "statement", "query_id": 5, "waits": {}}]');
SELECT pgdba.inject_sample('slow_session', '2003-01-01 08:00:15+00', '[
	{"pid": 1, "backend_start": "2003-01-01 07:00:00+00", "began": "2003-01-01 07:59:00+00", "seconds": 75, "kind": "transaction", "query_id": 6, "waits": {"CPU": 60, "IO:DataFileRead": 15}, "roots": [8]}]');
SELECT pgdba.inject_sample('slow_session', '2003-01-01 08:00:30+00', '[
	{"pid": 1, "backend_start": "2003-01-01 07:00:00+00", "began": "2003-01-01 08:00:16+00", "seconds": 14, "kind": "statement", "db": "shop", "query_id": 7, "waits": {}}]');
SELECT pgdba.inject_sample('statement_text', '2003-01-01 08:00:00+00', '[{"db": "shop", "queryid": 7, "query": "SELECT pg_sleep($1)"}]');
SELECT pg_temp.sample(at, pg_temp.session(1, at, 14)) FROM (VALUES ('2003-01-01 08:00:30+00'::timestamptz)) AS v (at);
SELECT results_eq('SELECT pid, seconds, kind, running, query_ids, top_wait, roots FROM pgdba.slow_sessions()',
	$$VALUES (1::bigint, 75::float8, 'transaction', false, '{5,6}'::bigint[], 'CPU', '[7, 8]'::jsonb), (2, 15, 'statement', false, '{5}', NULL, NULL),
		(1, 14, 'statement', true, '{7}', NULL, NULL)$$, 'a row per transaction, with all of it');
SELECT is(waits, '{"CPU": 60, "IO:DataFileRead": 15}', 'waits as they were at last') FROM pgdba.slow_sessions() WHERE seconds = 75;
SELECT is(query, 'SELECT pg_sleep($1)', 'the text of its statement') FROM pgdba.slow_sessions() WHERE running;
SELECT is(count(*)::int, 1, 'only those of the span') FROM pgdba.slow_sessions('10 s');
SELECT throws_ok('SELECT * FROM pgdba.slow_sessions(NULL)', '22023', NULL, 'a span of nothing');
SELECT throws_ok($$SELECT * FROM pgdba.slow_sessions('-1 s')$$, '22023', NULL, 'or backwards');

CREATE ROLE pgdba_slow_reader;
GRANT USAGE ON SCHEMA pgdba TO pgdba_slow_reader;
GRANT EXECUTE ON FUNCTION pgdba.slow_sessions, pgdba.require_preload TO pgdba_slow_reader;
GRANT SELECT ON pgdba.last_activity, pgdba.hist_slow_session, pgdba.last_statement_text TO pgdba_slow_reader;
SET LOCAL ROLE pgdba_slow_reader;
SELECT results_eq('SELECT count(*)::int, count(query)::int FROM pgdba.slow_sessions()', 'VALUES (3, 0)', 'no text for who may not see texts');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
