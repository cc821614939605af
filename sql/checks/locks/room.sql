-- How full the lock table is, which all sessions share.
SELECT pgdba.define_check(
	check_id => 'locks.room',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	l.pct_used AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object('locks', l.shared_locks, 'room', l.room, 'advisory', l.advisory,
		'next_step', CASE WHEN l.advisory > l.shared_locks / 2 THEN format('%s of them are advisory locks: see which application never releases them.', l.advisory)
			ELSE 'See who holds most of them in pg_locks: a dump, a statement over many partitions, or DDL of many tables in one transaction.' END
	)) AS evidence
FROM pgdba.last_lock_table l
$check$,
	definition => $definition${
	"title": "Room for locks",
	"loop": "workload",
	"probes": ["lock_table"],
	"thresholds": {"warning": 50, "critical": 80, "clear": 40},
	"message": "{locks:count} locks take {value:percent} of the {room:count} that the lock table is sized for",
	"why": "When it is full, statements of all sessions fail with \"out of shared memory\".",
	"action": "{next_step} Else raise max_locks_per_transaction, on standbys first; that needs a restart."
}$definition$);
