-- load(), waits(), top_load() and session_history() of this session, as the launcher sees it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

-- Sleeps until the launcher has seen it 30 times. (The newest look is not shown yet.)
DO $$
DECLARE
	began timestamptz := clock_timestamp();
BEGIN
	FOR i IN 1 .. 600 LOOP
		PERFORM pg_sleep(0.1);
		EXIT WHEN (SELECT sum(r.samples) FROM pgdba.wait_runs(began, clock_timestamp()) r WHERE r.pid = pg_backend_pid() AND r.event = 'PgSleep') >= 30;
	END LOOP;
END $$;

SELECT ok(count(*) > 0 AND bool_and(state = 'active' AND event_type = 'Timeout' AND database = current_database() AND role = session_user
	AND backend_type = 'client backend' AND NOT blocked), 'what this session did')
FROM pgdba.session_history(pg_backend_pid()) WHERE event = 'PgSleep';
SELECT ok(bool_and(began < ended AND ended <= clock_timestamp() AND backend_start < ended), 'and when') FROM pgdba.session_history(pg_backend_pid());
SELECT ok(sum(samples) >= 20 AND abs(sum(seconds) - extract(epoch FROM sum(ended - began))) < 0.001, 'how long, how often seen')
FROM pgdba.session_history(pg_backend_pid()) WHERE event = 'PgSleep';
SELECT ok(samples >= 20 AND seconds > 0 AND share > 0 AND sessions > 0, 'waits has it') FROM pgdba.waits('5 min') WHERE name = 'Timeout:PgSleep';
SELECT ok(seconds > 0 AND cpus > 0 AND observed_seconds > 0, 'load has it') FROM pgdba.load() WHERE class = 'Timeout';
SELECT ok(EXISTS (SELECT FROM pgdba.top_load() WHERE waits_for LIKE '%Timeout:PgSleep%'), 'top_load has it');
SELECT ok(count(*) = 5 AND max(s.seconds) - min(s.seconds) < 0.000001 AND min(s.samples) = max(s.samples)
		AND abs(max(s.seconds) - (SELECT seconds FROM pgdba.load('5 min') WHERE class = 'total')) < 0.000001, 'by whatever: the same, and the load')
FROM (SELECT sum(w.seconds) AS seconds, sum(w.samples) AS samples FROM unnest('{event,query,database,role,application}'::text[]) AS b (word)
	CROSS JOIN LATERAL pgdba.waits('5 min', b.word) w GROUP BY b.word) s;

-- From samples: a time that began before the raw memory did.
\set long '''10 days'''
SELECT ok(pgdba.sample_now('workload') IS NOT NULL AND EXISTS (SELECT FROM pgdba.last_wait_tick WHERE ticks > 0), 'a sample');
SELECT ok(seconds > 0 AND observed_seconds > 0 AND observed_seconds < extract(epoch FROM interval :long), 'and what is from samples')
FROM pgdba.waits(:long) WHERE name = 'Timeout:PgSleep';
SELECT * FROM finish();
