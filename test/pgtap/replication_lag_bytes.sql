-- replication.lag_bytes: thresholds, and a delay that was asked for. Golden samples of 2001-04-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(11);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'replication.lag_bytes'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, lag_bytes int8, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('replication', at, jsonb_build_array(jsonb_build_object('replica', 'two', 'itself', false,
		'kind', 'physical', 'application_name', 'two', 'state', 'streaming', 'lag_seconds', 5, 'lag_bytes', lag_bytes,
		'send_lag_bytes', 0, 'write_lag_bytes', 0, 'flush_lag_bytes', 0) || more))
$$;

SELECT pg_temp.inject('2001-04-04 01:00:00+00', 1073741824);
SELECT is(severity, 'ok', 'quiet at exactly 1 GB') FROM pg_temp.verdict('2001-04-04 01:00:00+00');
SELECT pg_temp.inject('2001-04-04 01:10:00+00', 1073741825);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-04-04 01:10:00+00')$$,
	$$VALUES ('warning', 'replica:two', NULL::text, 1073741825::float8, 'bytes')$$, 'warning beyond it');
SELECT is(message, 'standby two has 1 GB of WAL still to replay', 'the message') FROM pg_temp.verdict('2001-04-04 01:10:00+00');
SELECT is(symptom_of, 'replication.lag', 'the lag in seconds explains it') FROM pg_temp.verdict('2001-04-04 01:10:00+00');
SELECT pg_temp.inject('2001-04-04 01:20:00+00', 10737418241, '{"send_lag_bytes": 5368709120, "kind": "logical"}');
SELECT is(severity, 'critical', 'critical beyond 10 GB') FROM pg_temp.verdict('2001-04-04 01:20:00+00');
SELECT is(message, 'subscriber two has 10 GB of WAL still to replay, 5120 MB of it not sent yet', 'what was not sent is said')
FROM pg_temp.verdict('2001-04-04 01:20:00+00');
SELECT pg_temp.inject('2001-04-04 01:30:00+00', 20000000000, '{"itself": true, "apply_delay": 3600}');
SELECT is(severity, 'ok', 'quiet where a delay was asked for') FROM pg_temp.verdict('2001-04-04 01:30:00+00');
SELECT pg_temp.inject('2001-04-04 01:40:00+00', NULL, '{"itself": true, "state": "broken"}');
SELECT is(severity, 'ok', 'what is not known is said by replication.lag') FROM pg_temp.verdict('2001-04-04 01:40:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-04-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-04-04 01:44:00+00');
SELECT pg_temp.inject('2001-04-04 02:00:00+00', 2000000000, jsonb_build_object('replica', E'x"\ny'));
SELECT is(object, E'replica:"x""\ny"', 'a hostile name is quoted') FROM pg_temp.verdict('2001-04-04 02:00:00+00');

SELECT * FROM finish();
ROLLBACK;
