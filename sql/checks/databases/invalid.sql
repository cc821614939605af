-- Databases that a DROP DATABASE left half removed. While one still works on it, it looks the same: so it must have been
-- seen in an earlier sample as well.
SELECT pgdba.define_check(
	check_id => 'databases.invalid',
	query => $check$
SELECT format('database:%I', d.db) AS object,
	NULL::text AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_build_object('db', d.db) AS evidence
FROM pgdba.last_database d
WHERE d.datconnlimit = -2 AND d.db IN (SELECT h.db FROM pgdba.hist_database h
	WHERE h.sampled_at > (SELECT max(l.sampled_at) FROM pgdba.last_database l) - interval '10 min'
		AND h.sampled_at < (SELECT max(l.sampled_at) FROM pgdba.last_database l) AND h.datconnlimit = -2)
ORDER BY d.db
LIMIT 100
$check$,
	definition => $definition${
	"title": "Invalid databases",
	"loop": "workload",
	"probes": ["database"],
	"thresholds": {"warning": 0},
	"message": "database {db} is invalid: a DROP DATABASE was interrupted, some of its files are gone",
	"why": "Nobody can connect to it, and what is left of its files takes space.",
	"action": "Drop it again, from another database; that is all that can be done with it.",
	"sql": "DROP DATABASE {db:I};",
	"lock_level": "AccessExclusiveLock"
}$definition$);
