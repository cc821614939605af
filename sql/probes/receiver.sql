-- A standby about itself: where its WAL comes from, how far replay is, whether it is paused, whom it has cancelled.
-- One row on a standby, also without a receiver; none on a primary.
--
-- A receiver is streaming as long as it hears of the primary: an idle primary answers at least once per
-- wal_receiver_timeout. The conflicts of 15 have no logical slots.
SELECT pgdba.define_probe(
	name => 'receiver',
	loop => 'workload',
	query => $probe$
SELECT r.status,
	coalesce(r.status = 'streaming' AND (r.timeout = '0' OR r.last_msg_receipt_time
		> pg_catalog.clock_timestamp() - r.timeout - '10 s'::pg_catalog.interval), false) AS streaming,
	pg_catalog.current_setting('primary_conninfo') <> '' AS wanted,
	greatest(r.latest_end_lsn - '0/0', r.written_lsn - '0/0', pg_catalog.pg_last_wal_receive_lsn() - '0/0',
		pg_catalog.pg_last_wal_replay_lsn() - '0/0')::pg_catalog.int8 AS position,
	(pg_catalog.pg_last_wal_replay_lsn() - '0/0')::pg_catalog.int8 AS replay_position,
	r.last_msg_receipt_time AS received_at,
	pg_catalog.pg_last_xact_replay_timestamp() AS replayed_at,
	pg_catalog.pg_get_wal_replay_pause_state() AS pause_state,
	pg_catalog.pg_is_wal_replay_paused() AS paused,
	r.slot_name,
	r.sender_host,
	r.sender_port::pg_catalog.int8 AS sender_port,
	r.received_tli::pg_catalog.int8 AS timeline,
	extract(epoch FROM pg_catalog.current_setting('recovery_min_apply_delay')::pg_catalog.interval)::pg_catalog.float8
		AS apply_delay,
	pg_catalog.current_setting('hot_standby_feedback')::pg_catalog.bool AS hot_standby_feedback,
	c.conflicts_tablespace,
	c.conflicts_lock,
	c.conflicts_snapshot,
	c.conflicts_bufferpin,
	c.conflicts_deadlock,
	c.conflicts_logical_slot
FROM (SELECT w.*, pg_catalog.current_setting('wal_receiver_timeout')::pg_catalog.interval AS timeout
	FROM (SELECT) one LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true) r
CROSS JOIN (SELECT pg_catalog.sum(d.confl_tablespace)::pg_catalog.int8 AS conflicts_tablespace,
		pg_catalog.sum(d.confl_lock)::pg_catalog.int8 AS conflicts_lock,
		pg_catalog.sum(d.confl_snapshot)::pg_catalog.int8 AS conflicts_snapshot,
		pg_catalog.sum(d.confl_bufferpin)::pg_catalog.int8 AS conflicts_bufferpin,
		pg_catalog.sum(d.confl_deadlock)::pg_catalog.int8 AS conflicts_deadlock,
		NULL::pg_catalog.int8 AS conflicts_logical_slot
	FROM pg_catalog.pg_stat_database_conflicts d) c
WHERE pg_catalog.pg_is_in_recovery()
$probe$,
	key => '{}',
	columns => $columns${
	"status": {"help": "State of the receiver, NULL when there is none"},
	"streaming": {"kind": "gauge", "metric": "pg_wal_receiver_streaming",
		"help": "1 while the receiver streams and has heard of the primary"},
	"wanted": {"help": "Whether primary_conninfo is set; without it WAL comes from an archive"},
	"position": {"unit": "bytes", "help": "How far the log goes, as far as the standby knows"},
	"replay_position": {"kind": "gauge", "unit": "bytes", "metric": "pg_wal_replay_position_bytes",
		"help": "How far it is replayed"},
	"received_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_wal_receiver_last_message_seconds",
		"help": "Time since the primary was heard of; absent without a receiver"},
	"replayed_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_replication_last_replay_seconds",
		"help": "Time since the commit that was replayed last; grows while the primary is idle"},
	"pause_state": {"help": "not paused, pause requested or paused"},
	"paused": {"kind": "gauge", "metric": "pg_wal_replay_paused", "help": "1 while replay is paused, or about to be"},
	"slot_name": {"help": "Slot on the primary that it uses"},
	"sender_host": {"help": "Where the WAL comes from"},
	"sender_port": {"help": "Port there"},
	"timeline": {"help": "Timeline of the WAL received last"},
	"apply_delay": {"kind": "gauge", "unit": "seconds", "metric": "pg_recovery_min_apply_delay_seconds",
		"help": "Setting recovery_min_apply_delay: how far it is to lag"},
	"hot_standby_feedback": {"kind": "gauge", "metric": "pg_hot_standby_feedback", "help": "Setting hot_standby_feedback"},
	"conflicts_tablespace": {"kind": "counter", "unit": "statements", "metric": "pg_recovery_conflicts_tablespace_total",
		"help": "Statements cancelled because replay dropped a tablespace"},
	"conflicts_lock": {"kind": "counter", "unit": "statements", "metric": "pg_recovery_conflicts_lock_total",
		"help": "Statements cancelled because replay waited for their lock"},
	"conflicts_snapshot": {"kind": "counter", "unit": "statements", "metric": "pg_recovery_conflicts_snapshot_total",
		"help": "Statements cancelled because replay removed rows that they might see"},
	"conflicts_bufferpin": {"kind": "counter", "unit": "statements", "metric": "pg_recovery_conflicts_bufferpin_total",
		"help": "Statements cancelled because they held a page that replay waited for"},
	"conflicts_deadlock": {"kind": "counter", "unit": "statements", "metric": "pg_recovery_conflicts_deadlock_total",
		"help": "Statements cancelled because of a deadlock with replay"},
	"conflicts_logical_slot": {"kind": "counter", "unit": "slots", "metric": "pg_recovery_conflicts_logical_slot_total",
		"help": "Uses of logical slots that replay ended; absent before 16"}
}$columns$);

SELECT pgdba.define_probe_variant('receiver', 160000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.int8 AS conflicts_logical_slot',
	'pg_catalog.sum(d.confl_active_logicalslot)::pg_catalog.int8 AS conflicts_logical_slot'))
FROM pgdba.probe p WHERE p.name = 'receiver';
