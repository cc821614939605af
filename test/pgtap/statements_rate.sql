-- Probe workload_rate: rates of the newest step, from golden samples of 2001-07-07; and probe statement_text: whose texts
-- are read.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(20);

-- What the probe would have returned at a time.
CREATE FUNCTION pg_temp.rate(at timestamptz) RETURNS TABLE (db text, tps numeric, qps numeric, mean numeric, p95 numeric, share numeric)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('pgdba.as_of', at::text, true);
	RETURN QUERY EXECUTE 'SELECT r.db, round(r.tps::numeric, 3), round(r.qps::numeric, 3), round(r.latency_mean_seconds::numeric, 6),
		round(r.latency_p95_seconds::numeric, 4), round(r.latency_p95_percent::numeric, 1)
		FROM (' || (SELECT p.query FROM pgdba.probe p WHERE p.name = 'workload_rate') || ') r ORDER BY r.db';
	PERFORM set_config('pgdba.as_of', '', true);
END
$$;

-- A sample of all three probes: transactions of shop, and its statements as arrays of calls, seconds, square seconds.
CREATE FUNCTION pg_temp.inject(at timestamptz, transactions bigint, statements jsonb, more jsonb DEFAULT '{}',
	info jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at, jsonb_build_array('{"db": "idle", "xact_commit": 4, "xact_rollback": 0}'::jsonb,
			jsonb_build_object('db', 'shop', 'xact_commit', transactions, 'xact_rollback', 7) || more)),
		pgdba.inject_sample('statement', at, (SELECT coalesce(jsonb_agg(jsonb_build_object('db', 'shop', 'queryid', s.n, 'calls', s.v -> 0,
			'exec_seconds', s.v -> 1, 'exec_seconds_squared', s.v -> 2)), '[]') FROM jsonb_array_elements(statements) WITH ORDINALITY AS s (v, n))),
		pgdba.inject_sample('statement_info', at, jsonb_build_array(jsonb_build_object('preloaded', true, 'evictions', 0,
			'stats_reset', '2001-07-01 00:00:00+00') || info))
$$;

-- The first sample has no rate.
SELECT pg_temp.inject('2001-07-07 01:00:00+00', 1000, '[[100, 10, 1], [50, 1, 1]]');
SELECT results_eq($$SELECT tps, qps, mean, p95 FROM pg_temp.rate('2001-07-07 01:00:00+00') WHERE db = 'shop'$$,
	$$VALUES (NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric)$$, 'no rate at the first sample');

-- 120 transactions and 600 + 0 statements in a minute; each took 10 ms.
SELECT pg_temp.inject('2001-07-07 01:01:00+00', 1120, '[[700, 16, 1.06], [50, 1, 1]]');
SELECT results_eq($$SELECT * FROM pg_temp.rate('2001-07-07 01:01:00+00')$$,
	$$VALUES ('idle', 0.000, 0.000, NULL::numeric, NULL::numeric, NULL::numeric), ('shop', 2.000, 10.000, 0.010000, 0.0100, 100.0)$$,
	'rates of the step; a database without statements has 0 of them, and no latency');

-- 95 executions of 1 ms, 5 of 1 s; then 94 and 6.
SELECT pg_temp.inject('2001-07-07 01:02:00+00', 1120, '[[796, 16.096, 1.060096], [54, 5, 5]]');
SELECT ok(mean BETWEEN 0.040 AND 0.041 AND p95 < 0.0011, 'the quantile of two kinds: just below the slow one')
FROM pg_temp.rate('2001-07-07 01:02:00+00') WHERE db = 'shop';
SELECT pg_temp.inject('2001-07-07 01:03:00+00', 1120, '[[890, 16.19, 1.06019], [60, 11, 11]]');
SELECT ok(p95 BETWEEN 0.99 AND 1.01, 'and just above it') FROM pg_temp.rate('2001-07-07 01:03:00+00') WHERE db = 'shop';

-- Log-normal, mean 10 ms, deviation 10 ms: its 95th percentile is exp(mu + 1.645 sigma) = 27.8 ms.
SELECT pg_temp.inject('2001-07-07 01:04:00+00', 1120, '[[1890, 26.19, 1.26019], [60, 11, 11]]');
SELECT ok(p95 BETWEEN 0.0275 AND 0.0281, 'the quantile of one that varies') FROM pg_temp.rate('2001-07-07 01:04:00+00') WHERE db = 'shop';

-- A step down, a new one, and one that took no time.
SELECT pg_temp.inject('2001-07-07 01:05:00+00', 1180, '[[1890, 26.19, 1.26019], [6, 1, 1], [30, 3, 3]]');
SELECT results_eq($$SELECT tps, qps, mean FROM pg_temp.rate('2001-07-07 01:05:00+00') WHERE db = 'shop'$$,
	$$VALUES (1.000, NULL::numeric, NULL::numeric)$$, 'what began again or is new is not counted; nothing else ran: not known');
