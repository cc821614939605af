-- Incidents: when one begins and ends, what the limits leave out, and what its record holds. Golden samples of 2004.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(37);

-- One tick: the verdicts, judged by the probe a second later, which reads what it said the last time.
CREATE FUNCTION pg_temp.verdict(check_id text, object text, since timestamptz, severity text DEFAULT 'critical', more jsonb DEFAULT '{}')
	RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('check_id', check_id, 'object', object, 'since', since, 'severity', severity, 'message', 'm of ' || object,
		'value', 7, 'unit', 'seconds', 'db', 'shop') || more
$$;
CREATE FUNCTION pg_temp.tick(at timestamptz, VARIADIC verdicts jsonb[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pgdba.inject_sample('verdict', at, to_jsonb(verdicts || pg_temp.verdict('quiet.check', 'cluster', at, 'ok')));
	PERFORM set_config('pgdba.as_of', (at + interval '0.5 s')::text, true);
	PERFORM pgdba.inject_sample('incident', at + interval '1 s', (SELECT coalesce(jsonb_agg(to_jsonb(i)), '[]') FROM pgdba.incident_rows() i));
	PERFORM set_config('pgdba.as_of', (at + interval '1 s')::text, true);
	RETURN;
END
$$;
CREATE FUNCTION pg_temp.micros(timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT (extract(epoch FROM $1) * 1e6)::int8';

-- ---- beginning and end ----

SELECT pg_temp.tick('2004-01-01 01:00:00+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 00:50:00+00', 'warning'));
SELECT is_empty('SELECT * FROM pgdba.last_incident', 'a warning is none');
SELECT pg_temp.tick('2004-01-01 01:00:15+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:00:14+00'));
SELECT results_eq('SELECT id, began, check_id, object, db, message, value, unit, since, ended, suppressed FROM pgdba.last_incident',
	$$VALUES (1072918815000000, timestamptz '2004-01-01 01:00:15+00', 'a.one', 'cluster', 'shop', 'm of cluster', 7::float8, 'seconds',
		timestamptz '2004-01-01 01:00:14+00', NULL::timestamptz, 0::bigint)$$, 'one that is critical begins an incident, its id is the time');
SELECT is(id, pg_temp.micros(began), 'in microseconds') FROM pgdba.last_incident;
SELECT pg_temp.tick('2004-01-01 01:00:30+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:00:14+00', more => '{"message": "worse", "value": 9}'));
SELECT results_eq('SELECT count(*)::int, min(message) FROM pgdba.last_incident', $$VALUES (1, 'm of cluster')$$, 'what goes on begins no other, and is not rewritten');
SELECT pg_temp.tick('2004-01-01 01:00:45+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:00:45+00', 'warning'));
SELECT is(ended, NULL, 'it does not end at once') FROM pgdba.last_incident;
SELECT pg_temp.tick('2004-01-01 01:10:29+00');
SELECT is(ended, NULL, 'nor within ten minutes') FROM pgdba.last_incident;
SELECT pg_temp.tick('2004-01-01 01:10:30+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:10:30+00'));
SELECT results_eq('SELECT count(*)::int, max(ended) FROM pgdba.last_incident', 'VALUES (1, NULL::timestamptz)', 'what comes back is the same incident');
SELECT pg_temp.tick('2004-01-01 01:10:45+00');
SELECT pg_temp.tick('2004-01-01 01:15:00+00');
SELECT pg_temp.tick('2004-01-01 01:21:00+00');
SELECT is(ended, '2004-01-01 01:10:45+00', 'it ended when it was quiet first, known ten minutes later') FROM pgdba.last_incident;
SELECT pg_temp.tick('2004-01-01 01:22:00+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:21:00+00'));
SELECT results_eq('SELECT began, ended FROM pgdba.last_incident ORDER BY id',
	$$VALUES (timestamptz '2004-01-01 01:00:15+00', timestamptz '2004-01-01 01:10:45+00'), ('2004-01-01 01:22:00+00', NULL)$$, 'then it is another');
SELECT pg_temp.tick('2004-01-02 01:10:00+00', pg_temp.verdict('a.one', 'cluster', '2004-01-01 01:21:00+00'));
SELECT results_eq('SELECT began FROM pgdba.last_incident', $$VALUES (timestamptz '2004-01-01 01:22:00+00')$$, 'the list is of a day, and of what is open');
SELECT results_eq($$SELECT at, ended, check_id, object, database, message FROM pgdba.incidents WHERE at > '2004-01-01'$$,
	$$VALUES (timestamptz '2004-01-01 01:22:00+00', NULL::timestamptz, 'a.one', 'cluster', 'shop', 'm of cluster'),
		('2004-01-01 01:00:15+00', '2004-01-01 01:10:45+00', 'a.one', 'cluster', 'shop', 'm of cluster')$$, 'history has both');

