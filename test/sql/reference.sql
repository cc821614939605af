-- What every probe, metric and check has, so that it can be found, read and trusted: views, comments, units, names, texts.
-- Each rule is shown to find something: the second half of this file breaks all of them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
\set SHOW_CONTEXT never

-- Columns as the server knows them. db and what every view has are described by the library.
CREATE TEMP VIEW describes AS
SELECT p.name AS probe, c.column_name AS name, c.kind, m.said ->> 'help' AS help,
	coalesce(m.said ->> 'unit', '') AS unit, m.said ->> 'metric' AS metric
FROM pgdba.probe p
CROSS JOIN LATERAL pgdba.validate_probe(p.name, p.loop, pgdba.probe_query(p.name, p.query), p.key, p.columns, p.scope, p.options) c
CROSS JOIN LATERAL (SELECT p.columns -> c.column_name) AS m (said)
WHERE c.column_name <> 'db' OR m.said IS NOT NULL OR p.scope = 'database';
CREATE TEMP TABLE described AS TABLE describes;

CREATE TEMP VIEW probe_fault AS
SELECT 'view ' || s.side || p.name AS thing, f.fault
FROM pgdba.probe p
CROSS JOIN (VALUES ('last_'), ('hist_')) AS s (side)
CROSS JOIN LATERAL (SELECT to_regclass(format('pgdba.%I', s.side || p.name))) AS v (oid)
CROSS JOIN LATERAL (VALUES
	('is missing', v.oid IS NULL),
	('is not a part of the extension', NOT pgdba.is_member('pg_class', v.oid)),
	('has no comment', obj_description(v.oid, 'pg_class') IS NULL),
	('has columns without a comment', EXISTS (SELECT FROM pg_attribute a
		WHERE a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped AND col_description(v.oid, a.attnum) IS NULL))) AS f (fault, found)
WHERE f.found
UNION ALL
SELECT format('column %s.%s', d.probe, d.name), f.fault
FROM described d
CROSS JOIN LATERAL (VALUES
	('is not described', coalesce(d.help, '') = '' AND d.name <> 'db'),
	('is described by more than a phrase', d.help ~ '[^.]\.$|\s$|\n'),
	('is in seconds, as its name says', d.name ~ '_seconds$' AND d.unit <> 'seconds'),
	('is in bytes, as its name says', d.name ~ '_bytes$' AND d.unit <> 'bytes'),
	('is measured, but not exported with the rest', d.kind IN ('counter', 'gauge') AND d.metric IS NULL
		AND EXISTS (SELECT FROM described o WHERE o.probe = d.probe AND o.metric IS NOT NULL))) AS f (fault, found)
WHERE f.found;

CREATE TEMP VIEW metric_fault AS
SELECT 'metric ' || d.metric AS thing, f.fault
FROM described d
CROSS JOIN LATERAL (VALUES
	('does not begin with pg_ or pgdba_', d.metric !~ '^(pg|pgdba)_[a-z]'),
	-- One level has the name that others gave it.
	('contradicts its kind', (d.kind = 'counter') <> (d.metric ~ '_total$') AND d.metric <> 'pg_blocked_sessions_total'),
	('does not say its unit', (d.unit IN ('seconds', 'seconds since') AND d.metric !~ '_seconds(_|$)')
		OR (d.unit = 'bytes' AND d.metric !~ '_bytes(_|$)'))) AS f (fault, found)
WHERE d.metric IS NOT NULL AND f.found
UNION ALL
-- Its series would be without an end, name a person, or change with a restore.
SELECT format('label %s.%s', d.probe, d.name), 'is no label for a metric'
FROM described d
WHERE d.kind = 'label' AND EXISTS (SELECT FROM described o WHERE o.probe = d.probe AND o.metric IS NOT NULL)
	AND d.name ~ '^((.*_)?(pid|oid|relid|xid|query|role|user|usename|gid|addr|hostname|start|at)|statement|message)$'
UNION ALL
SELECT 'probe ' || p.name, 'has rows that its metrics cannot tell apart'
FROM pgdba.probe p
WHERE p.key <> '{}' AND EXISTS (SELECT FROM described d WHERE d.probe = p.name AND d.metric IS NOT NULL)
	AND NOT EXISTS (SELECT FROM described d WHERE d.probe = p.name AND d.kind = 'label');

-- The text of a check without its literals and remarks; its own texts; what they put in.
CREATE TEMP VIEW judged AS
SELECT c.check_id, c.definition AS said, c.definition ->> 'symptom_of' AS symptom_of,
	regexp_replace(c.query, $$('(?:[^']|'')*')|(--[^\n]*)$$, '', 'g') AS code,
	ARRAY(SELECT m[1] FROM regexp_matches(concat(c.definition ->> 'sql', c.definition ->> 'undo'), '\{(\w+)\}', 'g') AS m) AS unquoted
FROM pgdba.check_definition c;

