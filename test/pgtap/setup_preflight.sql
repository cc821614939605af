-- setup.preflight: advice, one finding per item, never worse than info. Golden samples of 2001-01-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(8);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'setup.preflight'
$$;

SELECT pgdba.inject_sample('preflight', '2001-01-05 01:00:00+00',
	'[{"item": "autovacuum", "ok": true, "severity": "ok", "detail": "autovacuum is on"}]');
SELECT is(severity, 'ok', 'quiet when all is well') FROM pg_temp.verdict('2001-01-05 01:00:00+00');

SELECT pgdba.inject_sample('preflight', '2001-01-05 02:00:00+00', '[
	{"item": "autovacuum", "ok": false, "severity": "warning", "detail": "autovacuum is off", "line_to_add": "autovacuum = on"},
	{"item": "track_io_timing", "ok": false, "severity": "info", "detail": "track_io_timing is off", "line_to_add": "track_io_timing = on"},
	{"item": "track_counts", "ok": true, "severity": "ok", "detail": "track_counts is on"}]');
SELECT results_eq($$SELECT object, severity, message, action FROM pg_temp.verdict('2001-01-05 02:00:00+00') ORDER BY object$$,
	$$VALUES ('setting:autovacuum', 'info', 'autovacuum is off', 'Set: autovacuum = on'),
		('setting:track_io_timing', 'info', 'track_io_timing is off', 'Set: track_io_timing = on')$$,
	'one finding per item that is not as it should be, each info');
SELECT is(count(sql), 0::bigint, 'a line of a file is no SQL') FROM pg_temp.verdict('2001-01-05 02:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-01-05 03:00:00+00');

-- Can be made worse, or silenced, like every check.
SELECT pgdba.set_threshold('setup.preflight', 'setting:autovacuum', 0, NULL);
SELECT is(severity, 'warning', 'a threshold makes it a warning') FROM pg_temp.verdict('2001-01-05 02:00:00+00')
WHERE object = 'setting:autovacuum';

-- Hostile text stays text.
SELECT pgdba.inject_sample('preflight', '2001-01-05 06:00:00+00', jsonb_build_array(jsonb_build_object('item', 'pgdba.database',
	'ok', false, 'detail', 'in "x''; DROP"', 'line_to_add', 'pgdba.database = ''x''''; {item}''')));
SELECT is(action, 'Set: pgdba.database = ''x''''; {item}''', 'a line is printed as it is') FROM pg_temp.verdict('2001-01-05 06:00:00+00');

-- The probe itself: every item has what a finding needs.
SELECT is_empty($$SELECT item FROM pgdba.preflight() WHERE ok IS NULL OR detail IS NULL OR (NOT ok AND line_to_add IS NULL)
	OR severity NOT IN ('ok', 'info', 'warning', 'critical')$$, 'every item says what it found, and what to add');

SELECT * FROM finish();
ROLLBACK;
