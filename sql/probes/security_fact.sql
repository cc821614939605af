-- What in a database decides who may do what: a row of counts per database.
--
-- Functions of extensions and of the system are left out: they are as their makers meant them. A function that runs with its owner's rights and
-- the caller's search_path can be made to call what the caller planted.
SELECT pgdba.define_probe(
	name => 'security_fact',
	loop => 'hourly',
	query => $probe$
WITH own_namespace AS MATERIALIZED (
	SELECT n.oid, n.nspname, n.nspacl, n.nspowner FROM pg_catalog.pg_namespace n
	WHERE n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
), member AS MATERIALIZED (
	SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), function AS MATERIALIZED (
	SELECT p.prosecdef, p.proconfig, l.lanname, l.lanpltrusted
	FROM pg_catalog.pg_proc p JOIN own_namespace n ON n.oid = p.pronamespace
	JOIN pg_catalog.pg_language l ON l.oid = p.prolang
	WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid)
), relation AS MATERIALIZED (
	SELECT c.oid, c.relkind, c.relrowsecurity, c.reloptions
	FROM pg_catalog.pg_class c JOIN own_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v')
), policy AS MATERIALIZED (
	SELECT p.polrelid, pg_catalog.count(*) AS policies FROM pg_catalog.pg_policy p GROUP BY p.polrelid
), "grant" AS MATERIALIZED (
	SELECT n.nspname, a.privilege_type, a.grantee
	FROM own_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
)
SELECT (SELECT pg_catalog.count(*) FROM function f WHERE f.prosecdef) AS security_definer,
	(SELECT pg_catalog.count(*) FROM function f WHERE f.prosecdef AND NOT EXISTS (
		SELECT FROM pg_catalog.unnest(f.proconfig) c (setting) WHERE pg_catalog.starts_with(c.setting, 'search_path='))) AS security_definer_open,
	(SELECT pg_catalog.count(*) FROM function f WHERE NOT f.lanpltrusted) AS untrusted_functions,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_language l WHERE NOT l.lanpltrusted AND l.lanispl) AS untrusted_languages,
	(SELECT pg_catalog.count(*) FROM relation r WHERE r.relrowsecurity) AS row_security_tables,
	(SELECT pg_catalog.count(*) FROM relation r WHERE r.relrowsecurity AND r.oid NOT IN (SELECT p.polrelid FROM policy p)) AS row_security_empty,
	(SELECT pg_catalog.count(*) FROM relation r JOIN policy p ON p.polrelid = r.oid WHERE NOT r.relrowsecurity) AS policies_without_effect,
	(SELECT pg_catalog.count(*) FROM "grant" g WHERE g.grantee = 0 AND g.privilege_type = 'CREATE') AS public_create_schemas,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_default_acl a CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) e
		WHERE e.grantee = 0 AND a.defaclobjtype IN ('r', 'S')) AS public_default_grants,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_extension x JOIN own_namespace n ON n.oid = x.extnamespace
		WHERE n.nspname = 'public') AS extensions_in_public,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a JOIN relation r ON r.oid = a.attrelid
		WHERE a.attisdropped) AS dropped_columns,
	(SELECT pg_catalog.pg_encoding_to_char(d.encoding) FROM pg_catalog.pg_database d
		WHERE d.datname = pg_catalog.current_database())::pg_catalog.text AS encoding
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Database"},
	"security_definer": {"unit": "functions", "help": "Functions that run with the rights of their owner"},
	"security_definer_open": {"unit": "functions", "help": "Of these, those that do not fix their search_path"},
	"untrusted_functions": {"unit": "functions", "help": "Functions in languages that can reach beyond the database, such as C"},
	"untrusted_languages": {"unit": "languages", "help": "Procedural languages that can reach beyond the database"},
	"row_security_tables": {"unit": "tables", "help": "Tables with row security"},
	"row_security_empty": {"unit": "tables", "help": "Of these, those without a policy: only owners see their rows"},
	"policies_without_effect": {"unit": "tables", "help": "Tables with policies, but without row security"},
	"public_create_schemas": {"unit": "schemas", "help": "Schemas in which everybody may create objects"},
	"public_default_grants": {"unit": "grants", "help": "Privileges that everybody gets on tables and sequences to come"},
	"extensions_in_public": {"unit": "extensions", "help": "Extensions whose objects are in schema public"},
	"dropped_columns": {"unit": "columns", "help": "Columns that were dropped and still take part in each row"},
	"encoding": {"help": "Encoding of the database"}
}$columns$,
	scope => 'database',
	options => '{"object": "database:{db:I}"}');
