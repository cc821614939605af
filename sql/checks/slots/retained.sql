-- How much WAL a slot keeps, set against what it may: up to max_slot_wal_keep_size, as the server reckons it
-- (safe_wal_size), or without a limit ten times max_wal_size. A slot that has lost its WAL is at the end of it.
SELECT pgdba.define_check(
	check_id => 'slots.retained',
	query => $check$
SELECT 'slot:' || quote_ident(s.slot_name) AS object,
	s.db AS database,
	CASE WHEN s.wal_status = 'lost' THEN 100
		ELSE 100.0 * s.retained_bytes / greatest(coalesce(s.retained_bytes + s.safe_wal_size, 10 * s.max_wal_size), 1)
		END::float8 AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'slot_name', CASE WHEN s.wal_status = 'lost' AND NOT s.active THEN s.slot_name END,
		'slot_type', s.slot_type, 'plugin', s.plugin, 'active', s.active, 'wal_status', s.wal_status,
		'retained', s.retained_bytes, 'safe_wal_size', s.safe_wal_size, 'max_slot_wal_keep_size', s.max_slot_wal_keep_size,
		'max_wal_size', s.max_wal_size, 'invalidation_reason', s.invalidation_reason, 'consumer', r.replica,
		'what', 'slot ' || s.slot_name || CASE
			WHEN s.wal_status = 'lost' THEN ' has lost its WAL' || coalesce(' (' || s.invalidation_reason || ')', '')
				|| ': its consumer cannot go on'
			WHEN s.safe_wal_size <= 0 THEN ' is about to lose its WAL, it keeps ' || pg_size_pretty(s.retained_bytes)
			WHEN s.safe_wal_size > 0 THEN ' keeps ' || pg_size_pretty(s.retained_bytes) || ' of WAL, and loses it after '
				|| pg_size_pretty(s.safe_wal_size) || ' more'
			ELSE ' keeps ' || pg_size_pretty(s.retained_bytes) || ' of WAL, without a limit' END,
		'next_step', CASE
			WHEN s.wal_status = 'lost' THEN CASE s.slot_type
				WHEN 'logical' THEN 'Make the subscription or connector anew, with its first copy; this slot is of no use any more.'
				ELSE 'Make the standby anew from a base backup, unless it can restore from an archive; then drop the slot.' END
			WHEN s.active THEN coalesce(r.replica, 'Its consumer') || ' is connected and behind: see replication.lag.'
				|| CASE WHEN s.slot_type = 'logical' THEN ' A long transaction also keeps WAL until it ends.' ELSE '' END
			ELSE format('Nobody uses it. Start its consumer; if that is gone for good: SELECT pg_drop_replication_slot(%L);', s.slot_name) END
			|| CASE WHEN s.wal_status <> 'lost' AND s.safe_wal_size IS NOT NULL
				THEN ' More max_slot_wal_keep_size gives time, when the disk has room.' ELSE '' END
	)) AS evidence
FROM pgdba.last_slot s
LEFT JOIN LATERAL (SELECT l.replica FROM pgdba.last_replication l WHERE l.slot_name = s.slot_name AND NOT l.itself
	ORDER BY l.replica LIMIT 1) r ON true
ORDER BY 3 DESC, s.slot_name
LIMIT 100
$check$,
	definition => $definition${
	"title": "WAL kept by slots",
	"loop": "workload",
	"probes": ["slot", "replication"],
	"thresholds": {"warning": 50, "critical": 90},
	"message": "{what}",
	"why": "Without a limit the WAL that a slot keeps fills the disk; with one the slot loses it, and its consumer has to begin anew.",
	"action": "{next_step}",
	"sql": "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {slot_name:L} AND NOT active;",
	"lock_level": "none",
	"symptom_of": "slots.inactive"
}$definition$);
