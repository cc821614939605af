-- bloat.table: share and floor, what was measured before what was estimated, TOAST, and when nothing can be said.
-- Golden samples of 2001-09-01.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(27);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'bloat.table'
$$;

-- A table of so many MB, of which so many are estimated to be bloat.
CREATE FUNCTION pg_temp.inject(at timestamptz, size numeric, estimated numeric, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('table_bloat', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'reltuples', 1000000, 'modified_rows', 0,
		'size_bytes', (size * 1048576)::bigint, 'estimated_bytes', (estimated * 1048576)::bigint, 'in_recovery', false) || more))
$$;

-- Levels, and the floor of 1 GB.
SELECT pg_temp.inject('2001-09-01 01:00:00+00', 10000, 3000);
SELECT is(severity, 'ok', 'quiet at exactly 30 %') FROM pg_temp.verdict('2001-09-01 01:00:00+00');
SELECT pg_temp.inject('2001-09-01 02:00:00+00', 10000, 5000);
SELECT is(severity, 'info', 'advice up to 50 %') FROM pg_temp.verdict('2001-09-01 02:00:00+00');
SELECT pg_temp.inject('2001-09-01 03:00:00+00', 10240, 6144);
SELECT results_eq($$SELECT severity, object, value, message FROM pg_temp.verdict('2001-09-01 03:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 60::float8,
		'60 % of public.orders in shop is bloat (6 GB of 10 GB, estimated)')$$, 'a warning beyond, which says that it is an estimate');
SELECT results_eq($$SELECT sql, lock_level FROM pg_temp.verdict('2001-09-01 03:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) public.orders;', 'ShareUpdateExclusiveLock')$$, 'the SQL is the harmless step');
SELECT alike(action, '%VACUUM FULL%locks the table against reads and writes%', 'and VACUUM FULL comes with its lock')
FROM pg_temp.verdict('2001-09-01 03:00:00+00');
SELECT pg_temp.inject('2001-09-01 04:00:00+00', 1100, 1024);
SELECT is(severity, 'ok', 'quiet at exactly 1 GB, whatever its share') FROM pg_temp.verdict('2001-09-01 04:00:00+00');
SELECT pg_temp.inject('2001-09-01 05:00:00+00', 1100, 1025);
SELECT is(severity, 'warning', 'a warning beyond') FROM pg_temp.verdict('2001-09-01 05:00:00+00');
SELECT pg_temp.inject('2001-09-01 06:00:00+00', 2000, 3000);
SELECT results_eq($$SELECT value, evidence -> 'bytes' FROM pg_temp.verdict('2001-09-01 06:00:00+00')$$,
	$$VALUES (100::float8, '2097152000'::jsonb)$$, 'never more than the file, which vacuum has made smaller since');

-- What was measured counts, in both directions.
SELECT pg_temp.inject('2001-09-01 07:00:00+00', 10240, 9000, '{"unused_bytes": 1073741824}');
SELECT is(severity, 'ok', 'quiet when pgstattuple found little') FROM pg_temp.verdict('2001-09-01 07:00:00+00');
SELECT pg_temp.inject('2001-09-01 08:00:00+00', 10240, 0, '{"unused_bytes": 6442450944}');
SELECT is(message, '60 % of public.orders in shop is bloat (6 GB of 10 GB, measured by pgstattuple)', 'and says when it found much')
FROM pg_temp.verdict('2001-09-01 08:00:00+00');
SELECT pg_temp.inject('2001-09-01 09:00:00+00', 10240, NULL, '{"unused_bytes": 6442450944, "reltuples": null, "modified_rows": 1000000}');
SELECT is(severity, 'warning', 'it needs no statistics') FROM pg_temp.verdict('2001-09-01 09:00:00+00');

-- The TOAST table is a thing of its own, but vacuumed with its table.
SELECT pg_temp.inject('2001-09-01 10:00:00+00', 10240, 0,
	'{"toast_name": "pg_toast_7", "toast_size_bytes": 10737418240, "toast_unused_bytes": 8589934592}');
SELECT results_eq($$SELECT severity, object, message, sql FROM pg_temp.verdict('2001-09-01 10:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/pg_toast.pg_toast_7',
		'80 % of the TOAST table of public.orders in shop is bloat (8 GB of 10 GB, measured by pgstattuple)',
		'VACUUM (VERBOSE, ANALYZE) public.orders;')$$, 'a TOAST table is named by its table');
SELECT pg_temp.inject('2001-09-01 11:00:00+00', 10240, 0, '{"toast_name": "pg_toast_7", "toast_size_bytes": 10737418240}');
SELECT is(severity, 'ok', 'one that was not measured is nobody''s finding') FROM pg_temp.verdict('2001-09-01 11:00:00+00');

