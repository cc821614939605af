-- replication.lag: thresholds, where the WAL waits, and what cannot be known. Golden samples of 2001-04-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(23);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'replication.lag'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, lag_seconds float8, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('replication', at, jsonb_build_array(jsonb_build_object('replica', 'two', 'itself', false,
		'kind', 'physical', 'application_name', 'two', 'state', 'streaming', 'streaming', true,
		'backend_start', at - interval '1 day', 'lag_seconds', lag_seconds, 'lag_bytes', 10485760, 'send_lag_bytes', 0,
		'write_lag_bytes', 0, 'flush_lag_bytes', 0) || more))
$$;

-- Quiet: nothing to judge, no lag, exactly the threshold.
SELECT pgdba.inject_sample('replication', '2001-04-03 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet without replicas') FROM pg_temp.verdict('2001-04-03 01:00:00+00');
SELECT pg_temp.inject('2001-04-03 01:10:00+00', 0, '{"lag_bytes": 0}');
SELECT is(severity, 'ok', 'quiet without lag') FROM pg_temp.verdict('2001-04-03 01:10:00+00');
SELECT pg_temp.inject('2001-04-03 01:20:00+00', 30);
SELECT is(severity, 'ok', 'quiet at exactly 30 s') FROM pg_temp.verdict('2001-04-03 01:20:00+00');

SELECT pg_temp.inject('2001-04-03 02:00:00+00', 31);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-04-03 02:00:00+00')$$,
	$$VALUES ('warning', 'replica:two', NULL::text, 31::float8, 'seconds')$$, 'warning beyond 30 s');
SELECT is(message, 'standby two lags by 31 s, 10 MB: received, not replayed', 'the message says how much and where')
FROM pg_temp.verdict('2001-04-03 02:00:00+00');
SELECT is(sql, NULL, 'there is nothing to run here') FROM pg_temp.verdict('2001-04-03 02:00:00+00');
SELECT is(symptom_of, 'replication.receiver', 'a broken receiver explains it') FROM pg_temp.verdict('2001-04-03 02:00:00+00');
SELECT pg_temp.inject('2001-04-03 02:10:00+00', 301);
SELECT is(severity, 'critical', 'critical beyond 300 s') FROM pg_temp.verdict('2001-04-03 02:10:00+00');

-- Where it waits.
SELECT pg_temp.inject('2001-04-03 03:00:00+00', 40, '{"send_lag_bytes": 8000000, "write_lag_bytes": 8100000, "flush_lag_bytes": 9000000}');
SELECT is(evidence ->> 'stage', 'send', 'not sent') FROM pg_temp.verdict('2001-04-03 03:00:00+00');
SELECT pg_temp.inject('2001-04-03 03:10:00+00', 40, '{"send_lag_bytes": 10, "write_lag_bytes": 8100000, "flush_lag_bytes": 9000000}');
SELECT is(evidence ->> 'stage', 'write', 'not written') FROM pg_temp.verdict('2001-04-03 03:10:00+00');
SELECT pg_temp.inject('2001-04-03 03:20:00+00', 40, '{"send_lag_bytes": 10, "write_lag_bytes": 20, "flush_lag_bytes": 9000000}');
SELECT is(evidence ->> 'stage', 'flush', 'not flushed') FROM pg_temp.verdict('2001-04-03 03:20:00+00');
SELECT pg_temp.inject('2001-04-03 03:30:00+00', 40, '{"lag_bytes": 20, "send_lag_bytes": 10, "write_lag_bytes": 11, "flush_lag_bytes": 9000000}');
SELECT is(evidence ->> 'stage', 'send', 'who does not replay is not blamed for what it has not flushed') FROM pg_temp.verdict('2001-04-03 03:30:00+00');
SELECT pg_temp.inject('2001-04-03 03:40:00+00', 40, '{"kind": "logical", "application_name": "sub", "replica": "sub"}');
SELECT alike(message, 'subscriber sub lags by 40 s%', 'a subscriber') FROM pg_temp.verdict('2001-04-03 03:40:00+00');

-- A standby about itself.
SELECT pg_temp.inject('2001-04-03 04:00:00+00', 40, '{"itself": true, "pause_state": "paused", "send_lag_bytes": null,
	"write_lag_bytes": null, "flush_lag_bytes": null}');
SELECT is(message, 'this standby lags by 40 s, 10 MB: replay is paused', 'paused replay is named') FROM pg_temp.verdict('2001-04-03 04:00:00+00');
SELECT pg_temp.inject('2001-04-03 04:10:00+00', 40, '{"itself": true, "apply_delay": 600, "pause_state": "not paused", "flush_lag_bytes": null}');
SELECT is(severity, 'ok', 'a delay that was asked for is no lag') FROM pg_temp.verdict('2001-04-03 04:10:00+00');
SELECT pg_temp.inject('2001-04-03 04:20:00+00', 640, '{"itself": true, "apply_delay": 600, "pause_state": "not paused", "flush_lag_bytes": null}');
SELECT is(value, 40::float8, 'what goes beyond it is') FROM pg_temp.verdict('2001-04-03 04:20:00+00');

-- Unknown: a standby that hears nothing; a replica that never said where it is; no sample, a stale one.
SELECT pg_temp.inject('2001-04-03 05:00:00+00', NULL, '{"itself": true, "state": "broken", "lag_bytes": null}');
SELECT is(severity, 'unknown', 'a broken standby is not at 0') FROM pg_temp.verdict('2001-04-03 05:00:00+00');
SELECT alike(message, '%this standby does not hear of its primary%', 'and says why') FROM pg_temp.verdict('2001-04-03 05:00:00+00');
SELECT pg_temp.inject('2001-04-03 05:10:00+00', NULL, '{"lag_bytes": null}');
SELECT is(severity, 'unknown', 'unknown without a position') FROM pg_temp.verdict('2001-04-03 05:10:00+00');
SELECT pg_temp.inject('2001-04-03 05:20:00+00', NULL, '{"lag_bytes": null, "backend_start": "2001-04-03 05:19:30+00"}');
SELECT is(severity, 'ok', 'but not when it has just come') FROM pg_temp.verdict('2001-04-03 05:20:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-03 05:24:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-04-03 06:00:00+00', 40, jsonb_build_object('replica', E'x"; {lag} \n--', 'application_name', E'x"; {lag} \n--'));
SELECT is(object, E'replica:"x""; {lag} \n--"', 'a hostile name is quoted') FROM pg_temp.verdict('2001-04-03 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
