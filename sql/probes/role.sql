-- Roles: what they may do beyond the rights on objects, until when, and how many connections they may have.
--
-- The predefined roles are left out; who is a member of them, directly or through others, is said instead. A member of a
-- superuser, or of a role that runs programs or writes files as the server does, may become superuser. Of the password
-- only its kind is known.
SELECT pgdba.define_probe(
	name => 'role',
	loop => 'storage',
	query => $probe$
WITH RECURSIVE member AS (
	SELECT m.member, m.roleid AS source
	FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
	WHERE g.rolsuper OR (g.oid < 16384 AND g.oid <> 10)
	UNION
	SELECT m.member, f.source FROM member f JOIN pg_catalog.pg_auth_members m ON m.roleid = f.member
), power AS (
	SELECT f.member, pg_catalog.bool_or(g.rolsuper) AS of_superuser,
		pg_catalog.count(*) FILTER (WHERE NOT g.rolsuper) AS memberships,
		pg_catalog.jsonb_agg(g.rolname ORDER BY g.rolname) FILTER (WHERE NOT g.rolsuper) AS names,
		pg_catalog.bool_or(g.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'))
			AS reaches_server
	FROM member f JOIN pg_catalog.pg_roles g ON g.oid = f.source
	GROUP BY f.member
)
SELECT r.rolname::pg_catalog.text AS role,
	r.rolcanlogin AS can_login,
	r.rolsuper AS superuser,
	r.rolcreaterole AS create_role,
	r.rolcreatedb AS create_db,
	r.rolreplication AS replication,
	r.rolbypassrls AS bypass_rls,
	r.rolinherit AS inherit,
	r.rolconnlimit::pg_catalog.int8 AS connection_limit,
	CASE WHEN pg_catalog.isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END AS valid_until,
	r.oid AS password,
	coalesce(p.of_superuser, false) AS superuser_member,
	coalesce(p.reaches_server, false) AS reaches_server,
	p.names AS predefined_roles,
	r.rolsuper::pg_catalog.int4 + r.rolcreaterole::pg_catalog.int4 + r.rolcreatedb::pg_catalog.int4
		+ r.rolreplication::pg_catalog.int4 + r.rolbypassrls::pg_catalog.int4
		+ coalesce(p.of_superuser, false)::pg_catalog.int4 + coalesce(p.memberships, 0) AS powers
FROM pg_catalog.pg_roles r
LEFT JOIN power p ON p.member = r.oid
WHERE r.oid >= 16384 OR r.oid = 10
$probe$,
	key => '{role}',
	columns => $columns${
	"role": {"help": "Name of the role"},
	"can_login": {"help": "Whether it may log in"},
	"superuser": {"help": "Whether it is superuser"},
	"create_role": {"help": "Whether it may create roles"},
	"create_db": {"help": "Whether it may create databases"},
	"replication": {"help": "Whether it may replicate, and so copy everything"},
	"bypass_rls": {"help": "Whether row security does not hold for it"},
	"inherit": {"help": "Whether it has the rights of the roles that it is a member of"},
	"connection_limit": {"unit": "connections", "help": "How many connections it may have, -1 for no limit"},
	"valid_until": {"help": "When its password expires, NULL for never"},
	"password": {"read": "password_kind", "help": "Kind of its password: scram-sha-256, md5, plain, or none"},
	"superuser_member": {"help": "Whether it is a member of a superuser, directly or through others"},
	"reaches_server": {"help": "Whether it may read or write files, or run programs, as the server does"},
	"predefined_roles": {"help": "Predefined roles that it is a member of, directly or through others"},
	"powers": {"help": "How many such attributes and memberships it has, for the ranking"}
}$columns$,
	options => $options${
	"max_rows": 100000,
	"top": {"n": 100, "by": ["powers", "connection_limit"]},
	"object": "role:{role:I}"
}$options$);
