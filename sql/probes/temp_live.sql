-- How much the temporary files take up right now, per tablespace. Who has made them is probe temp_file's.
SELECT pgdba.define_probe(
	name => 'temp_live',
	loop => 'hot',
	query => $probe$
SELECT t.spcname::pg_catalog.text AS tablespace, coalesce(f.bytes, 0) AS bytes, f.files
FROM pg_catalog.pg_tablespace t
CROSS JOIN LATERAL (SELECT pg_catalog.sum(l.size)::pg_catalog.int8 AS bytes, pg_catalog.count(*) AS files
	FROM pg_catalog.pg_ls_tmpdir(t.oid) l WHERE pg_catalog.starts_with(l.name, 'pgsql_tmp')) f
WHERE t.spcname <> 'pg_global'
$probe$,
	key => '{tablespace}',
	columns => $columns${
	"tablespace": {"help": "Name of the tablespace"},
	"bytes": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_temp_live_bytes",
		"help": "Size of the temporary files that there are now, without those that parallel processes share"},
	"files": {"kind": "gauge", "unit": "files", "metric": "pgdba_temp_live_files",
		"help": "How many temporary files there are now"}
}$columns$);
