-- Creating and dropping the extension, and the roles it takes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- Every probe has its views, every public object a comment, every column that is exported its help.
SELECT p.name FROM pgdba.probe p
WHERE to_regclass('pgdba.last_' || p.name) IS NULL OR to_regclass('pgdba.hist_' || p.name) IS NULL;
SELECT p.oid::regprocedure AS without_comment FROM pg_proc p
WHERE p.pronamespace = 'pgdba'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT c.relname AS without_comment FROM pg_class c
WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relkind IN ('v', 'r', 'p') AND obj_description(c.oid, 'pg_class') IS NULL
	AND c.relname !~ '^ring_.*_[0-9]$';
SELECT p.name, c.key FROM pgdba.probe p CROSS JOIN LATERAL jsonb_each(p.columns) c WHERE coalesce(c.value ->> 'help', '') = '';
SELECT p.name, a.attname AS not_described FROM pgdba.probe p
JOIN pg_attribute a ON a.attrelid = ('pgdba.last_' || p.name)::regclass AND a.attnum > 0
WHERE NOT p.columns ? a.attname AND a.attname NOT IN ('sampled_at', 'db');

-- A metric means one thing.
SELECT c.value ->> 'metric' AS metric, array_agg(p.name) FROM pgdba.probe p CROSS JOIN LATERAL jsonb_each(p.columns) c
WHERE c.value ->> 'metric' IS NOT NULL GROUP BY 1 HAVING count(*) > 1;

-- No probe calls what waits for a locked relation. Every check says what to do, reads samples only, and has levels.
SELECT name FROM pgdba.probe
WHERE query ~ '(pg_(total_)?(relation|table|indexes)_size|pg_get_(indexdef|expr|constraintdef|viewdef|partkeydef|ruledef))';
SELECT check_id FROM pgdba.checks WHERE title IS NULL OR why IS NULL OR action IS NULL OR severities = '{}' OR probes = '{}';
SELECT check_id FROM pgdba.checks
WHERE regexp_replace(query, '''[^'']*''', '', 'g') ~* '\m(from|join)\s+pg_|pg_stat|(now|_timestamp)\(';

-- The table ring: no index, no autovacuum, ten slots per loop.
SELECT p.relname, count(*) AS slots, bool_and(c.reloptions @> '{autovacuum_enabled=off}') AS quiet,
	bool_and(t.reloptions @> '{autovacuum_enabled=off}') AS toast_quiet, bool_or(c.relhasindex) AS indexed
FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE p.relnamespace = 'pgdba'::regnamespace GROUP BY 1 ORDER BY 1;

-- A table of another shape, as a schema of a later version may have, is no history, and is closed again.
BEGIN;
ALTER TABLE pgdba.ring_hot RENAME COLUMN payload TO regress_payload;
SELECT count(*) >= 0 AS readable FROM pgdba.hist_heartbeat;
ROLLBACK;

-- What is dumped: users' definitions and thresholds, no sample.
SELECT c.relname, d.condition FROM pg_extension e
CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS d (relation, condition)
JOIN pg_class c ON c.oid = d.relation
WHERE e.extname = 'pgdba' ORDER BY 1;

-- DROP EXTENSION takes what users defined, without CASCADE, and leaves the roles.
BEGIN;
SELECT pgdba.define_probe('regress_probe', 'hourly', 'SELECT 1 AS a', '{}', '{}');
DROP EXTENSION pgdba;
SELECT count(*) FROM pg_namespace WHERE nspname = 'pgdba';
SELECT rolname FROM pg_roles WHERE rolname LIKE 'pgdba\_%' ORDER BY 1;
CREATE EXTENSION pgdba;
SELECT origin, count(*) > 0 AS some FROM pgdba.probe GROUP BY 1;
SELECT pgdba.define_probe('regress_probe', 'hourly', 'SELECT 1 AS a', '{}', '{}');

-- After a restore the rows are there and the views are not.
SELECT pgdba.drop_probe_views('regress_probe');
SELECT pgdba.sync_views();
SELECT to_regclass('pgdba.last_regress_probe'), to_regclass('pgdba.hist_regress_probe');
SELECT pgdba.sync_views();
UPDATE pgdba.probe SET query = 'SELECT 1 AS a FROM gone' WHERE name = 'regress_probe';
SELECT pgdba.drop_probe_views('regress_probe');
SELECT pgdba.sync_views();
ROLLBACK;

-- A schema that somebody else made is refused.
BEGIN;
DROP EXTENSION pgdba;
SAVEPOINT s;
CREATE ROLE regress_owner;
ALTER SCHEMA pgdba OWNER TO regress_owner;
CREATE EXTENSION pgdba;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
GRANT CREATE ON SCHEMA pgdba TO PUBLIC;
CREATE EXTENSION pgdba;
ROLLBACK TO s;
CREATE FUNCTION pgdba.duration_text(int) RETURNS text LANGUAGE sql AS 'SELECT ''evil''';
CREATE EXTENSION pgdba;
ROLLBACK;

-- Roles that somebody else made ready are refused.
BEGIN;
DROP EXTENSION pgdba;
SAVEPOINT s;
ALTER ROLE pgdba_sampler LOGIN;
CREATE EXTENSION pgdba;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
ALTER ROLE pgdba_admin SUPERUSER;
CREATE EXTENSION pgdba;
ROLLBACK TO s;
ALTER ROLE pgdba_sampler SET search_path = evil;
CREATE EXTENSION pgdba;
ROLLBACK TO s;
CREATE ROLE "regress member";
GRANT pgdba_sampler TO "regress member";
CREATE EXTENSION pgdba;
ROLLBACK TO s;
GRANT pg_read_all_data TO pgdba_sampler;
CREATE EXTENSION pgdba;
ROLLBACK TO s;
CREATE EXTENSION pgdba;
ROLLBACK;

-- A publication that would send samples to subscribers is said.
BEGIN;
DROP EXTENSION pgdba;
SET LOCAL client_min_messages = error;
CREATE PUBLICATION regress_all FOR ALL TABLES;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION pgdba;
SELECT item, ok, severity, detail, line_to_add FROM pgdba.preflight() WHERE item = 'publication';
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
CREATE PUBLICATION regress_schema FOR TABLES IN SCHEMA pgdba;
SELECT * FROM pgdba.publications();
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
CREATE PUBLICATION regress_table FOR TABLE pgdba.ring_hot, pgdba.threshold;
SELECT * FROM pgdba.publications();
ROLLBACK;
