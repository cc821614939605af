-- Planner statistics that are older than the data: much of the table has changed, lately too, and no analyze for 12 hours.
--
-- Where autovacuum is due it has ten minutes to come. Where no analyze is on record (counters begin anew after a crash),
-- history must show that there was none for 12 hours; a table that was never analyzed at all is the matter of
-- statistics.missing. TOAST tables and pg_statistic are never analyzed.
SELECT pgdba.define_check(
	check_id => 'statistics.stale',
	query => $check$
WITH candidate AS MATERIALIZED (
	SELECT r.sampled_at, r.db, r.relid, r.schema, r.relname, r.relation, r.n_mod_since_analyze,
		greatest(t.reltuples, r.n_live_tup, 1) AS rows, t.analyze_threshold, t.autovacuum_enabled,
		greatest(r.last_analyze, r.last_autoanalyze) AS analyzed_at
	FROM pgdba.last_relation r JOIN pgdba.last_table t ON t.db = r.db AND t.relid = r.relid
	WHERE r.n_mod_since_analyze > 1000 AND t.reltuples IS NOT NULL
		AND r.n_mod_since_analyze > 0.01 * greatest(t.reltuples, r.n_live_tup)
		AND NOT coalesce(greatest(r.last_analyze, r.last_autoanalyze) >= r.sampled_at - interval '12 hours', false)
		AND NOT (r.schema = 'pg_catalog' AND r.relname = 'pg_statistic')
), lately AS (
	SELECT h.db, h.relid, bool_or(h.n_tup_ins + h.n_tup_upd + h.n_tup_del > 0) AS changed,
		bool_or(h.n_mod_since_analyze > c.analyze_threshold AND h.sampled_at <= c.sampled_at - interval '10 minutes') AS was_due
	FROM pgdba.hist_relation h JOIN candidate c ON c.db = h.db AND c.relid = h.relid
	WHERE h.sampled_at > (SELECT max(c.sampled_at) - interval '1 hour' FROM candidate c)
	GROUP BY h.db, h.relid
), long_ago AS (
	SELECT h.db, h.relid, bool_and(greatest(h.last_analyze, h.last_autoanalyze) IS NULL) AS unknown_then
	FROM pgdba.hist_relation h JOIN candidate c ON c.db = h.db AND c.relid = h.relid AND c.analyzed_at IS NULL
	WHERE h.sampled_at > (SELECT max(c.sampled_at) - interval '12 hours 15 minutes' FROM candidate c WHERE c.analyzed_at IS NULL)
		AND h.sampled_at < (SELECT max(c.sampled_at) - interval '12 hours' FROM candidate c WHERE c.analyzed_at IS NULL)
	GROUP BY h.db, h.relid
), setting AS (
	SELECT bool_and(s.value = 'on') AS active FROM pgdba.last_setting s WHERE s.name IN ('autovacuum', 'track_counts')
), finding AS (
	SELECT c.*, CASE WHEN NOT s.active THEN 'off' WHEN NOT c.autovacuum_enabled THEN 'off for it'
			WHEN c.n_mod_since_analyze <= c.analyze_threshold THEN 'threshold' ELSE 'due' END AS cause
	FROM candidate c
	CROSS JOIN setting s
	JOIN lately l ON l.db = c.db AND l.relid = c.relid AND l.changed
	LEFT JOIN long_ago p ON p.db = c.db AND p.relid = c.relid
	WHERE (c.analyzed_at IS NOT NULL OR p.unknown_then)
		AND (l.was_due OR NOT s.active OR NOT c.autovacuum_enabled OR c.n_mod_since_analyze <= c.analyze_threshold)
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.relname) AS object,
	f.db AS database,
	100 * f.n_mod_since_analyze / f.rows AS value,
	'percent' AS unit,
	f.n_mod_since_analyze AS modified,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', f.relation, 'schema', f.schema, 'relname', f.relname, 'modified', f.n_mod_since_analyze, 'rows', f.rows,
		'analyzed_at', f.analyzed_at, 'threshold', f.analyze_threshold, 'cause', f.cause,
		'since', CASE WHEN f.analyzed_at IS NULL THEN 'more than 12 h'
			ELSE pgdba.duration_text(extract(epoch FROM f.sampled_at - f.analyzed_at)::float8) END,
		'next_step', CASE f.cause
			WHEN 'off' THEN 'Analyze it now; autovacuum, which would have done so, is off in the cluster.'
			WHEN 'off for it' THEN 'Analyze it now; autovacuum, which would have done so, is off for the table.'
			WHEN 'threshold' THEN 'Analyze it now. Autovacuum only does so from ' || ceil(f.analyze_threshold)
				|| ' changed rows on: lower autovacuum_analyze_scale_factor or autovacuum_analyze_threshold of the table.'
			ELSE 'Analyze it now. Autovacuum is due and does not come: see vacuum.overdue, or who holds a lock on the table.' END
	)) AS evidence
FROM finding f
ORDER BY 100 * f.n_mod_since_analyze / f.rows DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Stale planner statistics",
	"loop": "storage",
	"probes": ["relation", "table", "setting"],
	"thresholds": {"warning": 10, "floor": {"modified": 1000}},
	"message": "{value:percent} of {relation} in {database} ({modified:count} rows) changed since its last analyze {since} ago",
	"why": "The planner counts on rows and values as they were, and takes a slow plan for a fast one.",
	"action": "{next_step}",
	"sql": "ANALYZE (VERBOSE) {schema:I}.{relname:I};",
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
