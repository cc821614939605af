-- What in a database decides who may do what: a row of counts per database.
--
-- Functions and relations of extensions and of the system are left out: they are as their makers meant them. A function that runs with its owner's rights and
-- the caller's search_path can be made to call what the caller planted.
SELECT pgdba.define_probe(
	name => 'security_fact',
	loop => 'hourly',
	query => $probe$
WITH own_namespace AS MATERIALIZED (
	SELECT n.oid, n.nspname, n.nspacl, n.nspowner FROM pg_catalog.pg_namespace n
	WHERE n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
), member AS MATERIALIZED (
	SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype IN ('e', 'i')
), function AS MATERIALIZED (
	SELECT p.prosecdef, p.proconfig, l.lanname, l.lanpltrusted
	FROM pg_catalog.pg_proc p JOIN own_namespace n ON n.oid = p.pronamespace
	JOIN pg_catalog.pg_language l ON l.oid = p.prolang
	WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid)
), relation AS MATERIALIZED (
	SELECT c.oid, c.relkind, c.relrowsecurity, c.reloptions, c.relacl
	FROM pg_catalog.pg_class c JOIN own_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
		AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid)
), policy AS MATERIALIZED (
	SELECT p.polrelid, pg_catalog.count(*) AS policies FROM pg_catalog.pg_policy p GROUP BY p.polrelid
), overlapping AS (
	SELECT DISTINCT p.polrelid
	FROM pg_catalog.pg_policy p
	JOIN pg_catalog.pg_policy o ON o.polrelid = p.polrelid AND o.oid > p.oid AND o.polpermissive
		AND (o.polcmd = p.polcmd OR o.polcmd = '*' OR p.polcmd = '*') AND (o.polroles && p.polroles OR '{0}' && (o.polroles || p.polroles))
	WHERE p.polpermissive
), open_relation AS (
	SELECT DISTINCT r.oid, r.relkind
	FROM relation r CROSS JOIN LATERAL pg_catalog.aclexplode(r.relacl) a
	WHERE a.grantee = 0
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
	(SELECT pg_catalog.count(*) FROM relation r WHERE r.oid IN (SELECT o.polrelid FROM overlapping o)) AS overlapping_policies,
	(SELECT pg_catalog.count(*) FROM relation r WHERE r.relkind = 'v' AND NOT coalesce(r.reloptions && ARRAY['security_invoker=true',
		'security_invoker=on', 'security_invoker=yes', 'security_invoker=1'], false)) AS definer_views,
	(SELECT pg_catalog.count(*) FROM open_relation o) AS public_relations,
	(SELECT pg_catalog.count(*) FROM open_relation o WHERE o.relkind = 'm') AS public_materialized_views,
	(SELECT pg_catalog.count(*) FROM "grant" g WHERE g.grantee = 0 AND g.privilege_type = 'CREATE') AS public_create_schemas,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_default_acl a CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) e
		WHERE e.grantee = 0 AND a.defaclobjtype IN ('r', 'S')) AS public_default_grants,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_extension x JOIN own_namespace n ON n.oid = x.extnamespace
		WHERE n.nspname = 'public') AS extensions_in_public,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a JOIN relation r ON r.oid = a.attrelid
		WHERE a.attisdropped AND r.relkind IN ('r', 'p')) AS dropped_columns,
	pg_catalog.pg_encoding_to_char(d.encoding)::pg_catalog.text AS encoding,
	d.datcollate::pg_catalog.text AS locale,
	o.rolname::pg_catalog.text AS owner,
	o.rolsuper AS owner_is_superuser
FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
WHERE d.datname = pg_catalog.current_database()
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
	"overlapping_policies": {"unit": "tables", "help": "Tables where several permissive policies hold for the same role and command: each is evaluated"},
	"definer_views": {"unit": "views", "help": "Views that read with the rights of their owner, not of who asks, as they do unless told otherwise"},
	"public_relations": {"unit": "relations", "help": "Tables and views on which everybody has a privilege"},
	"public_materialized_views": {"unit": "views", "help": "Of these, materialized views, which know no row security"},
	"public_create_schemas": {"unit": "schemas", "help": "Schemas in which everybody may create objects"},
	"public_default_grants": {"unit": "grants", "help": "Privileges that everybody gets on tables and sequences to come"},
	"extensions_in_public": {"unit": "extensions", "help": "Extensions whose objects are in schema public"},
	"dropped_columns": {"unit": "columns", "help": "Columns that were dropped and still take part in each row"},
	"encoding": {"help": "Encoding of the database"},
	"locale": {"help": "Locale that its texts are sorted by, unless another provider than libc does that"},
	"owner": {"help": "Role that owns the database, and may do as it likes with its schema public"},
	"owner_is_superuser": {"help": "Whether that is a superuser"}
}$columns$,
	scope => 'database',
	options => '{"object": "database:{db:I}"}');
