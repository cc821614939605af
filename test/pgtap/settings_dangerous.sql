-- settings.dangerous: for the server, for a role or a database, and what SQL ends it. Golden samples of 2001-08-04.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(22);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'settings.dangerous'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, changes jsonb DEFAULT '{}', source text DEFAULT 'configuration file', overrides jsonb DEFAULT '[]')
RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('setting', at, (SELECT jsonb_agg(jsonb_build_object('name', s.key, 'value', s.value, 'source', source))
			FROM jsonb_each('{"fsync": "on", "full_page_writes": "on", "zero_damaged_pages": "off", "ignore_checksum_failure": "off",
				"ignore_invalid_pages": "off", "autovacuum": "off"}'::jsonb || changes) s)),
		pgdba.inject_sample('setting_override', at, overrides)
$$;

SELECT pg_temp.inject('2001-08-04 01:00:00+00');
SELECT is(severity, 'ok', 'quiet when all is as it should be') FROM pg_temp.verdict('2001-08-04 01:00:00+00');

-- For the server.
SELECT pg_temp.inject('2001-08-04 02:00:00+00', '{"fsync": "off"}');
SELECT results_eq($$SELECT severity, object, database, value, message FROM pg_temp.verdict('2001-08-04 02:00:00+00')$$,
	$$VALUES ('critical', 'setting:fsync', NULL::text, 1::float8, 'fsync is off: a crash of the machine can destroy the whole cluster')$$,
	'fsync');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-08-04 02:00:00+00')$$,
	$$VALUES ('ALTER SYSTEM SET fsync = ''on''; SELECT pg_reload_conf();', 'none', 'ALTER SYSTEM SET fsync = ''off''; SELECT pg_reload_conf();')$$,
	'with the SQL that ends it, and takes it back');
SELECT alike(action, '%(sync)%A reload is enough.', 'and what else is to be done') FROM pg_temp.verdict('2001-08-04 02:00:00+00');
SELECT pg_temp.inject('2001-08-04 02:10:00+00', '{"fsync": "off", "full_page_writes": "off", "zero_damaged_pages": "on",
	"ignore_checksum_failure": "on", "ignore_invalid_pages": "on"}');
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-08-04 02:10:00+00') ORDER BY object$$,
	$$VALUES ('critical', 'setting:fsync'), ('critical', 'setting:full_page_writes'), ('critical', 'setting:ignore_checksum_failure'),
		('critical', 'setting:ignore_invalid_pages'), ('critical', 'setting:zero_damaged_pages')$$, 'each on its own');
SELECT ok(bool_and(length(message) < 100), 'in few words') FROM pg_temp.verdict('2001-08-04 02:10:00+00');
SELECT alike(action, '%needs a restart.', 'one needs a restart') FROM pg_temp.verdict('2001-08-04 02:10:00+00')
WHERE object = 'setting:ignore_invalid_pages';
SELECT is(sql, 'ALTER SYSTEM SET zero_damaged_pages = ''off''; SELECT pg_reload_conf();', 'which way is bad depends')
FROM pg_temp.verdict('2001-08-04 02:10:00+00') WHERE object = 'setting:zero_damaged_pages';
SELECT pg_temp.inject('2001-08-04 02:15:00+00', '{"zero_damaged_pages": "True"}');
SELECT is(message, 'zero_damaged_pages is on: what is on a damaged page is thrown away', 'in the words of the file')
FROM pg_temp.verdict('2001-08-04 02:15:00+00');
SELECT pg_temp.inject('2001-08-04 02:20:00+00', '{"fsync": "off"}', 'command line');
SELECT results_eq($$SELECT action LIKE '%comes from the command line%', sql FROM pg_temp.verdict('2001-08-04 02:20:00+00')$$,
	$$VALUES (true, NULL::text)$$, 'no SQL where it would do nothing');

