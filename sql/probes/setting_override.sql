-- Settings that somebody made for a database, for a role, or for a role in a database, which the probe setting does not show.
--
-- They were written in the encoding of the database in which the command ran, so no text function looks at them; the name is
-- split off by bytes. A value is kept only of a setting that the server itself knows, and never one that may be a secret.
SELECT pgdba.define_probe(
	name => 'setting_override',
	loop => 'storage',
	query => $probe$
SELECT d.datname::pg_catalog.text AS db,
	r.rolname::pg_catalog.text AS role,
	o.option_name AS name,
	CASE WHEN NOT s.secret THEN o.option_value END AS value
FROM pg_catalog.pg_db_role_setting g
CROSS JOIN LATERAL pg_catalog.pg_options_to_table(g.setconfig) o
LEFT JOIN pg_catalog.pg_database d ON d.oid = g.setdatabase
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
LEFT JOIN (SELECT k.name, k.vartype = 'string' AND (k.name LIKE '%\_command' OR k.name LIKE '%conninfo'
			OR k.name LIKE '%.%') AS secret
	FROM pg_catalog.pg_settings k) s ON s.name = o.option_name
$probe$,
	key => '{db,role,name}',
	columns => $columns${
	"db": {"help": "Database that it is for, NULL for all"},
	"role": {"kind": "info", "help": "Role that it is for, NULL for all"},
	"name": {"help": "Name of the setting"},
	"value": {"help": "Its value there, in the spelling of who set it; NULL for what may be a secret"}
}$columns$,
	options => '{"max_rows": 10000}');
