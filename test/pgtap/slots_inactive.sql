-- slots.inactive: since when a slot is unused, by the server or by history, and by whom it was used. Golden samples of
-- 2001-04-06.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'slots.inactive'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, more jsonb DEFAULT '{}', replicas jsonb DEFAULT '[]', horizon jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('slot', at, jsonb_build_array(jsonb_build_object('slot_name', 's1', 'slot_type', 'physical',
			'active', false, 'wal_status', 'reserved', 'retained_bytes', 16777216, 'in_recovery', false) || more)),
		pgdba.inject_sample('replication', at, replicas), pgdba.inject_sample('horizon', at, horizon)
$$;
CREATE FUNCTION pg_temp.minutes(start timestamptz, n int, more jsonb DEFAULT '{}', replicas jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.inject(start + i * interval '1 min', more, replicas) FROM generate_series(0, n - 1) i
$$;

-- By history: since the first sample after it was used last.
SELECT pg_temp.minutes('2001-04-06 01:00:00+00', 3, '{"active": true}', '[{"replica": "two", "slot_name": "s1", "itself": false}]');
SELECT is(severity, 'ok', 'quiet while it is used') FROM pg_temp.verdict('2001-04-06 01:02:00+00');
SELECT pg_temp.minutes('2001-04-06 01:03:00+00', 15);
SELECT is(severity, 'ok', 'quiet after exactly 10 min') FROM pg_temp.verdict('2001-04-06 01:13:00+00');
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-04-06 01:14:00+00')$$,
	$$VALUES ('warning', 'slot:s1', NULL::text, 660::float8, 'seconds')$$, 'warning beyond them');
SELECT is(message, 'slot s1 has not been used for 11 min, last by two, and keeps 16 MB of WAL', 'it says who used it')
FROM pg_temp.verdict('2001-04-06 01:14:00+00');
SELECT is(action, 'Start the standby two again. If it is gone for good, drop the slot: SELECT pg_drop_replication_slot(''s1'');',
	'and what to do') FROM pg_temp.verdict('2001-04-06 01:14:00+00');
SELECT is(sql, NULL, 'dropping it is not for running at once') FROM pg_temp.verdict('2001-04-06 01:14:00+00');
SELECT pg_temp.minutes('2001-04-06 01:18:00+00', 1, '{"active": true}');
SELECT is(severity, 'ok', 'quiet when it is used again') FROM pg_temp.verdict('2001-04-06 01:18:00+00');
SELECT pg_temp.minutes('2001-04-06 01:19:00+00', 2);
SELECT is(severity, 'ok', 'and it begins anew') FROM pg_temp.verdict('2001-04-06 01:20:00+00');
SELECT pg_temp.minutes('2001-04-06 03:00:00+00', 12);
SELECT is(value, 660::float8, 'one that was never seen in use counts from the first sample') FROM pg_temp.verdict('2001-04-06 03:11:00+00');

-- By the server.
SELECT pg_temp.inject('2001-04-06 05:00:00+00', '{"inactive_since": "2001-04-05 05:00:00+00", "safe_wal_size": 1073741824,
	"slot_type": "logical", "db": "shop"}');
SELECT results_eq($$SELECT database, value FROM pg_temp.verdict('2001-04-06 05:00:00+00')$$, $$VALUES ('shop', 86400::float8)$$,
	'the server knows better');
SELECT is(why, 'A slot keeps all WAL since it was used last, and what is kept can fill the disk. After 1024 MB more the slot loses its WAL.',
	'a limit is said') FROM pg_temp.verdict('2001-04-06 05:00:00+00');

-- No harm: it keeps nothing, has lost it already, is a copy on a standby.
SELECT pg_temp.inject('2001-04-06 05:10:00+00', '{"inactive_since": "2001-04-05 05:00:00+00", "retained_bytes": 0}');
SELECT is(severity, 'ok', 'quiet when it keeps no WAL') FROM pg_temp.verdict('2001-04-06 05:10:00+00');
SELECT pg_temp.inject('2001-04-06 05:20:00+00', '{"inactive_since": "2001-04-05 05:00:00+00", "wal_status": "lost"}');
SELECT is(severity, 'ok', 'quiet when it has lost its WAL') FROM pg_temp.verdict('2001-04-06 05:20:00+00');
SELECT pg_temp.inject('2001-04-06 05:30:00+00', '{"inactive_since": "2001-04-05 05:00:00+00", "synced": true, "in_recovery": true}');
SELECT is(severity, 'ok', 'quiet for a copy on a standby') FROM pg_temp.verdict('2001-04-06 05:30:00+00');
SELECT pg_temp.inject('2001-04-06 05:40:00+00', '{"inactive_since": "2001-04-05 05:00:00+00", "synced": true}');
SELECT is(severity, 'warning', 'but not after its promotion') FROM pg_temp.verdict('2001-04-06 05:40:00+00');

-- Unknown: no sample, a stale one. Hostile names, although a slot cannot have one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-06 05:44:00+00');
SELECT pg_temp.inject('2001-04-06 06:00:00+00', jsonb_build_object('slot_name', E's''; DROP\n', 'inactive_since', '2001-04-05 05:00:00+00'));
SELECT alike(action, '%pg_drop_replication_slot(''s''''; DROP%', 'a hostile name is quoted') FROM pg_temp.verdict('2001-04-06 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
