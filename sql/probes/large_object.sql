-- Large objects of a database: how many, whose, and what they take. No row where there have been none.
--
-- Counted are at most a million; beyond that it is the estimate of the last vacuum or analyze, and the owners are those of
-- the million. The size is read from the files by the library, with the index.
SELECT pgdba.define_probe(
	name => 'large_object',
	loop => 'hourly',
	query => $probe$
WITH owner AS MATERIALIZED (
	SELECT m.lomowner, pg_catalog.count(*) AS objects
	FROM (SELECT l.lomowner FROM pg_catalog.pg_largeobject_metadata l LIMIT 1000000) m
	GROUP BY m.lomowner
), total AS (
	SELECT coalesce(pg_catalog.sum(o.objects), 0)::pg_catalog.int8 AS objects FROM owner o
)
SELECT CASE WHEN t.objects < 1000000 THEN t.objects ELSE greatest(t.objects, m.reltuples::pg_catalog.int8) END AS objects,
	t.objects < 1000000 AS counted,
	pg_catalog.pg_relation_filepath('pg_catalog.pg_largeobject'::pg_catalog.regclass) || ' '
		|| pg_catalog.pg_relation_filepath('pg_catalog.pg_largeobject_loid_pn_index'::pg_catalog.regclass) AS size_bytes,
	(SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('role', f.rolname, 'objects', f.objects) ORDER BY f.objects DESC)
	FROM (SELECT r.rolname, o.objects FROM owner o LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.lomowner
		ORDER BY o.objects DESC, r.rolname LIMIT 5) f) AS owners
FROM total t
CROSS JOIN pg_catalog.pg_class m
CROSS JOIN pg_catalog.pg_class d
WHERE m.oid = 'pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass
	AND d.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass AND (t.objects > 0 OR d.relpages > 0)
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Database of the large objects"},
	"objects": {"kind": "gauge", "unit": "objects", "metric": "pg_large_objects", "help": "How many there are"},
	"counted": {"help": "Whether they were counted; else it is an estimate"},
	"size_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_large_object_bytes", "read": "file_size",
		"help": "Size of them all, with their index and what was freed and not given back"},
	"owners": {"help": "The five roles that own most of them, with how many"}
}$columns$,
	scope => 'database',
	options => '{"top": {"n": 50, "by": ["size_bytes", "objects"]}, "object": "database:{db:I}"}');
