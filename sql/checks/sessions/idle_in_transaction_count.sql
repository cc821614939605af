-- Origins with many sessions idle in a transaction at once, one finding per role, its largest origin named.
--
-- An application that commits has few of these at any moment, for moments. Many of them mean that it waits for something
-- else inside its transactions. Counted are those that have idled for 5 s. An origin whose longest has idled for more
-- than 5 min is passed over: sessions.idle_in_transaction speaks of it, and of how many they are.
SELECT pgdba.define_check(
	check_id => 'sessions.idle_in_transaction_count',
	query => $check$
WITH idle AS (
	SELECT a.*, extract(epoch FROM a.sampled_at - a.state_change)::float8 AS idle_seconds
	FROM pgdba.last_activity a
	WHERE a.backend_type = 'client backend' AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
), origin AS (
	SELECT i.role, i.application_name, i.client_addr, max(i.db) AS db, count(DISTINCT i.db) AS databases,
		count(*) FILTER (WHERE i.idle_seconds >= 5) AS sessions, max(i.idle_seconds) AS longest,
		count(greatest(i.backend_xid_age, i.backend_xmin_age)) FILTER (WHERE i.idle_seconds >= 5) AS holders
	FROM idle i
	GROUP BY i.role, i.application_name, i.client_addr
	HAVING max(i.idle_seconds) <= 300
), ranked AS (
	SELECT o.*, row_number() OVER (PARTITION BY o.role ORDER BY o.sessions DESC, o.application_name, o.client_addr) AS place
	FROM origin o
)
SELECT 'role:' || coalesce(quote_ident(r.role), 'unknown') AS object,
	CASE r.databases WHEN 1 THEN r.db END AS database,
	r.sessions::float8 AS value,
	'sessions' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'role', r.role, 'application_name', r.application_name, 'client_addr', r.client_addr, 'sessions', r.sessions,
		'longest_seconds', r.longest, 'holders', r.holders,
		'who', coalesce(nullif(concat_ws(', ', 'role ' || r.role, 'application ' || nullif(r.application_name, ''),
			'from ' || r.client_addr), ''), 'unknown'),
		'effect', CASE r.holders WHEN 0 THEN 'none holds back vacuum' WHEN 1 THEN '1 holds back vacuum'
			ELSE r.holders || ' hold back vacuum' END
	)) AS evidence
FROM ranked r
WHERE r.place = 1
UNION ALL
SELECT 'cluster', NULL, NULL, 'sessions',
	jsonb_build_object('reason', 'the server hides sessions: GRANT pg_monitor TO pgdba_sampler;')
WHERE EXISTS (SELECT FROM pgdba.last_activity a WHERE a.backend_type IS NULL AND a.backend_start IS NULL)
ORDER BY 3 DESC NULLS FIRST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Many sessions idle in a transaction",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 10, "for": "2m"},
	"message": "{sessions} sessions of one origin ({who}) are idle in transaction, up to {longest_seconds:duration}: {effect}",
	"why": "The application waits for something else inside its transactions; meanwhile each keeps its locks and its connection.",
	"action": "Move calls to other services, and waiting for people, out of the transactions. ALTER ROLE ... SET idle_in_transaction_session_timeout ends what is forgotten. The SQL shows what they did last.",
	"sql": "SELECT pid, application_name, client_addr, state_change, query FROM pg_stat_activity WHERE usename = {role:L} AND state LIKE 'idle in transaction%' ORDER BY state_change;",
	"lock_level": "none"
}$definition$);
