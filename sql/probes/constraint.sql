-- Constraints that were added without a look at the rows that were there, and have not been validated since. Those of a
-- partition or a child that come from above are not listed: validating the one above does them all.
SELECT pgdba.define_probe(
	name => 'constraint',
	loop => 'hourly',
	query => $probe$
SELECT n.nspname::pg_catalog.text AS schema,
	k.owner AS relname,
	k.conname::pg_catalog.text AS constraint_name,
	CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
		ELSE n.nspname::pg_catalog.text END || '.'
		|| CASE WHEN k.owner ~ '[."]' THEN '"' || pg_catalog.replace(k.owner, '"', '""') || '"' ELSE k.owner END AS relation,
	CASE k.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'n' THEN 'not null'
		ELSE k.contype::pg_catalog.text END AS kind,
	k.contypid <> 0 AS of_domain,
	k.enforced AS is_enforced,
	pg_catalog.pg_relation_filepath(k.conrelid) AS size_bytes,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT o.*, NULL::pg_catalog.bool AS enforced, coalesce(c.relname, t.typname)::pg_catalog.text AS owner,
		coalesce(c.relnamespace, t.typnamespace) AS namespace, c.relpersistence
	FROM pg_catalog.pg_constraint o
	LEFT JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
	LEFT JOIN pg_catalog.pg_type t ON t.oid = o.contypid
	WHERE NOT o.convalidated AND o.conparentid = 0 AND (o.conislocal OR o.coninhcount = 0)) k
JOIN pg_catalog.pg_namespace n ON n.oid = k.namespace
WHERE k.relpersistence IS DISTINCT FROM 't'
$probe$,
	key => '{db,schema,relname,constraint_name}',
	columns => $columns${
	"db": {"help": "Database of the constraint"},
	"schema": {"help": "Schema of the table or domain"},
	"relname": {"help": "Name of the table or domain"},
	"constraint_name": {"help": "Name of the constraint"},
	"relation": {"help": "schema.table as one text"},
	"kind": {"help": "check, foreign key or, from PostgreSQL 18 on, not null"},
	"of_domain": {"help": "Whether it belongs to a domain"},
	"is_enforced": {"help": "Whether new rows have to fulfil it; NULL before PostgreSQL 18, where they always have to"},
	"size_bytes": {"unit": "bytes", "read": "file_size", "help": "Size of the table, all of which is read to validate it"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 10000,
	"object": "constraint:{db:I}/{schema:I}.{relname:I}.{constraint_name:I}"
}$options$);

-- Whether it is enforced is known from 18 on.
SELECT pgdba.define_probe_variant('constraint', 180000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.bool AS enforced', 'o.conenforced AS enforced'))
FROM pgdba.probe p WHERE p.name = 'constraint';
