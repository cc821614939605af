-- Defining probes and checks: what is accepted, what is refused and with which words.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- A round trip: the views have sampled_at, db, the key columns, the others, each with its type and comment.
SELECT pgdba.define_probe('regress_probe', 'hot',
	$$SELECT 1::int2 AS small, 'b'::text AS place, 2.5::numeric AS share, 'x'::name AS "name", true AS yes,
		'1 h'::interval AS span, 7::bigint AS hits$$,
	'{place,name}', '{"hits": {"kind": "counter", "unit": "hits", "metric": "regress_hits_total", "help": "Hits"},
		"place": {"help": "Where"}, "share": {"kind": "gauge", "unit": "percent"}}');
-- Not \d+: how a view is written back differs between versions.
\d pgdba.last_regress_probe
SELECT attname, col_description(attrelid, attnum) AS comment FROM pg_attribute
WHERE attrelid = 'pgdba.last_regress_probe'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL ORDER BY attnum;
\d pgdba.hist_regress_probe
SELECT name, loop, key, scope, options, origin FROM pgdba.probe WHERE name = 'regress_probe';

-- The same again changes nothing; other columns make other views; another loop does not.
SELECT pgdba.define_probe('regress_probe', 'hot', 'SELECT 1 AS a', '{}', '{}');
SELECT pgdba.define_probe('regress_probe', 'hot', 'SELECT 1 AS a', '{}', '{}');
\d pgdba.last_regress_probe
SELECT pgdba.define_probe('regress_probe', 'storage', 'SELECT 1 AS a', '{}', '{}');
SELECT c.relname, f.ftoptions FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid
WHERE c.relname LIKE 'ring%regress\_probe' ORDER BY 1;

-- All its objects belong to the extension.
SELECT c.relname, c.relkind, e.extname FROM pg_class c
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE c.relname LIKE '%regress\_probe' AND c.relkind IN ('v', 'f') ORDER BY 1;