-- Unknown: never counted, no statistics, statistics of another table than there is now.
SELECT pg_temp.inject('2001-09-01 12:00:00+00', 10240, NULL, '{"reltuples": null}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-01 12:00:00+00')$$,
	$$VALUES ('unknown', 'nobody has counted the rows of public.orders (10 GB): it was never vacuumed or analyzed')$$, 'unknown when nobody counted');
SELECT pg_temp.inject('2001-09-01 13:00:00+00', 10240, NULL);
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-01 13:00:00+00')$$,
	$$VALUES ('unknown', 'public.orders (10 GB) has a column without statistics')$$, 'unknown without statistics');
SELECT pg_temp.inject('2001-09-01 14:00:00+00', 1024, NULL);
SELECT is(severity, 'ok', 'but of no interest where it cannot be 1 GB') FROM pg_temp.verdict('2001-09-01 14:00:00+00');
SELECT pg_temp.inject('2001-09-01 15:00:00+00', 10240, 6144, '{"modified_rows": 200001}');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-01 15:00:00+00')$$,
	$$VALUES ('unknown', '6144 MB of public.orders look like bloat, but 200001 of its 1000000 rows changed since its last analyze')$$,
	'unknown when more than a fifth changed since');
SELECT pg_temp.inject('2001-09-01 16:00:00+00', 10240, 6144, '{"modified_rows": 200000}');
SELECT is(severity, 'warning', 'a fifth is believed') FROM pg_temp.verdict('2001-09-01 16:00:00+00');
SELECT pg_temp.inject('2001-09-01 17:00:00+00', NULL, 6144);
SELECT is(severity, 'unknown', 'unknown without a size') FROM pg_temp.verdict('2001-09-01 17:00:00+00');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-01 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-09-01 20:10:00+00');

-- A standby, a catalog, a materialized view.
SELECT pg_temp.inject('2001-09-02 01:00:00+00', 10240, 6144, '{"in_recovery": true}');
SELECT is(severity, 'ok', 'quiet on a standby') FROM pg_temp.verdict('2001-09-02 01:00:00+00');
SELECT pg_temp.inject('2001-09-02 02:00:00+00', 10240, 6144, '{"schema": "pg_catalog", "relname": "pg_attribute", "relation": "pg_catalog.pg_attribute"}');
SELECT alike(action, '%First find what fills it%locks a catalog that every session needs%', 'a catalog is another matter')
FROM pg_temp.verdict('2001-09-02 02:00:00+00');
SELECT pg_temp.inject('2001-09-02 03:00:00+00', 10240, 6144, '{"relkind": "m"}');
SELECT alike(action, '%REFRESH MATERIALIZED VIEW%AccessExclusiveLock%', 'and so is a materialized view') FROM pg_temp.verdict('2001-09-02 03:00:00+00');

-- The worst come first, and what matters is not crowded out by what does not.
SELECT pgdba.inject_sample('table_bloat', '2001-09-02 04:00:00+00', (
	SELECT jsonb_agg(jsonb_build_object('db', 'shop', 'schema', 'public', 'relname', 't' || i, 'relation', 'public.t' || i, 'relid', i,
		'relkind', 'r', 'reltuples', 100, 'modified_rows', 0, 'in_recovery', false,
		'size_bytes', CASE i WHEN 150 THEN 10737418240 ELSE 1000000 END, 'estimated_bytes', CASE i WHEN 150 THEN 6442450944 ELSE 990000 END))
	FROM generate_series(1, 200) i));
SELECT is(object, 'relation:shop/public.t150', 'many small tables do not hide a large one')
FROM pg_temp.verdict('2001-09-02 04:00:00+00') WHERE severity = 'warning';

-- Hostile names.
SELECT pg_temp.inject('2001-09-02 05:00:00+00', 10240, 6144,
	jsonb_build_object('schema', 'a b', 'relname', 't"; DROP TABLE x; --', 'relation', 'a b."t""; DROP TABLE x; --"'));
SELECT is(sql, 'VACUUM (VERBOSE, ANALYZE) "a b"."t""; DROP TABLE x; --";', 'a hostile name is quoted')
FROM pg_temp.verdict('2001-09-02 05:00:00+00');
SELECT is(object, 'relation:shop/"a b"."t""; DROP TABLE x; --"', 'and its object is unambiguous')
FROM pg_temp.verdict('2001-09-02 05:00:00+00');

SELECT * FROM finish();
ROLLBACK;
