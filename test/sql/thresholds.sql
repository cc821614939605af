-- Thresholds: what is in effect, and where it comes from.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
RESET client_min_messages;
\set SHOW_CONTEXT never
BEGIN;

SELECT * FROM pgdba.thresholds WHERE check_id IN ('locks.blocked', 'vacuum.dead_tuples') ORDER BY check_id;

-- An override for all objects replaces the default; one for some stands beside it.
SELECT pgdba.set_threshold('locks.blocked', '%', 10, 20);
SELECT pgdba.set_threshold('vacuum.dead_tuples', 'relation:shop/%', NULL, 90);
SELECT * FROM pgdba.thresholds WHERE check_id IN ('locks.blocked', 'vacuum.dead_tuples') ORDER BY check_id, object_pattern;

-- A floor of one's own is merged over the check's.
UPDATE pgdba.threshold SET floor = '{"dead": 5}' WHERE check_id = 'vacuum.dead_tuples';
SELECT object_pattern, floor FROM pgdba.thresholds WHERE check_id = 'vacuum.dead_tuples' ORDER BY 1;

-- Two NULLs take an override away, unless it has a floor.
SELECT pgdba.set_threshold('locks.blocked', '%', NULL, NULL), pgdba.set_threshold('vacuum.dead_tuples', 'relation:shop/%', NULL, NULL);
SELECT * FROM pgdba.threshold;

-- A level of infinity is off; info is not a matter of overrides.
SELECT pgdba.inject_sample('preflight', '2001-02-02 01:00:00+00', '[{"item": "x", "ok": false, "detail": "d", "line_to_add": "l"}]');
SELECT severity, object FROM pgdba.verdicts_at('2001-02-02 01:00:00+00') WHERE check_id = 'setup.preflight';
SELECT pgdba.set_threshold('setup.preflight', '%', 0, NULL);
SELECT severity, object, warning FROM pgdba.verdicts_at('2001-02-02 01:00:00+00') WHERE check_id = 'setup.preflight';
SELECT pgdba.set_threshold('setup.preflight', 'setting:x', 'Infinity', 'Infinity');
SELECT severity, object FROM pgdba.verdicts_at('2001-02-02 01:00:00+00') WHERE check_id = 'setup.preflight';

ROLLBACK;

-- Bad input.
SELECT pgdba.set_threshold('no.such', '%', 1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.set_threshold('locks.blocked', NULL, 1, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.set_threshold('locks.blocked', '%', 2, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.set_threshold('locks.blocked', '%', 'NaN', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.set_threshold('locks.blocked', '%', 121, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pgdba.threshold;
