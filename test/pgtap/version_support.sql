-- version.support: half a year before the end, and after it. Golden samples of 2027, when 15 ends.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'version.support'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, version text) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('setting', at, jsonb_build_array(jsonb_build_object('name', 'server_version_num', 'value', version),
		jsonb_build_object('name', 'work_mem', 'value', '4096')))
$$;

SELECT pg_temp.inject('2027-05-15 00:00+00', '150022');
SELECT is(severity, 'ok', 'quiet with 180 days left') FROM pg_temp.verdict('2027-05-15 00:00+00');
SELECT pg_temp.inject('2027-05-16 00:00+00', '150022');
SELECT results_eq($$SELECT severity, object, message FROM pg_temp.verdict('2027-05-16 00:00+00')$$,
	$$VALUES ('info', 'cluster', 'support for PostgreSQL 15 ends on 2027-11-11, in 179 d')$$, 'advice with less');
SELECT pg_temp.inject('2027-11-11 00:00+00', '150023');
SELECT is(severity, 'info', 'and on the last day') FROM pg_temp.verdict('2027-11-11 00:00+00');
SELECT pg_temp.inject('2027-11-12 00:00+00', '150024');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2027-11-12 00:00+00')$$,
	$$VALUES ('warning', 'support for PostgreSQL 15 ended on 2027-11-11')$$, 'warning after it');
SELECT pg_temp.inject('2027-11-12 06:00+00', '180010');
SELECT is(severity, 'ok', 'each version has its day') FROM pg_temp.verdict('2027-11-12 06:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2027-11-12 12:00+00');
SELECT pg_temp.inject('2027-11-13 00:00+00', NULL);
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2027-11-13 00:00+00');
SELECT pg_temp.inject('2027-11-13 06:00+00', '990001');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2027-11-13 06:00+00')$$,
	$$VALUES ('unknown', 'PostgreSQL 99 is newer than what pgdba knows')$$, 'unknown for a version of later');

SELECT * FROM finish();
ROLLBACK;
