-- Tables that autovacuum should have vacuumed by now, and why it has not.
--
-- Due is what the server holds for due: more dead (or inserted) rows than the table's own threshold, which probe table
-- computes. Overdue it is when it was due in every sample for ten minutes or five naptimes, whichever is longer, and no
-- vacuum came, or one that could remove nothing; at once where autovacuum is off. A vacuum that runs has an hour.
--
-- The causes, in this order: autovacuum is off; vacuum came and the horizon was held; a vacuum runs; one waits for a
-- lock; one was interrupted, as a request for a lock does; every worker is busy. Autovacuum passes over a table that it
-- cannot lock, and leaves no trace of that. Inserts alone never make it critical, and are nothing where autovacuum is off
-- for the table: what is only filled may well do without.
SELECT pgdba.define_check(
	check_id => 'vacuum.overdue',
	query => $check$
WITH due AS MATERIALIZED (
	SELECT r.sampled_at, r.db, r.schema, r.relname, r.relid, r.n_dead_tup, r.n_ins_since_vacuum,
		t.schema AS of_schema, t.relname AS of_relname, t.relation || CASE WHEN t.toast THEN ' (TOAST)' ELSE '' END AS relation,
		t.threshold, t.insert_threshold, t.enabled, greatest(r.last_vacuum, r.last_autovacuum) AS vacuumed_at,
		t.options ->> 'autovacuum_vacuum_cost_limit' AS own_limit, t.toast,
		r.n_dead_tup / greatest(t.threshold, 1) AS dead_ratio,
		coalesce(r.n_ins_since_vacuum / greatest(t.insert_threshold, 1), 0) AS insert_ratio
	FROM pgdba.last_relation r
	JOIN (SELECT l.sampled_at, l.db, l.schema, l.relname, l.relation, v.*
		FROM pgdba.last_table l CROSS JOIN LATERAL (VALUES
			(l.relid, false, l.vacuum_threshold, l.insert_threshold, l.autovacuum_enabled, l.options),
			(l.toast_relid, true, l.toast_vacuum_threshold, l.toast_insert_threshold, l.toast_autovacuum_enabled, l.toast_options)
		) AS v (storage, toast, threshold, insert_threshold, enabled, options)) t ON t.db = r.db AND t.storage = r.relid
	WHERE greatest(r.n_dead_tup, r.n_ins_since_vacuum) >= 1000
		AND (r.n_dead_tup > t.threshold OR (t.enabled AND r.n_ins_since_vacuum > t.insert_threshold))
		-- what vacuum or analyze has counted since, the threshold does not know yet
		AND NOT coalesce(greatest(r.last_vacuum, r.last_autovacuum, r.last_analyze, r.last_autoanalyze) > t.sampled_at, false)
), setting AS MATERIALIZED (
	SELECT bool_and(s.value = 'on') FILTER (WHERE s.name IN ('autovacuum', 'track_counts')) AS active,
		make_interval(secs => greatest(600, 5 * max(s.value) FILTER (WHERE s.name = 'autovacuum_naptime')::float8)) AS patience,
		max(s.value) FILTER (WHERE s.name = 'autovacuum_vacuum_cost_delay') AS cost_delay,
		coalesce(nullif(max(s.value) FILTER (WHERE s.name = 'autovacuum_vacuum_cost_limit'), '-1'),
			max(s.value) FILTER (WHERE s.name = 'vacuum_cost_limit'))::int8 AS cost_limit
	FROM pgdba.last_setting s
	WHERE (SELECT count(*) FROM due) > 0 AND s.name IN ('autovacuum', 'track_counts', 'autovacuum_naptime',
		'autovacuum_vacuum_cost_delay', 'autovacuum_vacuum_cost_limit', 'vacuum_cost_limit')
), moment AS MATERIALIZED (
	SELECT max(d.sampled_at) AS now, max(d.sampled_at) - max(s.patience) AS since FROM due d CROSS JOIN setting s
), past AS MATERIALIZED (
	SELECT d.db, d.relid, min(h.sampled_at) AS since
	FROM pgdba.hist_relation h JOIN due d ON d.db = h.db AND d.relid = h.relid
	WHERE h.sampled_at >= (SELECT m.since FROM moment m)
	GROUP BY d.db, d.relid
	HAVING bool_and(h.n_dead_tup > d.threshold OR coalesce(h.n_ins_since_vacuum > d.insert_threshold, false))
), tried AS MATERIALIZED (
	SELECT v.db, v.relid, max(v.sampled_at) AS seen
	FROM pgdba.hist_vacuum_progress v
	WHERE v.sampled_at >= (SELECT m.now - interval '30 minutes' FROM moment m) AND v.autovacuum
	GROUP BY v.db, v.relid
), busy AS MATERIALIZED (
	SELECT bool_and(w.workers >= w.max_workers) AS all_busy, max(w.max_workers) AS max_workers
	FROM pgdba.hist_autovacuum w
	WHERE w.sampled_at >= (SELECT m.since FROM moment m) AND w.phase = 'analyzing'
), running AS MATERIALIZED (
	SELECT v.* FROM pgdba.last_vacuum_progress v
), waiting AS MATERIALIZED (
	SELECT a.db, a.pid, a.lock_relid FROM pgdba.last_activity a
	WHERE a.backend_type = 'autovacuum worker' AND a.lock_relid IS NOT NULL
), holder AS MATERIALIZED (
	SELECT h.* FROM pgdba.last_horizon h WHERE h.xid_age > 0
), finding AS (
	SELECT d.*, s.cost_delay, s.cost_limit, b.max_workers, h.kind, h.name, h.pid, h.xid_age, h.who, h.held_seconds,
		CASE WHEN h.kind = 'session' AND pgdba.may_end(h.backend_type, h.application_name)
			THEN pgdba.session_start(h.backend_start) END AS holder_start,
		v.phase, v.index_vacuum_count, extract(epoch FROM v.sampled_at - v.started)::float8 AS running_seconds,
		100.0 * v.heap_blks_scanned / nullif(v.heap_blks_total, 0) AS scanned, q.seen AS tried_at,
		CASE WHEN NOT s.active THEN 'off'
			WHEN NOT d.enabled THEN 'off for it'
			WHEN d.vacuumed_at >= d.sampled_at - s.patience THEN 'horizon'
			WHEN v.pid IS NOT NULL THEN 'running'
			WHEN l.pid IS NOT NULL THEN 'lock'
			WHEN q.seen > d.vacuumed_at OR (q.seen IS NOT NULL AND d.vacuumed_at IS NULL) THEN 'interrupted'
			WHEN b.all_busy THEN 'workers'
			ELSE 'none' END AS cause
	FROM due d
	CROSS JOIN setting s
	CROSS JOIN busy b
	LEFT JOIN past p ON p.db = d.db AND p.relid = d.relid
	LEFT JOIN tried q ON q.db = d.db AND q.relid = d.relid
	LEFT JOIN LATERAL (SELECT o.* FROM running o WHERE o.db = d.db AND o.relid = d.relid ORDER BY o.started LIMIT 1) v ON true
	LEFT JOIN LATERAL (SELECT w.pid FROM waiting w WHERE w.db = d.db AND w.lock_relid = d.relid LIMIT 1) l ON true
	LEFT JOIN LATERAL (
		SELECT o.*, pgdba.holder_text(o.kind, o.name, o.pid, o.role, o.application_name, o.state) AS who
		FROM holder o
		WHERE (o.db IS NULL OR o.db = d.db) AND (NOT o.catalog_only OR d.schema = 'pg_catalog')
			AND (o.held_since < d.vacuumed_at OR (o.held_since IS NULL AND o.xid_age >= 10000))
		ORDER BY o.xid_age DESC, o.held_since, o.kind, o.name LIMIT 1) h ON true
	WHERE NOT s.active OR NOT d.enabled
		OR (p.since <= d.sampled_at - 0.8 * s.patience
			AND (h.kind IS NOT NULL OR NOT coalesce(d.vacuumed_at >= d.sampled_at - s.patience, false))
			AND (v.pid IS NULL OR v.started < v.sampled_at - interval '1 hour'))
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.relname) AS object,
	f.db AS database,
	greatest(f.dead_ratio, least(f.insert_ratio, 10)) AS value,
	'' AS unit,
	CASE WHEN f.dead_ratio > 1 THEN f.n_dead_tup ELSE f.n_ins_since_vacuum END AS rows,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', f.relation, 'schema', f.of_schema, 'relname', f.of_relname, 'dead', f.n_dead_tup,
		'inserted', f.n_ins_since_vacuum, 'threshold', f.threshold, 'insert_threshold', f.insert_threshold,
		'vacuumed_at', f.vacuumed_at, 'cause', f.cause, 'max_workers', f.max_workers,
		'cost_delay', f.cost_delay, 'cost_limit', f.cost_limit, 'phase', f.phase, 'running_seconds', f.running_seconds,
		'index_vacuum_count', f.index_vacuum_count, 'tried_at', f.tried_at,
		'holder_kind', f.kind, 'holder', f.name, 'holder_xid_age', f.xid_age,
		'holder_pid', CASE WHEN f.cause = 'horizon' THEN f.pid END,
		'holder_start', CASE WHEN f.cause = 'horizon' THEN f.holder_start END,
		'vacuum_schema', CASE WHEN f.cause <> 'running' THEN f.of_schema END,
		'new_limit', CASE WHEN f.faster THEN 2000 END, 'new_option', CASE WHEN f.faster THEN 'autovacuum_vacuum_cost_limit' END,
		'what', CASE WHEN f.dead_ratio > 1 THEN 'dead' ELSE 'inserted' END,
		'times', round(greatest(CASE WHEN f.dead_ratio > 1 THEN f.dead_ratio ELSE f.insert_ratio END, 1)::numeric, 1),
		'why_not', CASE f.cause
			WHEN 'off' THEN 'autovacuum is off in the cluster'
			WHEN 'off for it' THEN 'autovacuum is off for it'
			WHEN 'horizon' THEN f.who || ' keeps vacuum from removing them'
			WHEN 'running' THEN 'a vacuum has run for ' || pgdba.duration_text(f.running_seconds) || ' ('
				|| concat_ws(', ', f.phase, round(f.scanned) || ' % scanned',
					CASE WHEN f.index_vacuum_count > 1 THEN f.index_vacuum_count || ' passes over the indexes' END) || ')'
			WHEN 'lock' THEN 'a vacuum of it waits for a lock'
			WHEN 'interrupted' THEN 'its autovacuum was interrupted '
				|| pgdba.duration_text(greatest(extract(epoch FROM f.sampled_at - f.tried_at)::float8, 0)) || ' ago'
			WHEN 'workers' THEN 'all ' || f.max_workers || ' autovacuum workers are busy elsewhere'
			ELSE 'autovacuum has not come' || coalesce(', the last vacuum was '
				|| pgdba.duration_text(extract(epoch FROM f.sampled_at - f.vacuumed_at)::float8) || ' ago', '') END,
		'next_step', CASE f.cause
			WHEN 'off' THEN 'Turn it on in the cluster, and vacuum this table now.'
			WHEN 'off for it' THEN 'Turn it on for the table, and vacuum it now.'
			WHEN 'horizon' THEN CASE f.kind
				WHEN 'session' THEN CASE WHEN f.holder_start IS NULL THEN format('Let session %s finish, then vacuum.', f.pid)
					ELSE format('Commit or roll back in session %s; when nobody can, end it, which rolls back. Then vacuum.', f.pid) END
				WHEN 'prepared transaction' THEN format('Finish it with COMMIT PREPARED %L; or ROLLBACK PREPARED %L; and vacuum.',
					f.name, f.name)
				WHEN 'slot' THEN 'Let the consumer of the slot catch up, then vacuum.'
				ELSE 'End the long query on the standby, or turn hot_standby_feedback off there. Then vacuum.' END
			WHEN 'running' THEN CASE WHEN f.index_vacuum_count > 1
				THEN 'Let it finish. More autovacuum_work_mem saves passes over the indexes next time.'
				ELSE 'Let it finish. A higher cost limit makes the next one faster.' END
			WHEN 'lock' THEN 'See locks.blocked for who holds it; do not end the vacuum.'
			WHEN 'interrupted' THEN 'Find what locks the table so often (ALTER, TRUNCATE, LOCK). A VACUUM by hand is not interrupted.'
			WHEN 'workers' THEN 'Vacuum it by hand. Workers share one cost limit: raise autovacuum_vacuum_cost_limit before '
				|| 'autovacuum_max_workers, or for the table alone as below.'
			ELSE 'Vacuum it by hand. When that waits, somebody holds a lock on it, and autovacuum passes over such a table.' END
	)) AS evidence
