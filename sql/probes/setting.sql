-- Settings, as they hold for the server and for sessions that set nothing themselves.
--
-- The sampler has settings of its own, and those of its database: where such a one is in force here, the value is taken
-- from the configuration files, in the spelling found there, or is the default. A file may spell a name as it likes. Secrets
-- are never stored: commands and connection strings may carry a password, and an extension may have settings that do. Of
-- these only is_set is known.
SELECT pgdba.define_probe(
	name => 'setting',
	loop => 'storage',
	query => $probe$
WITH file AS MATERIALIZED (
	SELECT DISTINCT ON (pg_catalog.lower(f.name)) pg_catalog.lower(f.name) AS name, f.setting, f.sourcefile, f.sourceline
	FROM pgdba.file_settings() f WHERE f.name IS NOT NULL
	ORDER BY pg_catalog.lower(f.name), f.applied DESC, f.seqno DESC
), seen AS (
	SELECT s.name, s.vartype, s.unit, s.context, s.setting, s.boot_val, s.source, s.sourcefile, s.sourceline,
		s.pending_restart,
		s.source IN ('override', 'database', 'user', 'database user', 'client', 'session')
			AND s.context IN ('user', 'superuser', 'backend', 'superuser-backend') AS own,
		s.vartype = 'string' AND (s.name LIKE '%\_command' OR s.name LIKE '%conninfo'
			OR (s.name LIKE '%.%' AND s.name ~* 'pass|pwd|secret|token|key|credential|webhook|ur[il]|dsn|conn|auth')) AS secret
	FROM pg_catalog.pg_settings s
)
SELECT s.name,
	CASE WHEN s.secret THEN NULL WHEN s.own THEN coalesce(f.setting, s.boot_val) ELSE s.setting END AS value,
	CASE WHEN NOT s.own OR f.name IS NULL THEN s.unit END AS unit,
	CASE WHEN NOT s.own THEN s.source WHEN f.name IS NULL THEN 'default' ELSE 'configuration file' END AS source,
	CASE WHEN s.own THEN f.name IS NOT NULL ELSE s.source <> 'default' END AS is_set,
	CASE WHEN NOT s.secret THEN s.boot_val END AS boot_value,
	s.context,
	s.vartype AS type,
	s.pending_restart,
	f.name IS NOT NULL AS in_file,
	CASE WHEN NOT s.secret THEN f.setting END AS file_value,
	CASE WHEN s.own THEN f.sourcefile ELSE s.sourcefile END AS source_file,
	CASE WHEN s.own THEN f.sourceline ELSE s.sourceline END::pg_catalog.int8 AS source_line
FROM seen s LEFT JOIN file f ON f.name = pg_catalog.lower(s.name)
$probe$,
	key => '{name}',
	columns => $columns${
	"name": {"help": "Name of the setting"},
	"value": {"help": "Its value; NULL for what may be a secret"},
	"unit": {"help": "Unit of the value; NULL also when the value has its unit in it"},
	"source": {"help": "Where the value comes from"},
	"is_set": {"help": "Whether it was set, whatever to"},
	"boot_value": {"help": "Its value when nobody sets it"},
	"context": {"help": "Who can set it, and when"},
	"type": {"help": "bool, enum, integer, real or string"},
	"pending_restart": {"help": "Whether the configuration files have another value that waits for a restart"},
	"in_file": {"help": "Whether a configuration file sets it"},
	"file_value": {"help": "Value in the configuration files, as spelled there; NULL for none, and for what may be a secret"},
	"source_file": {"help": "File that the value comes from"},
	"source_line": {"help": "Line in that file"}
}$columns$);
