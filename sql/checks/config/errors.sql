-- Lines of the configuration files that the server would not accept: harmless until it reads them.
SELECT pgdba.define_check(
	check_id => 'config.errors',
	query => $check$
SELECT format('file:%I/%s', f.file, f.line) AS object,
	NULL::text AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'file', f.file, 'line', f.line, 'kind', f.kind, 'name', f.name, 'error', f.error,
		'place', CASE WHEN f.line > 0 THEN 'line ' || f.line || ' of ' || f.file ELSE f.file END,
		'subject', coalesce(f.name || ': ', ''),
		'effect', CASE f.kind
			WHEN 'setting' THEN 'With it the server does not start again. A reload leaves '
				|| CASE WHEN f.whole THEN 'all settings as they are, also those that are right.' ELSE 'this setting as it is, and takes over the others.' END
			WHEN 'hba' THEN 'With it the server does not start again. A reload leaves all rules as they are, also those that are right.'
			ELSE 'After a restart nobody can log in by a map. A reload leaves all maps as they are.' END
	)) AS evidence
FROM pgdba.last_config_error f
ORDER BY f.kind = 'ident', f.file, f.line
LIMIT 100
$check$,
	definition => $definition${
	"title": "Errors in configuration files",
	"loop": "storage",
	"probes": ["config_error"],
	"thresholds": {"warning": 0},
	"message": "{place} cannot be used: {subject}{error}",
	"why": "{effect}",
	"action": "Correct or remove the line before the next restart, then look at pg_file_settings, pg_hba_file_rules or pg_ident_file_mappings, and reload."
}$definition$);
