-- Sessions that commit row by row: their time goes into waiting for commits and for the next statement of their client.
--
-- The share of all time of working sessions, over the last five minutes, that waits until a commit is on disk (IO:WalSync is who writes,
-- LWLock:WALWrite who waits for that one) or on a standby (IPC:SyncRep); while there are many commits of few rows. What a client
-- takes between two statements (Client:ClientRead) is said with it: one and the same remedy, larger transactions, takes away both.
SELECT pgdba.define_check(
	check_id => 'load.commit_bound',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), wait AS MATERIALIZED (
	SELECT w.*, CASE WHEN w.state <> 'active' THEN CASE WHEN w.class = 'Client' THEN 'think' END
		WHEN w.role IS NOT NULL THEN pgdba.load_kind(w.class, w.event_type, w.event) END AS kind
	FROM newest n CROSS JOIN LATERAL (SELECT h.db, h.role, h.application_name, h.state, h.class, h.event_type, h.event, h.samples, h.seconds
		FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) w
), origin AS ( -- who waits most for commits
	SELECT w.db, w.role, w.application_name, sum(w.seconds) AS seconds FROM wait w WHERE w.kind = 'commit'
	GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 1
), total AS MATERIALIZED (
	SELECT sum(w.samples)::int8 AS samples, sum(w.seconds) AS seconds,
		sum(w.seconds) FILTER (WHERE w.kind = 'commit') AS commit,
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'commit' AND w.event = 'SyncRep'), 0) AS standby,
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'think'), 0) AS think
	FROM wait w
), work AS (
	SELECT sum(d.xact_commit) / nullif(sum(d.elapsed), 0) AS commits,
		sum(d.tup_inserted + d.tup_updated + d.tup_deleted)::float8 / nullif(sum(d.xact_commit), 0) AS rows
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_database h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at
			AND h.db = (SELECT o.db FROM origin o) AND h.xact_commit IS NOT NULL) d
)
SELECT 'cluster' AS object,
	o.db AS database,
	CASE WHEN t.samples >= 300 AND k.commits IS NOT NULL THEN 100 * t.commit / t.seconds END AS value,
	'percent' AS unit,
	k.commits::float8 AS commits_per_second,
	jsonb_strip_nulls(jsonb_build_object(
		'commits', round(k.commits::numeric, 1), 'rows', round(k.rows::numeric, 1), 'sessions', round((t.seconds / l.span)::numeric, 1),
		'think_percent', round((100 * t.think / t.seconds)::numeric, 1),
		'standby_percent', round((100 * t.standby / t.commit)::numeric, 1), 'role', o.role, 'application_name', o.application_name,
		'samples', t.samples, 'observed_seconds', l.span,
		'who', coalesce(nullif(concat_ws(', ', 'role ' || o.role, 'application ' || nullif(o.application_name, '')), ''), 'unknown'),
		'reason', CASE WHEN k.commits IS NULL THEN 'the number of commits is not known'
			WHEN t.samples < 300 THEN 'only ' || t.samples || ' samples of sessions in ' || pgdba.duration_text(l.span)
				|| ': 300 are needed' END,
		'next_step', CASE WHEN t.standby * 2 > t.commit
			THEN ' Most of the wait is for a synchronous standby: look at its disk and at the network, too.' ELSE '' END
	)) AS evidence
FROM looked l CROSS JOIN total t CROSS JOIN origin o CROSS JOIN work k
WHERE coalesce(k.rows < 10, true) AND 10 * t.commit > t.seconds
$check$,
	definition => $definition${
	"title": "Commits row by row",
	"loop": "workload",
	"probes": ["wait_tick", "wait", "database"],
	"thresholds": {"warning": 15, "floor": {"commits_per_second": 10}, "for": "5m"},
	"message": "{value:percent} of session time waits for commits: {commits:count}/s of {rows} rows each ({who})",
	"why": "Each commit waits for the disk, and each statement for its client ({think_percent} % of the time): the server is mostly idle meanwhile.",
	"action": "Let the application change hundreds of rows per transaction, with batches, multi-row INSERT or COPY. What may be lost in a crash can do with synchronous_commit = off.{next_step}"
}$definition$);
