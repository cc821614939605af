-- sequences.near_end: how much is used, by which end, since when; what is to be widened. Golden samples of 2001-06-05 and -06.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(23);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'sequences.near_end'
$$;

-- A serial of 1 to 1001, for round numbers, and whatever differs.
CREATE FUNCTION pg_temp.inject(at timestamptz, last_value bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('sequence', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'sequencename', 'orders_id_seq', 'sequence', 'public.orders_id_seq', 'filenode', 5, 'data_type', 'integer',
		'start_value', 1, 'increment', 1, 'min_value', 1, 'max_value', 1001, 'cycle', false, 'table_schema', 'public',
		'table_name', 'orders', 'column_name', 'id', 'column_type', 'int4', 'end_value', 1001, 'ended_by', 'type',
		'last_value', last_value, 'in_recovery', false) || more))
$$;

-- Levels.
SELECT pg_temp.inject('2001-06-05 01:00:00+00', 751);
SELECT is(severity, 'ok', 'quiet at exactly 75 %') FROM pg_temp.verdict('2001-06-05 01:00:00+00');
SELECT pg_temp.inject('2001-06-05 01:01:00+00', 761, '{"filenode": 6}');
SELECT results_eq($$SELECT severity, object, database, value, unit, message FROM pg_temp.verdict('2001-06-05 01:01:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders_id_seq', 'shop', 76::float8, 'percent',
		'sequence public.orders_id_seq in shop has used 76 % of its numbers (240 left)')$$, 'a warning beyond');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-06-05 01:01:00+00')$$,
	$$VALUES ('ALTER SEQUENCE public.orders_id_seq AS bigint;' || E'\n' || 'ALTER TABLE public.orders ALTER COLUMN id TYPE bigint;',
		'AccessExclusiveLock', 'ALTER TABLE public.orders ALTER COLUMN id TYPE int4;')$$, 'sequence and column are to be widened');
SELECT alike(action, '%rewrites the table%', 'with a word of caution') FROM pg_temp.verdict('2001-06-05 01:01:00+00');
SELECT pg_temp.inject('2001-06-05 01:02:00+00', 951, '{"filenode": 7}');
SELECT is(severity, 'warning', 'still at exactly 95 %') FROM pg_temp.verdict('2001-06-05 01:02:00+00');
SELECT pg_temp.inject('2001-06-05 01:03:00+00', 1001, '{"filenode": 8}');
SELECT results_eq($$SELECT severity, message LIKE '%100 \% of its numbers (none are left)' FROM pg_temp.verdict('2001-06-05 01:03:00+00')$$,
	$$VALUES ('critical', true)$$, 'critical beyond, and at the end');

