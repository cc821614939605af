-- settings.pending_restart: one finding for all that wait. Golden samples of 2001-08-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'settings.pending_restart'
$$;
-- These wait; work_mem does not.
CREATE FUNCTION pg_temp.inject(at timestamptz, VARIADIC waiting text[]) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('setting', at, '[{"name": "work_mem", "value": "4096", "unit": "kB", "pending_restart": false}]'
		|| coalesce(jsonb_agg(jsonb_build_object('name', w.name, 'value', '100', 'unit', '8kB', 'file_value', '2GB',
			'pending_restart', true, 'in_file', true, 'is_set', true)), '[]'))
	FROM unnest(waiting) AS w (name)
$$;

SELECT pg_temp.inject('2001-08-03 01:00:00+00', VARIADIC '{}');
SELECT is(severity, 'ok', 'quiet when nothing waits') FROM pg_temp.verdict('2001-08-03 01:00:00+00');
SELECT pg_temp.inject('2001-08-03 01:10:00+00', 'shared_buffers');
SELECT results_eq($$SELECT severity, object, database, value, unit, message, sql FROM pg_temp.verdict('2001-08-03 01:10:00+00')$$,
	$$VALUES ('warning', 'cluster', NULL::text, 1::float8, 'settings', '1 setting waits for a restart: shared_buffers', NULL::text)$$,
	'a warning for one');
SELECT is(evidence -> 'settings', '{"shared_buffers": {"present": "100 8kB", "file": "2GB"}}'::jsonb, 'with what it is and will be')
FROM pg_temp.verdict('2001-08-03 01:10:00+00');
SELECT pg_temp.inject('2001-08-03 01:20:00+00', 'wal_buffers', 'max_connections', 'shared_buffers');
SELECT is(message, '3 settings wait for a restart: max_connections, shared_buffers, wal_buffers', 'one finding for three')
FROM pg_temp.verdict('2001-08-03 01:20:00+00');
SELECT pg_temp.inject('2001-08-03 01:30:00+00', 'wal_buffers', 'max_connections', 'shared_buffers', 'wal_level', 'huge_pages');
SELECT is(message, '5 settings wait for a restart: huge_pages, max_connections, shared_buffers and 2 more', 'of more the message names three')
FROM pg_temp.verdict('2001-08-03 01:30:00+00');
SELECT is(jsonb_array_length(jsonb_path_query_array(evidence -> 'settings', '$.keyvalue()')), 5, 'the evidence has them all')
FROM pg_temp.verdict('2001-08-03 01:30:00+00');
SELECT pgdba.inject_sample('setting', '2001-08-03 01:40:00+00',
	'[{"name": "primary_conninfo", "value": null, "file_value": null, "pending_restart": true}]');
SELECT is(evidence -> 'settings', '{"primary_conninfo": {}}'::jsonb, 'without the value of a secret') FROM pg_temp.verdict('2001-08-03 01:40:00+00');

SELECT pgdba.inject_sample('setting', '2001-08-03 01:50:00+00',
	'[{"name": "wal_buffers", "value": "512", "pending_restart": true, "in_file": false, "is_set": true}]');
SELECT is(severity, 'warning', 'taken out of the files, it waits for its default') FROM pg_temp.verdict('2001-08-03 01:50:00+00');
SELECT pgdba.inject_sample('setting', '2001-08-03 02:00:00+00',
	'[{"name": "wal_buffers", "value": "512", "pending_restart": true, "in_file": false, "is_set": false}]');
SELECT is(severity, 'ok', 'unless it has that already') FROM pg_temp.verdict('2001-08-03 02:00:00+00');

SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-08-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-08-03 02:31:00+00');
SELECT pgdba.inject_sample('setting', '2001-08-03 03:00:00+00', '[{"name": "shared_buffers", "value": "100"}]');
SELECT is(severity, 'unknown', 'unknown when it is not known whether it waits') FROM pg_temp.verdict('2001-08-03 03:00:00+00');

SELECT pg_temp.inject('2001-08-03 04:00:00+00', 'a.{what}''; DROP TABLE x; --');
SELECT is(message, '1 setting waits for a restart: a.{what}''; DROP TABLE x; --', 'a name stays text') FROM pg_temp.verdict('2001-08-03 04:00:00+00');

SELECT * FROM finish();
ROLLBACK;
