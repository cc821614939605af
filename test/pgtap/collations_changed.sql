-- collations.changed: another version than the recorded one, with and without indexes. Golden samples of 2001-10-03.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(14);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'collations.changed'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('collation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'pg_catalog',
		'collation_name', 'default', 'collation_text', 'pg_catalog.default', 'provider', 'libc', 'recorded_version', '2.31',
		'actual_version', '2.36', 'is_changed', true, 'indexes', 12, 'partitioned_tables', 1, 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-10-03 01:00:00+00', '{"actual_version": "2.31", "is_changed": false}');
SELECT is(severity, 'ok', 'quiet when nothing has changed') FROM pg_temp.verdict('2001-10-03 01:00:00+00');
SELECT pg_temp.inject('2001-10-03 01:01:00+00', '{"recorded_version": null, "actual_version": null, "is_changed": null}');
SELECT is(severity, 'ok', 'quiet when there are no versions') FROM pg_temp.verdict('2001-10-03 01:01:00+00');

SELECT pg_temp.inject('2001-10-03 02:00:00+00');
SELECT results_eq($$SELECT severity, object, database, value, message, lock_level FROM pg_temp.verdict('2001-10-03 02:00:00+00')$$,
	$$VALUES ('critical', 'collation:shop/pg_catalog."default"', 'shop', 13::float8,
		'collation pg_catalog.default in shop was version 2.31, is now 2.36; 12 indexes use it', 'ShareUpdateExclusiveLock')$$,
	'critical when indexes use it');
SELECT alike(sql, 'SELECT format(''REINDEX INDEX%FROM pg_index x %WHERE c.relkind = ''i'' AND ''pg_catalog."default"''::regcollation = '
	|| E'ANY (x.indcollation);\nALTER DATABASE shop REFRESH COLLATION VERSION;', 'rebuild, then record the version')
FROM pg_temp.verdict('2001-10-03 02:00:00+00');
SELECT pg_temp.inject('2001-10-03 03:00:00+00', '{"actual_version": null}');
SELECT alike(message, '%is now none;%', 'a version that has gone is a change') FROM pg_temp.verdict('2001-10-03 03:00:00+00');
SELECT pg_temp.inject('2001-10-03 04:00:00+00', '{"indexes": 0, "partitioned_tables": 1}');
SELECT results_eq($$SELECT severity, sql FROM pg_temp.verdict('2001-10-03 04:00:00+00')$$,
	$$VALUES ('critical', 'ALTER DATABASE shop REFRESH COLLATION VERSION;')$$, 'critical for a partitioned table alone');
SELECT pg_temp.inject('2001-10-03 05:00:00+00', '{"indexes": 0, "partitioned_tables": 0}');
SELECT is(severity, 'info', 'advice when nothing is sorted by it') FROM pg_temp.verdict('2001-10-03 05:00:00+00');
SELECT pg_temp.inject('2001-10-03 06:00:00+00', '{"in_recovery": true}');
SELECT results_eq($$SELECT severity, sql, action LIKE 'This standby%' FROM pg_temp.verdict('2001-10-03 06:00:00+00')$$,
	$$VALUES ('critical', NULL::text, true)$$, 'critical on a standby, where nothing can be done about it by SQL');

-- Unknown.
SELECT pg_temp.inject('2001-10-03 07:00:00+00', '{"recorded_version": null, "is_changed": null}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-10-03 07:00:00+00')$$,
	$$VALUES ('unknown', 'no version of collation pg_catalog.default in shop was recorded when it was made')$$,
	'unknown when no version was recorded');
SELECT pg_temp.inject('2001-10-03 07:01:00+00', '{"recorded_version": null, "is_changed": null, "indexes": 0, "partitioned_tables": 0}');
SELECT is(severity, 'ok', 'quiet when nothing is sorted by that') FROM pg_temp.verdict('2001-10-03 07:01:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-10-03 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-10-03 11:00:00+00');

-- A collation of its own, with a hostile name.
SELECT pg_temp.inject('2001-10-03 12:00:00+00', '{"schema": "a b", "collation_name": "c''\"; DROP TABLE x; --", "collation_text": "a b.c"}');
SELECT is(object, 'collation:shop/"a b"."c''""; DROP TABLE x; --"', 'a hostile name is quoted') FROM pg_temp.verdict('2001-10-03 12:00:00+00');
SELECT alike(sql, '%AND ''"a b"."c''''""; DROP TABLE x; --"''::regcollation = ANY%' || E'\n' || 'ALTER COLLATION "a b"."c''""; DROP TABLE x; --" REFRESH VERSION;',
	'also within a literal') FROM pg_temp.verdict('2001-10-03 12:00:00+00');

SELECT * FROM finish();
ROLLBACK;
