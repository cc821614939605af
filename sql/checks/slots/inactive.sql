-- Slots that nobody uses while they keep WAL.
--
-- From 17 on the server says since when; before, the samples of the last hour do, so that longer is said as an hour.
-- A standby's copies of its primary's slots are used by nobody, and a slot that keeps no WAL does no harm here.
SELECT pgdba.define_check(
	check_id => 'slots.inactive',
	query => $check$
SELECT 'slot:' || quote_ident(s.slot_name) AS object,
	s.db AS database,
	extract(epoch FROM s.sampled_at - coalesce(s.inactive_since, h.since))::float8 AS value,
	'seconds' AS unit,
	s.retained_bytes AS retained,
	jsonb_strip_nulls(jsonb_build_object(
		'slot_name', s.slot_name, 'slot_type', s.slot_type, 'plugin', s.plugin, 'wal_status', s.wal_status,
		'retained', s.retained_bytes, 'safe_wal_size', s.safe_wal_size, 'xid_age', x.xid_age, 'consumer', c.replica,
		'consumer_text', CASE WHEN c.replica IS NOT NULL THEN ', last by ' || c.replica ELSE '' END,
		'limit_text', CASE WHEN s.safe_wal_size IS NULL THEN 'There is no limit to it: the disk of pg_wal fills.'
			ELSE 'After ' || pg_size_pretty(s.safe_wal_size) || ' more the slot loses its WAL.' END,
		'next_step', CASE s.slot_type WHEN 'logical' THEN 'Start the consumer' || coalesce(' ' || c.replica, '')
				ELSE 'Start the standby' || coalesce(' ' || c.replica, '') END
			|| format(' again. If it is gone for good, drop the slot: SELECT pg_drop_replication_slot(%L);', s.slot_name)
	)) AS evidence
FROM pgdba.last_slot s
LEFT JOIN LATERAL (SELECT min(t.sampled_at) FILTER (WHERE t.sampled_at > coalesce(t.used, '-infinity')) AS since
	FROM (SELECT i.sampled_at, max(i.sampled_at) FILTER (WHERE i.active) OVER () AS used
		FROM pgdba.hist_slot i
		WHERE s.inactive_since IS NULL AND i.slot_name = s.slot_name AND i.sampled_at > s.sampled_at - interval '1 hour') t
	) h ON true
LEFT JOIN LATERAL (SELECT r.replica FROM pgdba.hist_replication r
	WHERE r.slot_name = s.slot_name AND r.sampled_at > s.sampled_at - interval '1 hour'
	ORDER BY r.sampled_at DESC LIMIT 1) c ON true
LEFT JOIN pgdba.last_horizon x ON x.kind = 'slot' AND x.name = s.slot_name
WHERE NOT s.active AND NOT coalesce(s.synced AND s.in_recovery, false) AND s.wal_status IS DISTINCT FROM 'lost' AND s.retained_bytes > 0
ORDER BY s.retained_bytes DESC, s.slot_name
LIMIT 100
$check$,
	definition => $definition${
	"title": "Slots that nobody uses",
	"loop": "workload",
	"probes": ["slot", "replication", "horizon"],
	"thresholds": {"warning": 600},
	"message": "slot {slot_name} has not been used for {value:duration}{consumer_text}, and keeps {retained:bytes} of WAL",
	"why": "A slot keeps all WAL since it was used last, and what is kept can fill the disk. {limit_text}",
	"action": "{next_step}"
}$definition$);
