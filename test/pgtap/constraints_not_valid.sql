-- constraints.not_valid: of a table, of a domain, not enforced. Golden samples of 2001-10-05.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'constraints.not_valid'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('constraint', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'lines', 'constraint_name', 'positive', 'relation', 'public.lines', 'kind', 'check', 'of_domain', false,
		'size_bytes', 8192, 'in_recovery', false) || more))
$$;

SELECT pgdba.inject_sample('constraint', '2001-10-05 01:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet when there is none') FROM pg_temp.verdict('2001-10-05 01:00:00+00');
SELECT pg_temp.inject('2001-10-05 02:00:00+00');
SELECT results_eq($$SELECT severity, object, database, message, sql, lock_level FROM pg_temp.verdict('2001-10-05 02:00:00+00')$$,
	$$VALUES ('info', 'constraint:shop/public.lines.positive', 'shop', 'check constraint positive of public.lines in shop was never validated',
		'ALTER TABLE public.lines VALIDATE CONSTRAINT positive;', 'ShareUpdateExclusiveLock')$$, 'advice when there is one');
SELECT pg_temp.inject('2001-10-05 03:00:00+00', '{"is_enforced": true, "kind": "not null"}');
SELECT is(severity, 'info', 'also of an enforced one') FROM pg_temp.verdict('2001-10-05 03:00:00+00');
SELECT pg_temp.inject('2001-10-05 03:01:00+00', '{"is_enforced": false}');
SELECT is(severity, 'ok', 'quiet when it is not enforced') FROM pg_temp.verdict('2001-10-05 03:01:00+00');
SELECT pg_temp.inject('2001-10-05 03:02:00+00', '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-10-05 03:02:00+00');
SELECT pg_temp.inject('2001-10-05 04:00:00+00', '{"of_domain": true, "size_bytes": null}');
SELECT results_eq($$SELECT severity, sql, action LIKE 'Run: ALTER DOMAIN%' FROM pg_temp.verdict('2001-10-05 04:00:00+00')$$,
	$$VALUES ('info', NULL::text, true)$$, 'no ALTER TABLE for a domain');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-10-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-10-05 09:00:00+00');
SELECT pg_temp.inject('2001-10-05 10:00:00+00', '{"schema": "a b", "relname": "t\"; DROP TABLE x; --", "constraint_name": "c\""}');
SELECT is(sql, 'ALTER TABLE "a b"."t""; DROP TABLE x; --" VALIDATE CONSTRAINT "c""";', 'hostile names are quoted')
FROM pg_temp.verdict('2001-10-05 10:00:00+00');

SELECT * FROM finish();
ROLLBACK;
