-- hypotheses(): what the samples of a minute prove, refute, or leave open. Golden samples of 2002-02-08.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(48);

-- A minute in which all is well; scenes change it. Counters are those at its end; they began at 0.
CREATE TEMP TABLE quiet AS
SELECT * FROM (VALUES
	('activity', '{"pid": 1, "backend_start": "2002-01-01 00:00:00+00", "backend_type": "client backend", "state": "active"}'::jsonb),
	('connections', '{"connections": 5, "usable": 100}'),
	('autovacuum', '{"phase": "analyzing", "jobs": 0, "blocked_jobs": 0, "workers": 0, "max_workers": 3}'),
	('horizon', NULL), ('replication', NULL), ('wait', NULL),
	('wait_tick', '{"rate": 10, "ticks": 600, "span_seconds": 60, "gap_seconds": 0, "cpus": 2, "cpu_seconds": 0, "runnable_seconds": 0}'),
	('database', '{"db": "shop", "xact_commit": 600, "tup_inserted": 600, "tup_updated": 0, "tup_deleted": 0, "temp_bytes": 0}'),
	('checkpoint', '{"timed": 0, "requested": 0, "in_recovery": false, "max_wal_size": 1073741824, "wal_segment_size": 16777216,
		"completion_target": 0.9, "redo_position": 0, "sync_seconds": 0, "write_seconds": 0}'),
	('relation', '{"db": "shop", "schema": "public", "relname": "orders", "relation": "public.orders", "n_dead_tup": 10, "n_live_tup": 90, "pct_dead": 10}'),
	('machine', '{"cpus": 2, "usable_cpus": 2, "cpu_user": 6, "cpu_system": 0, "cpu_steal": 0, "group_throttled": 0}'),
	('process', '{"pid": 1, "backend_start": "2002-01-01 00:00:00+00", "cpu_seconds": 6}')
) AS v (probe, sample);

-- A sample before the minute, with the counters at 0, and one at its end. A scene gives an object of what differs, or rows.
CREATE FUNCTION pg_temp.scene(at timestamptz, differs jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample(q.probe, at - interval '1 min', CASE WHEN q.sample IS NULL THEN '[]' ELSE jsonb_build_array(q.sample || c.zero) END),
		pgdba.inject_sample(q.probe, at, CASE WHEN jsonb_typeof(differs -> q.probe) = 'array' THEN differs -> q.probe
			WHEN q.sample IS NULL THEN '[]' ELSE jsonb_build_array(q.sample || coalesce(differs -> q.probe, '{}')) END)
	FROM quiet q
	CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(e.key, 0), '{}') AS zero
		FROM pgdba.probe p CROSS JOIN LATERAL jsonb_each(p.columns) e
		WHERE p.name = q.probe AND e.value ->> 'kind' = 'counter' AND q.sample ? e.key) c
	WHERE coalesce(differs -> q.probe <> 'null', true);