-- Nothing was judged for long, as when the server was down.
SELECT pg_temp.tick('2004-01-03 12:00:00+00');
SELECT is(ended, '2004-01-03 12:00:00+00', 'what is over after a gap has ended when that is known') FROM pgdba.last_incident;

-- ---- limits ----

SELECT pgdba.inject_sample('incident', '2004-01-31 00:00:00+00', '[]');
SELECT pg_temp.tick('2004-02-01 01:00:00+00', VARIADIC ARRAY(SELECT pg_temp.verdict('a.one', 'relation:d/s.' || n, '2004-02-01 00:59:00+00')
	FROM generate_series(1, 5) n));
SELECT results_eq('SELECT count(*)::int, max(suppressed)::int FROM pgdba.last_incident', 'VALUES (3, 2)', 'three of one check, two are counted');
SELECT is(count(DISTINCT id)::int, 3, 'each has an id of its own') FROM pgdba.last_incident;
SELECT pg_temp.tick('2004-02-01 01:30:00+00', VARIADIC ARRAY(SELECT pg_temp.verdict('a.one', 'relation:d/s.' || n, '2004-02-01 00:59:00+00')
	FROM generate_series(1, 5) n) || pg_temp.verdict('b.two', 'cluster', '2004-02-01 01:30:00+00'));
SELECT results_eq('SELECT check_id, count(*)::int, max(suppressed)::int FROM pgdba.last_incident GROUP BY 1 ORDER BY 1',
	$$VALUES ('a.one', 3, 2), ('b.two', 1, 2)$$, 'another check has its own');
SELECT pg_temp.tick('2004-02-01 02:00:01+00', VARIADIC ARRAY(SELECT pg_temp.verdict('a.one', 'relation:d/s.' || n, '2004-02-01 00:59:00+00')
	FROM generate_series(1, 5) n));
SELECT is(count(*)::int, 5, 'what still stands an hour later gets one') FROM pgdba.last_incident WHERE check_id = 'a.one';

SELECT pgdba.inject_sample('incident', '2004-02-29 00:00:00+00', '[]');
SELECT pg_temp.tick('2004-03-01 01:00:00+00', VARIADIC ARRAY(SELECT pg_temp.verdict('a.c' || n, 'cluster', '2004-03-01 00:59:00+00', more =>
	CASE WHEN n < 7 THEN '{"symptom_of": "a.c9"}'::jsonb ELSE '{}' END) FROM generate_series(1, 15) n));
SELECT results_eq('SELECT count(*)::int, max(suppressed)::int FROM pgdba.last_incident', 'VALUES (10, 5)', 'ten in an hour');
SELECT is(count(*)::int, 9, 'causes before symptoms') FROM pgdba.last_incident WHERE substr(check_id, 4)::int >= 7;
SELECT pg_temp.tick('2004-03-01 01:00:00+00'::timestamptz + hour * interval '61 min', VARIADIC ARRAY(
	SELECT pg_temp.verdict('a.d' || hour || '_' || n, 'cluster', '2004-03-01 01:00:00+00') FROM generate_series(1, 15) n)) FROM generate_series(1, 4) hour;
SELECT is(count(*)::int, 30, 'thirty in a day') FROM pgdba.last_incident;
SELECT is(count(*)::int, 30, 'and no more in the history') FROM pgdba.incidents WHERE at >= '2004-03-01';

-- ---- what it holds ----

-- History has a sample twice when it is injected twice: each run of this test has a day of its own.
CREATE TEMP TABLE began AS SELECT '2004-04-01 01:00:00+00'::timestamptz + pg_backend_pid() % 1000 * interval '3 days' AS at;
GRANT SELECT ON began TO PUBLIC;

