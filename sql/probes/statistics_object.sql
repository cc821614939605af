-- Extended statistics: on which columns of which table, of which kinds. Whether they were ever filled is not known here:
-- what they hold is readable to superusers only.
SELECT pgdba.define_probe(
	name => 'statistics_object',
	loop => 'hourly',
	query => $probe$
SELECT n.nspname::pg_catalog.text AS schema,
	s.stxname::pg_catalog.text AS statistics_name,
	tn.nspname::pg_catalog.text AS table_schema,
	t.relname::pg_catalog.text AS table_name,
	t.oid::pg_catalog.int8 AS relid,
	(SELECT pg_catalog.jsonb_agg(CASE k.kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' WHEN 'm' THEN 'mcv'
			WHEN 'e' THEN 'expressions' ELSE k.kind::pg_catalog.text END ORDER BY k.place)
		FROM pg_catalog.unnest(s.stxkind) WITH ORDINALITY k (kind, place)) AS kinds,
	(SELECT pg_catalog.jsonb_agg(a.attname::pg_catalog.text ORDER BY k.place)
		FROM pg_catalog.unnest(s.stxkeys::pg_catalog.int2[]) WITH ORDINALITY k (number, place)
		JOIN pg_catalog.pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k.number) AS columns,
	s.stxexprs IS NOT NULL AS has_expressions,
	nullif(s.stxstattarget, -1)::pg_catalog.int8 AS target
FROM pg_catalog.pg_statistic_ext s
JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
JOIN pg_catalog.pg_class t ON t.oid = s.stxrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE t.relpersistence <> 't'
$probe$,
	key => '{db,schema,statistics_name}',
	columns => $columns${
	"db": {"help": "Database of the statistics"},
	"schema": {"help": "Schema of the statistics"},
	"statistics_name": {"help": "Name of the statistics"},
	"table_schema": {"help": "Schema of the table"},
	"table_name": {"help": "Name of the table"},
	"relid": {"help": "OID of the table"},
	"kinds": {"help": "What is kept, a list of ndistinct, dependencies, mcv and expressions"},
	"columns": {"help": "Columns of the table that they are about, a list; NULL when they are about expressions only"},
	"has_expressions": {"help": "Whether they are about expressions as well"},
	"target": {"help": "Statistics target that was set for them; NULL for that of the columns"}
}$columns$,
	scope => 'database',
	options => '{"max_rows": 10000}');