$$;
CREATE FUNCTION pg_temp.wait(event text, seconds float8, state text DEFAULT 'active', query_id int DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('db', 'shop', 'role', 'app', 'application_name', 'web', 'query_id', query_id, 'state', state,
		'event_type', split_part(event, ':', 1), 'event', split_part(event, ':', 2), 'class', split_part(event, ':', 1),
		'samples', (10 * seconds)::int8, 'seconds', seconds, 'folded', false, 'span_seconds', 60)
$$;
CREATE FUNCTION pg_temp.those(at timestamptz, verdict text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(h.cause, ', '), 'none') FROM pgdba.hypotheses(at - interval '1 min', at) h WHERE h.verdict = those.verdict
$$;
CREATE FUNCTION pg_temp.proof(at timestamptz, cause text) RETURNS text LANGUAGE sql AS $$
	SELECT h.verdict || ': ' || h.proof FROM pgdba.hypotheses(at - interval '1 min', at) h WHERE h.cause = proof.cause
$$;

-- What is injected is seen as of a time only.
SET LOCAL pgdba.as_of = '2002-02-08 23:00:00+00';

-- All is well: everything is ruled out, and each proof is said.
SELECT pg_temp.scene('2002-02-08 01:00:00+00', '{}');
SELECT is(pg_temp.those('2002-02-08 01:00:00+00', 'confirmed'), 'none', 'nothing is confirmed when all is well');
SELECT is(pg_temp.those('2002-02-08 01:00:00+00', 'unknown'), 'plan change', 'what there is no data of yet is unknown');
SELECT is(count(*), (SELECT count(*) - 1 FROM pgdba.causes), 'all others are ruled out, each with a proof in numbers')
FROM pgdba.hypotheses('2002-02-08 00:59:00+00', '2002-02-08 01:00:00+00') h
WHERE h.verdict = 'ruled out' AND h.proof ~ '\d|nobody|no table' AND h.evidence ? 'sampled_percent' AND h.action IS NULL;
SELECT is(count(*), 0::bigint, 'each has a check') FROM pgdba.causes c
WHERE c.query IS NOT NULL AND NOT EXISTS (SELECT FROM pgdba.check_definition d WHERE d.check_id = c.check_id);
SELECT is(pg_temp.proof('2002-02-08 01:00:00+00', 'plan change'), 'unknown: there is no sample of plan in this time', 'and it is said which');

-- Scenes: what is confirmed, and by what.
CREATE TEMP TABLE scene AS
SELECT s.*, timestamptz '2002-02-08 02:00:00+00' + s.n * interval '10 min' AS at FROM (VALUES
	(1, 'sessions queue for a lock', jsonb_build_object('activity', (SELECT jsonb_agg(jsonb_build_object('pid', n, 'backend_start', '2002-01-01 00:00:00+00',
			'backend_type', 'client backend', 'state', 'active', 'lock_wait_start', '2002-02-08 02:09:50+00')) FROM generate_series(1, 3) n),
		'wait', jsonb_build_array(pg_temp.wait('Lock:transactionid', 30), pg_temp.wait('CPU:CPU', 3))),
		'lock', 'confirmed: at most 3 sessions had waited for a lock for a second, the longest for 10 s; 91 % of the load waited for locks'),
	(2, 'short waits for locks', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('Lock:tuple', 60), pg_temp.wait('CPU:CPU', 3))),
		'lock', 'confirmed: at most 0 sessions had waited for a lock for a second, the longest for 0 s; 95 % of the load waited for locks'),
	(3, 'one statement burns a CPU', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('CPU:CPU', 61, query_id => 7), pg_temp.wait('CPU:CPU', 10))),
		'one statement', 'confirmed: the load was 1.18 on 2 CPUs; statement 7 in shop had 86 % of it'),
	(4, 'many statements burn all CPUs', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('CPU:CPU', 61, query_id => 7), pg_temp.wait('CPU:CPU', 80, query_id => 8),
		pg_temp.wait('CPU:CPU', 61, query_id => 9))), 'CPU', 'confirmed: 3.37 sessions at a time were on a CPU or ready for one, of 2 CPUs'),
	(5, 'others take the CPUs', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('CPU:CPU', 58)), 'machine', '{"cpu_user": 118}'::jsonb,
		'process', '{"cpu_seconds": 20}'::jsonb, 'wait_tick', '{"cpu_seconds": 20, "runnable_seconds": 38}'::jsonb),
		'CPU outside', 'confirmed: sessions on a CPU waited 65.5 % of the time to get one; others used 1.63 of 2 CPUs, the hypervisor 0.00, '
			'and the control group was stopped 0 % of the time'),
	(6, 'reads from storage', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 100), pg_temp.wait('CPU:CPU', 20))),
		'I/O', 'confirmed: 83 % of a load of 2.00 on 2 CPUs waited for storage, most for IO:DataFileRead'),
	(7, 'temporary files', '{"database": {"temp_bytes": 300000000}}'::jsonb, 'temp files',
		'confirmed: 1431 MB of temporary files in 5 minutes; 0 % of the load waited for such files'),
	(8, 'commits row by row', jsonb_build_object('database', '{"xact_commit": 49500, "tup_inserted": 49500}'::jsonb, 'wait', jsonb_build_array(
		pg_temp.wait('IO:WalSync', 7.9), pg_temp.wait('LWLock:WALWrite', 10), pg_temp.wait('Client:ClientRead', 54, 'idle'), pg_temp.wait('CPU:CPU', 28.1))),
		'commit bound', 'confirmed: 17.9 % of the time of working sessions waited for commits, 54.0 % for clients; 825.0 commits/s of 1.0 rows in shop'),
	(9, 'a slow synchronous standby', jsonb_build_object('database', '{"xact_commit": 120, "tup_inserted": 50000}'::jsonb, 'wait', jsonb_build_array(
		pg_temp.wait('IPC:SyncRep', 50), pg_temp.wait('CPU:CPU', 10)), 'replication', '[{"replica": "east", "synchronous": true}]'::jsonb),
		'synchronous replication', 'confirmed: 83.3 % of the time of working sessions waited for a synchronous standby; there are east'),
	(10, 'WAL forces checkpoints', '{"checkpoint": {"requested": 3, "redo_position": 3000000000, "sync_seconds": 2}}'::jsonb,
		'checkpoint', 'confirmed: WAL forced 3 checkpoints in 1 min, 0 came by time; they synced files for 2 s'),
	(11, 'dead rows', '{"relation": {"n_dead_tup": 300000, "pct_dead": 30}}'::jsonb,
		'dead tuples', 'confirmed: public.orders in shop: 30.0 % of its rows were dead (300000); it counts beyond 20 % and 100000'),
	(12, 'somebody holds the horizon', '{"horizon": [{"kind": "prepared transaction", "name": "order 7", "db": "shop", "xid_age": 1000001}]}'::jsonb,
		'horizon', 'confirmed: prepared transaction order 7 held back vacuum by 1000001 transactions'),
	(13, 'all autovacuum workers are busy', '{"autovacuum": {"workers": 3}}'::jsonb,
		'autovacuum', 'confirmed: 3 of 3 autovacuum workers at the most, all of them busy in 100 % of the time'),
	(14, 'connections are taken', '{"connections": {"connections": 81}}'::jsonb,
		'connections', 'confirmed: at most 81 of 100 connections were taken'),
	(15, 'clients think', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('Client:ClientRead', 90, 'idle'), pg_temp.wait('CPU:CPU', 10))),
		'client bound', 'confirmed: 1.67 sessions worked at a time, and waited 90.0 % of it for their clients; the load was 0.17 on 2 CPUs, 0.0 % of the time waited for commits')
) AS s (n, what, differs, cause, proof);
SELECT count(pg_temp.scene(s.at, s.differs)) FROM scene s;
SELECT is(pg_temp.those(s.at, 'confirmed'), s.cause, 'confirmed alone: ' || s.what) FROM scene s ORDER BY s.n;
SELECT is(pg_temp.proof(s.at, s.cause), s.proof, 'the proof: ' || s.what) FROM scene s ORDER BY s.n;
SELECT is(count(*), 15::bigint, 'there is something to do about each') FROM scene s
CROSS JOIN LATERAL pgdba.hypotheses(s.at - interval '1 min', s.at) h WHERE h.cause = s.cause AND h.action <> '';

