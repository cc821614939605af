-- locks.room: how full the lock table is. Golden samples of 2001-11-10.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'locks.room'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, locks int8, advisory int8 DEFAULT 0, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('lock_table', at, jsonb_build_array(jsonb_build_object('locks', locks + 10, 'shared_locks', locks, 'room', 6400,
		'advisory', advisory, 'pct_used', locks / 64.0) || more))
$$;

SELECT pg_temp.inject('2001-11-10 00:00+00', 3200);
SELECT is(severity, 'ok', 'quiet when it is half full') FROM pg_temp.verdict('2001-11-10 00:00+00');
SELECT pg_temp.inject('2001-11-10 01:00+00', 3264);
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2001-11-10 01:00+00')$$,
	$$VALUES ('warning', 'cluster', '3,264 locks take 51 % of the 6,400 that the lock table is sized for')$$, 'warning when more');
SELECT alike(action, 'See who holds most of them%', 'and where to look') FROM pg_temp.verdict('2001-11-10 01:00+00');
SELECT pg_temp.inject('2001-11-10 02:00+00', 5120, 4000);
SELECT is(severity, 'warning', 'still a warning') FROM pg_temp.verdict('2001-11-10 02:00+00');
SELECT alike(action, '4000 of them are advisory locks%', 'and that most are advisory ones') FROM pg_temp.verdict('2001-11-10 02:00+00');
SELECT pg_temp.inject('2001-11-10 03:00+00', 5184);
SELECT is(severity, 'critical', 'critical when it is nearly full') FROM pg_temp.verdict('2001-11-10 03:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-10 00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-10 03:10+00');
SELECT pg_temp.inject('2001-11-10 04:00+00', 1, 0, '{"pct_used": null}');
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2001-11-10 04:00+00');

SELECT * FROM finish();
ROLLBACK;
