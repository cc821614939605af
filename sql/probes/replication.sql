-- How far standbys and subscribers lag, a row each; on a standby also a row for itself, so that the same metrics are there.
--
-- The server measures replay_lag while confirmations come in: of a replay that stands still it says nothing, or what it
-- said last, and of an idle primary nothing. So the lag is measured here as well, by the positions that were sampled
-- before: what is not replayed has waited at least since the first sample in which the log was longer. Once nothing of
-- the last hour is replayed, the day before is looked at.
--
-- The log is written and sent by pages, so it may end within a record, which nobody can replay. When it ends with a page,
-- its last four pages are not waited for.
--
-- A standby that does not hear of its primary cannot know how far it lags: NULL, never 0. pg_basebackup and the first
-- copies of logical replication are no replicas. pg_receivewal is one, which writes and does not replay. Replicas of one
-- name are told apart by slot or address.
SELECT pgdba.define_probe(
	name => 'replication',
	loop => 'workload',
	query => $probe$
WITH here AS MATERIALIZED (
	SELECT l.in_recovery, pg_catalog.clock_timestamp() AS at,
		pg_catalog.current_setting('wal_block_size')::pg_catalog.int8 AS page,
		(CASE WHEN l.in_recovery THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END
			- '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS in_recovery) l
), standby AS MATERIALIZED (
	SELECT w.status, w.slot_name, w.last_msg_receipt_time,
		pg_catalog.current_setting('primary_conninfo') AS conninfo,
		(pg_catalog.pg_last_wal_replay_lsn() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS replayed,
		(greatest(w.latest_end_lsn, w.written_lsn, pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
			- '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8 AS position,
		coalesce(w.status = 'streaming' AND (t.timeout = '0' OR w.last_msg_receipt_time
			> h.at - t.timeout - '10 s'::pg_catalog.interval), false) AS streaming
	FROM here h
	CROSS JOIN (SELECT pg_catalog.current_setting('wal_receiver_timeout')::pg_catalog.interval AS timeout) t
	LEFT JOIN pg_catalog.pg_stat_wal_receiver w ON true
	WHERE h.in_recovery
), replica AS MATERIALIZED (
	SELECT coalesce(pg_catalog.btrim(pg_catalog.substring(s.conninfo, $$\mapplication_name *= *('[^']+'|[^' &]+)$$), $$'$$),
			nullif(pg_catalog.current_setting('cluster_name'), ''), 'walreceiver') AS name,
		true AS itself, 'physical' AS kind,
		CASE WHEN s.streaming THEN s.status WHEN s.conninfo = '' THEN 'archive' ELSE 'broken' END AS state,
		NULL AS sync_state, s.slot_name, NULL::pg_catalog.inet AS client_addr, NULL::pg_catalog.int8 AS client_port,
		NULL::pg_catalog.timestamptz AS backend_start, s.last_msg_receipt_time AS heard_at,
		CASE WHEN s.streaming THEN s.position END AS position, NULL::pg_catalog.int8 AS sent,
		NULL::pg_catalog.int8 AS written, NULL::pg_catalog.int8 AS flushed, s.replayed,
		NULL::pg_catalog.interval AS write_lag, NULL::pg_catalog.interval AS flush_lag, NULL::pg_catalog.interval AS replay_lag
	FROM standby s
	UNION ALL
	SELECT coalesce(nullif(r.application_name, ''), 'unnamed'), false, coalesce(s.slot_type, 'physical'), r.state,
		r.sync_state, CASE WHEN NOT s.temporary THEN s.slot_name::pg_catalog.text END, r.client_addr, r.client_port, r.backend_start, r.reply_time,
		h.position, (r.sent_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
		(r.write_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
		(r.flush_lsn - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
		(coalesce(r.replay_lsn, r.write_lsn) - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
		r.write_lag, r.flush_lag, CASE WHEN r.replay_lsn IS NULL THEN r.write_lag ELSE r.replay_lag END
	FROM here h
	CROSS JOIN pg_catalog.pg_stat_replication r
	LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
	WHERE r.state <> 'backup' AND r.application_name <> 'pg_basebackup'
		AND coalesce(s.slot_name::pg_catalog.text, '') !~ '^pg_([0-9]+_sync_[0-9]+|basebackup)_'
), named AS (
	SELECT r.*,
		CASE WHEN r.position % h.page = 0 THEN r.position - 4 * h.page ELSE r.position END AS complete,
		CASE WHEN pg_catalog.count(*) OVER (PARTITION BY r.name) = 1 THEN r.name ELSE r.name || '@'
			|| CASE WHEN r.itself THEN 'itself' ELSE coalesce(r.slot_name, pg_catalog.host(r.client_addr), 'local') END END AS label
	FROM here h CROSS JOIN replica r
), lagging AS (
	SELECT n.*, coalesce(n.replayed < n.complete, false) AS behind, pg_catalog.row_number() OVER (
		PARTITION BY n.label ORDER BY n.client_port, n.backend_start) AS place
	FROM named n
)
SELECT CASE WHEN l.place = 1 THEN l.label ELSE l.label || '#' || l.place END AS replica,
	l.itself,
	l.kind,
	l.name AS application_name,
	l.state,
	l.state = 'streaming' AS streaming,
	l.sync_state,
	l.sync_state IN ('sync', 'quorum') AS synchronous,
	l.slot_name,
	pg_catalog.host(l.client_addr) AS client_addr,
	l.backend_start,
	l.heard_at,
	CASE WHEN l.behind THEN coalesce(
			extract(epoch FROM greatest(h.at - coalesce(older.waiting_since, recent.waiting_since),
				CASE WHEN l.replay_lag IS NOT NULL THEN least(l.replay_lag, h.at - recent.replayed_until) END)),
			CASE WHEN recent.replayed_until IS NOT NULL THEN 0 END)
		WHEN l.replayed >= l.complete THEN 0 END::pg_catalog.float8 AS lag_seconds,
	CASE WHEN l.behind THEN l.position - l.replayed WHEN l.replayed >= l.complete THEN 0 END AS lag_bytes,
	greatest(l.position, l.sent) - l.sent AS send_lag_bytes,
	greatest(l.position, l.written) - l.written AS write_lag_bytes,
	greatest(l.position, l.flushed) - l.flushed AS flush_lag_bytes,
	CASE WHEN l.written >= l.complete THEN 0 ELSE extract(epoch FROM l.write_lag) END::pg_catalog.float8 AS write_lag_seconds,
	CASE WHEN l.flushed >= l.complete THEN 0 ELSE extract(epoch FROM l.flush_lag) END::pg_catalog.float8 AS flush_lag_seconds,
	extract(epoch FROM CASE WHEN l.itself THEN pg_catalog.current_setting('recovery_min_apply_delay')::pg_catalog.interval END)
		::pg_catalog.float8 AS apply_delay,
	CASE WHEN l.itself THEN pg_catalog.pg_get_wal_replay_pause_state() END AS pause_state
FROM here h
CROSS JOIN lagging l
CROSS JOIN LATERAL (SELECT pg_catalog.min(p.sampled_at) FILTER (WHERE p.complete > l.replayed) AS waiting_since,
		pg_catalog.max(p.sampled_at) FILTER (WHERE p.complete <= l.replayed) AS replayed_until
	FROM (SELECT c.sampled_at, CASE WHEN c.position % h.page = 0 THEN c.position - 4 * h.page ELSE c.position END AS complete
		FROM pgdba.hist_checkpoint c
		WHERE l.behind AND NOT l.itself AND c.sampled_at > h.at - '1 h'::pg_catalog.interval
		UNION ALL
		SELECT c.sampled_at, CASE WHEN c.position % h.page = 0 THEN c.position - 4 * h.page ELSE c.position END
		FROM pgdba.hist_receiver c
		WHERE l.behind AND l.itself AND c.sampled_at > h.at - '1 h'::pg_catalog.interval) p) recent
CROSS JOIN LATERAL (SELECT pg_catalog.min(c.sampled_at) AS waiting_since
	FROM pgdba.hist_checkpoint c
	WHERE l.behind AND NOT l.itself AND recent.replayed_until IS NULL
		AND recent.waiting_since < h.at - '55 min'::pg_catalog.interval
		AND c.sampled_at > h.at - '1 day'::pg_catalog.interval AND c.position > l.replayed) older
$probe$,
	key => '{replica}',
	columns => $columns${
	"replica": {"help": "application_name of the replica, with slot or address behind @ where several share it"},
	"itself": {"help": "Whether it is this server"},
	"kind": {"help": "physical or logical"},
	"application_name": {"help": "What it calls itself"},
	"state": {"help": "State of its sender; of a standby itself streaming, broken, or archive when it is not to stream"},
	"streaming": {"kind": "gauge", "metric": "pg_replication_streaming", "help": "1 while it streams"},
	"sync_state": {"help": "async, potential, sync or quorum"},
	"synchronous": {"kind": "gauge", "metric": "pg_replication_synchronous", "help": "1 when commits wait for it"},
	"slot_name": {"help": "Slot that it uses, NULL for a temporary one"},
	"client_addr": {"help": "Where it is"},
	"backend_start": {"help": "When it connected"},
	"heard_at": {"kind": "gauge", "unit": "seconds since", "metric": "pg_replication_last_message_seconds",
		"help": "Time since it was heard of, of a standby itself since its primary was"},
	"lag_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_replication_lag_seconds",
		"help": "For how long WAL has waited to be replayed there, 0 when none does; absent when that cannot be known"},
	"lag_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_replication_lag_bytes",
		"help": "WAL that it has not replayed; absent when that cannot be known"},
	"send_lag_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_replication_send_lag_bytes",
		"help": "WAL that was not sent to it"},
	"write_lag_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_replication_write_lag_bytes",
		"help": "WAL that it has not written"},
	"flush_lag_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_replication_flush_lag_bytes",
		"help": "WAL that it has not flushed, and would lose"},
	"write_lag_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_replication_write_lag_seconds",
		"help": "Time until recent WAL was written there, 0 when all is; absent while nothing is confirmed"},
	"flush_lag_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_replication_flush_lag_seconds",
		"help": "Time until recent WAL was flushed there, 0 when all is; absent while nothing is confirmed"},
	"apply_delay": {"unit": "seconds", "help": "Setting recovery_min_apply_delay of a standby itself"},
	"pause_state": {"help": "Of a standby itself: not paused, pause requested or paused"}
}$columns$);
