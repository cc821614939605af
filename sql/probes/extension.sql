-- Extensions: the version that is created, and the one whose files are installed. That an update script leads from one to
-- the other is looked up only where they differ.
SELECT pgdba.define_probe(
	name => 'extension',
	loop => 'hourly',
	query => $probe$
SELECT e.extname::pg_catalog.text AS extension,
	n.nspname::pg_catalog.text AS schema,
	e.extrelocatable AS relocatable,
	e.extversion AS version,
	a.default_version,
	CASE WHEN e.extversion <> a.default_version THEN (SELECT p.path FROM pg_catalog.pg_extension_update_paths(e.extname) p
		WHERE p.source = e.extversion AND p.target = a.default_version) END AS update_path,
	CASE WHEN e.extversion <> a.default_version THEN (SELECT p.path FROM pg_catalog.pg_extension_update_paths(e.extname) p
		WHERE p.source = a.default_version AND p.target = e.extversion) END AS way_back,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_catalog.pg_available_extensions() a ON a.name = e.extname
$probe$,
	key => '{db,extension}',
	columns => $columns${
	"db": {"help": "Database where it is created"},
	"extension": {"help": "Name of the extension"},
	"schema": {"help": "Schema of its objects"},
	"relocatable": {"help": "Whether its objects can be moved to another schema"},
	"version": {"help": "Version that is created"},
	"default_version": {"help": "Version that CREATE EXTENSION would make, NULL when its files are gone"},
	"update_path": {"help": "Versions that an update to the default version goes through, NULL when there is no way or no need"},
	"way_back": {"help": "Versions that lead back from there, NULL when there is no way"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 1000,
	"object": "extension:{db:I}/{extension:I}"
}$options$);
