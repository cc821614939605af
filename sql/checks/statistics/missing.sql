-- Tables with many rows that the planner has no statistics of, because neither vacuum nor analyze ever came.
--
-- A table gets ten minutes for autovacuum to come, as history shows, unless autovacuum is off for it. To a partitioned
-- table autovacuum never comes, and its partitions' statistics do not stand in for it; that is no more than advice. The
-- tables of pgdba itself are only ever read from end to end.
SELECT pgdba.define_check(
	check_id => 'statistics.missing',
	query => $check$
WITH candidate AS MATERIALIZED (
	SELECT r.sampled_at, r.db, r.relid, r.schema, r.relname, r.relation, r.n_live_tup::float8 AS rows, t.autovacuum_enabled
	FROM pgdba.last_relation r JOIN pgdba.last_table t ON t.db = r.db AND t.relid = r.relid
	WHERE r.n_live_tup >= 1000 AND t.reltuples IS NULL AND t.relkind IN ('r', 'm') AND t.schema <> 'pgdba'
		-- analyzed since, which the table's sample does not show yet
		AND greatest(r.last_vacuum, r.last_autovacuum, r.last_analyze, r.last_autoanalyze) IS NULL
), waited AS (
	SELECT h.db, h.relid
	FROM pgdba.hist_relation h JOIN candidate c ON c.db = h.db AND c.relid = h.relid
	WHERE h.sampled_at > (SELECT max(c.sampled_at) - interval '1 hour' FROM candidate c)
		AND h.sampled_at <= (SELECT max(c.sampled_at) - interval '10 minutes' FROM candidate c) AND h.n_live_tup >= 1000
	GROUP BY h.db, h.relid
), parent AS (
	SELECT p.db, p.schema, p.relname, p.relation, sum(greatest(c.reltuples, r.n_live_tup)) AS rows
	FROM pgdba.last_table p
	JOIN pgdba.last_table c ON c.db = p.db AND c.parent_relid = p.relid AND c.relkind <> 'p'
	LEFT JOIN pgdba.last_relation r ON r.db = c.db AND r.relid = c.relid
	WHERE p.relkind = 'p' AND p.reltuples IS NULL AND p.schema <> 'pgdba'
	GROUP BY p.db, p.schema, p.relname, p.relation
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.relname) AS object,
	f.db AS database,
	f.value AS value,
	'rows' AS unit,
	jsonb_strip_nulls(jsonb_build_object('relation', f.relation, 'schema', f.schema, 'relname', f.relname, 'rows', f.rows,
		'cause', f.cause,
		'next_step', CASE f.cause
			WHEN 'partitioned' THEN 'Analyze it, and again now and then, after large changes: autovacuum analyzes partitions only.'
			WHEN 'off for it' THEN 'Analyze it now; autovacuum, which would have done so, is off for the table.'
			ELSE 'Analyze it now. Autovacuum should have come: see vacuum.disabled, or who holds a lock on the table.' END)) AS evidence
FROM (SELECT c.db, c.schema, c.relname, c.relation, c.rows, c.rows AS value,
		CASE WHEN c.autovacuum_enabled THEN 'none' ELSE 'off for it' END AS cause
	FROM candidate c LEFT JOIN waited w ON w.db = c.db AND w.relid = c.relid
	WHERE w.relid IS NOT NULL OR NOT c.autovacuum_enabled
	UNION ALL
	SELECT p.db, p.schema, p.relname, p.relation, p.rows, least(p.rows, 1000000), 'partitioned'
	FROM parent p WHERE p.rows >= 1000) f
ORDER BY f.value DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Missing planner statistics",
	"loop": "storage",
	"probes": ["relation", "table"],
	"thresholds": {"info": 10000, "warning": 1000000},
	"message": "{relation} in {database} has {rows:count} rows and was never analyzed",
	"why": "Without statistics the planner guesses, and joins with the table may take a plan that is slow by orders of magnitude.",
	"action": "{next_step}",
	"sql": "ANALYZE (VERBOSE) {schema:I}.{relname:I};",
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