-- Quiet: it begins again; a standby; nothing handed out.
SELECT pg_temp.inject('2001-06-05 02:00:00+00', 1001, '{"cycle": true}');
SELECT is(severity, 'ok', 'quiet when it begins again') FROM pg_temp.verdict('2001-06-05 02:00:00+00');
SELECT pg_temp.inject('2001-06-05 02:01:00+00', 1001, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-06-05 02:01:00+00');
SELECT pg_temp.inject('2001-06-05 02:02:00+00', NULL, '{"filenode": 9}');
SELECT is(severity, 'ok', 'quiet when nothing was handed out') FROM pg_temp.verdict('2001-06-05 02:02:00+00');

-- Other ends, other ways.
SELECT pg_temp.inject('2001-06-05 03:00:00+00', 801, '{"filenode": 10, "ended_by": "column", "data_type": "bigint"}');
SELECT is(sql, 'ALTER TABLE public.orders ALTER COLUMN id TYPE bigint;', 'a narrow column alone is widened')
FROM pg_temp.verdict('2001-06-05 03:00:00+00');
SELECT pg_temp.inject('2001-06-05 03:01:00+00', 801, '{"filenode": 11, "table_schema": null, "table_name": null, "column_name": null, "column_type": null}');
SELECT results_eq($$SELECT sql, undo FROM pg_temp.verdict('2001-06-05 03:01:00+00')$$,
	$$VALUES ('ALTER SEQUENCE public.orders_id_seq AS bigint;', NULL::text)$$, 'a sequence without a column alone is widened');
SELECT pg_temp.inject('2001-06-05 03:02:00+00', 801, '{"filenode": 12, "ended_by": "bound"}');
SELECT results_eq($$SELECT severity, sql, action LIKE 'Somebody set this bound.%' FROM pg_temp.verdict('2001-06-05 03:02:00+00')$$,
	$$VALUES ('warning', NULL::text, true)$$, 'a bound that somebody set is theirs to change');
SELECT pg_temp.inject('2001-06-05 03:03:00+00', -801,
	'{"filenode": 13, "increment": -1, "start_value": -1, "min_value": -1001, "max_value": -1, "end_value": -1001}');
SELECT results_eq($$SELECT severity, value FROM pg_temp.verdict('2001-06-05 03:03:00+00')$$, $$VALUES ('warning', 80::float8)$$,
	'a sequence can go down');
SELECT pg_temp.inject('2001-06-05 03:04:00+00', 501, '{"filenode": 14, "min_value": -100000}');
SELECT is(severity, 'ok', 'counted from where it began, not from its lower bound') FROM pg_temp.verdict('2001-06-05 03:04:00+00');
SELECT pg_temp.inject('2001-06-05 03:05:00+00', 901, '{"filenode": 15, "increment": 10}');
SELECT alike(message, '%(10 left)', 'what is left is counted in steps') FROM pg_temp.verdict('2001-06-05 03:05:00+00');
SELECT pg_temp.inject('2001-06-05 03:06:00+00', 9100000000000000000,
	'{"filenode": 16, "data_type": "bigint", "column_type": "int8", "max_value": 9223372036854775807, "end_value": 9223372036854775807}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-06-05 03:06:00+00')$$, $$VALUES ('critical', NULL::text)$$,
	'nothing is wider than bigint');

-- When it ends, by the samples of the last days.
SELECT pg_temp.inject('2001-06-06 00:00:00+00', 761, '{"filenode": 50}');
SELECT pg_temp.inject('2001-06-06 10:00:00+00', 801, '{"filenode": 50}');
SELECT alike(message, '%(200 left, for 2 d 2 h at the present rate)', 'when it ends is worked out') FROM pg_temp.verdict('2001-06-06 10:00:00+00');
SELECT pg_temp.inject('2001-06-06 11:00:00+00', 802, '{"filenode": 99}');
SELECT alike(message, '%(199 left)', 'not across a restart of the sequence') FROM pg_temp.verdict('2001-06-06 11:00:00+00');

-- Unknown.
SELECT pg_temp.inject('2001-06-06 12:00:00+00', NULL, '{"filenode": 99}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-06-06 12:00:00+00')$$,
	$$VALUES ('unknown', 'the value of sequence public.orders_id_seq in shop cannot be read: it is locked')$$,
	'unknown when there was a value an hour ago');
SELECT pg_temp.inject('2001-06-06 14:30:00+00', NULL, '{"filenode": 99}');
SELECT is(severity, 'ok', 'without a value for three hours there is none') FROM pg_temp.verdict('2001-06-06 14:30:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-05 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-06 19:00:00+00');

-- Hostile names.
SELECT pg_temp.inject('2001-06-06 20:00:00+00', 801, '{"filenode": 17, "schema": "a b", "sequencename": "s\"; DROP TABLE x; --",
	"table_schema": "c d", "table_name": "t\"; --", "column_name": "x\"y"}');
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-06-06 20:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."s""; DROP TABLE x; --"', 'ALTER SEQUENCE "a b"."s""; DROP TABLE x; --" AS bigint;' || E'\n'
		'ALTER TABLE "c d"."t""; --" ALTER COLUMN "x""y" TYPE bigint;')$$, 'hostile names are quoted');

SELECT * FROM finish();
ROLLBACK;
