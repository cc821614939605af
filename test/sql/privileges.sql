-- Who may do what: every grant there is, and a few attempts.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
RESET client_min_messages;
\set SHOW_CONTEXT never

-- Nobody can act as these roles.
SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname LIKE 'pgdba\_%' ORDER BY 1;
SELECT m.member::regrole, m.roleid::regrole FROM pg_auth_members m
WHERE m.member::regrole::text LIKE 'pgdba\_%' OR m.roleid::regrole::text LIKE 'pgdba\_%' ORDER BY 1, 2;

-- Every privilege of somebody else than the owner.
CREATE TEMP VIEW grants AS
SELECT o.what, o.name, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
	string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
FROM (
	SELECT 'schema' AS what, n.nspname::text AS name, n.nspowner AS owner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
	FROM pg_namespace n WHERE n.nspname = 'pgdba'
	UNION ALL
	SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' END,
		c.relname, c.relowner, coalesce(c.relacl, acldefault('r', c.relowner))
	FROM pg_class c WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'f')
	UNION ALL
	SELECT 'function', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
	FROM pg_proc p WHERE p.pronamespace = 'pgdba'::regnamespace
	UNION ALL
	SELECT 'server', s.srvname, s.srvowner, coalesce(s.srvacl, acldefault('S', s.srvowner))
	FROM pg_foreign_server s WHERE s.srvname = 'pgdba_ring'
	UNION ALL
	SELECT 'wrapper', w.fdwname, w.fdwowner, coalesce(w.fdwacl, acldefault('F', w.fdwowner))
	FROM pg_foreign_data_wrapper w WHERE w.fdwname = 'pgdba_ring'
	UNION ALL
	SELECT 'column', c.relname || '.' || t.attname, c.relowner, t.attacl
	FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
	WHERE c.relnamespace = 'pgdba'::regnamespace AND t.attacl IS NOT NULL
	UNION ALL
	SELECT 'catalog', CASE WHEN p.oid IS NULL THEN c.relname ELSE p.oid::regprocedure::text END, coalesce(p.proowner, c.relowner),
		coalesce(p.proacl, c.relacl)
	FROM pg_shdepend d
	LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND p.pronamespace = 'pg_catalog'::regnamespace
	LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relnamespace = 'pg_catalog'::regnamespace
	WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND d.deptype = 'a'
		AND d.refobjid::regrole::text LIKE 'pgdba\_%' AND (p.oid IS NOT NULL OR c.oid IS NOT NULL)
) o CROSS JOIN LATERAL aclexplode(o.acl) a
WHERE a.grantee <> o.owner AND (o.what <> 'catalog' OR a.grantee::regrole::text LIKE 'pgdba\_%')
GROUP BY 1, 2, 3;
-- Unaligned, so that a longer name changes one line and not all.
\pset format unaligned
SELECT what, name, grantee, privileges FROM grants
WHERE NOT (what = 'view' AND name ~ '^(last|hist)_') ORDER BY what COLLATE "C", name COLLATE "C", grantee COLLATE "C";
\pset format aligned

-- The views of probes: reading for pg_monitor, nothing for anybody else, none left out.
SELECT grantee, privileges, count(*) = 2 * (SELECT count(*) FROM pgdba.probe) AS all_of_them
FROM grants WHERE what = 'view' AND name ~ '^(last|hist)_' GROUP BY 1, 2;

-- SECURITY DEFINER only where it must be; every function has its search path pinned, but those of the library that run no SQL.
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'pgdba'::regnamespace AND p.prosecdef ORDER BY p.proname COLLATE "C";
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'pgdba'::regnamespace AND l.lanname <> 'c'
	AND NOT coalesce('search_path=pg_catalog, pgdba, pg_temp' = ANY (p.proconfig), false);

-- Attempts.
CREATE ROLE regress_nobody;
CREATE ROLE regress_reader IN ROLE pg_monitor;
CREATE ROLE regress_admin IN ROLE pgdba_admin;
SET ROLE regress_nobody;
SELECT * FROM pgdba.verdicts;
SELECT pgdba.health();
RESET ROLE;
SET ROLE regress_reader;
SELECT count(*) > 0 AS reads FROM pgdba.checks;
SELECT count(*) >= 0 AS reads FROM pgdba.last_activity;
SELECT count(*) >= 0 AS reads FROM pgdba.verdicts;
SELECT count(*) > 0 AS reads FROM pgdba.verdicts_at('2001-02-05 00:00:00+00');
SELECT count(*) > 0 AS reads FROM pgdba.health('2001-02-05 00:00:00+00');
SELECT count(*) > 0 AS reads FROM pgdba.preflight();
SELECT pgdba.set_threshold('locks.blocked', '%', 1, 2);
SELECT pgdba.sample_now();
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{}');
SELECT pgdba.define_check('a.b', 'SELECT 1', '{}');
SELECT pgdba.inject_sample('activity', '2001-02-05 00:00:00+00', '[]');
SELECT * FROM pgdba.ring_hot LIMIT 1;
SELECT * FROM pgdba.ring_last_activity LIMIT 1;
INSERT INTO pgdba.threshold VALUES ('locks.blocked');
RESET ROLE;
SET ROLE regress_admin;
SELECT pgdba.set_threshold('locks.blocked', 'regress', 1, 2);
SELECT check_id, warning FROM pgdba.thresholds WHERE object_pattern = 'regress';
SELECT pgdba.set_threshold('locks.blocked', 'regress', NULL, NULL);
SELECT pgdba.define_probe('p', 'hot', 'SELECT 1 AS a', '{}', '{}');
SELECT pgdba.inject_sample('activity', '2001-02-05 00:00:00+00', '[]');
SELECT count(*) FROM pgdba.verdicts;
SELECT pgdba.pause('0 s');
RESET ROLE;

-- Whoever is granted the right to define needs no other one, and gains no more than the sampler has.
GRANT USAGE ON SCHEMA pgdba TO regress_nobody;
GRANT EXECUTE ON FUNCTION pgdba.define_probe(text, text, text, text[], jsonb, text, jsonb), pgdba.drop_probe(text) TO regress_nobody;
SET ROLE regress_nobody;
SELECT pgdba.define_probe('regress_granted', 'hourly', 'SELECT 1 AS a', '{}', '{}');
SELECT pgdba.drop_probe('regress_granted');
RESET ROLE;
BEGIN;
SELECT pgdba.define_check('regress.secret', 'SELECT ''cluster'' AS object, NULL::text AS database, 1 AS value, '''' AS unit,
	to_jsonb(rolpassword) AS evidence FROM pg_catalog.pg_authid', '{"title": "t", "loop": "hot", "message": "{evidence}", "thresholds": {"info": 0}}');
SELECT severity, message FROM pgdba.verdicts_at('2001-02-05 00:00:00+00') WHERE check_id = 'regress.secret';
ROLLBACK;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgdba FROM regress_nobody;
REVOKE ALL ON SCHEMA pgdba FROM regress_nobody;
DROP ROLE regress_nobody, regress_reader, regress_admin;
