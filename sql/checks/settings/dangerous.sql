-- Settings that let the server lose or destroy data: fsync or full_page_writes off, damaged pages passed over.
--
-- What a superuser can also set for a role or a database is looked for there as well. That autovacuum is off is in
-- vacuum.disabled.
SELECT pgdba.define_check(
	check_id => 'settings.dangerous',
	query => $check$
SELECT 'setting:' || d.name AS object,
	NULL::text AS database,
	CASE WHEN s.value IS NOT NULL THEN 1 END::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'source', s.source, 'source_file', s.source_file, 'source_line', s.source_line, 'places', o.places,
		'setting', CASE WHEN b.here AND s.source <> 'command line' THEN d.name END, 'good', d.good, 'bad', d.bad,
		'what', concat(d.name, ' is ', CASE WHEN s.value IS NULL THEN 'not known' ELSE d.bad END,
			CASE WHEN NOT b.here THEN ' for ' || o.place || CASE WHEN o.count > 1 THEN format(' and %s more', o.count - 1) ELSE '' END END,
			': ', d.what),
		'next_step', d.advice || CASE
			WHEN NOT b.here THEN format(' Whoever connects there gets it; take it away: %s', o.reset)
			WHEN s.source = 'command line' THEN ' It comes from the command line: take it away there and restart the server.'
			WHEN d.name = 'ignore_invalid_pages' THEN ' That needs a restart.'
			ELSE ' A reload is enough.' END
	)) AS evidence
FROM (VALUES
	('fsync', 'off', 'on', 'a crash of the machine can destroy the whole cluster',
		'Turn it on, then have the operating system write what it holds (sync), or a crash before it does so may still do harm.'),
	('full_page_writes', 'off', 'on', 'a crash of the machine can tear pages beyond repair',
		'Turn it on. Where the file system never tears a page (ZFS), say so with pgdba.set_threshold().'),
	('zero_damaged_pages', 'on', 'off', 'what is on a damaged page is thrown away',
		'Turn it off as soon as what can be saved is saved.'),
	('ignore_checksum_failure', 'on', 'off', 'damaged pages are read as if they were good',
		'Turn it off as soon as what can be saved is saved.'),
	('ignore_invalid_pages', 'on', 'off', 'recovery goes on where pages are missing',
		'Turn it off as soon as what can be saved is saved.')) AS d (name, bad, good, what, advice)
JOIN pgdba.last_setting s ON s.name = d.name
CROSS JOIN LATERAL (SELECT w.words, lower(s.value) = ANY (w.words) AS here
	FROM (SELECT CASE d.bad WHEN 'on' THEN '{on,true,t,yes,y,1}'::text[] ELSE '{off,false,f,no,n,0}' END AS words) w) b
LEFT JOIN LATERAL (SELECT count(*), jsonb_agg(p.place ORDER BY p.place) AS places, min(p.place) AS place,
		(array_agg(p.reset ORDER BY p.place))[1] AS reset
	FROM (SELECT CASE WHEN v.role IS NULL AND v.db IS NULL THEN 'all roles'
				ELSE concat_ws(' in ', 'role ' || quote_ident(v.role), 'database ' || quote_ident(v.db)) END AS place,
			format(CASE WHEN v.db IS NULL THEN 'ALTER ROLE %s RESET %I;' WHEN v.role IS NULL THEN 'ALTER DATABASE %3$I RESET %2$I;'
				ELSE 'ALTER ROLE %s IN DATABASE %3$I RESET %2$I;' END, coalesce(quote_ident(v.role), 'ALL'), v.name, v.db) AS reset
		FROM pgdba.last_setting_override v
		WHERE v.name = d.name AND lower(v.value) = ANY (b.words)
		ORDER BY 1 LIMIT 20) p) o ON true
WHERE s.value IS NULL OR b.here OR o.count > 0
ORDER BY b.here DESC, d.name
$check$,
	definition => $definition${
	"title": "Settings that endanger data",
	"loop": "storage",
	"probes": ["setting", "setting_override"],
	"thresholds": {"critical": 0},
	"message": "{what}",
	"why": "Nobody notices while all goes well; after a crash or a fault of the disk, data is gone that could have been saved.",
	"action": "{next_step}",
	"sql": "ALTER SYSTEM SET {setting:I} = {good:L}; SELECT pg_reload_conf();",
	"lock_level": "none",
	"undo": "ALTER SYSTEM SET {setting:I} = {bad:L}; SELECT pg_reload_conf();"
}$definition$);
