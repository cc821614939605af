-- disk.space: bytes, inodes, several paths in one file system, the forecast. Golden samples of 2001-09-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(13);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'disk.space'
$$;
-- A file system of 1 TB.
CREATE FUNCTION pg_temp.path(kind text, name text, device text, pct float8, pct_files float8 DEFAULT 1, read_only bool DEFAULT false)
	RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('kind', kind, 'name', name, 'device', device, 'size_bytes', 1e12::bigint, 'available_bytes', (1e12 * (1 - pct / 100))::bigint,
		'pct_used', pct, 'files', 1000000, 'files_free', (1e6 * (1 - pct_files / 100))::bigint, 'pct_files_used', pct_files, 'read_only', read_only)
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, VARIADIC paths jsonb[]) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('filesystem', at, to_jsonb(paths))
$$;

SELECT pg_temp.inject('2001-09-01 01:00:00+00', pg_temp.path('data', 'pg_default', '8:1', 85), pg_temp.path('wal', 'pg_wal', '8:2', 10));
SELECT is(severity, 'ok', 'quiet at exactly 85 percent') FROM pg_temp.verdict('2001-09-01 01:00:00+00');
SELECT pg_temp.inject('2001-09-01 02:00:00+00', pg_temp.path('data', 'pg_default', '8:1', 86), pg_temp.path('wal', 'pg_wal', '8:2', 10));
SELECT results_eq($$SELECT severity, object, value, unit FROM pg_temp.verdict('2001-09-01 02:00:00+00')$$,
	$$VALUES ('warning', 'filesystem:data', 86::float8, 'percent')$$, 'warning beyond it, for that file system alone');
SELECT is(message, 'the file system of the data directory is 86 % full; 130.39 GB are left', 'it says of what, and how much is left')
FROM pg_temp.verdict('2001-09-01 02:00:00+00');
SELECT pg_temp.inject('2001-09-01 03:00:00+00', pg_temp.path('data', 'pg_default', '8:1', 96), pg_temp.path('wal', 'pg_wal', '8:1', 96),
	pg_temp.path('tablespace', 'a b', '8:1', 96));
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-09-01 03:00:00+00')$$,
	$$VALUES ('critical', 'filesystem:data')$$, 'one finding for all that lies in one file system');
SELECT is(evidence ->> 'holds', 'the data directory, tablespace "a b", the WAL', 'which it names') FROM pg_temp.verdict('2001-09-01 03:00:00+00');
SELECT pg_temp.inject('2001-09-01 04:00:00+00', pg_temp.path('wal', 'pg_wal', '8:2', 50, 97));
SELECT matches(message, '^the file system of the WAL has few inodes left: 97 % full', 'inodes run out as well') FROM pg_temp.verdict('2001-09-01 04:00:00+00');
SELECT pg_temp.inject('2001-09-01 05:00:00+00', pg_temp.path('tablespace', 'fast', '8:3', 20, 1, true));
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-09-01 05:00:00+00')$$,
	$$VALUES ('critical', 'filesystem:tablespace/fast')$$, 'one that became read-only is as good as full');

-- The forecast: 36 GB in an hour, 50 GB left.
SELECT pg_temp.inject('2001-09-01 06:00:00+00', pg_temp.path('data', 'pg_default', '8:1', 91.4));
SELECT pg_temp.inject('2001-09-01 07:00:00+00', pg_temp.path('data', 'pg_default', '8:1', 95));
SELECT matches(why, 'full in 1 h 23 min', 'when it is full at this pace') FROM pg_temp.verdict('2001-09-01 07:00:00+00');
SELECT pg_temp.inject('2001-09-01 08:30:00+00', pg_temp.path('data', 'pg_default', '8:1', 95));
SELECT matches(why, 'not grown much', 'without growth there is no forecast') FROM pg_temp.verdict('2001-09-01 08:30:00+00');

SELECT pg_temp.inject('2001-09-01 10:00:00+00', pg_temp.path('data', 'pg_default', '8:1', NULL, NULL));
SELECT is(severity, 'unknown', 'unknown when nobody can tell') FROM pg_temp.verdict('2001-09-01 10:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-09-01 10:04:00+00');
SELECT pg_temp.inject('2001-09-01 11:00:00+00', pg_temp.path('tablespace', 'x"; DROP TABLE y; --', '8:3', 99));
SELECT is(object, 'filesystem:tablespace/"x""; DROP TABLE y; --"', 'names are quoted') FROM pg_temp.verdict('2001-09-01 11:00:00+00');

SELECT * FROM finish();
ROLLBACK;
