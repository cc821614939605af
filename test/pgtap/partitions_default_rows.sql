-- partitions.default_rows: rows that no range was made for. Golden samples of 2001-10-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(11);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'partitions.default_rows'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, rows float8, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('partition', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'visits', 'relation', 'public.visits', 'strategy', 'range', 'key_columns', 'seen_at', 'default_schema', 'public',
		'default_relname', 'visits_rest', 'default_rows', rows, 'default_bytes', 8192, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-10-02 01:00:00+00', 0);
SELECT is(severity, 'ok', 'quiet without rows') FROM pg_temp.verdict('2001-10-02 01:00:00+00');
SELECT pg_temp.inject('2001-10-02 02:00:00+00', 1);
SELECT results_eq($$SELECT severity, object, database, value, message, sql FROM pg_temp.verdict('2001-10-02 02:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.visits_rest', 'shop', 1::float8,
		'default partition visits_rest of public.visits in shop has rows that no range was made for: about 1', NULL::text)$$,
	'a warning with one');
SELECT alike(action, 'See in which ranges of seen_at they are.%', 'with what to look at') FROM pg_temp.verdict('2001-10-02 02:00:00+00');

SELECT pg_temp.inject('2001-10-02 03:00:00+00', 5, '{"strategy": "list"}');
SELECT is(severity, 'ok', 'quiet for a table partitioned by lists') FROM pg_temp.verdict('2001-10-02 03:00:00+00');
SELECT pg_temp.inject('2001-10-02 03:01:00+00', 5, '{"default_bytes": 0}');
SELECT is(severity, 'ok', 'quiet for a file without blocks, whatever the counters say') FROM pg_temp.verdict('2001-10-02 03:01:00+00');
SELECT pg_temp.inject('2001-10-02 03:02:00+00', NULL, '{"default_relname": null, "default_bytes": null}');
SELECT is(severity, 'ok', 'quiet without a default partition') FROM pg_temp.verdict('2001-10-02 03:02:00+00');
SELECT pg_temp.inject('2001-10-02 03:03:00+00', 5, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-10-02 03:03:00+00');

SELECT pg_temp.inject('2001-10-02 04:00:00+00', NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-10-02 04:00:00+00')$$,
	$$VALUES ('unknown', 'how many rows the default partition visits_rest of public.visits in shop has was never counted')$$,
	'unknown when nobody has counted');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-10-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-10-02 09:00:00+00');

SELECT pg_temp.inject('2001-10-02 10:00:00+00', 5, '{"default_schema": "a b", "default_relname": "d\"; DROP TABLE x; --"}');
SELECT is(object, 'relation:shop/"a b"."d""; DROP TABLE x; --"', 'hostile names are quoted') FROM pg_temp.verdict('2001-10-02 10:00:00+00');

SELECT * FROM finish();
ROLLBACK;
