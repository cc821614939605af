-- Subscriptions of all databases: whether their apply workers run, what these received, and how often they failed.
--
-- An apply worker that fails ends, and is started again some seconds later: what the server shows of its progress is then
-- NULL, and the state of its tables stays ready. Only the count of its errors grows. Workers that copy tables, and from 16
-- on those that apply in parallel, belong to a subscription as well. On a standby none runs.
--
-- How to connect to the publisher is never read: it may have a password in it.
SELECT pgdba.define_probe(
	name => 'subscription',
	loop => 'workload',
	query => $probe$
WITH worker AS MATERIALIZED (
	SELECT w.*, false AS parallel FROM pg_catalog.pg_stat_get_subscription(NULL) w
)
SELECT d.datname::pg_catalog.text AS db,
	s.subname::pg_catalog.text AS subscription,
	o.rolname::pg_catalog.text AS owner,
	s.subenabled AS enabled,
	s.subdisableonerr AS disable_on_error,
	s.subslotname::pg_catalog.text AS slot_name,
	a.pid IS NOT NULL AS running,
	a.pid::pg_catalog.int8 AS worker_pid,
	coalesce(h.sync_workers, 0) AS sync_workers,
	coalesce(h.parallel_workers, 0) AS parallel_workers,
	(a.received_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS received_position,
	(a.latest_end_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS reported_position,
	a.last_msg_send_time AS last_message_sent,
	a.last_msg_receipt_time AS last_message_received,
	a.latest_end_time AS last_reported,
	t.apply_error_count AS apply_errors,
	t.sync_error_count AS sync_errors,
	NULL::pg_catalog.int8 AS insert_exists,
	NULL::pg_catalog.int8 AS update_exists,
	NULL::pg_catalog.int8 AS update_origin_differs,
	NULL::pg_catalog.int8 AS update_missing,
	NULL::pg_catalog.int8 AS delete_origin_differs,
	NULL::pg_catalog.int8 AS delete_missing,
	NULL::pg_catalog.int8 AS multiple_unique_conflicts,
	t.stats_reset,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
LEFT JOIN pg_catalog.pg_roles o ON o.oid = s.subowner
CROSS JOIN LATERAL pg_catalog.pg_stat_get_subscription_stats(s.oid) t
LEFT JOIN worker a ON a.subid = s.oid AND a.relid IS NULL AND NOT a.parallel
LEFT JOIN (SELECT w.subid, pg_catalog.count(w.relid) AS sync_workers,
		pg_catalog.count(*) FILTER (WHERE w.parallel) AS parallel_workers
	FROM worker w GROUP BY w.subid) h ON h.subid = s.oid
$probe$,
	key => '{db,subscription}',
	columns => $columns${
	"db": {"help": "Database of the subscription"},
	"subscription": {"help": "Name of the subscription"},
	"owner": {"help": "Role that owns it, and whose rights its workers have"},
	"enabled": {"kind": "gauge", "metric": "pg_subscription_enabled", "help": "1 when it is to run"},
	"disable_on_error": {"help": "Whether an error disables it"},
	"slot_name": {"help": "Slot on the publisher"},
	"running": {"kind": "gauge", "metric": "pg_subscription_running", "help": "1 while its apply worker runs"},
	"worker_pid": {"help": "Process ID of its apply worker"},
	"sync_workers": {"kind": "gauge", "unit": "workers", "metric": "pg_subscription_sync_workers",
		"help": "Workers that make the first copies of tables"},
	"parallel_workers": {"kind": "gauge", "unit": "workers", "metric": "pg_subscription_parallel_workers",
		"help": "Workers that apply large transactions in parallel; 0 before 16"},
	"received_position": {"kind": "gauge", "unit": "bytes", "metric": "pg_subscription_received_position_bytes",
		"help": "How far the publisher's log was received; absent while it does not run"},
	"reported_position": {"kind": "gauge", "unit": "bytes", "metric": "pg_subscription_reported_position_bytes",
		"help": "How far the publisher said its log went; absent while it does not run"},
	"last_message_sent": {"help": "When the publisher sent its last message, by its own clock"},
	"last_message_received": {"kind": "gauge", "unit": "seconds since", "metric": "pg_subscription_last_message_seconds",
		"help": "Time since the publisher was heard of; absent while it does not run"},
	"last_reported": {"help": "When the publisher sent what reported_position says"},
	"apply_errors": {"kind": "counter", "unit": "errors", "metric": "pg_subscription_apply_errors_total",
		"help": "How often applying changes failed"},
	"sync_errors": {"kind": "counter", "unit": "errors", "metric": "pg_subscription_sync_errors_total",
		"help": "How often the first copy of a table failed"},
	"insert_exists": {"kind": "counter", "unit": "conflicts", "metric": "pg_subscription_insert_exists_total",
		"help": "Inserts of a row whose key was there; absent before 18"},
	"update_exists": {"kind": "counter", "unit": "conflicts", "metric": "pg_subscription_update_exists_total",
		"help": "Updates to a key that was there; absent before 18"},
	"update_origin_differs": {"kind": "counter", "unit": "conflicts",
		"metric": "pg_subscription_update_origin_differs_total",
		"help": "Updates of a row that somebody else had changed; absent before 18"},
	"update_missing": {"kind": "counter", "unit": "conflicts", "metric": "pg_subscription_update_missing_total",
		"help": "Updates of a row that was not there, which were left out; absent before 18"},
	"delete_origin_differs": {"kind": "counter", "unit": "conflicts",
		"metric": "pg_subscription_delete_origin_differs_total",
		"help": "Deletes of a row that somebody else had changed; absent before 18"},
	"delete_missing": {"kind": "counter", "unit": "conflicts", "metric": "pg_subscription_delete_missing_total",
		"help": "Deletes of a row that was not there, which were left out; absent before 18"},
	"multiple_unique_conflicts": {"kind": "counter", "unit": "conflicts",
		"metric": "pg_subscription_multiple_unique_conflicts_total",
		"help": "Changes that met several rows with their keys; absent before 18"},
	"stats_reset": {"help": "When these counters were reset, NULL for never"},
	"in_recovery": {"help": "Whether the server is a standby, where no subscription runs"}
}$columns$,
	options => $options${
	"top": {"n": 50, "by": ["apply_errors", "sync_errors"]},
	"object": "subscription:{db:I}/{subscription:I}"
}$options$);

SELECT pgdba.define_probe_variant('subscription', 160000, pgdba.changed_text(p.query,
	'false AS parallel', 'w.leader_pid IS NOT NULL AS parallel'))
FROM pgdba.probe p WHERE p.name = 'subscription';

SELECT pgdba.define_probe_variant('subscription', 180000, pgdba.changed_text(v.query,
	'NULL::pg_catalog.int8 AS insert_exists', 't.confl_insert_exists AS insert_exists',
	'NULL::pg_catalog.int8 AS update_exists', 't.confl_update_exists AS update_exists',
	'NULL::pg_catalog.int8 AS update_origin_differs', 't.confl_update_origin_differs AS update_origin_differs',
	'NULL::pg_catalog.int8 AS update_missing', 't.confl_update_missing AS update_missing',
	'NULL::pg_catalog.int8 AS delete_origin_differs', 't.confl_delete_origin_differs AS delete_origin_differs',
	'NULL::pg_catalog.int8 AS delete_missing', 't.confl_delete_missing AS delete_missing',
	'NULL::pg_catalog.int8 AS multiple_unique_conflicts', 't.confl_multiple_unique_conflicts AS multiple_unique_conflicts'))
FROM pgdba.probe_variant v WHERE v.name = 'subscription' AND v.from_version = 160000;