CREATE TEMP VIEW check_fault AS
WITH RECURSIVE explained AS (
	SELECT j.check_id, j.symptom_of AS cause, 1 AS depth FROM judged j WHERE j.symptom_of IS NOT NULL
	UNION ALL
	SELECT e.check_id, j.symptom_of, e.depth + 1 FROM explained e JOIN judged j ON j.check_id = e.cause
	WHERE j.symptom_of IS NOT NULL AND e.depth < 10
)
SELECT 'check ' || j.check_id AS thing, f.fault
FROM judged j
CROSS JOIN LATERAL (VALUES
	('does not say why it matters', coalesce(j.said ->> 'why', '') = ''),
	('does not say what to do', coalesce(j.said ->> 'action', '') = ''),
	('has a message of more than a line', j.said ->> 'message' ~ '\n'),
	('has SQL without a lock level', j.said ? 'sql' AND coalesce(j.said ->> 'lock_level', '') = ''),
	('has something to undo without SQL', j.said ? 'undo' AND NOT j.said ? 'sql'),
	-- A plain placeholder is for a whole number. These are; a new one is to be looked at.
	('puts into SQL what is not quoted', EXISTS (SELECT FROM unnest(j.unquoted) AS u (key) WHERE u.key NOT IN ('pid', 'holder_pid', 'new_limit', 'suggested', 'max_entries'))),
	('names no probe', coalesce(j.said -> 'probes', '[]') = '[]'),
	('names a probe that it does not read', EXISTS (SELECT FROM jsonb_array_elements_text(j.said -> 'probes') AS p (name)
		WHERE j.code !~ format('\mpgdba\.(last|hist)_%s\M', p.name))),
	('looks at the clock', j.code ~* '\m(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|\m(current_(timestamp|time|date)|localtime(stamp)?)\M'),
	('reads the live server', j.code ~ '\mpg_(?!(catalog|size_pretty|lsn|wal_lsn_diff)\M)|\m(current_setting|information_schema)\M'
		OR EXISTS (SELECT FROM regexp_matches(j.code, '\mpgdba\.(\w+)', 'g') AS m
			WHERE m[1] !~ '^(last|hist)_' AND NOT EXISTS (SELECT FROM pg_proc f WHERE f.pronamespace = 'pgdba'::regnamespace
				AND f.proname = m[1] AND f.provolatile = 'i'))),
	('is a symptom of a check that does not exist', j.symptom_of IS NOT NULL
		AND NOT EXISTS (SELECT FROM judged o WHERE o.check_id = j.symptom_of)),
	('explains itself', EXISTS (SELECT FROM explained e WHERE e.check_id = j.check_id AND e.cause = j.check_id))) AS f (fault, found)
WHERE f.found;

-- Ours have no fault.
SELECT count(*) >= 9 AS probes FROM pgdba.probe;
SELECT count(*) >= 5 AS checks FROM pgdba.check_definition;
SELECT count(*) >= 65 AS metrics FROM described WHERE metric IS NOT NULL;
SELECT * FROM probe_fault ORDER BY thing COLLATE "C", fault COLLATE "C";
SELECT * FROM metric_fault ORDER BY thing COLLATE "C", fault COLLATE "C";
SELECT * FROM check_fault ORDER BY thing COLLATE "C", fault COLLATE "C";

-- These have all that there can be. In one transaction: the sampler would put back views that are missing.
BEGIN;
SELECT pgdba.define_probe('bad_one', 'hot', 'SELECT 1 AS pid, 2 AS n, 3::float8 AS wait_seconds, 4 AS used_bytes, 5 AS c, 6 AS other', '{pid}', '{
	"n": {"help": "Number.", "metric": "number_total"},
	"wait_seconds": {"help": "Wait", "unit": "ms"},
	"used_bytes": {"help": "Used", "kind": "gauge"},
	"c": {"help": "Counter", "kind": "counter", "unit": "seconds", "metric": "pg_c_total"}}');
SELECT pgdba.define_probe('bad_two', 'hot', 'SELECT 1 AS k, 2 AS n', '{k}', '{"k": {"help": "Key", "kind": "info"},
	"n": {"help": "Number", "unit": "bytes", "metric": "pg_f"}}');
COMMENT ON VIEW pgdba.last_bad_two IS NULL;
COMMENT ON COLUMN pgdba.last_bad_two.k IS NULL;
TRUNCATE described;
INSERT INTO described TABLE describes;
ALTER EXTENSION pgdba DROP VIEW pgdba.last_bad_two;
ALTER EXTENSION pgdba DROP VIEW pgdba.hist_bad_two;
DROP VIEW pgdba.hist_bad_two;
SELECT pgdba.define_check('bad.one', $$SELECT 'cluster' AS object, NULL::text AS database, 1::float8 AS value, 's' AS unit,
	jsonb_build_object('at', now(), 'table', 't') AS evidence FROM pgdba.last_bad_one$$, '{"title": "Bad", "loop": "hot",
	"probes": ["bad_one", "bad_two"], "thresholds": {"warning": 0}, "message": "One\ntwo", "sql": "DROP TABLE {table};",
	"symptom_of": "bad.two"}');
SELECT pgdba.define_check('bad.two', $$SELECT 'cluster' AS object, NULL::text AS database, 1::float8 AS value, 's' AS unit,
	'{}'::jsonb AS evidence FROM pg_catalog.pg_stat_activity -- 'not a literal$$, '{"title": "Bad", "loop": "hot", "thresholds": {"warning": 0},
	"message": "Bad", "why": "It is", "action": "None", "undo": "SELECT 1;", "symptom_of": "bad.one"}');
SELECT pgdba.define_check('bad.three', $$SELECT p.item AS object, NULL::text AS database, 1::float8 AS value, 's' AS unit,
	jsonb_build_object('now', 'now() in pg_class') AS evidence FROM pgdba.last_bad_one, pgdba.preflight() p$$, '{"title": "Bad", "loop": "hot",
	"probes": ["bad_one"], "thresholds": {"warning": 0}, "message": "Bad", "why": "It is", "action": "None", "symptom_of": "nobody.knows"}');
SELECT * FROM probe_fault ORDER BY thing COLLATE "C", fault COLLATE "C";
SELECT * FROM metric_fault ORDER BY thing COLLATE "C", fault COLLATE "C";
SELECT * FROM check_fault ORDER BY thing COLLATE "C", fault COLLATE "C";
ROLLBACK;
