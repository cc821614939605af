-- version.minor: releases by the calendar. Golden samples of 2026 and later.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(12);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'version.minor'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, version text) RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('setting', at, jsonb_build_array(jsonb_build_object('name', 'server_version_num', 'value', version),
		jsonb_build_object('name', 'work_mem', 'value', '4096')))
$$;

-- 15.20 came out on 2026-11-12, 15.21 follows on 2027-02-11.
SELECT pg_temp.inject('2026-11-12 12:00+00', '150018');
SELECT is(severity, 'ok', 'one behind is quiet on the day of the next release') FROM pg_temp.verdict('2026-11-12 12:00+00');
SELECT pg_temp.inject('2026-11-13 12:00+00', '150018');
SELECT results_eq($$SELECT severity, object, value, message FROM pg_temp.verdict('2026-11-13 12:00+00')$$,
	$$VALUES ('info', 'cluster', 2::float8, 'the server runs 15.18, 2 minor releases behind 15.20')$$, 'two behind is advice from the next day on');
SELECT pg_temp.inject('2027-02-11 12:00+00', '150016');
SELECT is(severity, 'info', 'four behind as well') FROM pg_temp.verdict('2027-02-11 12:00+00');
SELECT pg_temp.inject('2027-02-12 12:00+00', '150016');
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2027-02-12 12:00+00')$$, $$VALUES ('warning', 5::float8)$$, 'five are a warning');
SELECT pg_temp.inject('2027-02-13 12:00+00', '150021');
SELECT is(severity, 'ok', 'quiet with the latest') FROM pg_temp.verdict('2027-02-13 12:00+00');
SELECT pg_temp.inject('2027-02-14 12:00+00', '150023');
SELECT is(severity, 'ok', 'and with one that came out of turn') FROM pg_temp.verdict('2027-02-14 12:00+00');
SELECT pg_temp.inject('2031-01-01 12:00+00', '150024');
SELECT is(severity, 'ok', 'the last release of a version is the latest for ever') FROM pg_temp.verdict('2031-01-01 12:00+00');
SELECT pg_temp.inject('2031-01-02 12:00+00', '180017');
SELECT results_eq($$SELECT severity, evidence ->> 'latest' FROM pg_temp.verdict('2031-01-02 12:00+00')$$, $$VALUES ('warning', '18.23')$$,
	'each version has its own');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2031-01-03 12:00+00');
SELECT pg_temp.inject('2031-01-04 12:00+00', NULL);
SELECT is(severity, 'unknown', 'unknown without a value') FROM pg_temp.verdict('2031-01-04 12:00+00');
SELECT pg_temp.inject('2031-01-05 12:00+00', '990001');
SELECT is(severity, 'unknown', 'unknown for a version of later') FROM pg_temp.verdict('2031-01-05 12:00+00');

SELECT * FROM finish();
ROLLBACK;
