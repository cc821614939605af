-- Share of transactions that were rolled back, in the last ten minutes.
SELECT pgdba.define_check(
	check_id => 'databases.rollbacks',
	query => $check$
SELECT format('database:%I', d.db) AS object,
	d.db AS database,
	CASE WHEN d.xact_rollback IS NOT NULL THEN 100 * w.rollbacks / nullif(w.transactions, 0) END::float8 AS value,
	'percent' AS unit,
	w.transactions::float8 AS transactions,
	jsonb_strip_nulls(jsonb_build_object(
		'rollbacks', w.rollbacks, 'transactions', w.transactions, 'deadlocks', w.deadlocks, 'conflicts', w.conflicts,
		'cause', concat(CASE WHEN w.deadlocks > 0 THEN ', ' || w.deadlocks || ' by deadlocks' END,
			CASE WHEN w.conflicts > 0 THEN ', ' || w.conflicts || ' by conflicts with recovery' END),
		'reason', CASE WHEN d.xact_rollback IS NULL THEN 'transactions of database ' || d.db || ' are not known' END)) AS evidence
FROM pgdba.last_database d
LEFT JOIN (SELECT h.db, sum(h.xact_rollback) AS rollbacks, sum(h.xact_commit + h.xact_rollback) AS transactions,
		sum(h.deadlocks) AS deadlocks, sum(h.conflicts) AS conflicts
	FROM pgdba.hist_database h
	WHERE h.sampled_at > (SELECT max(l.sampled_at) FROM pgdba.last_database l) - interval '10 min' AND NOT h.gap
	GROUP BY h.db) w ON w.db = d.db
WHERE w.rollbacks > 0 OR d.xact_rollback IS NULL
ORDER BY value DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Transactions rolled back",
	"loop": "workload",
	"probes": ["database"],
	"thresholds": {"warning": 10, "for": "10m", "floor": {"transactions": 1000}},
	"message": "{value:percent} of the transactions in {database} were rolled back in 10 minutes ({rollbacks:count}{cause})",
	"why": "What is rolled back was work for nothing, and mostly an error that somebody has seen.",
	"action": "Look for errors in the server log. An application or pool that ends what only reads with ROLLBACK looks the same: then raise the threshold of this database."
}$definition$);
