-- Whether replication runs at all. On a standby: a receiver that is dead or never came (broken), replay that is paused.
-- On a server with standbys: one that was there within the last hour and has gone.
--
-- A value of 2 is critical, 1 a warning. A connection that is away in a single sample may be on its way back, for
-- instance after a restart of the primary: it has to be missing in two.
SELECT pgdba.define_check(
	check_id => 'replication.receiver',
	query => $check$
WITH gone AS MATERIALIZED (
	SELECT h.*, c.sampled_at AS now
	FROM (SELECT r.application_name, coalesce(r.slot_name, r.client_addr, '') AS place, max(r.sampled_at) AS sampled_at,
			(array_agg(r.replica ORDER BY r.sampled_at DESC))[1] AS replica,
			(array_agg(r.sync_state ORDER BY r.sampled_at DESC))[1] AS sync_state,
			max(r.slot_name) AS slot_name, max(r.client_addr) AS client_addr
		FROM pgdba.hist_replication r
		WHERE r.sampled_at > (SELECT l.sampled_at FROM pgdba.last_checkpoint l) - interval '1 hour'
			AND NOT r.itself AND r.kind = 'physical' AND r.streaming
		GROUP BY 1, 2 HAVING count(DISTINCT r.sampled_at) >= 3) h
	CROSS JOIN LATERAL (SELECT max(t.sampled_at) AS sampled_at, count(DISTINCT t.sampled_at) AS samples
		FROM pgdba.hist_checkpoint t WHERE t.sampled_at > h.sampled_at) c
	WHERE c.samples >= 2
		AND NOT EXISTS (SELECT FROM pgdba.last_replication l WHERE NOT l.itself AND l.application_name = h.application_name
			AND coalesce(l.slot_name, l.client_addr, '') = h.place)
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN b.broken THEN 2 ELSE 1 END::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'status', r.status, 'sender_host', r.sender_host, 'slot_name', r.slot_name, 'received_at', r.received_at,
		'replayed_at', r.replayed_at, 'paused', r.paused, 'pause_state', CASE WHEN NOT b.broken THEN r.pause_state END,
		'what', CASE WHEN b.broken THEN CASE WHEN r.status IS NULL THEN 'this standby has no connection to its primary'
				ELSE 'the receiver of this standby is ' || CASE r.status WHEN 'streaming' THEN 'silent' ELSE r.status END END
				|| coalesce(', the last one streamed ' || pgdba.duration_text(extract(epoch FROM r.sampled_at - s.last)::float8) || ' ago',
					', and has not had one')
			WHEN r.pause_state = 'paused' THEN 'replay is paused on this standby'
			ELSE 'replay is about to pause on this standby' END,
		'next_step', CASE WHEN b.broken THEN
				'Its log says why: primary down, refused, slot or WAL gone. Compare primary_conninfo and primary_slot_name.'
				|| CASE WHEN r.paused THEN ' Replay is paused as well.' ELSE '' END
			ELSE 'Resume replay with the SQL, unless somebody needs it paused.' END
	)) AS evidence
FROM pgdba.last_receiver r
CROSS JOIN LATERAL (SELECT max(h.sampled_at) FILTER (WHERE h.streaming) AS last,
		(array_agg(h.streaming ORDER BY h.sampled_at DESC) FILTER (WHERE h.sampled_at < r.sampled_at))[1] AS before
	FROM pgdba.hist_receiver h WHERE h.sampled_at > r.sampled_at - interval '1 hour') s
CROSS JOIN LATERAL (SELECT r.wanted AND NOT r.streaming AND coalesce(NOT s.before, false) AS broken) b
WHERE b.broken OR r.paused
UNION ALL
SELECT 'replica:' || quote_ident(g.replica), NULL, 1, '',
	jsonb_strip_nulls(jsonb_build_object(
		'replica', g.replica, 'client_addr', g.client_addr, 'slot_name', g.slot_name, 'seen', g.sampled_at,
		'sync_state', g.sync_state, 'retained_bytes', s.retained_bytes, 'wal_status', s.wal_status,
		'what', 'standby ' || g.replica || ' has gone, it was here ' || pgdba.duration_text(extract(epoch FROM g.now - g.sampled_at)::float8)
			|| ' ago' || CASE WHEN s.wal_status = 'lost' THEN '; its slot ' || s.slot_name || ' has lost its WAL'
				WHEN s.slot_name IS NOT NULL THEN '; its slot ' || s.slot_name || ' keeps ' || pg_size_pretty(s.retained_bytes)
				ELSE '' END,
		'next_step', CASE WHEN s.wal_status = 'lost' THEN 'It has to be made anew from a base backup.'
			WHEN s.slot_name IS NOT NULL THEN format('Bring it back; if it was taken away for good, drop its slot: SELECT pg_drop_replication_slot(%L);', s.slot_name)
			ELSE 'Bring it back soon: without a slot the WAL that it needs is removed.' END
			|| CASE WHEN g.sync_state IN ('sync', 'quorum') THEN ' Commits may wait for it: see synchronous_standby_names.' ELSE '' END
	))
FROM gone g
LEFT JOIN pgdba.last_slot s ON s.slot_name = g.slot_name AND NOT s.active
ORDER BY 3 DESC, 1
LIMIT 100
$check$,
	definition => $definition${
	"title": "Replication runs",
	"loop": "workload",
	"probes": ["checkpoint", "receiver", "replication", "slot"],
	"thresholds": {"warning": 0, "critical": 1, "for": "1m"},
	"message": "{what}",
	"why": "A standby that does not replay serves ever older data, and is of no use when the primary fails.",
	"action": "{next_step}",
	"sql": "SELECT pg_wal_replay_resume() WHERE pg_get_wal_replay_pause_state() = {pause_state:L};",
	"lock_level": "none",
	"undo": "SELECT pg_wal_replay_pause() WHERE pg_get_wal_replay_pause_state() <> {pause_state:L};"
}$definition$);