SELECT pgdba.inject_sample('activity', at - interval '1 s', (SELECT jsonb_agg(jsonb_build_object('pid', n, 'backend_start', '2004-01-01 00:00:00+00',
	'db', 'shop', 'state', CASE WHEN n % 2 = 0 THEN 'idle' ELSE 'active' END, 'query', 'SELECT secret', 'query_id', 10 + n,
	'application_name', repeat('é"\', 30))) FROM generate_series(1, 600) n)) FROM began;
SELECT pgdba.inject_sample('slow_session', at - interval '1 s', '[{"pid": 3, "backend_start": "2004-01-01 00:00:00+00", "began": "2004-01-01 00:00:00+00", "db": "shop", "query_id": 13}]') FROM began;
SELECT pgdba.inject_sample('setting', at - interval '23:55:00', '[{"name": "work_mem", "value": "1", "pending_restart": false}, {"name": "port", "value": "1", "pending_restart": false}]') FROM began;
SELECT pgdba.inject_sample('setting', at - interval '1 min', '[{"name": "work_mem", "value": "2", "pending_restart": false}, {"name": "port", "value": "1", "pending_restart": false}]') FROM began;
SELECT pgdba.inject_sample('incident', at - interval '1 day', '[]') FROM began;
SELECT pg_temp.tick(at, VARIADIC ARRAY(SELECT pg_temp.verdict('a.one', 'relation:d/s.' || n, at - interval '1 min', more =>
	jsonb_build_object('evidence', jsonb_build_object('x', repeat('é', CASE n WHEN 1 THEN 3000 ELSE 1 END)))) FROM generate_series(1, 300) n)) FROM began;
CREATE TEMP TABLE kept AS SELECT contents AS r, texts FROM began, pgdba.incident_record(at);
GRANT SELECT ON kept TO PUBLIC;
SELECT cmp_ok(octet_length(r::text), '<', 128 * 1024, 'a record is bounded') FROM kept;
SELECT is(r -> 'unavailable', '{}', 'all of it could be read') FROM kept;
SELECT cmp_ok((r -> 'cut' -> 'activity' ->> 'kept')::int, '<', 300, 'what was cut is said') FROM kept;
SELECT is(r -> 'cut' -> 'activity' -> 'of', '300', 'of how many; idle sessions are not in it') FROM kept;
SELECT is((r -> 'cut' -> 'activity' ->> 'kept')::int, jsonb_array_length(r -> 'activity'), 'as many as there are') FROM kept;
SELECT is(r -> 'verdicts' -> 0 -> 'object', '"relation:d/s.1"', 'verdicts') FROM kept;
SELECT ok(NOT r -> 'verdicts' -> 0 ? 'evidence' AND r -> 'verdicts' -> 1 ? 'evidence', 'without evidence that is too long') FROM kept;
SELECT is(r -> 'slow_sessions' -> 0 -> 'pid', '3', 'slow sessions') FROM kept;
SELECT is(r -> 'settings', jsonb_build_array(jsonb_build_object('name', 'work_mem', 'since', at - interval '23:55:00', 'value', '2', 'before', '1',
	'pending_restart', false)), 'changed settings') FROM kept, began;
SELECT unalike(r::text, '%secret%', 'no text of a statement') FROM kept;

-- The probe says it once.
SELECT is(count(*)::int, 1, 'a new incident is recorded') FROM pgdba.incident_record_rows();
SELECT pgdba.inject_sample('incident_record', at + interval '1 s', (SELECT jsonb_agg(to_jsonb(r) || '{"texts": [{"query": "SELECT $1"}]}') FROM pgdba.incident_record_rows() r)) FROM began;
SELECT is(count(*)::int, 0, 'only once') FROM pgdba.incident_record_rows();
CREATE FUNCTION pg_temp.first() RETURNS bigint LANGUAGE sql AS 'SELECT pg_temp.micros(at) FROM began';
SELECT is(i -> 'object', '"relation:d/s.1"', 'incident() has the incident') FROM pgdba.incident(pg_temp.first()) i;
SELECT is(i -> 'record' -> 'settings' -> 0 ->> 'name', 'work_mem', 'with its record') FROM pgdba.incident(pg_temp.first() + 2) i;
SELECT is(i -> 'texts', '[{"query": "SELECT $1"}]', 'and the texts') FROM pgdba.incident(pg_temp.first() + 2) i;
SELECT is(pgdba.incident(1), NULL, 'none with that id');

CREATE ROLE pgdba_incident_reader;
GRANT USAGE ON SCHEMA pgdba TO pgdba_incident_reader;
GRANT EXECUTE ON FUNCTION pgdba.incident, pgdba.incident_list, pgdba.require_preload TO pgdba_incident_reader;
GRANT SELECT ON pgdba.hist_incident, pgdba.hist_incident_record TO pgdba_incident_reader;
SELECT pg_temp.first() AS first \gset
SET LOCAL ROLE pgdba_incident_reader;
SELECT ok(i ? 'record' AND NOT i ? 'texts', 'who may not see texts gets none') FROM pgdba.incident(:first) i;
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
