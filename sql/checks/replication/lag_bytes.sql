-- How much WAL standbys and subscribers have still to replay: much of it takes long to catch up with, even while the lag
-- in seconds is small.
SELECT pgdba.define_check(
	check_id => 'replication.lag_bytes',
	query => $check$
SELECT 'replica:' || quote_ident(r.replica) AS object,
	NULL::text AS database,
	r.lag_bytes::float8 AS value,
	'bytes' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'replica', r.replica, 'kind', r.kind, 'state', r.state, 'slot_name', r.slot_name, 'client_addr', r.client_addr,
		'lag_seconds', r.lag_seconds, 'send_lag_bytes', r.send_lag_bytes, 'flush_lag_bytes', r.flush_lag_bytes,
		'who', CASE WHEN r.itself THEN 'this standby' WHEN r.kind = 'logical' THEN 'subscriber ' || r.replica
			ELSE 'standby ' || r.replica END,
		'unsent', CASE WHEN r.send_lag_bytes > 0 THEN ', ' || pg_size_pretty(r.send_lag_bytes) || ' of it not sent yet' ELSE '' END
	)) AS evidence
FROM pgdba.last_replication r
WHERE r.lag_bytes > 0 AND coalesce(r.apply_delay, 0) = 0
ORDER BY r.lag_bytes DESC, r.replica
LIMIT 100
$check$,
	definition => $definition${
	"title": "Replication lag in bytes",
	"loop": "workload",
	"probes": ["replication"],
	"thresholds": {"warning": 1073741824, "critical": 10737418240, "for": "1m"},
	"message": "{who} has {value:bytes} of WAL still to replay{unsent}",
	"why": "It has to be kept, sent and replayed before the replica is up to date; a slot keeps it on the disk of the primary.",
	"action": "A bulk load is caught up with by itself. Otherwise find where it waits: SELECT * FROM pg_stat_replication;",
	"symptom_of": "replication.lag"
}$definition$);
