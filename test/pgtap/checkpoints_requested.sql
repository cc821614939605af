-- checkpoints.requested: what WAL forced and what a command asked for, and what to set. Golden samples of 2001-04-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(20);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'checkpoints.requested'
$$;

-- An hour in steps of three minutes. Checkpoints go round: so many forced, timed and asked for, each with its WAL in MB.
CREATE FUNCTION pg_temp.inject(at timestamptz, kinds text[], mb int[], more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('checkpoint', at - (20 - n) * interval '3 min', jsonb_build_array(jsonb_build_object(
		'timed', 100 + (SELECT count(*) FROM unnest(kinds[:n]) k WHERE k = 'time'),
		'requested', 100 + (SELECT count(*) FROM unnest(kinds[:n]) k WHERE k IN ('wal', 'command')),
		'position', 8589934592 + 1048576 * coalesce((SELECT sum(m) FROM unnest(mb[:n]) m), 0),
		'redo_position', 8589934592 + 1048576 * coalesce((SELECT sum(m) FROM unnest(mb[:n]) m), 0),
		'in_recovery', false, 'max_wal_size', 1073741824, 'wal_segment_size', 16777216, 'checkpoint_timeout', 300,
		'completion_target', 0.9, 'stats_reset', '2001-01-01') || more))
	FROM generate_series(0, 20) n
$$;

-- With 1 GB a checkpoint is forced after 33 segments, of which 31 are certain: 496 MB.
SELECT pg_temp.inject('2001-04-01 01:00:00+00', '{time,time,time,time}', '{100,100,100,100}');
SELECT is(severity, 'ok', 'quiet when they come by time') FROM pg_temp.verdict('2001-04-01 01:00:00+00');
SELECT pg_temp.inject('2001-04-01 03:00:00+00', '{}', '{}');
SELECT is(severity, 'ok', 'quiet without checkpoints') FROM pg_temp.verdict('2001-04-01 03:00:00+00');
SELECT pg_temp.inject('2001-04-01 05:00:00+00', '{wal,wal}', '{520,520}');
SELECT is(severity, 'ok', 'quiet with two that WAL forced') FROM pg_temp.verdict('2001-04-01 05:00:00+00');
SELECT pg_temp.inject('2001-04-01 07:00:00+00',
	'{wal,wal,wal,time,time,time,time,time,time,time,time,time,time,time,time}', array_fill(520, '{3}') || array_fill(10, '{12}'));
SELECT is(severity, 'ok', 'quiet at exactly 20 %') FROM pg_temp.verdict('2001-04-01 07:00:00+00');

SELECT pg_temp.inject('2001-04-01 09:00:00+00',
	'{wal,wal,wal,time,time,time,time,time,time,time,time,time,time,time}', array_fill(520, '{3}') || array_fill(10, '{11}'));
SELECT results_eq(
	$$SELECT severity, object, database, round(value), unit FROM pg_temp.verdict('2001-04-01 09:00:00+00')$$,
	$$VALUES ('warning', 'cluster', NULL::text, 21::float8, 'percent')$$, 'warning beyond 20 %, with three');
SELECT is(message, 'WAL forced 3 checkpoints in the last hour, 11 came by time: max_wal_size is 1 GB', 'the message has the numbers')
FROM pg_temp.verdict('2001-04-01 09:00:00+00');

-- So often that they come at less than half of checkpoint_timeout.
SELECT pg_temp.inject('2001-04-01 11:00:00+00', array_fill('wal'::text, '{20}'), array_fill(510, '{20}'));
SELECT is(severity, 'warning', 'warning when all are forced') FROM pg_temp.verdict('2001-04-01 11:00:00+00');
SELECT is((evidence ->> 'every')::float8, 180::float8, 'it says how often they come') FROM pg_temp.verdict('2001-04-01 11:00:00+00');
SELECT is(sql, E'ALTER SYSTEM SET max_wal_size = ''2048MB'';\nSELECT pg_reload_conf();', 'the SQL makes room for a checkpoint_timeout')
FROM pg_temp.verdict('2001-04-01 11:00:00+00');
SELECT is(undo, 'ALTER SYSTEM SET max_wal_size = ''1024MB''; SELECT pg_reload_conf();', 'and the undo sets it back')
FROM pg_temp.verdict('2001-04-01 11:00:00+00');
SELECT is(lock_level, 'none', 'it locks nothing') FROM pg_temp.verdict('2001-04-01 11:00:00+00');

-- A burst is reckoned by its own rate, and what is suggested has an end.
SELECT pg_temp.inject('2001-04-01 13:00:00+00', '{wal,wal,wal}', '{4000,4000,4000}');
SELECT is(evidence ->> 'suggested', '16384MB', 'a burst counts by itself') FROM pg_temp.verdict('2001-04-01 13:00:00+00');

-- Not WAL's doing: commands with little WAL between them, also beside checkpoints by time with much.
SELECT pg_temp.inject('2001-04-01 15:00:00+00', array_fill('command'::text, '{20}'), array_fill(1, '{20}'));
SELECT is(severity, 'ok', 'commands are not blamed on WAL') FROM pg_temp.verdict('2001-04-01 15:00:00+00');
SELECT pg_temp.inject('2001-04-01 17:00:00+00', array_fill('command'::text, '{8}') || array_fill('time'::text, '{12}'), array_fill(300, '{20}'));
SELECT is(severity, 'ok', 'nor where much WAL is spread over others') FROM pg_temp.verdict('2001-04-01 17:00:00+00');
SELECT pg_temp.inject('2001-04-01 19:00:00+00', array_fill('time'::text, '{12}'), array_fill(500, '{12}'));
SELECT is(severity, 'ok', 'nor those by time, however much WAL they had') FROM pg_temp.verdict('2001-04-01 19:00:00+00');

-- A larger max_wal_size explains the same WAL, and a standby is not judged.
SELECT pg_temp.inject('2001-04-01 21:00:00+00', array_fill('wal'::text, '{20}'), array_fill(510, '{20}'), '{"max_wal_size": 2147483648}');
SELECT is(severity, 'ok', 'quiet once max_wal_size was raised') FROM pg_temp.verdict('2001-04-01 21:00:00+00');
SELECT pg_temp.inject('2001-04-01 23:00:00+00', array_fill('wal'::text, '{20}'), array_fill(510, '{20}'), '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-04-01 23:00:00+00');

-- Unknown: no sample, a stale one; nothing is known of the time before a reset.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-01 11:12:00+00');
SELECT pg_temp.inject('2001-04-02 01:00:00+00', array_fill('wal'::text, '{20}'), array_fill(510, '{20}'));
SELECT pgdba.inject_sample('checkpoint', '2001-04-02 01:01:00+00', '[{"timed": 0, "requested": 1, "position": 20000000000,
	"redo_position": 20000000000, "in_recovery": false, "max_wal_size": 1073741824, "wal_segment_size": 16777216,
	"checkpoint_timeout": 300, "completion_target": 0.9, "stats_reset": "2001-04-02 01:00:30+00"}]');
SELECT is((evidence ->> 'forced')::int, 20, 'a reset of statistics hides nothing that was counted before')
FROM pg_temp.verdict('2001-04-02 01:01:00+00');

SELECT * FROM finish();
ROLLBACK;
