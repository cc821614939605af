-- config.errors: a finding per line, and what would happen. Golden samples of 2001-11-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'config.errors'
$$;

SELECT pgdba.inject_sample('config_error', '2001-11-03 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet without errors') FROM pg_temp.verdict('2001-11-03 01:00:00+00');

SELECT pgdba.inject_sample('config_error', '2001-11-03 02:00:00+00', '[
	{"file": "/c/postgresql.conf", "line": 12, "kind": "setting", "name": "work_mem", "whole": false, "error": "setting could not be applied"},
	{"file": "/c/postgresql.conf", "line": 13, "kind": "setting", "whole": true, "error": "syntax error"},
	{"file": "/c/pg_hba.conf", "line": 5, "kind": "hba", "whole": true, "error": "invalid authentication method \"truts\""},
	{"file": "/c/pg_ident.conf", "line": 1, "kind": "ident", "whole": true, "error": "missing entry at end of line"}]');
SELECT results_eq($$SELECT object, severity, value, message FROM pg_temp.verdict('2001-11-03 02:00:00+00') ORDER BY object COLLATE "C"$$,
	$$VALUES
		('file:"/c/pg_hba.conf"/5', 'warning', 1::float8, 'line 5 of /c/pg_hba.conf cannot be used: invalid authentication method "truts"'),
		('file:"/c/pg_ident.conf"/1', 'warning', 1, 'line 1 of /c/pg_ident.conf cannot be used: missing entry at end of line'),
		('file:"/c/postgresql.conf"/12', 'warning', 1, 'line 12 of /c/postgresql.conf cannot be used: work_mem: setting could not be applied'),
		('file:"/c/postgresql.conf"/13', 'warning', 1, 'line 13 of /c/postgresql.conf cannot be used: syntax error')$$,
	'a warning for each line, with its error');
SELECT alike(why, '%does not start again%leaves this setting as it is, and takes over the others.', 'a wrong value leaves the others alone')
FROM pg_temp.verdict('2001-11-03 02:00:00+00') WHERE object LIKE '%/12';
SELECT alike(why, '%does not start again%leaves all settings as they are%', 'a line that cannot be read does not')
FROM pg_temp.verdict('2001-11-03 02:00:00+00') WHERE object LIKE '%/13';
SELECT alike(why, '%does not start again%leaves all rules as they are%', 'nor does one in pg_hba.conf')
FROM pg_temp.verdict('2001-11-03 02:00:00+00') WHERE object LIKE '%/5';
SELECT alike(why, 'After a restart nobody can log in by a map.%', 'the server starts without maps')
FROM pg_temp.verdict('2001-11-03 02:00:00+00') WHERE object LIKE '%/1';
SELECT is(count(sql), 0::bigint, 'there is no SQL for a file') FROM pg_temp.verdict('2001-11-03 02:00:00+00');
SELECT is(count(*), 4::bigint, 'they stand by themselves') FROM pg_temp.verdict('2001-11-03 02:00:00+00') WHERE database IS NULL;

SELECT pgdba.inject_sample('config_error', '2001-11-03 03:00:00+00', '[{"file": "/c/postgresql.conf", "line": 0, "kind": "setting",
	"whole": true, "error": "could not open file"}]');
SELECT is(message, '/c/postgresql.conf cannot be used: could not open file', 'a whole file is named without a line')
FROM pg_temp.verdict('2001-11-03 03:00:00+00');
SELECT pgdba.inject_sample('config_error', '2001-11-03 03:10:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when it is put right') FROM pg_temp.verdict('2001-11-03 03:10:00+00');

-- Unknown: no sample, a stale one. Hostile text.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-03 04:10:00+00');
SELECT pgdba.inject_sample('config_error', '2001-11-03 06:00:00+00', jsonb_build_array(jsonb_build_object('file', '/c/"x', 'line', 1,
	'kind', 'hba', 'whole', true, 'error', '{file} ''; DROP')));
SELECT results_eq($$SELECT object, message FROM pg_temp.verdict('2001-11-03 06:00:00+00')$$,
	$$VALUES ('file:"/c/""x"/1', 'line 1 of /c/"x cannot be used: {file} ''; DROP')$$, 'hostile text stays text');

SELECT * FROM finish();
ROLLBACK;
