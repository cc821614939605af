-- load.commit_bound: waits for commits of few rows each, and of clients between them. Golden samples of 2002-02-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(15);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'load.commit_bound'
$$;

-- What sessions did in a minute, looked at ten times a second: an event and its session-seconds.
CREATE FUNCTION pg_temp.wait(event text, seconds float8, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('db', 'shop', 'role', 'app', 'application_name', 'web', 'query_id', 4711, 'state', 'active',
		'event_type', split_part(event, ':', 1), 'event', split_part(event, ':', 2), 'class', split_part(event, ':', 1),
		'samples', (10 * seconds)::int8, 'seconds', seconds, 'folded', false, 'span_seconds', 60) || more
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, rows jsonb, tick jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('wait', at, rows), pgdba.inject_sample('wait_tick', at, jsonb_build_array(jsonb_build_object(
		'rate', 10, 'ticks', 600, 'span_seconds', 60, 'gap_seconds', 0, 'cpus', 2) || tick));
$$;

-- Two samples of the database, a minute apart: what was committed in between, and how many rows that changed.
CREATE FUNCTION pg_temp.work(at timestamptz, commits bigint, rows bigint) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at - interval '1 min', '[{"db": "shop", "xact_commit": 0, "tup_inserted": 0, "tup_updated": 0, "tup_deleted": 0}]'),
		pgdba.inject_sample('database', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'xact_commit', commits,
			'tup_inserted', rows, 'tup_updated', 0, 'tup_deleted', 0)))
$$;

-- A case from practice: 825 commits a second, 17.9 % of the time for the log, 54 % for the client.
SELECT pg_temp.work('2002-02-04 01:00:00+00', 49500, 49500), pg_temp.inject('2002-02-04 01:00:00+00', jsonb_build_array(
	pg_temp.wait('IO:WalSync', 7.9), pg_temp.wait('LWLock:WALWrite', 10), pg_temp.wait('Client:ClientRead', 34, '{"state": "idle in transaction"}'),
	pg_temp.wait('Client:ClientRead', 20, '{"state": "idle"}'), pg_temp.wait('CPU:CPU', 28.1)));
SELECT results_eq($$SELECT severity, object, database, round(value::numeric, 1), evidence ->> 'think_percent' FROM pg_temp.verdict('2002-02-04 01:00:00+00')$$,
	$$VALUES ('warning', 'cluster', 'shop', 17.9, '54.0')$$, 'leader and followers are added up, and the clients are said');
SELECT is(message, '17.9 % of session time waits for commits: 825/s of 1 rows each (role app, application web)', 'with the commits')
FROM pg_temp.verdict('2002-02-04 01:00:00+00');
SELECT alike(action, '%hundreds of rows per transaction%', 'the remedy') FROM pg_temp.verdict('2002-02-04 01:00:00+00');
SELECT unalike(action, '%standby%', 'without a word of standbys') FROM pg_temp.verdict('2002-02-04 01:00:00+00');

-- Quiet: after batching; many rows each; few commits; the threshold; nothing.
SELECT pg_temp.work('2002-02-04 02:00:00+00', 102, 49500), pg_temp.inject('2002-02-04 02:00:00+00', jsonb_build_array(
	pg_temp.wait('IO:WalSync', 20), pg_temp.wait('CPU:CPU', 80)));
SELECT is(severity, 'ok', 'quiet at 1.7 commits/s of many rows') FROM pg_temp.verdict('2002-02-04 02:00:00+00');
SELECT pg_temp.work('2002-02-04 03:00:00+00', 600, 600), pg_temp.inject('2002-02-04 03:00:00+00', jsonb_build_array(
	pg_temp.wait('IO:WalSync', 20), pg_temp.wait('CPU:CPU', 80)));
SELECT is(severity, 'ok', 'quiet at 10 commits/s') FROM pg_temp.verdict('2002-02-04 03:00:00+00');
SELECT pg_temp.work('2002-02-04 04:00:00+00', 6000, 6000), pg_temp.inject('2002-02-04 04:00:00+00', jsonb_build_array(
	pg_temp.wait('IO:WalSync', 15), pg_temp.wait('CPU:CPU', 85)));
SELECT is(severity, 'ok', 'quiet at exactly 15 %') FROM pg_temp.verdict('2002-02-04 04:00:00+00');
SELECT pg_temp.work('2002-02-04 05:00:00+00', 0, 0), pg_temp.inject('2002-02-04 05:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when nothing is done') FROM pg_temp.verdict('2002-02-04 05:00:00+00');
SELECT pg_temp.work('2002-02-04 06:00:00+00', 6000, 6000), pg_temp.inject('2002-02-04 06:00:00+00', jsonb_build_array(
	pg_temp.wait('IO:WalSync', 50, '{"db": null, "role": null, "query_id": null}'), pg_temp.wait('CPU:CPU', 50)));
SELECT is(severity, 'ok', 'nobody waits while the WAL writer writes') FROM pg_temp.verdict('2002-02-04 06:00:00+00');

-- A synchronous standby.
SELECT pg_temp.work('2002-02-04 07:00:00+00', 6000, 6000), pg_temp.inject('2002-02-04 07:00:00+00', jsonb_build_array(
	pg_temp.wait('IPC:SyncRep', 70), pg_temp.wait('IO:WalSync', 10), pg_temp.wait('CPU:CPU', 20)));
SELECT is(severity, 'warning', 'waits for a standby are waits for commits') FROM pg_temp.verdict('2002-02-04 07:00:00+00');
SELECT alike(action, '%for a synchronous standby%', 'and the standby is named as where to look') FROM pg_temp.verdict('2002-02-04 07:00:00+00');

-- Unknown: few samples; commits not known.
SELECT pg_temp.work('2002-02-04 08:00:00+00', 6000, 6000), pg_temp.inject('2002-02-04 08:00:00+00', jsonb_build_array(pg_temp.wait('IO:WalSync', 29)));
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-04 08:00:00+00')$$,
	$$VALUES ('unknown', 'only 290 samples of sessions in 1 min: 300 are needed')$$, 'unknown below 300 samples');
SELECT pgdba.inject_sample('database', '2002-02-04 09:00:00+00', '[{"db": "shop", "xact_commit": 5}]'),
	pg_temp.inject('2002-02-04 09:00:00+00', jsonb_build_array(pg_temp.wait('IO:WalSync', 60)));
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2002-02-04 09:00:00+00')$$,
	$$VALUES ('unknown', 'the number of commits is not known')$$, 'unknown after one sample of the database');

-- Unknown: no sample, a stale one.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-01-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2002-02-04 09:10:00+00');

SELECT * FROM finish();
ROLLBACK;