SELECT pg_temp.inject('2001-07-07 01:06:00+00', 1180, '[[1890, 26.19, 1.26019], [12, 1, 1], [30, 3, 3], [999, 9, 9]]');
SELECT results_eq($$SELECT qps, mean, p95 FROM pg_temp.rate('2001-07-07 01:06:00+00') WHERE db = 'shop'$$,
	$$VALUES (0.100, 0.000000, 0.0000)$$, 'the others are, and no time is no error');

-- No statements at all, and none executed.
SELECT pg_temp.inject('2001-07-07 01:07:00+00', 1180, '[[1890, 26.19, 1.26019], [12, 1, 1], [30, 3, 3], [999, 9, 9]]');
SELECT results_eq($$SELECT tps, qps, mean, p95 FROM pg_temp.rate('2001-07-07 01:07:00+00') WHERE db = 'shop'$$,
	$$VALUES (0.000, 0.000, NULL::numeric, NULL::numeric)$$, 'none executed: 0, and no latency');

-- Resets.
SELECT pg_temp.inject('2001-07-07 01:08:00+00', 1240, '[]', info => '{"stats_reset": "2001-07-07 01:07:30+00"}');
SELECT results_eq($$SELECT tps, qps, mean FROM pg_temp.rate('2001-07-07 01:08:00+00') WHERE db = 'shop'$$,
	$$VALUES (1.000, NULL::numeric, NULL::numeric)$$, 'no rate of statements after a reset, though none is left');
SELECT pg_temp.inject('2001-07-07 01:09:00+00', 30, '[[5, 1, 1]]', info => '{"stats_reset": "2001-07-07 01:07:30+00"}');
SELECT results_eq($$SELECT tps, qps FROM pg_temp.rate('2001-07-07 01:09:00+00') WHERE db = 'shop'$$,
	$$VALUES (NULL::numeric, NULL::numeric)$$, 'no rate of transactions after a reset');

-- Not preloaded; an extension that knows nothing of itself; no sample of statements in this tick.
SELECT pg_temp.inject('2001-07-07 01:10:00+00', 90, '[]', info => '{"preloaded": false}');
SELECT results_eq($$SELECT tps, qps FROM pg_temp.rate('2001-07-07 01:10:00+00') WHERE db = 'shop'$$,
	$$VALUES (1.000, NULL::numeric)$$, 'transactions alone while pg_stat_statements is not preloaded');
SELECT pg_temp.inject('2001-07-07 01:11:00+00', 90, '[[5, 1, 1]]', info => '{"evictions": null, "stats_reset": null}'),
	pg_temp.inject('2001-07-07 01:12:00+00', 90, '[[11, 1, 1]]', info => '{"evictions": null, "stats_reset": null}');
SELECT is(qps, 0.100, 'rates with version 1.8') FROM pg_temp.rate('2001-07-07 01:12:00+00') WHERE db = 'shop';
SELECT pgdba.inject_sample('database', '2001-07-07 01:13:00+00', '[{"db": "shop", "xact_commit": 150, "xact_rollback": 7}]');
SELECT results_eq($$SELECT tps, qps, mean FROM pg_temp.rate('2001-07-07 01:13:00+00') WHERE db = 'shop'$$,
	$$VALUES (1.000, NULL::numeric, NULL::numeric)$$, 'without a sample of statements their rate is not known');

-- Many statements: the 200 with the most calls stand for all.
SELECT pg_temp.inject('2001-07-07 02:00:00+00', 90, (SELECT jsonb_agg('[0, 0, 0]'::jsonb) FROM generate_series(1, 400)),
	info => '{"stats_reset": "2001-07-07 02:00:00+00"}');
SELECT pg_temp.inject('2001-07-07 02:01:00+00', 90, (SELECT jsonb_agg(CASE WHEN i <= 200 THEN '[3, 0.003, 0.000003]'::jsonb ELSE '[1, 1, 1]' END)
	FROM generate_series(1, 400) i), info => '{"stats_reset": "2001-07-07 02:00:00+00"}');
SELECT results_eq($$SELECT qps, p95, share FROM pg_temp.rate('2001-07-07 02:01:00+00') WHERE db = 'shop'$$,
	$$VALUES (13.333, 0.0010, 75.0)$$, 'the estimate says what it stands on');

