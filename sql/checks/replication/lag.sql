-- How long standbys and subscribers have let WAL wait to be replayed, and where it waits.
--
-- A delay that was asked for (recovery_min_apply_delay) is no lag; only the standby itself knows of it. A replica that has
-- just connected has not yet said where it is. A standby that gets its WAL from an archive cannot tell.
SELECT pgdba.define_check(
	check_id => 'replication.lag',
	query => $check$
SELECT 'replica:' || quote_ident(r.replica) AS object,
	NULL::text AS database,
	greatest(r.lag_seconds - coalesce(r.apply_delay, 0), r.lag_seconds * 0) AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'replica', r.replica, 'kind', r.kind, 'state', r.state, 'sync_state', r.sync_state, 'slot_name', r.slot_name,
		'client_addr', r.client_addr, 'lag_bytes', r.lag_bytes, 'stage', s.stage, 'apply_delay', r.apply_delay,
		'reason', CASE WHEN r.lag_seconds IS NULL THEN CASE WHEN r.itself THEN 'this standby does not hear of its primary'
			ELSE r.replica || ' has not said how far it is' END END,
		'who', CASE WHEN r.itself THEN 'this standby' WHEN r.kind = 'logical' THEN 'subscriber ' || r.replica
			ELSE 'standby ' || r.replica END,
		'where', CASE s.stage
			WHEN 'paused' THEN 'replay is paused'
			WHEN 'send' THEN 'not sent yet'
			WHEN 'write' THEN 'sent, not written there'
			WHEN 'flush' THEN 'written there, not flushed'
			ELSE 'received, not replayed' END,
		'next_step', CASE s.stage
			WHEN 'paused' THEN 'Resume it, unless somebody needs it paused: SELECT pg_wal_replay_resume();'
			WHEN 'send' THEN 'The network or the sender is too slow: look at the wait event of its walsender.'
			WHEN 'write' THEN 'The network or the standby is too slow: look at its receiver and its log.'
			WHEN 'flush' THEN 'The disk of pg_wal there is too slow.'
			ELSE CASE WHEN r.kind = 'logical' THEN 'Look at the subscriber: locks, slow triggers, missing indexes, errors in its log.'
				WHEN r.itself THEN 'Look for a long query that replay waits for (pg_stat_activity, wait event RecoveryConflict…), then for a slow disk.'
				ELSE 'Look there: is replay paused, does it wait for a long query, is the disk slow?' END END
	)) AS evidence
FROM pgdba.last_replication r
CROSS JOIN LATERAL (SELECT CASE
	WHEN r.pause_state IN ('paused', 'pause requested') THEN 'paused'
	WHEN r.flush_lag_bytes IS NULL THEN 'replay'
	ELSE (SELECT p.stage FROM (VALUES ('replay', r.lag_bytes - r.flush_lag_bytes), ('send', r.send_lag_bytes),
			('write', r.write_lag_bytes - r.send_lag_bytes),
			('flush', CASE WHEN r.flush_lag_bytes <= r.lag_bytes THEN r.flush_lag_bytes - r.write_lag_bytes END)) AS p (stage, bytes)
		ORDER BY p.bytes DESC NULLS LAST LIMIT 1) END AS stage) s
WHERE r.state NOT IN ('startup', 'archive')
	AND (r.lag_seconds IS NOT NULL OR r.itself OR r.sampled_at - r.backend_start > interval '1 min')
ORDER BY r.lag_seconds DESC NULLS FIRST, r.replica
LIMIT 100
$check$,
	definition => $definition${
	"title": "Replication lag",
	"loop": "workload",
	"probes": ["replication"],
	"thresholds": {"warning": 30, "critical": 300, "for": "1m"},
	"message": "{who} lags by {value:duration}, {lag_bytes:bytes}: {where}",
	"why": "Reads there are stale by that much, a promotion takes as long, and what is not flushed there would be lost.",
	"action": "{next_step}",
	"symptom_of": "replication.receiver"
}$definition$);