-- For a role or a database.
SELECT pg_temp.inject('2001-08-04 03:00:00+00', overrides => '[{"db": "shop", "role": null, "name": "zero_damaged_pages", "value": "on"}]');
SELECT results_eq($$SELECT severity, object, message, sql FROM pg_temp.verdict('2001-08-04 03:00:00+00')$$,
	$$VALUES ('critical', 'setting:zero_damaged_pages',
		'zero_damaged_pages is on for database shop: what is on a damaged page is thrown away', NULL::text)$$, 'for a database');
SELECT alike(action, '%ALTER DATABASE shop RESET zero_damaged_pages;', 'with what takes it away') FROM pg_temp.verdict('2001-08-04 03:00:00+00');
SELECT pg_temp.inject('2001-08-04 03:10:00+00', overrides => '[{"db": null, "role": "app", "name": "zero_damaged_pages", "value": "TRUE"}]');
SELECT alike(action, '%ALTER ROLE app RESET zero_damaged_pages;', 'for a role, in other words') FROM pg_temp.verdict('2001-08-04 03:10:00+00');
SELECT pg_temp.inject('2001-08-04 03:20:00+00', overrides => '[{"db": null, "role": null, "name": "ignore_checksum_failure", "value": "1"}]');
SELECT results_eq($$SELECT message, action LIKE '%ALTER ROLE ALL RESET ignore_checksum_failure;' FROM pg_temp.verdict('2001-08-04 03:20:00+00')$$,
	$$VALUES ('ignore_checksum_failure is on for all roles: damaged pages are read as if they were good', true)$$, 'for all roles');
SELECT pg_temp.inject('2001-08-04 03:30:00+00', overrides => '[{"db": null, "role": "a''b", "name": "zero_damaged_pages", "value": "on"},
	{"db": "x\"; DROP TABLE y; --", "role": "A b", "name": "zero_damaged_pages", "value": "on"}]');
SELECT is(message, 'zero_damaged_pages is on for role "A b" in database "x""; DROP TABLE y; --" and 1 more: what is on a damaged page is thrown away',
	'hostile names are quoted') FROM pg_temp.verdict('2001-08-04 03:30:00+00');
SELECT alike(action, '%ALTER ROLE "A b" IN DATABASE "x""; DROP TABLE y; --" RESET zero_damaged_pages;', 'in SQL too')
FROM pg_temp.verdict('2001-08-04 03:30:00+00');
SELECT pg_temp.inject('2001-08-04 03:40:00+00', overrides => '[{"db": "shop", "role": "app", "name": "zero_damaged_pages", "value": "off"},
	{"db": "shop", "role": null, "name": "work_mem", "value": "1GB"}]');
SELECT is(severity, 'ok', 'quiet for what is harmless') FROM pg_temp.verdict('2001-08-04 03:40:00+00');
SELECT pg_temp.inject('2001-08-04 03:50:00+00', '{"zero_damaged_pages": "on"}',
	overrides => '[{"db": "shop", "role": null, "name": "zero_damaged_pages", "value": "on"}]');
SELECT results_eq($$SELECT message, evidence -> 'places' ->> 0 FROM pg_temp.verdict('2001-08-04 03:50:00+00')$$,
	$$VALUES ('zero_damaged_pages is on: what is on a damaged page is thrown away', 'database shop')$$, 'for the server and somebody, once');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-08-04 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-08-04 04:21:00+00');
SELECT pg_temp.inject('2001-08-04 05:00:00+00', '{"fsync": null}');
SELECT results_eq($$SELECT severity, object FROM pg_temp.verdict('2001-08-04 05:00:00+00')$$,
	$$VALUES ('unknown', 'setting:fsync')$$, 'unknown without a value');
SELECT pgdba.inject_sample('setting', '2001-08-04 06:00:00+00', '[{"name": "fsync", "value": "on"}]');
SELECT is(severity, 'unknown', 'unknown while roles and databases are not known') FROM pg_temp.verdict('2001-08-04 06:00:00+00');

SELECT * FROM finish();
ROLLBACK;
