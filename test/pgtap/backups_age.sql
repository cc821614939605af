-- backups.age: those that are known, and none. Golden samples of 2001-11-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'backups.age'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, age interval, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('backup', at, jsonb_build_array(jsonb_build_object('last_ended_at', at - age, 'history_files', 1,
		'running', 0, 'leaves_trace', true, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-11-03 00:00+00', '26 hours');
SELECT is(severity, 'ok', 'quiet for a day and two hours') FROM pg_temp.verdict('2001-11-03 00:00+00');
SELECT pg_temp.inject('2001-11-04 00:00+00', '27 hours');
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2001-11-04 00:00+00')$$,
	$$VALUES ('info', 'cluster', 'the last base backup of this server ended 1 d 3 h ago')$$, 'then advice');
SELECT pg_temp.inject('2001-11-05 00:00+00', '8 days');
SELECT is(severity, 'info', 'for eight days') FROM pg_temp.verdict('2001-11-05 00:00+00');
SELECT pg_temp.inject('2001-11-06 00:00+00', '8 days 1 hour');
SELECT is(severity, 'warning', 'then a warning') FROM pg_temp.verdict('2001-11-06 00:00+00');
SELECT pg_temp.inject('2001-11-07 00:00+00', '9 days', '{"leaves_trace": false, "in_recovery": true}');
SELECT is(severity, 'warning', 'on a standby too, when it has seen one') FROM pg_temp.verdict('2001-11-07 00:00+00');
SELECT pg_temp.inject('2001-11-08 00:00+00', NULL, '{"leaves_trace": false}');
SELECT is(severity, 'ok', 'quiet where backups leave no trace') FROM pg_temp.verdict('2001-11-08 00:00+00');

-- Unknown.
SELECT pg_temp.inject('2001-11-09 00:00+00', NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' LIKE 'no base backup of this server is known;%' FROM pg_temp.verdict('2001-11-09 00:00+00')$$,
	$$VALUES ('unknown', true)$$, 'unknown where they would and none has');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-03 00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-09 06:00+00');

SELECT * FROM finish();
ROLLBACK;
