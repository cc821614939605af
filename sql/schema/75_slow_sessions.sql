-- Slow sessions: who has been active, or in a transaction, for longer than pgdba.slow_session.

-- What probe slow_session returns. Waits are added up from tick to tick: the raw memory reaches minutes back, a session
-- may be slow for days, and this reads what came since the tick before. While nobody is slow it reads the sample of
-- activity and nothing else.
--
-- What began is the transaction, or the statement where that is older: VACUUM and CREATE INDEX CONCURRENTLY have one
-- transaction after the other. A root is a blocker that waits for nobody; process ID 0 is a prepared transaction.
CREATE FUNCTION pgdba.slow_session_rows()
	RETURNS TABLE (db text, pid bigint, backend_start timestamptz, began timestamptz, seconds float8, kind text, role text,
		application_name text, client_addr text, backend_type text, state text, xact_start timestamptz,
		query_start timestamptz, query_id bigint, command text, wait_event_type text, wait_event text, waits jsonb,
		watched_seconds float8, blocked_by jsonb, roots jsonb, next_step text, slow_sessions bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	shortest CONSTANT interval := current_setting('pgdba.slow_session');
BEGIN
	RETURN QUERY
	WITH RECURSIVE session AS MATERIALIZED (
		SELECT a.*, CASE WHEN a.state IN ('active', 'fastpath function call') THEN least(a.xact_start, a.query_start)
			ELSE a.xact_start END AS began
		FROM pgdba.last_activity a
	), slow AS MATERIALIZED (
		SELECT s.*, count(*) OVER () AS slow_sessions, row_number() OVER (ORDER BY s.began, s.pid) AS place
		FROM session s
		WHERE s.began < s.sampled_at - shortest AND s.backend_start IS NOT NULL
			AND (s.leader_pid IS NULL OR s.leader_pid = s.pid) AND s.backend_type NOT LIKE 'pgdba%'
			-- Streaming is what a walsender is for.
			AND (s.backend_type <> 'walsender' OR s.xact_start IS NOT NULL OR s.command = 'BASEBACKUP')
	), known AS MATERIALIZED (
		SELECT s.*, p.waits, p.watched_seconds, coalesce(p.sampled_at, s.began) AS watched_until
		FROM slow s
		LEFT JOIN pgdba.last_slow_session p
			ON p.pid = s.pid AND p.backend_start = s.backend_start AND p.began = s.began AND p.sampled_at < s.sampled_at
		WHERE s.place <= 100
	), run AS MATERIALIZED (
		SELECT r.* FROM (SELECT min(k.watched_until) AS since, max(k.sampled_at) AS until FROM known k HAVING count(*) > 0) w
		CROSS JOIN LATERAL pgdba.wait_runs(w.since, w.until) r
		WHERE r.state IS DISTINCT FROM 'idle'
	), wait AS (
		SELECT k.pid, CASE WHEN r.state LIKE 'idle in transaction%' THEN 'idle in transaction'
				WHEN r.event_type = 'CPU' THEN 'CPU' ELSE r.event_type || ':' || r.event END AS event,
			CASE WHEN r.began >= k.watched_until THEN r.seconds
				ELSE r.seconds * extract(epoch FROM r.ended - k.watched_until)::float8
					/ extract(epoch FROM r.ended - r.began)::float8 END AS seconds
		FROM known k JOIN run r ON r.pid = k.pid AND r.backend_start = k.backend_start AND r.ended > k.watched_until
		UNION ALL
		SELECT k.pid, w.key, w.value::float8 FROM known k CROSS JOIN LATERAL jsonb_each_text(k.waits) w
	), ranked AS (
		SELECT w.pid, w.event, sum(w.seconds) AS seconds,
			row_number() OVER (PARTITION BY w.pid ORDER BY w.event = 'other', sum(w.seconds) DESC) AS place
		FROM wait w GROUP BY w.pid, w.event
	), waited AS (
		SELECT e.pid, jsonb_object_agg(e.event, round(e.seconds::numeric, 3)) AS waits,
			sum(e.seconds) AS seconds
		FROM (SELECT r.pid, CASE WHEN r.place <= 10 THEN r.event ELSE 'other' END AS event, sum(r.seconds) AS seconds
			FROM ranked r GROUP BY 1, 2) e
		GROUP BY e.pid
	), edge AS MATERIALIZED (
		SELECT DISTINCT w.pid AS waiter, b.pid::int8 AS blocker
		FROM session w CROSS JOIN LATERAL jsonb_array_elements_text(w.blocked_by) AS b (pid)
	), reach AS (
		SELECT e.waiter, e.blocker FROM edge e
		UNION
		SELECT r.waiter, e.blocker FROM reach r JOIN edge e ON e.waiter = r.blocker
	), root AS (
		SELECT r.waiter, count(*) AS roots, (jsonb_agg(r.blocker ORDER BY h.xact_start, r.blocker))[0] AS first,
			jsonb_agg(r.blocker ORDER BY h.xact_start, r.blocker) AS pids
		FROM reach r
		LEFT JOIN session h ON h.pid = r.blocker
		WHERE NOT EXISTS (SELECT FROM edge e WHERE e.waiter = r.blocker)
		GROUP BY r.waiter
	)
	SELECT k.db, k.pid, k.backend_start, k.began, extract(epoch FROM k.sampled_at - k.began)::float8,
		CASE WHEN k.xact_start < k.query_start - '1 s'::interval OR k.state LIKE 'idle in transaction%' THEN 'transaction' ELSE 'statement' END,
		k.role, k.application_name, k.client_addr, k.backend_type, k.state, k.xact_start, k.query_start, k.query_id, k.command,
		k.wait_event_type, k.wait_event, coalesce(w.waits, '{}'), coalesce(w.seconds, 0), k.blocked_by, r.pids,
		CASE
			WHEN k.backend_type = 'walsender' THEN 'Let it finish: it is a backup or replication. Do not end it.'
			WHEN r.first = '0' THEN 'It waits for a prepared transaction: finish that with COMMIT PREPARED or ROLLBACK '
				'PREPARED; pg_prepared_xacts lists them.'
			WHEN r.first IS NOT NULL THEN 'It waits for ' || pgdba.session_text(h.pid, h.role, h.application_name,
					h.client_addr, h.state, extract(epoch FROM k.sampled_at - h.state_change)::float8)
				|| CASE r.roots WHEN 1 THEN '' ELSE ' and ' || r.roots - 1 || ' more' END || ': '
				|| CASE
					WHEN h.backend_type = 'autovacuum worker' THEN
						'let the vacuum finish: it gives way to others unless it prevents wraparound.'
					WHEN NOT pgdba.may_end(h.backend_type, h.application_name) THEN
						'let it finish, it is a backup, replication or a process of the server. Do not end it.'
					WHEN h.state = 'active' THEN 'let its statement finish, or cancel that with pg_cancel_backend('
						|| h.pid || ').'
					ELSE 'commit or roll back there.' END
			WHEN k.blocked_by IS NOT NULL THEN 'Wait: those that block it wait themselves, and the server ends a deadlock.'
			WHEN k.backend_type = 'autovacuum worker' THEN
				'Let the vacuum finish: when it prevents wraparound it would come again at once.'
			WHEN NOT pgdba.may_end(k.backend_type, k.application_name) THEN
				'Let it finish: it is a backup or a process of the server. Do not end it.'
			WHEN k.state = 'idle in transaction (aborted)' THEN 'Roll back in the session: its transaction has failed.'
			WHEN k.state = 'idle in transaction' THEN 'Commit or roll back in the session: it does nothing. '
				'idle_in_transaction_session_timeout ends what an application forgets.'
			WHEN k.command IS NOT NULL THEN 'Let its ' || k.command || ' finish.'
			WHEN k.wait_event_type = 'Client' THEN 'Look at its client: the server waits for it.'
			WHEN k.xact_start < k.query_start - shortest THEN
				'Wait for it. Its transaction is older than its statement: do such work in smaller ones.'
			ELSE 'Wait for it, or look at the plan of its statement. When nobody needs the result, cancel it with '
				'pg_cancel_backend(' || k.pid || ').' END,
		k.slow_sessions
	FROM known k
	LEFT JOIN waited w ON w.pid = k.pid
	LEFT JOIN root r ON r.waiter = k.pid
	LEFT JOIN session h ON h.pid = r.first::int8
	ORDER BY k.place;
END
$$;
COMMENT ON FUNCTION pgdba.slow_session_rows() IS 'Under probe slow_session.';

CREATE FUNCTION pgdba.slow_sessions(span interval DEFAULT '1 hour')
	RETURNS TABLE (pid bigint, backend_start timestamptz, database text, role text, application_name text, client_addr text,
		backend_type text, kind text, began timestamptz, last_seen timestamptz, running bool, seconds float8, state text,
		query_ids bigint[], waits jsonb, top_wait text, watched_seconds float8, roots jsonb, next_step text, query text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	until CONSTANT timestamptz := coalesce(nullif(current_setting('pgdba.as_of', true), '')::timestamptz, clock_timestamp());
	newest timestamptz;
BEGIN
	PERFORM pgdba.require_preload();
	IF span IS NULL OR span <= '0' THEN
		RAISE EXCEPTION 'span must be positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT max(a.sampled_at) INTO newest FROM pgdba.last_activity a;
	RETURN QUERY
	WITH seen AS MATERIALIZED (
		SELECT s.* FROM pgdba.hist_slow_session s WHERE s.sampled_at > until - span AND s.sampled_at <= until
	), story AS (
		SELECT DISTINCT ON (s.pid, s.backend_start, s.began) s.*, max(s.kind) OVER story AS whole
		FROM seen s
		WINDOW story AS (PARTITION BY s.pid, s.backend_start, s.began)
		ORDER BY s.pid, s.backend_start, s.began, s.sampled_at DESC
	)
	SELECT s.pid, s.backend_start, s.db, s.role, s.application_name, s.client_addr, s.backend_type, s.whole, s.began,
		s.sampled_at, s.sampled_at = newest, s.seconds, s.state, o.query_ids, s.waits,
		(SELECT w.key FROM jsonb_each_text(s.waits) w ORDER BY w.value::float8 DESC LIMIT 1), s.watched_seconds, o.roots,
		s.next_step,
		CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN (SELECT t.query FROM pgdba.last_statement_text t
			WHERE t.db = s.db AND t.queryid = s.query_id LIMIT 1) END
	FROM story s
	CROSS JOIN LATERAL (
		SELECT array_agg(DISTINCT m.query_id) FILTER (WHERE m.query_id IS NOT NULL) AS query_ids,
			jsonb_agg(DISTINCT b.pid) FILTER (WHERE b.pid IS NOT NULL) AS roots
		FROM seen m LEFT JOIN LATERAL jsonb_array_elements(m.roots) AS b (pid) ON true
		WHERE m.pid = s.pid AND m.backend_start = s.backend_start AND m.began = s.began) o
	ORDER BY s.seconds DESC, s.began;
END
$$;
COMMENT ON FUNCTION pgdba.slow_sessions(interval) IS
	'A row per statement or transaction that was slow in that time, the longest first: since when, how long, all its statements, what it waited for (seconds by event), who blocked it, what to do next. The text of the statement is for members of pg_read_all_stats. Raises 22023 when span is not positive, 55000 without preload.';
