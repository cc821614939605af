-- slots.retained: with a limit, without one, and at its end. Golden samples of 2001-04-07.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(22);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'slots.retained'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, retained int8, more jsonb DEFAULT '{}', replicas jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('slot', at, jsonb_build_array(jsonb_build_object('slot_name', 's1', 'slot_type', 'physical',
			'active', false, 'wal_status', 'reserved', 'retained_bytes', retained, 'max_wal_size', 1073741824) || more)),
		pgdba.inject_sample('replication', at, replicas)
$$;

-- Without a limit: ten times max_wal_size.
SELECT pg_temp.inject('2001-04-07 01:00:00+00', 5368709120);
SELECT is(severity, 'ok', 'quiet at exactly half') FROM pg_temp.verdict('2001-04-07 01:00:00+00');
SELECT pg_temp.inject('2001-04-07 01:10:00+00', 6442450944, '{"wal_status": "extended"}');
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-04-07 01:10:00+00')$$,
	$$VALUES ('warning', 'slot:s1', NULL::text, 60::float8, 'percent')$$, 'warning beyond half');
SELECT is(message, 'slot s1 keeps 6144 MB of WAL, without a limit', 'it says that there is no limit') FROM pg_temp.verdict('2001-04-07 01:10:00+00');
SELECT is(symptom_of, 'slots.inactive', 'a slot that nobody uses explains it') FROM pg_temp.verdict('2001-04-07 01:10:00+00');
SELECT is(sql, NULL, 'a slot that may be used is not to be dropped at once') FROM pg_temp.verdict('2001-04-07 01:10:00+00');
SELECT pg_temp.inject('2001-04-07 01:20:00+00', 9771050598);
SELECT is(severity, 'critical', 'critical beyond 90 %') FROM pg_temp.verdict('2001-04-07 01:20:00+00');

-- With a limit, as the server reckons it.
SELECT pg_temp.inject('2001-04-07 02:00:00+00', 1073741824, '{"safe_wal_size": 1073741824, "max_slot_wal_keep_size": 2000000000}');
SELECT is(severity, 'ok', 'quiet at exactly half of the limit') FROM pg_temp.verdict('2001-04-07 02:00:00+00');
SELECT pg_temp.inject('2001-04-07 02:10:00+00', 3221225472, '{"safe_wal_size": 1073741824, "max_slot_wal_keep_size": 4000000000, "wal_status": "extended"}');
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-04-07 02:10:00+00')$$, $$VALUES ('warning', 75::float8)$$,
	'warning beyond half of the limit');
SELECT is(message, 'slot s1 keeps 3072 MB of WAL, and loses it after 1024 MB more', 'it says how much is left') FROM pg_temp.verdict('2001-04-07 02:10:00+00');
SELECT pg_temp.inject('2001-04-07 02:20:00+00', 5000000000, '{"safe_wal_size": -1000000000, "max_slot_wal_keep_size": 4000000000, "wal_status": "unreserved"}');
SELECT is(severity, 'critical', 'critical when it is about to lose its WAL') FROM pg_temp.verdict('2001-04-07 02:20:00+00');
SELECT alike(message, 'slot s1 is about to lose its WAL%', 'and says so') FROM pg_temp.verdict('2001-04-07 02:20:00+00');
SELECT alike(action, '%More max_slot_wal_keep_size gives time%', 'and how to get time') FROM pg_temp.verdict('2001-04-07 02:20:00+00');

-- Lost.
SELECT pg_temp.inject('2001-04-07 03:00:00+00', 0, '{"wal_status": "lost", "invalidation_reason": "wal_removed", "slot_name": "s''1"}');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-04-07 03:00:00+00')$$,
	$$VALUES ('critical', 'slot s''1 has lost its WAL (wal_removed): its consumer cannot go on')$$, 'critical when it has lost its WAL');
SELECT is(sql, 'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ''s''''1'' AND NOT active;',
	'then it is of no use, and quoted') FROM pg_temp.verdict('2001-04-07 03:00:00+00');
SELECT alike(action, 'Make the standby anew from a base backup%', 'a standby has to be made anew') FROM pg_temp.verdict('2001-04-07 03:00:00+00');
SELECT pg_temp.inject('2001-04-07 03:10:00+00', 0, '{"wal_status": "lost", "slot_type": "logical", "db": "shop"}');
SELECT alike(action, 'Make the subscription or connector anew%', 'or a subscription') FROM pg_temp.verdict('2001-04-07 03:10:00+00');

-- Used, and behind.
SELECT pg_temp.inject('2001-04-07 04:00:00+00', 6442450944, '{"active": true, "slot_type": "logical", "db": "shop"}',
	'[{"replica": "sub", "slot_name": "s1", "itself": false}]');
SELECT is(action, 'sub is connected and behind: see replication.lag. A long transaction also keeps WAL until it ends.', 'who is behind is named')
FROM pg_temp.verdict('2001-04-07 04:00:00+00');
SELECT is(database, 'shop', 'a logical slot belongs to a database') FROM pg_temp.verdict('2001-04-07 04:00:00+00');

-- Nothing kept, no slots; unknown without a sample, with a stale one, without a number.
SELECT pg_temp.inject('2001-04-07 05:00:00+00', 0, '{"wal_status": null}');
SELECT is(severity, 'ok', 'quiet for a slot that was never used') FROM pg_temp.verdict('2001-04-07 05:00:00+00');
SELECT pg_temp.inject('2001-04-07 05:10:00+00', NULL);
SELECT is(severity, 'unknown', 'unknown without a number') FROM pg_temp.verdict('2001-04-07 05:10:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-07 05:14:00+00');

SELECT * FROM finish();
ROLLBACK;
