-- replication.receiver: a receiver that is dead or never came, paused replay, a standby that has gone. Golden samples of
-- 2001-04-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(31);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'replication.receiver'
$$;
-- A minute: a standby's receiver (NULL on a primary), the replicas, the slots.
CREATE FUNCTION pg_temp.inject(at timestamptz, receiver jsonb, replicas jsonb DEFAULT '[]', slots jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('checkpoint', at, jsonb_build_array(jsonb_build_object('in_recovery', receiver IS NOT NULL))),
		pgdba.inject_sample('receiver', at, CASE WHEN receiver IS NULL THEN '[]' ELSE jsonb_build_array(
			'{"status": "streaming", "streaming": true, "wanted": true, "pause_state": "not paused", "paused": false}' || receiver) END),
		pgdba.inject_sample('replication', at, (SELECT coalesce(jsonb_agg('{"itself": false, "kind": "physical", "state": "streaming",
			"streaming": true}' || r || jsonb_build_object('application_name', coalesce(r -> 'application_name', r -> 'replica'))), '[]')
			FROM jsonb_array_elements(replicas) r)),
		pgdba.inject_sample('slot', at, slots)
$$;
CREATE FUNCTION pg_temp.minutes(start timestamptz, n int, receiver jsonb, replicas jsonb DEFAULT '[]', slots jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.inject(start + i * interval '1 min', receiver, replicas, slots) FROM generate_series(0, n - 1) i
$$;

-- A standby: quiet while it streams, and in the first sample without a receiver; then broken.
SELECT pg_temp.minutes('2001-04-05 01:00:00+00', 5, '{}');
SELECT is(severity, 'ok', 'quiet while it streams') FROM pg_temp.verdict('2001-04-05 01:04:00+00');
SELECT pg_temp.minutes('2001-04-05 01:05:00+00', 3, '{"status": null, "streaming": false}');
SELECT is(severity, 'ok', 'quiet in the first sample without a receiver') FROM pg_temp.verdict('2001-04-05 01:05:00+00');
SELECT results_eq(
	$$SELECT severity, object, database, value FROM pg_temp.verdict('2001-04-05 01:06:00+00')$$,
	$$VALUES ('critical', 'cluster', NULL::text, 2::float8)$$, 'critical in the second');
SELECT is(message, 'this standby has no connection to its primary, the last one streamed 2 min ago', 'it says since when')
FROM pg_temp.verdict('2001-04-05 01:06:00+00');
SELECT is(sql, NULL, 'there is nothing to run') FROM pg_temp.verdict('2001-04-05 01:06:00+00');
SELECT is(undo, NULL, 'nor to undo') FROM pg_temp.verdict('2001-04-05 01:06:00+00');
SELECT pg_temp.minutes('2001-04-05 01:08:00+00', 1, '{}');
SELECT is(severity, 'ok', 'quiet when it streams again') FROM pg_temp.verdict('2001-04-05 01:08:00+00');

SELECT pg_temp.minutes('2001-04-05 03:00:00+00', 2, '{"status": null, "streaming": false}');
SELECT is(message, 'this standby has no connection to its primary, and has not had one', 'a receiver that never came')
FROM pg_temp.verdict('2001-04-05 03:01:00+00');
SELECT pg_temp.minutes('2001-04-05 05:00:00+00', 2, '{"status": "streaming", "streaming": false}');
SELECT alike(message, 'the receiver of this standby is silent%', 'one that hears nothing') FROM pg_temp.verdict('2001-04-05 05:01:00+00');
SELECT pg_temp.minutes('2001-04-05 05:10:00+00', 2, '{"status": "waiting", "streaming": false}');
SELECT alike(message, 'the receiver of this standby is waiting%', 'one that waits') FROM pg_temp.verdict('2001-04-05 05:11:00+00');
SELECT pg_temp.minutes('2001-04-05 05:20:00+00', 2, '{"status": null, "streaming": false, "wanted": false}');
SELECT is(severity, 'ok', 'a standby that lives from an archive needs none') FROM pg_temp.verdict('2001-04-05 05:21:00+00');

-- Paused.
SELECT pg_temp.minutes('2001-04-05 06:00:00+00', 1, '{"pause_state": "paused", "paused": true}');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-04-05 06:00:00+00')$$,
	$$VALUES ('warning', 'replay is paused on this standby')$$, 'warning when replay is paused');
SELECT is(sql, 'SELECT pg_wal_replay_resume() WHERE pg_get_wal_replay_pause_state() = ''paused'';', 'the SQL resumes it')
FROM pg_temp.verdict('2001-04-05 06:00:00+00');
SELECT is(undo, 'SELECT pg_wal_replay_pause() WHERE pg_get_wal_replay_pause_state() <> ''paused'';', 'the undo pauses it')
FROM pg_temp.verdict('2001-04-05 06:00:00+00');
SELECT pg_temp.minutes('2001-04-05 06:10:00+00', 1, '{"pause_state": "pause requested", "paused": true}');
SELECT is(message, 'replay is about to pause on this standby', 'also before it is') FROM pg_temp.verdict('2001-04-05 06:10:00+00');
SELECT pg_temp.minutes('2001-04-05 06:20:00+00', 2, '{"status": null, "streaming": false, "pause_state": "paused", "paused": true}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-04-05 06:21:00+00')$$, $$VALUES ('critical', NULL::text)$$,
	'a dead receiver counts more');

-- A primary: a standby that was there and has gone. First two samples, which are too few to be missed.
SELECT pg_temp.minutes('2001-04-05 08:00:00+00', 2, NULL, '[{"replica": "brief"}]');
SELECT pg_temp.minutes('2001-04-05 08:02:00+00', 3, NULL);
SELECT is(severity, 'ok', 'who was there for two samples is not missed') FROM pg_temp.verdict('2001-04-05 08:04:00+00');
SELECT pg_temp.minutes('2001-04-05 10:00:00+00', 4, NULL, '[{"replica": "two", "slot_name": "s''2"}, {"replica": "three", "client_addr": "10.0.0.3"}]');
SELECT is(severity, 'ok', 'quiet while all are there') FROM pg_temp.verdict('2001-04-05 10:03:00+00');
SELECT pg_temp.minutes('2001-04-05 10:04:00+00', 3, NULL, '[{"replica": "three", "client_addr": "10.0.0.3"}]',
	'[{"slot_name": "s''2", "slot_type": "physical", "active": false, "wal_status": "extended", "retained_bytes": 2147483648}]');
SELECT is(severity, 'ok', 'quiet in the first sample without it') FROM pg_temp.verdict('2001-04-05 10:04:00+00');
SELECT results_eq(
	$$SELECT severity, object, value FROM pg_temp.verdict('2001-04-05 10:05:00+00')$$,
	$$VALUES ('warning', 'replica:two', 1::float8)$$, 'warning in the second');
SELECT is(message, 'standby two has gone, it was here 2 min ago; its slot s''2 keeps 2048 MB', 'it and its slot are named')
FROM pg_temp.verdict('2001-04-05 10:05:00+00');
SELECT alike(action, '%SELECT pg_drop_replication_slot(''s''''2'');%', 'the slot is quoted') FROM pg_temp.verdict('2001-04-05 10:05:00+00');
SELECT is(sql, NULL, 'and its dropping is not for running at once') FROM pg_temp.verdict('2001-04-05 10:05:00+00');
SELECT pg_temp.minutes('2001-04-05 10:07:00+00', 1, NULL, '[{"replica": "three", "client_addr": "10.0.0.3"}, {"replica": "two", "slot_name": "s''2"}]');
SELECT is(severity, 'ok', 'quiet when it is back') FROM pg_temp.verdict('2001-04-05 10:07:00+00');
SELECT pg_temp.minutes('2001-04-05 10:08:00+00', 3, NULL, '[{"replica": "two", "slot_name": "s''2"}]',
	'[{"slot_name": "s''2", "active": true, "wal_status": "reserved", "retained_bytes": 10}]');
SELECT is(action, 'Bring it back soon: without a slot the WAL that it needs is removed.', 'one without a slot')
FROM pg_temp.verdict('2001-04-05 10:10:00+00');
SELECT pg_temp.minutes('2001-04-05 11:20:00+00', 1, NULL);
SELECT is(severity, 'ok', 'after an hour it is forgotten') FROM pg_temp.verdict('2001-04-05 11:20:00+00');

-- Names with a slot or an address added, because another came of the same name, are the same standby.
SELECT pg_temp.minutes('2001-04-05 13:00:00+00', 4, NULL, '[{"replica": "n", "slot_name": "a"}]');
SELECT pg_temp.minutes('2001-04-05 13:04:00+00', 3, NULL, '[{"replica": "n@a", "application_name": "n", "slot_name": "a"},
	{"replica": "n@b", "application_name": "n", "slot_name": "b"}]');
SELECT is(severity, 'ok', 'a longer name is no other standby') FROM pg_temp.verdict('2001-04-05 13:06:00+00');
SELECT pg_temp.minutes('2001-04-05 13:07:00+00', 3, NULL, '[{"replica": "n", "slot_name": "a"}]');
SELECT is(object, 'replica:"n@b"', 'and the other is missed under its own') FROM pg_temp.verdict('2001-04-05 13:09:00+00');

-- Subscribers come and go, and are judged by their slots.
SELECT pg_temp.minutes('2001-04-05 15:00:00+00', 4, NULL, '[{"replica": "sub", "kind": "logical"}]');
SELECT pg_temp.minutes('2001-04-05 15:04:00+00', 3, NULL);
SELECT is(severity, 'ok', 'a subscriber is not missed here') FROM pg_temp.verdict('2001-04-05 15:06:00+00');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-05 15:10:00+00');

SELECT * FROM finish();
ROLLBACK;
