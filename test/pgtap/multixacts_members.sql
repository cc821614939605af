-- multixacts.members: the share of all that there can be. Golden samples of 2001-11-11.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(7);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'multixacts.members'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, percent float8) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('data_directory', at, jsonb_build_array(jsonb_build_object('mode', '0700', 'own', true,
		'multixact_members', (percent * 42949672.96)::int8, 'pct_multixact_members', percent)))
$$;

SELECT pg_temp.inject('2001-11-11 00:00+00', 50);
SELECT is(severity, 'ok', 'quiet up to half') FROM pg_temp.verdict('2001-11-11 00:00+00');
SELECT pg_temp.inject('2001-11-11 06:00+00', 51);
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2001-11-11 06:00+00')$$,
	$$VALUES ('warning', 'cluster', '51 % of the members that multixacts can have are taken')$$, 'then a warning');
SELECT pg_temp.inject('2001-11-11 12:00+00', 75);
SELECT is(severity, 'warning', 'up to three quarters') FROM pg_temp.verdict('2001-11-11 12:00+00');
SELECT pg_temp.inject('2001-11-11 18:00+00', 76);
SELECT is(severity, 'critical', 'then critical') FROM pg_temp.verdict('2001-11-11 18:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-11-11 00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-11-12 00:00+00');
SELECT pg_temp.inject('2001-11-12 06:00+00', NULL);
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2001-11-12 06:00+00');

SELECT * FROM finish();
ROLLBACK;
