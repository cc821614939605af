-- Replication slots: how much WAL each keeps, and whether anybody uses it. What they keep vacuum from is in probe horizon.
--
-- A slot that was never used, or has lost its WAL, keeps none. Before 17 the server does not tell since when a slot is
-- unused, nor why it was invalidated; before 16 not whether it was. Temporary slots that the server names after a process
-- are left out: a backup or a connection has them.
--
-- What a logical slot decodes is counted here as well. Transactions that need more than logical_decoding_work_mem are
-- spilled to disk, or streamed before they end where the consumer asks for that.
SELECT pgdba.define_probe(
	name => 'slot',
	loop => 'workload',
	query => $probe$
SELECT s.database::pg_catalog.text AS db,
	s.slot_name::pg_catalog.text AS slot_name,
	s.slot_type,
	s.plugin::pg_catalog.text AS plugin,
	s.temporary,
	s.active,
	s.active_pid::pg_catalog.int8 AS active_pid,
	s.wal_status,
	s.safe_wal_size,
	greatest(h.lsn - s.restart_lsn, 0)::pg_catalog.int8 AS retained_bytes,
	(greatest(h.lsn, s.confirmed_flush_lsn) - s.confirmed_flush_lsn)::pg_catalog.int8 AS unconfirmed_bytes,
	s.two_phase,
	NULL::pg_catalog.timestamptz AS inactive_since,
	NULL::pg_catalog.bool AS conflicting,
	NULL::pg_catalog.text AS invalidation_reason,
	NULL::pg_catalog.bool AS failover,
	NULL::pg_catalog.bool AS synced,
	d.total_txns AS decoded_transactions,
	d.total_bytes AS decoded_bytes,
	d.spill_txns AS spilled_transactions,
	d.spill_count AS spills,
	d.spill_bytes AS spilled_bytes,
	d.stream_txns AS streamed_transactions,
	d.stream_count AS streams,
	d.stream_bytes AS streamed_bytes,
	d.stats_reset,
	h.in_recovery,
	pg_catalog.pg_size_bytes(nullif(pg_catalog.current_setting('max_slot_wal_keep_size'), '-1')) AS max_slot_wal_keep_size,
	pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size
FROM pg_catalog.pg_replication_slots s
CROSS JOIN LATERAL pg_catalog.pg_stat_get_replication_slot(
	CASE s.slot_type WHEN 'logical' THEN s.slot_name::pg_catalog.text END) d
CROSS JOIN (SELECT l.in_recovery, CASE WHEN l.in_recovery
		THEN greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
		ELSE pg_catalog.pg_current_wal_lsn() END AS lsn
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l) h
WHERE NOT (s.temporary AND s.slot_name::pg_catalog.text ~ '^pg_(basebackup|walreceiver)_')
$probe$,
	key => '{slot_name}',
	columns => $columns${
	"db": {"help": "Database of a logical slot"},
	"slot_name": {"help": "Name of the slot"},
	"slot_type": {"kind": "label", "help": "physical or logical"},
	"plugin": {"help": "Output plugin of a logical slot"},
	"temporary": {"help": "Whether it goes with its session"},
	"active": {"kind": "gauge", "metric": "pgdba_slot_active", "help": "1 while somebody uses it"},
	"active_pid": {"help": "Process ID of who uses it"},
	"wal_status": {"help": "reserved, extended beyond max_wal_size, unreserved when about to lose its WAL, or lost"},
	"safe_wal_size": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_slot_safe_wal_bytes",
		"help": "WAL that can be written before it loses its own; absent without max_slot_wal_keep_size"},
	"retained_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_slot_retained_bytes",
		"help": "WAL that it keeps"},
	"unconfirmed_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_slot_unconfirmed_bytes",
		"help": "WAL whose changes the consumer of a logical slot has not confirmed"},
	"two_phase": {"help": "Whether prepared transactions are decoded"},
	"inactive_since": {"kind": "gauge", "unit": "seconds since", "metric": "pgdba_slot_inactive_seconds",
		"help": "Time since it was last used; absent while it is used, and before 17"},
	"conflicting": {"help": "Whether it was invalidated by a conflict with recovery; NULL before 16"},
	"invalidation_reason": {"help": "Why it was invalidated; NULL before 17"},
	"failover": {"help": "Whether it is to be copied to standbys; NULL before 17"},
	"synced": {"help": "Whether it is such a copy; NULL before 17"},
	"decoded_transactions": {"kind": "counter", "unit": "transactions", "metric": "pgdba_slot_decoded_transactions_total",
		"help": "Transactions that a logical slot decoded"},
	"decoded_bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_slot_decoded_bytes_total",
		"help": "Size of their changes in memory, streamed and spilled ones included"},
	"spilled_transactions": {"kind": "counter", "unit": "transactions", "metric": "pgdba_slot_spilled_transactions_total",
		"help": "Transactions of these that were spilled to disk"},
	"spills": {"kind": "counter", "unit": "spills", "metric": "pgdba_slot_spills_total",
		"help": "How often something was spilled, several times for a large transaction"},
	"spilled_bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_slot_spilled_bytes_total",
		"help": "Size of the changes that were spilled"},
	"streamed_transactions": {"kind": "counter", "unit": "transactions", "metric": "pgdba_slot_streamed_transactions_total",
		"help": "Transactions that were streamed before they ended"},
	"streams": {"kind": "counter", "unit": "streams", "metric": "pgdba_slot_streams_total",
		"help": "How often something was streamed, several times for a large transaction"},
	"streamed_bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_slot_streamed_bytes_total",
		"help": "Size of the changes that were streamed"},
	"stats_reset": {"help": "When the counters of the slot were reset, NULL for never"},
	"in_recovery": {"help": "Whether this is a standby"},
	"max_slot_wal_keep_size": {"unit": "bytes", "help": "Setting max_slot_wal_keep_size, NULL for no limit"},
	"max_wal_size": {"unit": "bytes", "help": "Setting max_wal_size"}
}$columns$);

SELECT pgdba.define_probe_variant('slot', 160000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.bool AS conflicting', 's.conflicting AS conflicting'))
FROM pgdba.probe p WHERE p.name = 'slot';

SELECT pgdba.define_probe_variant('slot', 170000, pgdba.changed_text(p.query,
	'NULL::pg_catalog.bool AS conflicting', 's.conflicting AS conflicting',
	'NULL::pg_catalog.timestamptz AS inactive_since', 's.inactive_since AS inactive_since',
	'NULL::pg_catalog.text AS invalidation_reason', 's.invalidation_reason AS invalidation_reason',
	'NULL::pg_catalog.bool AS failover', 's.failover AS failover',
	'NULL::pg_catalog.bool AS synced', 's.synced AS synced'))
FROM pgdba.probe p WHERE p.name = 'slot';