-- The thresholds are those of the checks, also when somebody sets them.
SELECT pgdba.set_threshold('connections.saturation', '%', 90, 95);
SELECT is(pg_temp.those(s.at, 'confirmed'), 'none', 'an override counts') FROM scene s WHERE s.cause = 'connections';

-- Unknown: no sample at all; one that is missing; too few; a part of the time.
SELECT is(count(*), (SELECT count(*) FROM pgdba.causes), 'all is unknown where nothing was sampled')
FROM pgdba.hypotheses('1990-01-01', '1990-01-02') WHERE verdict = 'unknown' AND proof LIKE 'there is no sample of %';
SELECT pg_temp.scene('2002-02-08 06:00:00+00', '{"wait_tick": null, "relation": null}');
SELECT is(pg_temp.those('2002-02-08 06:00:00+00', 'unknown'), 'one statement, CPU, CPU outside, I/O, commit bound, synchronous replication, dead tuples, client bound, plan change',
	'those whose samples are missing are unknown, the others are not');
SELECT pg_temp.scene('2002-02-08 07:00:00+00', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('IO:DataFileRead', 29)),
	'wait_tick', '{"ticks": 290, "span_seconds": 29}'::jsonb));
SELECT is(pg_temp.proof('2002-02-08 07:00:00+00', 'I/O'), 'unknown: only 290 samples of active sessions in 290 looks: 300 are needed', 'below 300 samples nothing is said');
SELECT pg_temp.scene('2002-02-08 07:10:00+00', jsonb_build_object('wait', jsonb_build_array(pg_temp.wait('CPU:CPU', 100)),
	'wait_tick', '{"span_seconds": 20, "gap_seconds": 40}'::jsonb));
