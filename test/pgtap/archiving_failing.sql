-- archiving.failing: a command that fails, none at all, and where nothing is to be archived. Golden samples of 2001-08-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(24);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'archiving.failing'
$$;
-- A server that archives by a command. The times are so many seconds before the sample.
CREATE FUNCTION pg_temp.inject(at timestamptz, archived int, failed int, ready int, files int, more jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('archiver', at, jsonb_build_array(jsonb_build_object('mode', 'on', 'archives', true,
		'configured', true, 'command', true, 'library', '', 'archived_count', 7, 'failed_count', 3,
		'last_archived_wal', '000000010000000000000001', 'last_archived_at', at - archived * interval '1 s',
		'last_failed_wal', '000000010000000000000002', 'last_failed_at', at - failed * interval '1 s',
		'oldest_ready_at', at - ready * interval '1 s', 'ready_files', files, 'ready_bytes', files * 16777216::bigint) || more))
$$;

-- Quiet.
SELECT pg_temp.inject('2001-08-01 01:00:00+00', 10, NULL, NULL, 0);
SELECT is(severity, 'ok', 'quiet when nothing ever failed') FROM pg_temp.verdict('2001-08-01 01:00:00+00');
SELECT pg_temp.inject('2001-08-01 01:10:00+00', 10, 11, NULL, 0);
SELECT is(severity, 'ok', 'quiet when it worked after the last failure') FROM pg_temp.verdict('2001-08-01 01:10:00+00');
SELECT pg_temp.inject('2001-08-01 01:20:00+00', 86400, NULL, 3000, 5);
SELECT is(severity, 'ok', 'quiet when it is only slow') FROM pg_temp.verdict('2001-08-01 01:20:00+00');
SELECT pg_temp.inject('2001-08-01 01:30:00+00', 10, 10, 5, 1);
SELECT is(severity, 'ok', 'quiet when both were at one time') FROM pg_temp.verdict('2001-08-01 01:30:00+00');

-- Failing: since the last success or the first file that waits, whichever came later.
SELECT pg_temp.inject('2001-08-01 02:00:00+00', 7200, 5, 300, 2);
SELECT results_eq($$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-08-01 02:00:00+00')$$,
	$$VALUES ('warning', 'cluster', NULL::text, 300::float8, 'seconds')$$, 'a warning until five minutes are over');
SELECT is(message, '000000010000000000000002 cannot be archived, for 5 min: 2 files wait', 'it says what and for how long')
FROM pg_temp.verdict('2001-08-01 02:00:00+00');
SELECT alike(action, 'The server log has what archive_command printed%', 'and where to look') FROM pg_temp.verdict('2001-08-01 02:00:00+00');
SELECT pg_temp.inject('2001-08-01 02:10:00+00', 7200, 5, 301, 1);
SELECT results_eq($$SELECT severity, evidence ->> 'waiting' FROM pg_temp.verdict('2001-08-01 02:10:00+00')$$,
	$$VALUES ('critical', '1 file waits')$$, 'then critical');
SELECT pg_temp.inject('2001-08-01 02:20:00+00', 200, 5, 9000, 400);
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-08-01 02:20:00+00')$$, $$VALUES ('warning', 200::float8)$$,
	'a failure in an old backlog began after the last success');
SELECT pg_temp.inject('2001-08-01 02:30:00+00', NULL, 5, 9000, 400);
SELECT is(value, 9000::float8, 'without a success it began with the first file') FROM pg_temp.verdict('2001-08-01 02:30:00+00');
SELECT pg_temp.inject('2001-08-01 02:40:00+00', NULL, 400, NULL, NULL);
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-08-01 02:40:00+00')$$, $$VALUES ('critical', 400::float8)$$,
	'without either it is as old as the failure');
SELECT pg_temp.inject('2001-08-01 02:50:00+00', 7200, 5, 400, 2, '{"command": false, "library": "basic_archive"}');
SELECT alike(action, '%what basic_archive printed%', 'a library is named') FROM pg_temp.verdict('2001-08-01 02:50:00+00');

-- Nowhere to archive to.
SELECT pg_temp.inject('2001-08-01 03:00:00+00', NULL, NULL, 600, 9, '{"command": false, "configured": false}');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-08-01 03:00:00+00')$$,
	$$VALUES ('critical', 'archive_mode is on without an archive_command, for 10 min: 9 files wait')$$, 'no command is a failure too');
SELECT alike(action, 'Set archive_command or archive_library%archive_mode = off%', 'with what to do')
FROM pg_temp.verdict('2001-08-01 03:00:00+00');
SELECT pg_temp.inject('2001-08-01 03:10:00+00', 7200, 5, NULL, 0, '{"command": false, "configured": false}');
SELECT is(severity, 'ok', 'but not before something waits') FROM pg_temp.verdict('2001-08-01 03:10:00+00');
SELECT pg_temp.inject('2001-08-01 03:20:00+00', NULL, NULL, NULL, NULL, '{"command": false, "configured": false}');
SELECT is(severity, 'unknown', 'unknown when it is not known whether something waits') FROM pg_temp.verdict('2001-08-01 03:20:00+00');

-- Not here.
SELECT pg_temp.inject('2001-08-01 04:00:00+00', NULL, NULL, 600, 9, '{"archives": false, "configured": false}');
SELECT is(severity, 'ok', 'quiet on a standby that does not archive') FROM pg_temp.verdict('2001-08-01 04:00:00+00');
SELECT pg_temp.inject('2001-08-01 04:10:00+00', 600, 5, 600, 9, '{"mode": "always"}');
SELECT is(severity, 'critical', 'but not on one that does') FROM pg_temp.verdict('2001-08-01 04:10:00+00');
SELECT pgdba.inject_sample('archiver', '2001-08-01 04:20:00+00', '[]');
SELECT is(severity, 'ok', 'quiet while archive_mode is off') FROM pg_temp.verdict('2001-08-01 04:20:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-08-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-08-01 04:24:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-08-01 05:00:00+00', 600, 5, 600, 1, jsonb_build_object('last_failed_wal', '{what}''; DROP TABLE x; --',
	'library', 'a {value} "b"', 'command', false));
SELECT is(message, '{what}''; DROP TABLE x; -- cannot be archived, for 10 min: 1 file waits', 'a name stays text')
FROM pg_temp.verdict('2001-08-01 05:00:00+00');
SELECT alike(action, '%what a {value} "b" printed%', 'that of a library too') FROM pg_temp.verdict('2001-08-01 05:00:00+00');
SELECT is(sql, NULL, 'there is no SQL') FROM pg_temp.verdict('2001-08-01 05:00:00+00');

SELECT * FROM finish();
ROLLBACK;
