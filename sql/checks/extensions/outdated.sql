-- Extensions that are created in another version than the one whose files are installed, as after an update of packages.
SELECT pgdba.define_check(
	check_id => 'extensions.outdated',
	query => $check$
SELECT format('extension:%I/%I', e.db, e.extension) AS object,
	e.db AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'extension', e.extension, 'version', e.version, 'default_version', e.default_version,
		'update_path', e.update_path,
		'what', CASE WHEN e.default_version IS NULL THEN 'but its files are not installed'
			WHEN e.update_path IS NULL THEN 'and no update leads to the installed ' || e.default_version
			ELSE 'and ' || e.default_version || ' is installed' END,
		'next_step', CASE WHEN e.default_version IS NULL THEN 'Install its package again: pg_dump and upgrades need the files.'
			WHEN e.update_path IS NULL THEN 'Install the package that goes with it, or create it anew.'
			ELSE 'Read its release notes, then run the SQL in database ' || e.db || '.' END,
		'target', CASE WHEN e.update_path IS NOT NULL THEN e.default_version END,
		'back', CASE WHEN e.update_path IS NOT NULL AND e.way_back IS NOT NULL THEN e.version END
	)) AS evidence
FROM pgdba.last_extension e
WHERE e.version IS DISTINCT FROM e.default_version AND NOT e.in_recovery
ORDER BY e.db, e.extension
LIMIT 100
$check$,
	definition => $definition${
	"title": "Extensions that are not up to date",
	"loop": "hourly",
	"probes": ["extension"],
	"thresholds": {"info": 0},
	"message": "extension {extension} in {database} is {version}, {what}",
	"why": "The library is the installed one already, its SQL objects are not: fixes are missing, and what does not fit together can fail.",
	"action": "{next_step}",
	"sql": "ALTER EXTENSION {extension:I} UPDATE TO {target:L};",
	"lock_level": "AccessExclusiveLock",
	"undo": "ALTER EXTENSION {extension:I} UPDATE TO {back:L};"
}$definition$);