SELECT is(pg_temp.proof('2002-02-08 07:10:00+00', 'I/O'), 'unknown: nobody looked for 40 s of 1 min', 'nor where the sampler of waits stood still');
SELECT is(h.verdict || ': ' || left(h.proof, 34), 'unknown: only 33 % of this time was sampled', 'what was not looked at is not ruled out')
FROM pgdba.hypotheses('2002-02-08 00:59:00+00', '2002-02-08 01:02:00+00') h WHERE h.cause = 'connections';
SELECT is(h.verdict, 'confirmed', 'but what was seen in a part of it is confirmed')
FROM scene s CROSS JOIN LATERAL pgdba.hypotheses(s.at - interval '1 min', s.at + interval '5 min') h WHERE s.cause = 'temp files' AND h.cause = s.cause;

-- As of a time before, later samples are not known.
SET LOCAL pgdba.as_of = '2002-02-08 00:59:30+00';
SELECT is(pg_temp.those('2002-02-08 01:00:00+00', 'ruled out'), 'none', 'pgdba.as_of is honoured');
SET LOCAL pgdba.as_of = '2002-02-08 23:00:00+00';

-- One that fails takes no other away; one more is one more row.
SELECT pg_get_viewdef('pgdba.causes') AS causes \gset
SELECT regexp_replace(:'causes', ';\s*$', '') AS causes \gset
CREATE OR REPLACE VIEW pgdba.causes AS :causes UNION ALL SELECT 16, 'broken', NULL, '{connections}', 'SELECT 1 / 0'
	UNION ALL SELECT 17, 'mine', NULL, '{connections}', $$SELECT true, 'I say so', '{"n": 1.23456}'::jsonb, 'nothing'$$;
SELECT is(pg_temp.proof('2002-02-08 01:00:00+00', 'broken'), 'unknown: failed: division by zero', 'a failure is said');
SELECT results_eq($$SELECT h.proof, h.evidence ->> 'n' FROM pgdba.hypotheses('2002-02-08 00:59:00+00', '2002-02-08 01:00:00+00') h WHERE h.verdict = 'confirmed'$$,
	$$VALUES ('I say so', '1.235')$$, 'and those behind it go on');

SELECT throws_ok($$SELECT * FROM pgdba.hypotheses(now(), now())$$, '22023', NULL, 'an empty time');
SELECT throws_ok($$SELECT * FROM pgdba.hypotheses(NULL, now())$$, '22023', NULL, 'no time');

SELECT * FROM finish();
ROLLBACK;
