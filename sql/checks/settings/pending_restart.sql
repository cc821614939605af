-- Settings that were changed in the configuration files and wait for a restart: all in one finding.
--
-- The next restart, perhaps at night, brings them all at once. A setting that was taken out of the files waits for its default;
-- where it has that already, because the change was taken back, the server goes on saying that it waits, and is not believed.
SELECT pgdba.define_check(
	check_id => 'settings.pending_restart',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN p.known THEN p.count END::float8 AS value,
	'settings' AS unit,
	jsonb_build_object('settings', p.settings,
		'names', p.names || CASE WHEN p.count > 3 THEN format(' and %s more', p.count - 3) ELSE '' END,
		'what', CASE p.count WHEN 1 THEN '1 setting waits' ELSE format('%s settings wait', p.count) END) AS evidence
FROM (SELECT count(*) AS count,
		bool_and(w.pending_restart IS NOT NULL) AS known,
		string_agg(w.name, ', ' ORDER BY w.name) FILTER (WHERE w.place <= 3) AS names,
		jsonb_object_agg(w.name, jsonb_strip_nulls(jsonb_build_object('present', w.present, 'file', w.file_value))) AS settings
	FROM (SELECT s.name, s.pending_restart, s.value || coalesce(' ' || s.unit, '') AS present, s.file_value,
			row_number() OVER (ORDER BY s.name) AS place
		FROM pgdba.last_setting s WHERE s.pending_restart IS NOT FALSE AND (s.in_file OR s.is_set) IS NOT FALSE) w) p
WHERE p.count > 0
$check$,
	definition => $definition${
	"title": "Settings that wait for a restart",
	"loop": "storage",
	"probes": ["setting"],
	"thresholds": {"warning": 0},
	"message": "{what} for a restart: {names}",
	"why": "The next restart, even after a crash, changes them all at once; until then the server does not run with what its files say.",
	"action": "Restart when it suits, or take the changes back and reload."
}$definition$);
