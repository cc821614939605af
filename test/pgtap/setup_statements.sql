-- setup.statements: the first step that is missing, once. Golden samples of 2001-07-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'setup.statements'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, preloaded bool, created bool, tracks bool) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('preflight', at, jsonb_build_array(
		jsonb_build_object('item', 'pg_stat_statements', 'ok', preloaded, 'detail', 'not preloaded',
			'line_to_add', 'shared_preload_libraries = ''pgdba,pg_stat_statements'''),
		jsonb_build_object('item', 'pg_stat_statements extension', 'ok', created, 'detail', 'not created',
			'line_to_add', 'CREATE EXTENSION pg_stat_statements;'),
		jsonb_build_object('item', 'pg_stat_statements.track', 'ok', tracks, 'detail', 'tracks none',
			'line_to_add', 'pg_stat_statements.track = top'),
		'{"item": "track_io_timing", "ok": false, "detail": "track_io_timing is off", "line_to_add": "track_io_timing = on"}'::jsonb))
$$;

SELECT pg_temp.inject('2001-07-05 01:00:00+00', true, true, true);
SELECT is(severity, 'ok', 'quiet when it is preloaded, created and tracks') FROM pg_temp.verdict('2001-07-05 01:00:00+00');

SELECT pg_temp.inject('2001-07-05 02:00:00+00', false, false, true);
SELECT results_eq($$SELECT severity, object, message, sql FROM pg_temp.verdict('2001-07-05 02:00:00+00')$$,
	$$VALUES ('info', 'setting:pg_stat_statements', 'not preloaded', NULL::text)$$, 'not preloaded comes first, and alone');
SELECT is(action, 'Set: shared_preload_libraries = ''pgdba,pg_stat_statements''. Restart the server, '
	'then run in the home database: CREATE EXTENSION pg_stat_statements;', 'with what comes after it')
FROM pg_temp.verdict('2001-07-05 02:00:00+00');
SELECT pg_temp.inject('2001-07-05 02:20:00+00', false, true, true);
SELECT is(action, 'Set: shared_preload_libraries = ''pgdba,pg_stat_statements''. Restart the server.', 'unless that is done')
FROM pg_temp.verdict('2001-07-05 02:20:00+00');

SELECT pg_temp.inject('2001-07-05 03:00:00+00', true, false, true);
SELECT results_eq($$SELECT severity, object, message, sql, lock_level, undo FROM pg_temp.verdict('2001-07-05 03:00:00+00')$$,
	$$VALUES ('info', 'setting:pg_stat_statements extension', 'not created', 'CREATE EXTENSION pg_stat_statements;', 'none',
		'DROP EXTENSION pg_stat_statements;')$$, 'not created: with the SQL, and what takes it back');

SELECT pg_temp.inject('2001-07-05 04:00:00+00', true, true, false);
SELECT results_eq($$SELECT severity, object, action, sql FROM pg_temp.verdict('2001-07-05 04:00:00+00')$$,
	$$VALUES ('info', 'setting:pg_stat_statements.track', 'Set: pg_stat_statements.track = top. A reload is enough.', NULL::text)$$,
	'tracks nothing');

-- Said once: setup.preflight has the rest.
SELECT pg_temp.inject('2001-07-05 05:00:00+00', false, false, false);
SELECT results_eq($$SELECT check_id, object FROM pgdba.verdicts_at('2001-07-05 05:00:00+00') WHERE area = 'setup' ORDER BY 1$$,
	$$VALUES ('setup.preflight', 'setting:track_io_timing'), ('setup.statements', 'setting:pg_stat_statements')$$,
	'setup.preflight does not say it again');

SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-07-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-07-05 06:00:00+00');
SELECT pgdba.inject_sample('preflight', '2001-07-05 07:00:00+00', '[{"item": "pg_stat_statements", "detail": "not known"}]');
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2001-07-05 07:00:00+00');

-- Hostile text stays text.
SELECT pgdba.inject_sample('preflight', '2001-07-05 08:00:00+00', jsonb_build_array(jsonb_build_object('item', 'pg_stat_statements',
	'ok', false, 'detail', 'in "x''; DROP {item}"', 'line_to_add', 'x = ''{detail}''')));
SELECT is(message, 'in "x''; DROP {item}"', 'a detail is printed as it is') FROM pg_temp.verdict('2001-07-05 08:00:00+00');
SELECT alike(action, 'Set: x = ''{detail}''.%', 'and so is a line') FROM pg_temp.verdict('2001-07-05 08:00:00+00');

-- The items are what pgdba.preflight() calls them.
SELECT is(count(*), 3::bigint, 'preflight has these items') FROM pgdba.preflight()
WHERE item IN ('pg_stat_statements', 'pg_stat_statements extension', 'pg_stat_statements.track');

SELECT * FROM finish();
ROLLBACK;
