-- File systems of the data directory, the WAL, the tablespaces and the server's log: how much is free.
--
-- A full one stops the server: that of pg_wal at once, the others with the next write. Several of the paths may lie in one file
-- system; `device` tells. `available_bytes` is what the server may use, which is less than what is free where some is reserved for
-- root. File systems without a fixed number of inodes have none here.
SELECT pgdba.define_probe(
	name => 'filesystem',
	loop => 'workload',
	query => $probe$
SELECT p.kind,
	p.name,
	f.device,
	f.size_bytes,
	f.available_bytes,
	CASE WHEN f.size_bytes > 0 THEN 100 * (1 - f.available_bytes::pg_catalog.float8 / (f.size_bytes - f.free_bytes + f.available_bytes)) END
		AS pct_used,
	f.files,
	f.files_free,
	100 * (1 - f.files_free::pg_catalog.float8 / f.files) AS pct_files_used,
	f.read_only
FROM (
	VALUES ('data'::pg_catalog.text, 'pg_default'::pg_catalog.text, '.'::pg_catalog.text), ('wal', 'pg_wal', 'pg_wal')
	UNION ALL
	SELECT 'log', 'log', pg_catalog.current_setting('log_directory')
	WHERE pg_catalog.current_setting('logging_collector')::pg_catalog.bool
	UNION ALL
	SELECT 'tablespace', t.spcname::pg_catalog.text, 'pg_tblspc/' || t.oid::pg_catalog.text
	FROM pg_catalog.pg_tablespace t WHERE t.spcname NOT IN ('pg_default', 'pg_global')
) p (kind, name, path)
CROSS JOIN LATERAL pgdba.host_filesystem(p.path) f
$probe$,
	key => '{kind,name}',
	columns => $columns${
	"kind": {"help": "What lies there: data, wal, tablespace, or log"},
	"name": {"help": "Name of the tablespace"},
	"device": {"kind": "label", "help": "Number of the device: the same for paths in one file system"},
	"size_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_filesystem_size_bytes", "help": "Size of the file system"},
	"available_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_filesystem_available_bytes",
		"help": "What the server may still use of it"},
	"pct_used": {"kind": "gauge", "unit": "percent", "metric": "pg_filesystem_pct_used",
		"help": "Used share of what the server can use at all"},
	"files": {"kind": "gauge", "unit": "inodes", "metric": "pg_filesystem_files", "help": "Inodes; absent where there is no fixed number"},
	"files_free": {"kind": "gauge", "unit": "inodes", "metric": "pg_filesystem_files_free", "help": "Inodes that are free"},
	"pct_files_used": {"unit": "percent", "help": "Used share of the inodes"},
	"read_only": {"kind": "gauge", "metric": "pg_filesystem_read_only", "help": "1 when it cannot be written to"}
}$columns$,
	options => $options${
	"max_rows": 1000,
	"top": {"n": 50, "by": ["pct_used", "pct_files_used"]}
}$options$);