FROM (SELECT f.*, f.cause IN ('running', 'workers') AND f.own_limit IS NULL AND NOT f.toast AND f.schema <> 'pg_catalog'
			AND f.cost_delay <> '0' AND f.cost_limit < 2000 AS faster
	FROM finding f) f
ORDER BY greatest(f.dead_ratio, least(f.insert_ratio, 10)) DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Autovacuum overdue",
	"loop": "workload",
	"probes": ["relation", "table", "setting", "autovacuum", "vacuum_progress", "horizon", "activity"],
	"thresholds": {"warning": 2, "critical": 10, "for": "10m", "floor": {"rows": 10000}},
	"message": "{relation} in {database} has {rows:count} {what} rows, {times} times the threshold: {why_not}",
	"why": "Dead rows are read by every scan and their space is not used again; without vacuum index-only scans get slow too.",
	"action": "{next_step}",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {holder_pid} AND backend_start = {holder_start:L};",
		"VACUUM (VERBOSE, ANALYZE) {vacuum_schema:I}.{relname:I};",
		"ALTER TABLE {schema:I}.{relname:I} SET ({new_option:I} = {new_limit});"],
	"lock_level": "ShareUpdateExclusiveLock",
	"undo": "ALTER TABLE {schema:I}.{relname:I} RESET ({new_option:I});",
	"symptom_of": "vacuum.disabled"
}$definition$);
