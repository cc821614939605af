-- load(), waits(), top_load(), session_history(), and the probes wait_class and wait_event: golden samples of 2001-08-08, and a raw memory of
-- then in the place of the launcher's.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(61);

-- A minute: rows of probe wait as arrays (db, role, application, query, state, type, event, class, samples, seconds, blocked), and what
-- wait_tick said.
CREATE FUNCTION pg_temp.inject(at timestamptz, seen jsonb, tick jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('wait', at, (SELECT coalesce(jsonb_agg(jsonb_build_object('db', r -> 0, 'role', r -> 1, 'application_name', r -> 2,
			'query_id', r -> 3, 'state', r -> 4, 'event_type', r -> 5, 'event', r -> 6, 'class', r -> 7, 'samples', r -> 8, 'seconds', r -> 9,
			'blocked_seconds', coalesce(r -> 10, '0'), 'folded', r ->> 6 = 'other', 'span_seconds', coalesce(tick -> 'span_seconds', '60'))), '[]')
		FROM jsonb_array_elements(seen) r)),
		pgdba.inject_sample('wait_tick', at, jsonb_build_array('{"rate": 10, "ticks": 600, "span_seconds": 60, "gap_seconds": 0, "cpus": 2}' || tick))
$$;
CREATE FUNCTION pg_temp.at(moment text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('pgdba.as_of', moment, true) $$;

-- ---- a minute ----

SELECT pg_temp.inject('2001-08-08 01:01:00+00', '[
	["shop", "app", "web", 11, "active", "CPU", "CPU", "CPU", 600, 60],
	["shop", "app", "web", 12, "active", "CPU", "CPU", "CPU", 300, 30],
	["shop", "app", "job", 12, "active", "IO", "DataFileRead", "IO", 150, 15],
	["x\"; --", "o''b", "%s", 13, "active", "Lock", "transactionid", "Lock", 60, 6, 6],
	[null, null, null, null, "active", "Timeout", "VacuumDelay", "Timeout", 30, 3],
	[null, null, null, null, "active", "CPU", "other", "CPU", 20, 2],
	[null, null, null, null, "active", "IO", "other", "IO", 40, 4],
	["shop", "app", "web", 11, "idle in transaction", "Client", "ClientRead", "Client", 5000, 500],
	["shop", "app", "web", 11, "idle", "Client", "ClientRead", "Client", 5000, 500]]', '{"cpu_seconds": 69, "runnable_seconds": 23}');
SELECT pg_temp.at('2001-08-08 01:01:00+00');

SELECT results_eq($$SELECT class, sessions, round(share::numeric, 2), per_cpu, seconds, samples, cpus, observed_seconds, confident, reason
		FROM pgdba.load('1 minute') WHERE sessions > 0$$,
	$$VALUES ('total', 2::float8, 100.00, 1::float8, 120::float8, 1200::bigint, 2::float8, 60::float8, true, NULL::text),
		('CPU', 92/60::float8, 76.67, 92/120::float8, 92, 920, 2, 60, true, NULL), ('IO', 19/60::float8, 15.83, 19/120::float8, 19, 190, 2, 60, true, NULL),
		('Lock', 0.1, 5.00, 0.05, 6, 60, 2, 60, true, NULL), ('Timeout', 0.05, 2.50, 0.025, 3, 30, 2, 60, true, NULL)$$,
	'load: the total, then classes; who is idle is no load');
SELECT results_eq('SELECT class FROM pgdba.load(''1 minute'')',
	'{total,CPU,IO,Lock,LWLock,Client,IPC,Timeout,Extension,BufferPin,Activity,other}'::text[], 'every class has its row');
SELECT results_eq($$SELECT DISTINCT sessions, seconds, samples FROM pgdba.load('1 minute') WHERE class IN ('LWLock', 'Client', 'other')$$,
	$$VALUES (0::float8, 0::float8, 0::bigint)$$, 'with 0 where nobody was');
SELECT results_eq($$SELECT sum(seconds) FILTER (WHERE class = 'total') - sum(seconds) FILTER (WHERE class <> 'total'),
		sum(samples) FILTER (WHERE class = 'total') - sum(samples) FILTER (WHERE class <> 'total') FROM pgdba.load('1 minute')$$,
	'VALUES (0::float8, 0::numeric)', 'the total is that of the classes');
SELECT results_eq($$SELECT class, round(on_core_sessions::numeric, 6), round(runnable_sessions::numeric, 6), round(sessions::numeric, 6)
		FROM pgdba.load('1 minute') WHERE on_core_sessions IS NOT NULL OR runnable_sessions IS NOT NULL$$,
	$$VALUES ('CPU', 1.15, 0.383333, 1.533333)$$, 'class CPU is split as the system says, and only that');

SELECT results_eq($$SELECT name, class, seconds, samples, blocked_seconds, waits_for, folded FROM pgdba.waits('1 minute')$$,
	$$VALUES ('CPU', 'CPU', 92::float8, 920::bigint, 0::float8, NULL::text, false), ('IO:DataFileRead', 'IO', 15, 150, 0, NULL, false),
		('Lock:transactionid', 'Lock', 6, 60, 6, NULL, false), ('IO:other', 'IO', 4, 40, 0, NULL, true),
		('Timeout:VacuumDelay', 'Timeout', 3, 30, 0, NULL, false)$$, 'by event, the default; CPU is whole, whoever was on it');
SELECT results_eq($$SELECT name, seconds, blocked_seconds, waits_for, folded FROM pgdba.waits('1 minute', 'query')$$,
	$$VALUES ('11', 60::float8, 0::float8, 'CPU 100 %', false), ('12', 45, 0, 'CPU 67 %, IO:DataFileRead 33 %', false),
		('13', 6, 6, 'Lock:transactionid 100 %', false), ('other', 6, 0, 'IO:other 67 %, CPU 33 %', true), (NULL, 3, 0, 'Timeout:VacuumDelay 100 %', false)$$,
	'by query, with what it waits for; what has none is apart from what was folded');
SELECT results_eq($$SELECT name, seconds, round(share::numeric, 2), sessions FROM pgdba.waits('1 minute', 'database')$$,
	$$VALUES ('shop', 105::float8, 87.50, 1.75::float8), ('other', 6, 5.00, 0.1), ('x"; --', 6, 5.00, 0.1), (NULL, 3, 2.50, 0.05)$$, 'by database');
SELECT results_eq($$SELECT name, seconds FROM pgdba.waits('1 minute', 'role') WHERE NOT folded$$,
	$$VALUES ('app', 105::float8), ('o''b', 6), (NULL, 3)$$, 'by role');
SELECT results_eq($$SELECT name, seconds FROM pgdba.waits('1 minute', by => 'application') WHERE NOT folded$$,
	$$VALUES ('web', 90::float8), ('job', 15), ('%s', 6), (NULL, 3)$$, 'by application');
SELECT results_eq($$SELECT DISTINCT sum(w.seconds), sum(w.samples), round(sum(w.share)::numeric, 9), sum(w.sessions), sum(w.blocked_seconds)
		FROM unnest('{event,query,database,role,application}'::text[]) AS b (word) CROSS JOIN LATERAL pgdba.waits('1 minute', b.word) w GROUP BY b.word$$,
	$$SELECT seconds, samples::numeric, 100::numeric, sessions, 6::float8 FROM pgdba.load('1 minute') WHERE class = 'total'$$,
	'whatever it is by, it adds up to the load');

-- ---- which statement ----

SELECT pgdba.inject_sample('statement_text', '2001-08-08 01:00:30+00', '[{"db": "shop", "queryid": 11, "query": "SELECT eleven"},
	{"db": "x\"; --", "queryid": 12, "query": "of another database"}, {"db": "x\"; --", "queryid": 13, "query": "UPDATE \"%s\""}]');
SELECT results_eq($$SELECT query_id, database, share, sessions, seconds, samples, waits_for, query, folded, confident FROM pgdba.top_load('1 minute')$$,
	$$VALUES (11::bigint, 'shop', 50::float8, 1::float8, 60::float8, 600::bigint, 'CPU 100 %', 'SELECT eleven', false, true),
		(12, 'shop', 37.5, 0.75, 45, 450, 'CPU 67 %, IO:DataFileRead 33 %', NULL, false, true),
		(13, 'x"; --', 5, 0.1, 6, 60, 'Lock:transactionid 100 %', 'UPDATE "%s"', false, true),
		(NULL, NULL, 5, 0.1, 6, 60, 'IO:other 67 %, CPU 33 %', NULL, true, true),
		(NULL, NULL, 2.5, 0.05, 3, 30, 'Timeout:VacuumDelay 100 %', NULL, false, true)$$, 'top_load: statements, their texts of then, by database');
SELECT pg_temp.inject('2001-08-08 03:00:00+00', (SELECT jsonb_agg(jsonb_build_array('shop', 'app', 'web', i, 'active', 'CPU', 'CPU', 'CPU', 10, 1))
	FROM generate_series(1, 60) i));
SELECT pg_temp.at('2001-08-08 03:00:00+00');
SELECT results_eq($$SELECT count(*), round(sum(share)::numeric, 6) FROM pgdba.top_load('1 minute')$$, 'VALUES (50::bigint, 83.333333)',
	'no more than pgdba.top_queries, each with its share of all');
SELECT pg_temp.at('2001-08-08 01:01:00+00');
CREATE ROLE waits_reader;
GRANT USAGE ON SCHEMA pgdba TO waits_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgdba TO waits_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA pgdba TO waits_reader;
SET LOCAL ROLE waits_reader;
SELECT results_eq($$SELECT query_id, query FROM pgdba.top_load('1 minute') LIMIT 1$$, 'VALUES (11::bigint, NULL::text)',
	'no text for who may not see it');
RESET ROLE;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgdba FROM waits_reader;
SET LOCAL ROLE waits_reader;
SELECT throws_ok('SELECT * FROM pgdba.load()', '42501', NULL, 'load is for those who monitor');
SELECT throws_ok('SELECT * FROM pgdba.waits(''1 min'')', '42501', NULL, 'so is waits');
SELECT throws_ok('SELECT * FROM pgdba.top_load()', '42501', NULL, 'and top_load');
SELECT throws_ok('SELECT * FROM pgdba.session_history()', '42501', NULL, 'and session_history');
RESET ROLE;

-- ---- parts of minutes, gaps, few samples, none ----

SELECT pg_temp.at('2001-08-08 01:00:45+00');
SELECT results_eq($$SELECT sessions, seconds, observed_seconds, confident, reason FROM pgdba.load('15 s') WHERE class = 'total'$$,
	$$VALUES (NULL::float8, NULL::float8, NULL::float8, false, 'nothing was sampled in this time')$$, 'what was sampled later is not known yet');
SELECT pg_temp.at('2001-08-08 01:01:00+00');
SELECT results_eq($$SELECT sessions, seconds, samples, observed_seconds FROM pgdba.load('15 s') WHERE class = 'total'$$,
	$$VALUES (2::float8, 30::float8, 301::bigint, 15::float8)$$, 'a part of a minute: its share of it, whole samples of each row');
SELECT pg_temp.at('2001-08-08 01:01:20+00');
SELECT results_eq($$SELECT sessions, seconds, samples, observed_seconds FROM pgdba.load('1 minute') WHERE class = 'total'$$,
	$$VALUES (2::float8, 80::float8, 800::bigint, 40::float8)$$, 'what is after the last sample was not looked at');

SELECT pg_temp.inject('2001-08-08 01:02:00+00', '[["shop", "app", "web", 11, "active", "IO", "WalSync", "IO", 100, 10], ["shop", "app", "web", 11, "active", "LWLock", "WALWrite", "LWLock", 200, 20]]',
	'{"span_seconds": 20, "gap_seconds": 40, "cpus": 0.5}');
SELECT pg_temp.at('2001-08-08 01:02:00+00');
SELECT results_eq($$SELECT class, sessions, per_cpu, observed_seconds FROM pgdba.load('1 min') WHERE sessions > 0$$,
	$$VALUES ('total', 1.5::float8, 3::float8, 20::float8), ('IO', 0.5, 1, 20), ('LWLock', 1, 2, 20)$$, 'a gap is nobody''s: the load is that of the time that was seen');
SELECT results_eq($$SELECT sessions, seconds, samples, observed_seconds FROM pgdba.load('30 s') WHERE class = 'total'$$,
	$$VALUES (1.5::float8, 15::float8, 150::bigint, 10::float8)$$, 'of a part of that minute the same part was seen');
SELECT results_eq($$SELECT round(sessions::numeric, 6), seconds, samples, observed_seconds FROM pgdba.load('2 min') WHERE class = 'total'$$,
	$$VALUES (1.875, 150::float8, 1500::bigint, 80::float8)$$, 'two samples');
SELECT results_eq($$SELECT seconds, samples, observed_seconds FROM pgdba.load('90 s') WHERE class = 'total'$$,
	$$VALUES (90::float8, 900::bigint, 50::float8)$$, 'one and a half');
SELECT is(seconds, 10::float8, 'who writes a commit is apart') FROM pgdba.waits('1 min') WHERE name = 'IO:WalSync';
SELECT is(seconds, 20::float8, 'from who waits for that') FROM pgdba.waits('1 min') WHERE name = 'LWLock:WALWrite';
SELECT is(on_core_sessions, NULL, 'no split where the system does not tell') FROM pgdba.load('1 min') WHERE class = 'CPU';
SELECT results_eq($$SELECT DISTINCT confident, reason FROM pgdba.load('1 min')$$, 'VALUES (true, NULL::text)', '300 samples are enough');

SELECT pg_temp.inject('2001-08-08 01:03:00+00', '[["shop", "app", "web", 11, "active", "IO", "WalSync", "IO", 299, 29.9]]');
SELECT pg_temp.at('2001-08-08 01:03:00+00');
SELECT results_eq(format('SELECT DISTINCT confident, reason FROM pgdba.%s', call),
	$$VALUES (false, '299 samples of active sessions, fewer than the 300 that a verdict needs')$$, 'one less are not: ' || call)
FROM unnest('{load(''1 min''),waits(''1 min''),"waits(''1 min'', ''role'')",top_load(''1 min'')}'::text[]) AS call;
SELECT pg_temp.inject('2001-08-08 01:04:00+00', '[]');
SELECT pg_temp.at('2001-08-08 01:04:00+00');
SELECT results_eq($$SELECT sessions, share, seconds, samples, observed_seconds, confident, reason FROM pgdba.load('1 min') WHERE class = 'total'$$,
	$$VALUES (0::float8, NULL::float8, 0::float8, 0::bigint, 60::float8, false, '0 samples of active sessions, fewer than the 300 that a verdict needs')$$,
	'nobody active: 0, and no share of it');
SELECT is_empty($$SELECT * FROM pgdba.waits('1 min')$$, 'and nothing waited for');
SELECT pg_temp.at('2001-08-08 00:00:00+00');
SELECT results_eq($$SELECT count(*), count(sessions), count(seconds), bool_or(confident) FROM pgdba.load()$$, 'VALUES (12::bigint, 0::bigint, 0::bigint, false)',
	'nobody looked: unknown, not 0');
SELECT results_eq($$SELECT name, seconds, observed_seconds, confident, reason FROM pgdba.waits('1 min')$$,
	$$VALUES (NULL::text, NULL::float8, NULL::float8, false, 'nothing was sampled in this time')$$, 'waits says so');
SELECT results_eq($$SELECT query_id, seconds, observed_seconds, confident, reason FROM pgdba.top_load()$$,
	$$VALUES (NULL::bigint, NULL::float8, NULL::float8, false, 'nothing was sampled in this time')$$, 'so does top_load');

-- ---- what is refused ----

SELECT throws_ok($$SELECT * FROM pgdba.waits('1 min', 'Event')$$, '22023', 'cannot show waits by "Event"', 'another word');
SELECT throws_ok($$SELECT * FROM pgdba.waits('1 min', NULL)$$, '22023', 'cannot show waits by NULL', 'no word');
SELECT throws_ok(format('SELECT * FROM pgdba.%s', call), '22023', 'span must be positive', 'no time: ' || call)
FROM unnest('{load(''0''),waits(''-1 s''),top_load(NULL),session_history(span => ''0'')}'::text[]) AS call;
SELECT throws_ok($$SELECT * FROM pgdba.session_history(max_rows => 0)$$, '22023', 'max_rows must be positive', 'no row');

-- ---- the raw memory ----

CREATE TEMP TABLE raw (pid int, leader_pid int, query_id bigint, state text, event_type text, event text, class text, began timestamptz, ended timestamptz,
	blocked bool);
GRANT SELECT ON raw TO PUBLIC;
CREATE OR REPLACE FUNCTION pgdba.wait_runs_since() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT min(r.began) FROM pg_temp.raw r';
CREATE OR REPLACE FUNCTION pgdba.wait_runs(since timestamptz, until timestamptz)
	RETURNS TABLE (pid int, backend_start timestamptz, db text, role text, application_name text, backend_type text, state text, event_type text,
		event text, class text, query_id bigint, xact_start timestamptz, leader_pid int, blocked bool, began timestamptz, ended timestamptz,
		samples bigint, seconds float8)
	LANGUAGE sql STABLE AS $$
	SELECT r.pid, '2001-08-08 00:00:00+00'::timestamptz, 'shop', 'app', 'web', 'client backend', r.state, r.event_type, r.event, r.class, r.query_id,
		NULL::timestamptz, r.leader_pid, r.blocked, w.began, w.ended, (10 * extract(epoch FROM w.ended - w.began))::int8,
		extract(epoch FROM w.ended - w.began)::float8
	FROM pg_temp.raw r CROSS JOIN LATERAL (SELECT greatest(r.began, since) AS began, least(r.ended, until) AS ended) w
	WHERE w.began < w.ended
$$;
INSERT INTO raw VALUES
	(1, NULL, 21, 'active', 'CPU', 'CPU', 'CPU', '2001-08-08 04:02:30+00', '2001-08-08 04:04:00+00', false),
	(1, NULL, 21, 'active', 'IO', 'DataFileRead', 'IO', '2001-08-08 04:04:00+00', '2001-08-08 04:05:00+00', false),
	(2, 1, 21, 'active', 'CPU', 'CPU', 'CPU', '2001-08-08 04:04:30+00', '2001-08-08 04:05:00+00', false),
	(3, NULL, 22, 'active', 'Lock', 'relation', 'Lock', '2001-08-08 04:04:00+00', '2001-08-08 04:04:20+00', true),
	(3, NULL, 22, 'idle in transaction', 'Client', 'ClientRead', 'Client', '2001-08-08 04:04:20+00', '2001-08-08 04:05:00+00', false);
SELECT pg_temp.inject('2001-08-08 04:02:00+00', '[["shop", "app", "web", 21, "active", "CPU", "CPU", "CPU", 100, 10]]'),
	pg_temp.inject('2001-08-08 04:03:00+00', '[["shop", "app", "web", 23, "active", "CPU", "CPU", "CPU", 400, 40]]'),
	pg_temp.inject('2001-08-08 04:04:00+00', '[["shop", "app", "web", 23, "active", "CPU", "CPU", "CPU", 600, 60]]', '{"span_seconds": 50, "gap_seconds": 10}');

SELECT pg_temp.at('2001-08-08 04:05:00+00');
SELECT results_eq($$SELECT name, seconds, samples, blocked_seconds, observed_seconds FROM pgdba.waits('1 min')$$,
	$$VALUES ('IO:DataFileRead', 60::float8, 600::bigint, 0::float8, 60::float8), ('CPU', 30, 300, 0, 60), ('Lock:relation', 20, 200, 20, 60)$$,
	'a time that the raw memory has all of, to its end');
SELECT results_eq($$SELECT name, seconds, observed_seconds FROM pgdba.waits('2 min', 'query')$$,
	$$VALUES ('21', 150::float8, 110::float8), ('22', 20, 110)$$, 'also where there are samples, whose gaps are known');
SELECT results_eq($$SELECT name, seconds, observed_seconds FROM pgdba.waits('3 min', 'query')$$,
	$$VALUES ('23', 100::float8, 170::float8), ('21', 90, 170), ('22', 20, 170)$$,
	'one that begins before it: from samples, and what came after the last of them from the raw memory');
SELECT results_eq($$SELECT DISTINCT sum(w.seconds), sum(w.samples) FROM unnest('{event,query,database,role,application}'::text[]) AS b (word)
		CROSS JOIN LATERAL pgdba.waits('4 min', b.word) w GROUP BY b.word$$,
	$$SELECT seconds, samples::numeric FROM pgdba.load('4 min') WHERE class = 'total'$$, 'and adds up all the same');
SELECT pg_temp.at('2001-08-08 04:04:10+00');
SELECT results_eq($$SELECT name, seconds FROM pgdba.waits('20 s')$$, $$VALUES ('CPU', 10::float8), ('IO:DataFileRead', 10), ('Lock:relation', 10)$$,
	'parts of runs');

SELECT pg_temp.at('2001-08-08 04:05:00+00');
SELECT results_eq($$SELECT session_pid, began::time, seconds, state, event_type, event, statement_id, database, role, application_name, leader_pid, blocked
		FROM pgdba.session_history(1, span => '2 min')$$,
	$$VALUES (1, ('2001-08-08 04:03:00+00'::timestamptz)::time, 60::float8, 'active', 'CPU', 'CPU', 21::bigint, 'shop', 'app', 'web', NULL::int, false),
		(1, ('2001-08-08 04:04:00+00'::timestamptz)::time, 60, 'active', 'IO', 'DataFileRead', 21, 'shop', 'app', 'web', NULL, false),
		(2, ('2001-08-08 04:04:30+00'::timestamptz)::time, 30, 'active', 'CPU', 'CPU', 21, 'shop', 'app', 'web', 1, false)$$,
	'a session, with its parallel workers');
SELECT results_eq($$SELECT session_pid, state, event, blocked FROM pgdba.session_history(query_id => 22)$$,
	$$VALUES (3, 'active', 'relation', true), (3, 'idle in transaction', 'ClientRead', false)$$, 'who ran a statement');
SELECT results_eq($$SELECT count(*), min(session_pid), max(session_pid) FROM pgdba.session_history(max_rows => 2)$$, 'VALUES (2::bigint, 2, 3)',
	'all sessions; the newest where there are many');
SELECT is_empty('SELECT * FROM pgdba.session_history(1, 22)', 'a session that did not run it');
SELECT pg_temp.at('2001-08-08 04:00:00+00');
SELECT is_empty('SELECT * FROM pgdba.session_history()', 'before the raw memory begins');

-- Where the raw memory does not reach back to the newest sample, what probe wait would return now is taken, in proportion. Between two samples: at
-- most one of the attempts meets one.
SELECT pg_temp.at('');
CREATE OR REPLACE FUNCTION pgdba.wait_runs_since() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT statement_timestamp()';
CREATE OR REPLACE FUNCTION pgdba.wait_now() RETURNS TABLE (db text, role text, application_name text, query_id bigint, state text, event_type text,
		event text, class text, samples bigint, seconds float8, blocked_seconds float8, folded bool, span_seconds float8)
	LANGUAGE sql STABLE AS $$
	SELECT 'shop', 'app', 'now', NULL::bigint, 'active', 'CPU', 'CPU', 'CPU', 400::bigint, 40::float8, 0::float8, false, 60::float8
$$;
CREATE TEMP TABLE attempt AS SELECT name, sessions, seconds, observed_seconds FROM pgdba.waits('1 ms', 'application');
SELECT pg_sleep(0.2);
INSERT INTO attempt SELECT name, sessions, seconds, observed_seconds FROM pgdba.waits('1 ms', 'application');
SELECT ok(EXISTS (SELECT FROM attempt WHERE name = 'now' AND abs(sessions - 40 / 60.0) < 0.000001 AND abs(observed_seconds - 0.001) < 0.000001),
	'what came since the newest sample');

-- ---- probes ----

CREATE FUNCTION pg_temp.returned(probe text, at text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.at(at);
	RETURN QUERY EXECUTE format('SELECT to_jsonb(r) FROM (%s) r', (SELECT p.query FROM pgdba.probe p WHERE p.name = probe));
END
$$;
SELECT pgdba.inject_sample('checkpoint', '2001-08-08 01:05:00+00', '[{}]'), -- the tick
	pgdba.inject_sample('wait', '2001-08-08 01:05:00+00', '[
	{"db": "a", "query_id": 1, "state": "active", "event_type": "CPU", "event": "CPU", "class": "CPU", "samples": 100, "seconds": 10, "span_seconds": 20},
	{"state": "active", "event_type": "CPU", "event": "other", "class": "CPU", "samples": 50, "seconds": 5, "span_seconds": 20, "folded": true},
	{"db": "a", "query_id": 2, "state": "active", "event_type": "IO", "event": "WalSync", "class": "IO", "samples": 10, "seconds": 1, "span_seconds": 20},
	{"db": "b", "query_id": 2, "state": "active", "event_type": "IO", "event": "WalSync", "class": "IO", "samples": 10, "seconds": 1, "span_seconds": 20},
	{"db": "b", "query_id": 2, "state": "idle", "event_type": "Client", "event": "ClientRead", "class": "Client", "samples": 9, "seconds": 9, "span_seconds": 20}]');
SELECT results_eq($$SELECT r ->> 'class', (r ->> 'sessions')::numeric, (r ->> 'samples')::int FROM pg_temp.returned('wait_class', '2001-08-08 01:05:00+00') r$$,
	$$VALUES ('CPU', 0.75, 150), ('IO', 0.1, 20), ('Lock', 0, 0), ('LWLock', 0, 0), ('Client', 0, 0), ('IPC', 0, 0), ('Timeout', 0, 0), ('Extension', 0, 0),
		('BufferPin', 0, 0), ('Activity', 0, 0), ('other', 0, 0)$$, 'wait_class: what is active, every class');
SELECT results_eq($$SELECT r ->> 'event_type', r ->> 'type', r ->> 'event', (r ->> 'sessions')::numeric, (r ->> 'seconds')::int
		FROM pg_temp.returned('wait_event', '2001-08-08 01:05:00+00') r ORDER BY 1$$,
	$$VALUES ('CPU', 'CPU', 'CPU', 0.75, 15), ('IO', 'IO', 'WalSync', 0.1, 2)$$, 'wait_event: the same by event');
SELECT pgdba.inject_sample('checkpoint', '2001-08-08 01:06:00+00', '[{}]');
SELECT is_empty($$SELECT pg_temp.returned('wait_class', '2001-08-08 01:06:00+00')$$, 'a sample of wait that is not of this tick is not taken for one');
SELECT is_empty($$SELECT pg_temp.returned('wait_event', '2001-08-08 01:06:00+00')$$, 'by neither');
SELECT pgdba.inject_sample('checkpoint', '2001-08-08 01:07:00+00', '[{}]'), pgdba.inject_sample('wait', '2001-08-08 01:07:00+00', '[]');
SELECT results_eq($$SELECT count(*), sum((r ->> 'sessions')::numeric) FROM pg_temp.returned('wait_class', '2001-08-08 01:07:00+00') r$$,
	'VALUES (11::bigint, 0::numeric)', 'nobody was active: 0');

SELECT * FROM finish();
ROLLBACK;
