-- Autovacuum that is turned off: for the whole cluster, or for a table that needs it.
--
-- Without track_counts nothing counts dead rows, so autovacuum has nothing to go by. A table without autovacuum is named
-- once it has more dead rows than autovacuum would have let it have, unless somebody vacuums it by hand every day. What
-- is only filled and truncated has no dead rows.
SELECT pgdba.define_check(
	check_id => 'vacuum.disabled',
	query => $check$
SELECT 'setting:' || s.name AS object,
	NULL::text AS database,
	2::float8 AS value,
	'' AS unit,
	jsonb_build_object('setting', s.name, 'source', s.source,
		'what', CASE s.name WHEN 'autovacuum' THEN 'autovacuum is off in the whole cluster'
			ELSE s.name || ' is off, so autovacuum does not know what to do' END,
		'next_step', format('Take %s = off away (it comes from the %s), or run: ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();',
			s.name, s.source, s.name)) AS evidence
FROM pgdba.last_setting s
WHERE s.name IN ('autovacuum', 'track_counts') AND s.value = 'off'
UNION ALL
(SELECT format('relation:%I/%I.%I', r.db, r.schema, r.relname), r.db, 1, '',
	jsonb_strip_nulls(jsonb_build_object(
		'relation', r.relation, 'schema', r.schema, 'relname', r.relname, 'dead', r.n_dead_tup, 'live', r.n_live_tup,
		'threshold', t.vacuum_threshold, 'last_vacuum', r.last_vacuum,
		'what', format('autovacuum is off for %s in %s, which has %s dead rows and would be due from %s', r.relation, r.db,
			to_char(r.n_dead_tup, 'FM999,999,999,999'), to_char(ceil(t.vacuum_threshold), 'FM999,999,999,990')),
		'next_step', 'Turn it on again and vacuum the table. When it is off on purpose, vacuum by hand every day.'))
FROM pgdba.last_relation r JOIN pgdba.last_table t ON t.db = r.db AND t.relid = r.relid
WHERE NOT t.autovacuum_enabled AND r.n_dead_tup > greatest(t.vacuum_threshold, 10000)
	AND (r.last_vacuum IS NULL OR r.last_vacuum < r.sampled_at - interval '24 hours')
ORDER BY r.n_dead_tup DESC
LIMIT 100)
$check$,
	definition => $definition${
	"title": "Autovacuum turned off",
	"loop": "storage",
	"probes": ["setting", "table", "relation"],
	"thresholds": {"warning": 0, "critical": 1},
	"message": "{what}",
	"why": "Dead rows are not removed and statistics grow old. Only to prevent wraparound autovacuum comes all the same, much too late.",
	"action": "{next_step}",
	"sql": ["ALTER TABLE {schema:I}.{relname:I} RESET (autovacuum_enabled);", "VACUUM (VERBOSE, ANALYZE) {schema:I}.{relname:I};"],
	"lock_level": "ShareUpdateExclusiveLock",
	"undo": "ALTER TABLE {schema:I}.{relname:I} SET (autovacuum_enabled = off);"
}$definition$);
