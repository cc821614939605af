-- archiving.backlog: how many files wait, and where nobody knows. Golden samples of 2001-08-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(12);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'archiving.backlog'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, files int, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('archiver', at, jsonb_build_array(jsonb_build_object('mode', 'on', 'archives', true,
		'configured', true, 'ready_files', files, 'ready_bytes', files * 16777216::bigint,
		'oldest_ready_at', at - interval '90 min') || more))
$$;

SELECT pg_temp.inject('2001-08-02 01:00:00+00', 0);
SELECT is(severity, 'ok', 'quiet when nothing waits') FROM pg_temp.verdict('2001-08-02 01:00:00+00');
SELECT pg_temp.inject('2001-08-02 01:10:00+00', 100);
SELECT is(severity, 'ok', 'quiet at exactly 100 files') FROM pg_temp.verdict('2001-08-02 01:10:00+00');
SELECT pg_temp.inject('2001-08-02 01:20:00+00', 101);
SELECT results_eq($$SELECT severity, object, database, value, unit, symptom_of, sql FROM pg_temp.verdict('2001-08-02 01:20:00+00')$$,
	$$VALUES ('warning', 'cluster', NULL::text, 101::float8, 'files', 'archiving.failing', NULL::text)$$, 'warning beyond 100');
SELECT is(message, '101 files of WAL, 1.6 GB, wait to be archived, the first for 1 h 30 min', 'it says how much and for how long')
FROM pg_temp.verdict('2001-08-02 01:20:00+00');
SELECT pg_temp.inject('2001-08-02 01:30:00+00', 500);
SELECT is(severity, 'warning', 'still so at exactly 500') FROM pg_temp.verdict('2001-08-02 01:30:00+00');
SELECT pg_temp.inject('2001-08-02 01:40:00+00', 501);
SELECT is(severity, 'critical', 'critical beyond 500') FROM pg_temp.verdict('2001-08-02 01:40:00+00');

SELECT pg_temp.inject('2001-08-02 02:00:00+00', 900, '{"archives": false}');
SELECT is(severity, 'ok', 'quiet on a standby that does not archive') FROM pg_temp.verdict('2001-08-02 02:00:00+00');
SELECT pgdba.inject_sample('archiver', '2001-08-02 02:10:00+00', '[]');
SELECT is(severity, 'ok', 'quiet while archive_mode is off') FROM pg_temp.verdict('2001-08-02 02:10:00+00');

SELECT pg_temp.inject('2001-08-02 03:00:00+00', NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-08-02 03:00:00+00')$$,
	$$VALUES ('unknown', 'pg_wal/archive_status cannot be read')$$, 'unknown when the directory cannot be read, and why');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-08-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-08-02 03:04:00+00');

SELECT pg_temp.inject('2001-08-02 04:00:00+00', 200, '{"last_archived_wal": "{message}''; DROP TABLE x; --"}');
SELECT results_eq($$SELECT evidence ->> 'archived_wal', message FROM pg_temp.verdict('2001-08-02 04:00:00+00')$$,
	$$VALUES ('{message}''; DROP TABLE x; --', '200 files of WAL, 3.1 GB, wait to be archived, the first for 1 h 30 min')$$, 'a name stays text');

SELECT * FROM finish();
ROLLBACK;
