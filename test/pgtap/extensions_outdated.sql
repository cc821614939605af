-- extensions.outdated: another version than the installed one, with or without a way there. Golden samples of 2001-06-07.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'extensions.outdated'
$$;

CREATE FUNCTION pg_temp.inject(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('extension', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'extension', 'postgis',
		'version', '3.1', 'default_version', '3.4', 'update_path', '3.1--3.2--3.4', 'in_recovery', false) || more))
$$;

SELECT pg_temp.inject('2001-06-07 01:00:00+00', '{"version": "3.4", "update_path": null}');
SELECT is(severity, 'ok', 'quiet when it is up to date') FROM pg_temp.verdict('2001-06-07 01:00:00+00');
SELECT pg_temp.inject('2001-06-07 01:01:00+00', '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-06-07 01:01:00+00');
SELECT pg_temp.inject('2001-06-07 02:00:00+00');
SELECT results_eq($$SELECT severity, object, database, message, sql, undo FROM pg_temp.verdict('2001-06-07 02:00:00+00')$$,
	$$VALUES ('info', 'extension:shop/postgis', 'shop', 'extension postgis in shop is 3.1, and 3.4 is installed',
		'ALTER EXTENSION postgis UPDATE TO ''3.4'';', NULL::text)$$, 'advice when it is not');
SELECT pg_temp.inject('2001-06-07 03:00:00+00', '{"way_back": "3.4--3.1"}');
SELECT is(undo, 'ALTER EXTENSION postgis UPDATE TO ''3.1'';', 'with the way back where there is one')
FROM pg_temp.verdict('2001-06-07 03:00:00+00');
SELECT pg_temp.inject('2001-06-07 03:01:00+00', '{"update_path": null}');
SELECT results_eq($$SELECT message, sql FROM pg_temp.verdict('2001-06-07 03:01:00+00')$$,
	$$VALUES ('extension postgis in shop is 3.1, and no update leads to the installed 3.4', NULL::text)$$,
	'no SQL where no update leads there');
SELECT pg_temp.inject('2001-06-07 03:02:00+00', '{"default_version": null, "update_path": null}');
SELECT results_eq($$SELECT message, sql FROM pg_temp.verdict('2001-06-07 03:02:00+00')$$,
	$$VALUES ('extension postgis in shop is 3.1, but its files are not installed', NULL::text)$$, 'nor where its files are gone');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-06-07 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-06-07 08:00:00+00');
SELECT pg_temp.inject('2001-06-07 09:00:00+00', '{"extension": "e\"; DROP TABLE x; --", "default_version": "1''; --"}');
SELECT is(sql, 'ALTER EXTENSION "e""; DROP TABLE x; --" UPDATE TO ''1''''; --'';', 'hostile names are quoted')
FROM pg_temp.verdict('2001-06-07 09:00:00+00');

SELECT * FROM finish();
ROLLBACK;
