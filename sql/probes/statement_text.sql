-- Texts of the statements that matter: those that led a ranking of probe statement in the last quarter of an hour.
--
-- Never a label of a metric. A text that may hold a password, or cannot be converted, is NULL.
SELECT pgdba.define_probe(
	name => 'statement_text',
	loop => 'storage',
	query => $probe$
WITH grown AS MATERIALIZED (
	-- What has no difference yet is new, or the first sample: then it grew by all it has.
	SELECT l.db, l.queryid, coalesce(g.exec_seconds, l.exec_seconds) AS exec_seconds, coalesce(g.calls, l.calls) AS calls,
		coalesce(g.shared_blks_read, l.shared_blks_read) AS shared_blks_read,
		coalesce(g.temp_blks_written, l.temp_blks_written) AS temp_blks_written
	FROM pgdba.last_statement l
	LEFT JOIN (SELECT h.db, h.queryid, pg_catalog.sum(h.exec_seconds) AS exec_seconds, pg_catalog.sum(h.calls) AS calls,
			pg_catalog.sum(h.shared_blks_read) AS shared_blks_read, pg_catalog.sum(h.temp_blks_written) AS temp_blks_written
		FROM pgdba.hist_statement h
		WHERE h.sampled_at > (SELECT pg_catalog.max(m.sampled_at) FROM pgdba.last_statement m) - '15 min'::pg_catalog.interval
		GROUP BY h.db, h.queryid) g ON g.db = l.db AND g.queryid = l.queryid
	WHERE l.queryid IS NOT NULL
), ranked AS (
	SELECT g.*, pg_catalog.row_number() OVER (ORDER BY g.exec_seconds DESC) AS by_time,
		pg_catalog.row_number() OVER (ORDER BY g.calls DESC) AS by_calls,
		pg_catalog.row_number() OVER (ORDER BY g.shared_blks_read DESC) AS by_read,
		pg_catalog.row_number() OVER (ORDER BY g.temp_blks_written DESC) AS by_temp
	FROM grown g
), wanted AS (
	SELECT pg_catalog.array_agg(r.db) AS databases, pg_catalog.array_agg(r.queryid) AS queryids
	FROM ranked r CROSS JOIN (SELECT pg_catalog.current_setting('pgdba.top_queries')::pg_catalog.int8 AS n) t
	WHERE (r.by_time <= t.n AND r.exec_seconds > 0) OR (r.by_calls <= t.n AND r.calls > 0)
		OR (r.by_read <= t.n AND r.shared_blks_read > 0) OR (r.by_temp <= t.n AND r.temp_blks_written > 0)
)
SELECT t.db, t.queryid, t.query
FROM wanted w CROSS JOIN LATERAL pgdba.statement_texts(w.databases, w.queryids) t
$probe$,
	key => '{db,queryid}',
	columns => $columns${
	"db": {"help": "Database in which the statement ran"},
	"queryid": {"help": "Identifier of the statement, as in probe statement"},
	"query": {"help": "Text as pg_stat_statements has it, up to 2,000 characters; NULL when it may hold a password or cannot be read"}
}$columns$,
	options => '{"needs_extension": "pg_stat_statements"}');
