-- Tables that change a lot, whose dead rows only grow, and to which no vacuum has come for six hours.
--
-- Dead rows count from where vacuum should come whatever is set: the table's own threshold, a fifth of its rows, or
-- 100 million, which is where PostgreSQL 18 comes at the latest. So a threshold that is too high is found as well, and a
-- table whose threshold is merely not reached yet is left in peace.
--
-- Where vacuum has never come, six hours of history must show it. History is only read when a table comes into question.
SELECT pgdba.define_check(
	check_id => 'vacuum.starvation',
	query => $check$
WITH candidate AS MATERIALIZED (
	SELECT r.sampled_at, r.db, r.relid, r.schema, r.relname, r.relation, r.n_dead_tup, r.n_live_tup,
		greatest(r.last_vacuum, r.last_autovacuum) AS vacuumed_at, t.vacuum_threshold, t.autovacuum_enabled,
		100.0 * r.n_dead_tup / greatest(r.n_live_tup + r.n_dead_tup, 1) AS pct_dead,
		100 * t.vacuum_threshold / greatest(t.reltuples, r.n_live_tup, 1) AS pct_threshold,
		coalesce(t.options, '{}') ?| '{autovacuum_vacuum_threshold,autovacuum_vacuum_scale_factor}' AS tuned
	FROM pgdba.last_relation r JOIN pgdba.last_table t ON t.db = r.db AND t.relid = r.relid
	WHERE r.n_dead_tup >= 10000
		AND r.n_dead_tup > least(t.vacuum_threshold, 0.2 * greatest(t.reltuples, r.n_live_tup), 1e8)
		AND NOT coalesce(greatest(r.last_vacuum, r.last_autovacuum) >= r.sampled_at - interval '6 hours', false)
), kept AS ( -- what the first sample grew by lies before it
	SELECT h.db, h.relid, h.sampled_at, h.n_dead_tup, h.n_tup_upd + h.n_tup_del AS churn, h.reset,
		row_number() OVER (PARTITION BY h.db, h.relid ORDER BY h.sampled_at) = 1 AS first
	FROM pgdba.hist_relation h JOIN candidate c ON c.db = h.db AND c.relid = h.relid
	WHERE h.sampled_at > (SELECT max(c.sampled_at) - interval '6 hours 15 minutes' FROM candidate c)
), past AS (
	SELECT k.db, k.relid, min(k.sampled_at) AS since, min(k.n_dead_tup) FILTER (WHERE k.first) AS dead_before,
		sum(k.churn) FILTER (WHERE NOT k.first)::int8 AS churn
	FROM kept k
	GROUP BY k.db, k.relid
	HAVING NOT bool_or(k.reset AND NOT k.first)
), finding AS (
	SELECT c.*, p.dead_before, p.churn, c.vacuum_threshold > c.n_dead_tup AS coarse,
		extract(epoch FROM c.sampled_at - coalesce(c.vacuumed_at, p.since))::float8 AS waited
	FROM candidate c JOIN past p ON p.db = c.db AND p.relid = c.relid
	WHERE p.since < c.sampled_at - interval '6 hours' AND c.n_dead_tup > p.dead_before
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.relname) AS object,
	f.db AS database,
	f.waited AS value,
	'seconds' AS unit,
	f.n_dead_tup AS dead,
	f.churn AS churn,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', f.relation, 'schema', f.schema, 'relname', f.relname, 'dead', f.n_dead_tup, 'dead_before', f.dead_before,
		'live', f.n_live_tup, 'pct_dead', f.pct_dead, 'churn', f.churn, 'vacuumed_at', f.vacuumed_at,
		'threshold', f.vacuum_threshold, 'pct_threshold', f.pct_threshold, 'autovacuum_enabled', f.autovacuum_enabled,
		'waited', CASE WHEN f.vacuumed_at IS NULL THEN 'No vacuum has ever come to ' ELSE 'No vacuum came to ' END,
		'ago', CASE WHEN f.vacuumed_at IS NULL THEN '' ELSE ' for ' || pgdba.duration_text(f.waited) END,
		'tune_schema', CASE WHEN f.coarse AND f.autovacuum_enabled AND NOT f.tuned AND f.schema <> 'pg_catalog' THEN f.schema END,
		'next_step', CASE
			WHEN NOT f.autovacuum_enabled THEN 'Autovacuum is off for it: turn it on, and vacuum it now.'
			WHEN NOT f.coarse THEN 'Autovacuum is due (from ' || ceil(f.vacuum_threshold) || ' dead rows) and does not come: see '
				|| 'vacuum.overdue and vacuum.dead_tuples for why.'
			WHEN f.tuned THEN 'Autovacuum waits for ' || ceil(f.vacuum_threshold) || ' dead rows, ' || round(f.pct_threshold)
				|| ' % of the table, because of its own storage parameters: lower them.'
			ELSE 'Autovacuum waits for ' || ceil(f.vacuum_threshold) || ' dead rows, ' || round(f.pct_threshold)
				|| ' % of the table: give it a lower threshold of its own, as below.' END
	)) AS evidence
FROM finding f
ORDER BY f.n_dead_tup DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Autovacuum starvation",
	"loop": "storage",
	"probes": ["relation", "table"],
	"thresholds": {"warning": 21600, "floor": {"dead": 10000, "churn": 100000}},
	"message": "{waited}{relation} in {database}{ago}: {dead_before:count} dead rows 6 h ago, {dead:count} now ({pct_dead:percent})",
	"why": "What is dead is read by every scan, its space is not used again, and the vacuum that comes in the end takes all the longer.",
	"action": "{next_step}",
	"sql": ["VACUUM (VERBOSE, ANALYZE) {schema:I}.{relname:I};",
		"ALTER TABLE {tune_schema:I}.{relname:I} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000);"],
	"lock_level": "ShareUpdateExclusiveLock",
	"undo": "ALTER TABLE {tune_schema:I}.{relname:I} RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);",
	"symptom_of": "vacuum.overdue"
}$definition$);
