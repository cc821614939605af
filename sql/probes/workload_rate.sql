-- Rates of the interval that just ended: transactions, statements, and how long statements took.
--
-- The name puts it behind database and statement: probes of a loop run in the order of their names, and it reads what
-- those two returned in the same tick. After a reset or a gap there is no rate.
--
-- The 95th percentile is an estimate, because only calls, sum and sum of squares are known of each statement. Each is taken
-- as a log-normal distribution with its mean and deviation of the interval; the quantile of their mixture, weighted
-- by calls, is found by halving. The normal distribution function is a logistic one that is right to 0.0002.
SELECT pgdba.define_probe(
	name => 'workload_rate',
	loop => 'workload',
	query => $probe$
WITH RECURSIVE tick AS MATERIALIZED (
	SELECT h.db, h.sampled_at, h.xact_commit + h.xact_rollback AS transactions,
		CASE WHEN NOT h.gap AND h.elapsed > 0 THEN h.elapsed END AS elapsed
	FROM pgdba.hist_database h
	WHERE h.sampled_at = (SELECT pg_catalog.max(l.sampled_at) FROM pgdba.last_database l)
), step AS MATERIALIZED (
	-- Where nothing was executed there is no row; what has no delta is new, or began again.
	SELECT h.db, h.calls::pg_catalog.float8 AS calls, h.exec_seconds, h.exec_seconds_squared, h.elapsed
	FROM pgdba.hist_statement h
	WHERE h.sampled_at = (SELECT pg_catalog.max(t.sampled_at) FROM tick t) AND (h.calls > 0 OR h.calls IS NULL)
), known AS MATERIALIZED (
	-- Whether statements were sampled in this tick and the one before, and not reset in between.
	SELECT EXISTS (SELECT FROM pgdba.hist_statement_info i
			WHERE i.sampled_at = (SELECT pg_catalog.max(t.sampled_at) FROM tick t)
				AND i.preloaded AND NOT i.reset AND NOT i.gap AND i.elapsed > 0)
		AND EXISTS (SELECT FROM pgdba.last_statement l
			WHERE l.sampled_at = (SELECT pg_catalog.max(t.sampled_at) FROM tick t)) AS statements
), total AS MATERIALIZED (
	SELECT s.db, pg_catalog.sum(s.calls) AS calls, pg_catalog.sum(s.exec_seconds) AS seconds, pg_catalog.max(s.elapsed) AS elapsed
	FROM step s GROUP BY s.db
), part AS MATERIALIZED (
	SELECT t.db, t.calls, pg_catalog.ln(t.mean) - pg_catalog.ln(1 + t.spread) / 2 AS mu,
		greatest(pg_catalog.sqrt(pg_catalog.ln(1 + t.spread)), 0.001) AS sigma
	FROM (SELECT s.db, s.calls, m.mean,
			greatest(s.exec_seconds_squared / s.calls / (m.mean * m.mean) - 1, 0) AS spread
		FROM step s CROSS JOIN LATERAL (SELECT greatest(s.exec_seconds / s.calls, 1e-9) AS mean) m
		WHERE s.calls > 0
		ORDER BY s.calls DESC LIMIT 200) t
), halved AS (
	SELECT p.db, pg_catalog.min(p.mu - 4 * p.sigma) AS low, pg_catalog.max(p.mu + 4 * p.sigma) AS high,
		pg_catalog.sum(p.calls) AS calls, 0 AS round
	FROM part p GROUP BY p.db
	UNION ALL
	SELECT h.db, CASE WHEN f.below < 0.95 * h.calls THEN m.middle ELSE h.low END,
		CASE WHEN f.below < 0.95 * h.calls THEN h.high ELSE m.middle END, h.calls, h.round + 1
	FROM halved h
	CROSS JOIN LATERAL (SELECT (h.low + h.high) / 2 AS middle) m
	CROSS JOIN LATERAL (
		SELECT pg_catalog.sum(p.calls / (1 + pg_catalog.exp(-z.z * (1.5976 + 0.07056 * z.z * z.z)))) AS below
		FROM part p CROSS JOIN LATERAL (SELECT greatest(least((m.middle - p.mu) / p.sigma, 6), -6) AS z) z
		WHERE p.db = h.db) f
	WHERE h.round < 12
)
SELECT d.db,
	d.transactions / d.elapsed AS tps,
	CASE WHEN k.statements THEN CASE WHEN t.db IS NULL THEN 0 ELSE t.calls / t.elapsed END END AS qps,
	CASE WHEN k.statements THEN t.seconds / t.calls END AS latency_mean_seconds,
	CASE WHEN k.statements THEN pg_catalog.exp((q.low + q.high) / 2) END AS latency_p95_seconds,
	CASE WHEN k.statements THEN 100 * q.calls / t.calls END AS latency_p95_percent
FROM tick d
CROSS JOIN known k
LEFT JOIN total t ON t.db = d.db
LEFT JOIN halved q ON q.db = d.db AND q.round = 12
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Name of the database"},
	"tps": {"kind": "gauge", "unit": "transactions per second", "metric": "pg_tps",
		"help": "Transactions per second over the last interval, committed and rolled back"},
	"qps": {"kind": "gauge", "unit": "statements per second", "metric": "pg_qps",
		"help": "Statements executed per second over the last interval, by pg_stat_statements; those seen for the first time are not counted, and those in functions are with pg_stat_statements.track = all"},
	"latency_mean_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_query_latency_seconds_mean",
		"help": "Mean time to execute a statement over the last interval; absent when none was executed"},
	"latency_p95_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_query_latency_seconds_p95",
		"help": "Estimate of the time within which 95 % of the executions of statements ended over the last interval: from the mean and the deviation of each statement, taken as log-normal, weighted by calls"},
	"latency_p95_percent": {"kind": "gauge", "unit": "percent", "metric": "pg_query_latency_p95_coverage_percent",
		"help": "Share of the executions that the estimate of the 95th percentile stands on: the 200 statements with the most calls of all databases"}
}$columns$);