-- A view of somebody else's is in the way of other columns, and is said.
CREATE VIEW on_probe AS SELECT a FROM pgdba.last_regress_probe;
SELECT pgdba.define_probe('regress_probe', 'hot', 'SELECT 1 AS b', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
DROP VIEW on_probe;

-- Bad probes.
SELECT pgdba.define_probe(NULL, 'hot', 'SELECT 1 AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'hot', NULL, '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('Not a name', 'hot', 'SELECT 1 AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'daily', 'SELECT 1 AS a', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{}', scope => 'everywhere');
SELECT pgdba.define_probe('p', 'hot', '', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT FROM nowhere', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'hot', 'DELETE FROM pgdba.probe', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT pgdba.define_probe('p', 'hot', 'WITH d AS (DELETE FROM pgdba.probe RETURNING name) SELECT d.name AS a FROM d', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT name AS a FROM pgdba.probe FOR UPDATE', '{}', '{}');
\set VERBOSITY default
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a; SELECT 2 AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'hot', 'SELECT $1::int AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'hot', 'SELECT ''(1,2)''::point AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe('p', 'hot', 'SELECT now() AS sampled_at', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS "A b"', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a, 2 AS a', '{}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{b}', '{}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{"b": {}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{"a": {"kind": "speed"}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{"a": {"metrics": "x"}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{"a": {"kind": "gauge", "metric": "not-a-metric"}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT ''x''::text AS a', '{}', '{"a": {"kind": "counter"}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '[]');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{}', options => '{"top": {"n": 5}}');
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{}', options => '{"maxrows": 5}');
SELECT pgdba.define_probe('p', 'hot', NULL, '{}', '{}', scope => 'native');
SELECT pgdba.define_probe('activity', 'hot', 'SELECT 1 AS a', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE

-- A variant counts from its version on. It may come before its probe, whose own text no server understands here.
SELECT pgdba.define_probe_variant('regress_variant', 150000, 'SELECT 1 AS a');
SELECT pgdba.define_probe_variant('regress_variant', 990000, 'SELECT of the future');
SELECT pgdba.define_probe('regress_variant', 'hot', 'SELECT of the past', '{}', '{}');
\d pgdba.last_regress_variant
SELECT pgdba.define_probe_variant('regress_variant', 17, 'SELECT 1 AS a');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe_variant('regress_variant', 150000, 'SELECT nothing_like_it');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_probe_variant('regress_variant', NULL, 'SELECT 1 AS a');
\echo :LAST_ERROR_SQLSTATE
SELECT from_version, query, origin FROM pgdba.probe_variant WHERE name = 'regress_variant' ORDER BY 1;

-- Checks.
SELECT pgdba.define_check('regress.check',
	$$SELECT 'cluster' AS object, NULL::text AS database, p.a::float8 AS value, 'rows' AS unit, p.a::bigint AS size,
		'{}'::jsonb AS evidence FROM pgdba.last_regress_probe p$$,
	'{"title": "Regress", "loop": "hot", "probes": ["regress_probe"], "needs": ["not_there_yet"],
		"thresholds": {"warning": 1, "critical": 2, "floor": {"size": 5}}, "message": "{value}"}');
SELECT check_id, area, title, loop, probes, needs, severities, message, origin FROM pgdba.checks WHERE origin = 'user';

\set ok '{"title": "t", "loop": "hot", "thresholds": {"warning": 1}, "message": "m"}'
\set finding 'SELECT ''cluster'' AS object, NULL::text AS database, 1::float8 AS value, '''' AS unit, ''{}''::jsonb AS evidence'
SELECT pgdba.define_check(NULL, :'finding', :'ok');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_check('noarea', :'finding', :'ok');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_check('regress.bad', 'SELECT 1 AS value', :'ok');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_check('regress.bad', replace(:'finding', '1::float8', '''1'''), :'ok');
SELECT pgdba.define_check('regress.bad', 'SELEC', :'ok');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb - 'title');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb - 'thresholds');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"thresholds": {}}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"thresholds": {"warning": 2, "critical": 1}}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"thresholds": {"warning": 2, "floor": {"size": 1}}}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"threshold": {}}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"loop": "daily"}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"message": "{value"}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"sql": "DROP TABLE ''{object:I}''"}');
SELECT pgdba.define_check('regress.bad', :'finding', :'ok'::jsonb || '{"probes": ["no_such", "nor_this"]}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.define_check('locks.blocked', :'finding', :'ok');
\echo :LAST_ERROR_SQLSTATE

-- Dropping, in the right order only.
SELECT pgdba.drop_probe('no_such');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.drop_probe('activity');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.drop_probe('regress_probe');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.drop_check('no.such');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.drop_check('locks.blocked');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.drop_check('regress.check');
SELECT pgdba.drop_probe('regress_probe'), pgdba.drop_probe('regress_variant');
SELECT relname FROM pg_class WHERE relname LIKE '%regress%' AND relnamespace = 'pgdba'::regnamespace;
SELECT (SELECT count(*) FROM pgdba.probe WHERE origin = 'user') AS probes,
	(SELECT count(*) FROM pgdba.probe_variant WHERE origin = 'user') AS variants,
	(SELECT count(*) FROM pgdba.check_definition WHERE origin = 'user') AS checks;

-- Injected rows must fit their probe.
SELECT pgdba.inject_sample('no_such', '2001-02-01 00:00:00+00', '[]');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.inject_sample('connections', '2001-02-01 00:00:00+00', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT pgdba.inject_sample('connections', '2001-02-01 00:00:00+00', '[1]');
SELECT pgdba.inject_sample('connections', '2001-02-01 00:00:00+00', '[{"no_such": 1}]');
SELECT pgdba.inject_sample('connections', '2001-02-01 00:00:00+00', '[{"active": "many"}]');
SELECT pgdba.inject_sample('connections', 'infinity', '[]');

-- The text of a variant that differs in a few places, all of which must be there.
SELECT pgdba.changed_text('SELECT NULL AS a, NULL AS b', 'NULL AS a', 's.a', 'NULL AS b', 's.b');
SELECT pgdba.changed_text('SELECT NULL AS a', 'NULL AS a', 's.a', 'NULL AS b', 's.b');
\echo :LAST_ERROR_SQLSTATE