-- Databases apart, whatever they are called.
SELECT pgdba.inject_sample(probe, at, rows) FROM (VALUES
	('2001-07-07 03:00:00+00'::timestamptz, 'database', '[{"db": "a\"; --", "xact_commit": 0, "xact_rollback": 0}, {"db": "b", "xact_commit": 0, "xact_rollback": 0}]'::jsonb),
	('2001-07-07 03:00:00+00', 'statement', '[{"db": "a\"; --", "queryid": 1, "calls": 0, "exec_seconds": 0, "exec_seconds_squared": 0},
		{"db": "b", "queryid": 1, "calls": 0, "exec_seconds": 0, "exec_seconds_squared": 0}]'),
	('2001-07-07 03:00:00+00', 'statement_info', '[{"preloaded": true}]'),
	('2001-07-07 03:01:00+00', 'database', '[{"db": "a\"; --", "xact_commit": 60, "xact_rollback": 60}, {"db": "b", "xact_commit": 0, "xact_rollback": 60}]'),
	('2001-07-07 03:01:00+00', 'statement', '[{"db": "a\"; --", "queryid": 1, "calls": 60, "exec_seconds": 0.6, "exec_seconds_squared": 0.006},
		{"db": "b", "queryid": 1, "calls": 600, "exec_seconds": 0.6, "exec_seconds_squared": 0.0006}]'),
	('2001-07-07 03:01:00+00', 'statement_info', '[{"preloaded": true}]')) AS v (at, probe, rows);
SELECT results_eq($$SELECT db, tps, qps, mean, p95 FROM pg_temp.rate('2001-07-07 03:01:00+00')$$,
	$$VALUES ('a"; --', 2.000, 1.000, 0.010000, 0.0100), ('b', 1.000, 10.000, 0.001000, 0.0010)$$, 'databases are kept apart');

-- ---- whose texts ----

-- Its text with the reading of texts taken out: what would be read.
CREATE FUNCTION pg_temp.wanted(at timestamptz) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	wanted bigint[];
BEGIN
	PERFORM set_config('pgdba.as_of', at::text, true);
	EXECUTE replace(replace((SELECT p.query FROM pgdba.probe p WHERE p.name = 'statement_text'),
		'pgdba.statement_texts(w.databases, w.queryids) t', '(SELECT ARRAY(SELECT u FROM unnest(w.queryids) u ORDER BY 1)) t (queryids)'),
		'SELECT t.db, t.queryid, t.query', 'SELECT t.queryids')
		INTO wanted;
	PERFORM set_config('pgdba.as_of', '', true);
	RETURN wanted;
END
$$;
CREATE FUNCTION pg_temp.statements(at timestamptz, statements jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('statement', at, (SELECT jsonb_agg(jsonb_build_object('db', 'shop', 'queryid', s.v -> 0, 'calls', s.v -> 1,
		'exec_seconds', s.v -> 2, 'shared_blks_read', s.v -> 3, 'temp_blks_written', s.v -> 4)) FROM jsonb_array_elements(statements) s (v)))
$$;
SELECT pg_temp.statements('2001-07-07 12:00:00+00', '[[1, 9, 1, 0, 0], [2, 8, 9, 0, 0], [3, 7, 1, 9, 0], [4, 6, 1, 0, 9], [5, 1, 0, 0, 0], [null, 99, 99, 99, 99]]');
SELECT is(pg_temp.wanted('2001-07-07 12:00:00+00'), '{1,2,3,4,5}', 'at first by all they have; never what may not be seen');
SELECT pg_temp.statements('2001-07-07 12:01:00+00', '[[1, 9, 1, 0, 0], [2, 8, 9, 0, 0], [3, 8, 1, 9, 0], [4, 6, 1, 0, 9], [6, 1, 0, 0, 0], [null, 99, 99, 99, 99]]');
SELECT is(pg_temp.wanted('2001-07-07 12:01:00+00'), '{3,6}', 'then by what they did in the last quarter of an hour, and those that are new');
SELECT pg_temp.statements('2001-07-07 12:20:00+00', '[[1, 9, 1, 0, 0], [2, 8, 9, 0, 0], [3, 8, 1, 9, 0], [4, 6, 1, 0, 10]]');
SELECT is(pg_temp.wanted('2001-07-07 12:20:00+00'), '{4}', 'but not before it');
SELECT pg_temp.statements('2001-07-07 15:00:00+00', (SELECT jsonb_agg(jsonb_build_array(i, i, 0, 0, 0)) FROM generate_series(1001, 1120) i));
SELECT is(pg_temp.wanted('2001-07-07 15:00:00+00'), ARRAY(SELECT i::bigint FROM generate_series(1071, 1120) i),
	'no more than pgdba.top_queries of each ranking');
SELECT pg_temp.statements('2001-07-07 18:00:00+00', '[[1, 0, 0, 0, 0]]');
SELECT is(pg_temp.wanted('2001-07-07 18:00:00+00'), '{}', 'nobody did anything: none');

SELECT * FROM finish();
ROLLBACK;
