-- Load and waits: what sessions did, from what the launcher saw of them. docs/load.md says how to read it.
--
-- There are two memories. The raw one (pgdba.wait_runs) has every session and ends after minutes; the samples of the probes wait
-- and wait_tick add up a minute each, and reach back for days. A time is read from the raw memory where that has all of it, else from
-- samples, and what came after the last of them from the raw memory again.

-- A sample at T is about (T - span - gap, T]; where the time begins or ends inside, its share of it counts.
CREATE FUNCTION pgdba.wait_samples(since timestamptz, until timestamptz)
	RETURNS TABLE (sampled_at timestamptz, part float8, span_seconds float8, cpu_seconds float8, runnable_seconds float8)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT t.sampled_at, p.part, t.span_seconds, t.cpu_seconds, t.runnable_seconds
	FROM (SELECT h.sampled_at, h.span_seconds, h.cpu_seconds, h.runnable_seconds,
				h.span_seconds + coalesce(h.gap_seconds, 0) AS seconds
			FROM pgdba.hist_wait_tick h
			-- The sample that has the end of the time came after it.
			WHERE h.sampled_at > wait_samples.since AND h.sampled_at < wait_samples.until
				+ 2 * pg_catalog.current_setting('pgdba.workload_interval')::interval) t
	CROSS JOIN LATERAL (SELECT least(1, extract(epoch FROM least(t.sampled_at, wait_samples.until)
			- greatest(t.sampled_at - pg_catalog.make_interval(secs => t.seconds), wait_samples.since)) / t.seconds)::float8 AS part) p
	WHERE t.seconds > 0 AND p.part > 0;
END
$$;
COMMENT ON FUNCTION pgdba.wait_samples(timestamptz, timestamptz) IS
	'Samples of probe wait_tick that are about a time, and which part of each lies in it.';

CREATE FUNCTION pgdba.wait_sources(since timestamptz, until timestamptz, OUT samples bool, OUT runs_since timestamptz, OUT newest_part float8,
	OUT observed_seconds float8, OUT cpu_seconds float8, OUT runnable_seconds float8)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	reach timestamptz := pgdba.wait_runs_since();
	live bool := coalesce(pg_catalog.current_setting('pgdba.as_of', true), '') = '';
	present timestamptz := least(until, statement_timestamp());
	tail timestamptz;
	newest_seconds float8;
BEGIN
	SELECT pg_catalog.max(s.sampled_at), pg_catalog.sum(s.part * s.span_seconds), pg_catalog.sum(s.part * s.cpu_seconds),
			pg_catalog.sum(s.part * s.runnable_seconds)
		INTO tail, observed_seconds, cpu_seconds, runnable_seconds
	FROM pgdba.wait_samples(wait_sources.since, wait_sources.until) s;
	samples := tail IS NOT NULL AND (reach > since) IS NOT FALSE;
	tail := greatest(since, tail);
	IF reach <= tail AND tail < present THEN
		observed_seconds := coalesce(observed_seconds, 0) + extract(epoch FROM present - tail);
	ELSIF live AND tail < present THEN
		SELECT pg_catalog.max(n.span_seconds) INTO newest_seconds FROM pgdba.wait_now() n;
		newest_seconds := coalesce(newest_seconds, extract(epoch FROM present - reach)); -- nobody was seen
		newest_part := least(1, extract(epoch FROM present - tail) / nullif(newest_seconds, 0));
		observed_seconds := nullif(coalesce(observed_seconds, 0) + coalesce(newest_part * newest_seconds, 0), 0);
	END IF;
	runs_since := CASE WHEN reach <= since THEN since WHEN reach <= tail AND tail < present THEN tail END;
END
$$;
COMMENT ON FUNCTION pgdba.wait_sources(timestamptz, timestamptz) IS
	'Where a time is read from: samples, the raw memory from a time on, a part of what came since the newest sample; how many seconds of it were looked at, and how long sessions of class CPU had one or waited for one to get free.';

CREATE FUNCTION pgdba.wait_rows(since timestamptz, until timestamptz)
	RETURNS TABLE (db text, role text, application_name text, query_id bigint, state text, event_type text, event text, class text,
		samples bigint, seconds float8, blocked_seconds float8, folded bool)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	source record;
BEGIN
	SELECT * INTO source FROM pgdba.wait_sources(since, until);
	IF source.samples THEN
		RETURN QUERY
		SELECT h.db, h.role, h.application_name, h.query_id, h.state, h.event_type, h.event, h.class,
			pg_catalog.round(s.part * h.samples)::int8, s.part * h.seconds, s.part * h.blocked_seconds, coalesce(h.folded, false)
		FROM pgdba.hist_wait h JOIN pgdba.wait_samples(wait_rows.since, wait_rows.until) s ON s.sampled_at = h.sampled_at
		WHERE h.sampled_at > wait_rows.since AND h.sampled_at < wait_rows.until
			+ 2 * pg_catalog.current_setting('pgdba.workload_interval')::interval;
	END IF;
	IF source.runs_since IS NOT NULL THEN
		RETURN QUERY
		SELECT r.db, r.role, r.application_name, r.query_id, r.state, r.event_type, r.event, r.class, pg_catalog.sum(r.samples)::int8,
			pg_catalog.sum(r.seconds), coalesce(pg_catalog.sum(r.seconds) FILTER (WHERE r.blocked), 0), false
		FROM pgdba.wait_runs(source.runs_since, wait_rows.until) r
		GROUP BY r.db, r.role, r.application_name, r.query_id, r.state, r.event_type, r.event, r.class;
	ELSIF source.newest_part IS NOT NULL THEN
		RETURN QUERY
		SELECT n.db, n.role, n.application_name, n.query_id, n.state, n.event_type, n.event, n.class,
			pg_catalog.round(source.newest_part * n.samples)::int8, source.newest_part * n.seconds, source.newest_part * n.blocked_seconds,
			coalesce(n.folded, false)
		FROM pgdba.wait_now() n;
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.wait_rows(timestamptz, timestamptz) IS
	'What sessions did in a time, as probe wait has it.';

CREATE FUNCTION pgdba.wait_window(span interval, OUT since timestamptz, OUT until timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
BEGIN
	PERFORM pgdba.require_preload();
	IF span IS NULL OR span <= interval '0' THEN
		RAISE EXCEPTION 'span must be positive' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Give the length of the time to look at, such as interval ''5 minutes''.';
	END IF;
	-- What is newer than a look at the sessions is known after the next one.
	until := coalesce(nullif(pg_catalog.current_setting('pgdba.as_of', true), '')::timestamptz, statement_timestamp()
		- pg_catalog.make_interval(secs => 1 / pg_catalog.current_setting('pgdba.wait_rate')::float8));
	since := until - span;
END
$$;
COMMENT ON FUNCTION pgdba.wait_window(interval) IS
	'The time of this length that ends now, which is a look at the sessions ago, or at pgdba.as_of. Raises 22023 unless it is positive, 55000 without preload.';

CREATE FUNCTION pgdba.wait_doubt(samples bigint, observed_seconds float8) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN CASE WHEN observed_seconds IS NULL THEN 'nothing was sampled in this time'
		WHEN coalesce(samples, 0) < 300 THEN concat(coalesce(samples, 0), CASE samples WHEN 1 THEN ' sample' ELSE ' samples' END,
			' of active sessions, fewer than the 300 that a verdict needs') END;
COMMENT ON FUNCTION pgdba.wait_doubt(bigint, float8) IS 'Why shares of the load are not to be trusted; NULL when they are.';

CREATE FUNCTION pgdba.load(span interval DEFAULT '5 minutes')
	RETURNS TABLE (class text, sessions float8, share float8, per_cpu float8, seconds float8, samples bigint, on_core_sessions float8,
		runnable_sessions float8, cpus float8, observed_seconds float8, confident bool, reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	looked record;
	source record;
BEGIN
	SELECT * INTO looked FROM pgdba.wait_window(span);
	SELECT * INTO source FROM pgdba.wait_sources(looked.since, looked.until);
	RETURN QUERY
	WITH seen AS MATERIALIZED (
		SELECT r.class, pg_catalog.sum(r.seconds) AS seconds, pg_catalog.sum(r.samples)::int8 AS samples
		FROM pgdba.wait_rows(looked.since, looked.until) r
		WHERE r.state = 'active' GROUP BY r.class
	), part AS MATERIALIZED (
		SELECT c.place, c.class, coalesce(s.seconds, 0) AS seconds, coalesce(s.samples, 0) AS samples
		FROM (VALUES (1, 'CPU'), (2, 'IO'), (3, 'Lock'), (4, 'LWLock'), (5, 'Client'), (6, 'IPC'), (7, 'Timeout'), (8, 'Extension'),
			(9, 'BufferPin'), (10, 'Activity'), (11, 'other')) AS c (place, class)
		LEFT JOIN seen s ON s.class = c.class
	), total AS (
		SELECT 0 AS place, 'total' AS class, pg_catalog.sum(p.seconds) AS seconds, pg_catalog.sum(p.samples)::int8 AS samples FROM part p
	)
	SELECT l.class, a.sessions, 100 * l.seconds / nullif(t.seconds, 0), a.sessions / c.cpus,
		CASE WHEN source.observed_seconds IS NOT NULL THEN l.seconds END, l.samples,
		-- In proportion to what the system says of these sessions, so that both are the class.
		CASE l.class WHEN 'CPU' THEN a.sessions * source.cpu_seconds / c.told END,
		CASE l.class WHEN 'CPU' THEN a.sessions * source.runnable_seconds / c.told END,
		c.cpus, source.observed_seconds, d.reason IS NULL, d.reason
	FROM (TABLE total UNION ALL TABLE part) l
	CROSS JOIN total t
	CROSS JOIN LATERAL (SELECT l.seconds / source.observed_seconds AS sessions) a
	CROSS JOIN LATERAL (SELECT (SELECT w.cpus FROM pgdba.last_wait_tick w) AS cpus,
		nullif(source.cpu_seconds + source.runnable_seconds, 0) AS told) c
	CROSS JOIN LATERAL (SELECT pgdba.wait_doubt(t.samples, source.observed_seconds) AS reason) d
	ORDER BY l.place;
END
$$;
COMMENT ON FUNCTION pgdba.load(interval) IS
	'The load of the server: sessions that are active, on average. A row for each class of waits, the total before them. sessions: on average. share: percent of the total. per_cpu: sessions for each CPU. seconds: session-seconds. samples: how often one was seen. on_core_sessions, runnable_sessions: those of class CPU that had one, and that waited for one to get free; NULL where the system does not tell. cpus: CPUs that the server may use. observed_seconds: how much of the time was looked at; NULL is none. confident: false below 300 samples; reason: why. Raises 22023 unless span is positive, 55000 without preload.';

-- By what is not known (the process has no role, say) name is NULL. What the samples had no room for is folded: its class is known, so CPU is
-- whole by event. Without a name for the group, all are one.
CREATE FUNCTION pgdba.wait_groups(since timestamptz, until timestamptz, by text)
	RETURNS TABLE (name text, db text, folded bool, class text, seconds float8, samples bigint, blocked_seconds float8, waits_for text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH named AS (
		SELECT r.*, CASE r.class WHEN 'CPU' THEN 'CPU' ELSE pg_catalog.concat(r.event_type, ':', r.event) END AS what
		FROM pgdba.wait_rows(wait_groups.since, wait_groups.until) r
		WHERE r.state = 'active'
	), seen AS MATERIALIZED (
		SELECT g.name, g.db, g.folded, g.class, n.what, pg_catalog.sum(n.seconds) AS seconds, pg_catalog.sum(n.samples) AS samples,
			pg_catalog.sum(n.blocked_seconds) AS blocked_seconds
		FROM named n
		CROSS JOIN LATERAL (SELECT
			CASE WHEN wait_groups.by = 'event' THEN n.what WHEN n.folded THEN 'other'
				ELSE CASE wait_groups.by WHEN 'query' THEN n.query_id::text WHEN 'statement' THEN n.query_id::text WHEN 'database' THEN n.db
					WHEN 'role' THEN n.role WHEN 'application' THEN n.application_name END END AS name,
			CASE WHEN wait_groups.by = 'statement' THEN n.db END AS db,
			n.folded AND NOT (wait_groups.by = 'event' AND n.class = 'CPU') AS folded,
			CASE WHEN wait_groups.by = 'event' THEN n.class END AS class) g
		GROUP BY g.name, g.db, g.folded, g.class, n.what
	), placed AS (
		SELECT s.*, pg_catalog.row_number() OVER (PARTITION BY s.name, s.db, s.folded, s.class ORDER BY s.seconds DESC, s.what) AS place,
			pg_catalog.sum(s.seconds) OVER (PARTITION BY s.name, s.db, s.folded, s.class) AS whole
		FROM seen s
	)
	SELECT p.name, p.db, p.folded, p.class, pg_catalog.sum(p.seconds), pg_catalog.sum(p.samples)::int8, pg_catalog.sum(p.blocked_seconds),
		CASE WHEN wait_groups.by <> 'event' THEN pg_catalog.string_agg(pg_catalog.format('%s %s %%', p.what,
			pg_catalog.round(100 * p.seconds / nullif(p.whole, 0))), ', ' ORDER BY p.place) FILTER (WHERE p.place <= 3) END
	FROM placed p
	GROUP BY p.name, p.db, p.folded, p.class;
END
$$;
COMMENT ON FUNCTION pgdba.wait_groups(timestamptz, timestamptz, text) IS 'Under pgdba.waits() and pgdba.top_load().';

CREATE FUNCTION pgdba.waits(span interval, by text DEFAULT 'event')
	RETURNS TABLE (name text, class text, seconds float8, share float8, sessions float8, samples bigint, blocked_seconds float8,
		waits_for text, folded bool, observed_seconds float8, confident bool, reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	looked record;
	source record;
BEGIN
	SELECT * INTO looked FROM pgdba.wait_window(span);
	IF (by IN ('event', 'query', 'database', 'role', 'application')) IS NOT TRUE THEN
		RAISE EXCEPTION 'cannot show waits by %', coalesce('"' || by || '"', 'NULL') USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Waits are shown by event, query, database, role or application.';
	END IF;
	SELECT * INTO source FROM pgdba.wait_sources(looked.since, looked.until);
	IF source.observed_seconds IS NULL THEN
		confident := false;
		reason := pgdba.wait_doubt(0, NULL);
		RETURN NEXT;
		RETURN;
	END IF;
	RETURN QUERY
	WITH part AS MATERIALIZED (
		SELECT * FROM pgdba.wait_groups(looked.since, looked.until, waits.by)
	)
	SELECT p.name, p.class, p.seconds, 100 * p.seconds / nullif(t.seconds, 0), p.seconds / source.observed_seconds, p.samples,
		p.blocked_seconds, p.waits_for, p.folded, source.observed_seconds, t.reason IS NULL, t.reason
	FROM part p
	CROSS JOIN (SELECT pg_catalog.sum(o.seconds) AS seconds, pgdba.wait_doubt(pg_catalog.sum(o.samples)::int8, source.observed_seconds) AS reason
		FROM part o) t
	ORDER BY p.seconds DESC, p.name;
END
$$;
COMMENT ON FUNCTION pgdba.waits(interval, text) IS
	'What active sessions waited for, or were on a CPU for, by event, query (its id), database, role or application: name; NULL for what has none. class: of the event. seconds: session-seconds. share: percent of all. sessions: on average. samples: how often seen. blocked_seconds: waited for a lock that another session holds. waits_for: the three events that took most of it. folded: what the samples had no room for. observed_seconds: how much of the time was looked at. confident: false below 300 samples in all; reason: why. When nothing was looked at there is one row, that says so. Raises 22023 for another word and unless span is positive, 55000 without preload.';

-- Of the last sample of texts; those that are missing are looked for in pg_stat_statements, but not those of the past.
CREATE FUNCTION pgdba.load_texts(databases text[], query_ids bigint[]) RETURNS TABLE (db text, query_id bigint, query text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	known record;
BEGIN
	IF NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN
		RETURN;
	END IF;
	SELECT pg_catalog.array_agg(t.db) AS databases, pg_catalog.array_agg(t.queryid) AS query_ids, pg_catalog.array_agg(t.query) AS texts
		INTO known
	FROM pgdba.last_statement_text t
	JOIN unnest(load_texts.databases, load_texts.query_ids) AS w (db, query_id) ON w.db = t.db AND w.query_id = t.queryid;
	RETURN QUERY SELECT * FROM unnest(known.databases, known.query_ids, known.texts);
	IF coalesce(pg_catalog.current_setting('pgdba.as_of', true), '') <> '' THEN
		RETURN;
	END IF;
	SELECT pg_catalog.array_agg(w.db) AS databases, pg_catalog.array_agg(w.query_id) AS query_ids
		INTO known
	FROM unnest(load_texts.databases, load_texts.query_ids) AS w (db, query_id)
	WHERE w.db IS NOT NULL AND w.query_id IS NOT NULL
		AND NOT EXISTS (SELECT FROM unnest(known.databases, known.query_ids) AS k (db, query_id) WHERE k.db = w.db AND k.query_id = w.query_id);
	IF known.databases IS NOT NULL THEN
		RETURN QUERY SELECT t.db, t.queryid, t.query FROM pgdba.statement_texts(known.databases, known.query_ids) t;
	END IF;
EXCEPTION WHEN undefined_function OR insufficient_privilege THEN
	RETURN; -- there is no pg_stat_statements, or its schema may not be used
END
$$;
COMMENT ON FUNCTION pgdba.load_texts(text[], bigint[]) IS
	'Texts of statements for pgdba.top_load(); none for who is not a member of pg_read_all_stats.';

CREATE FUNCTION pgdba.top_load(span interval DEFAULT '5 minutes')
	RETURNS TABLE (query_id bigint, database text, share float8, sessions float8, seconds float8, samples bigint, waits_for text, query text,
		folded bool, observed_seconds float8, confident bool, reason text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	looked record;
	source record;
BEGIN
	SELECT * INTO looked FROM pgdba.wait_window(span);
	SELECT * INTO source FROM pgdba.wait_sources(looked.since, looked.until);
	IF source.observed_seconds IS NULL THEN
		confident := false;
		reason := pgdba.wait_doubt(0, NULL);
		RETURN NEXT;
		RETURN;
	END IF;
	RETURN QUERY
	WITH part AS MATERIALIZED (
		SELECT CASE WHEN NOT g.folded THEN g.name::int8 END AS query_id, g.db, g.folded, g.seconds, g.samples, g.waits_for
		FROM pgdba.wait_groups(looked.since, looked.until, 'statement') g
	), top AS MATERIALIZED (
		SELECT p.* FROM part p
		ORDER BY p.seconds DESC, p.db, p.query_id LIMIT pg_catalog.current_setting('pgdba.top_queries')::int8
	), text AS MATERIALIZED (
		SELECT t.* FROM (SELECT pg_catalog.array_agg(o.db) AS databases, pg_catalog.array_agg(o.query_id) AS query_ids FROM top o) w
		CROSS JOIN LATERAL pgdba.load_texts(w.databases, w.query_ids) t
	)
	SELECT p.query_id, p.db, 100 * p.seconds / nullif(t.seconds, 0), p.seconds / source.observed_seconds, p.seconds, p.samples, p.waits_for,
		x.query, p.folded, source.observed_seconds, t.reason IS NULL, t.reason
	FROM top p
	CROSS JOIN (SELECT pg_catalog.sum(o.seconds) AS seconds, pgdba.wait_doubt(pg_catalog.sum(o.samples)::int8, source.observed_seconds) AS reason
		FROM part o) t
	LEFT JOIN text x ON x.db = p.db AND x.query_id = p.query_id
	ORDER BY p.seconds DESC, p.db, p.query_id;
END
$$;
COMMENT ON FUNCTION pgdba.top_load(interval) IS
	'Which statements the load is, the largest pgdba.top_queries of them. query_id and database: of the statement; NULL where it has none, or is not known. share: percent of the whole load. sessions: on average. seconds: session-seconds. samples: how often seen. waits_for: the three events that took most of it. query: the text, for members of pg_read_all_stats. folded: the statements that the samples had no room for. observed_seconds, confident, reason: as in pgdba.waits(). Raises 22023 unless span is positive, 55000 without preload.';

CREATE FUNCTION pgdba.session_history(pid int DEFAULT NULL, query_id bigint DEFAULT NULL, span interval DEFAULT '5 minutes',
	max_rows int DEFAULT 1000)
	RETURNS TABLE (session_pid int, began timestamptz, ended timestamptz, seconds float8, state text, event_type text, event text,
		statement_id bigint, database text, role text, application_name text, backend_type text, backend_start timestamptz,
		xact_start timestamptz, leader_pid int, blocked bool, samples bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	looked record;
	reach timestamptz := pgdba.wait_runs_since();
BEGIN
	SELECT * INTO looked FROM pgdba.wait_window(span);
	IF (max_rows > 0) IS NOT TRUE THEN
		RAISE EXCEPTION 'max_rows must be positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF (reach <= looked.since) IS NOT TRUE THEN
		RAISE NOTICE 'what single sessions did is known %', CASE WHEN reach < looked.until
				THEN pg_catalog.format('since %s, not before', reach) ELSE 'for no part of this time' END
			USING HINT = 'pgdba.waits() and pgdba.top_load() know more, added up by the minute; pgdba.wait_memory is how much is kept of sessions.';
	END IF;
	RETURN QUERY
	SELECT n.pid, n.began, n.ended, n.seconds, n.state, n.event_type, n.event, n.query_id, n.db, n.role, n.application_name, n.backend_type,
		n.backend_start, n.xact_start, n.leader_pid, n.blocked, n.samples
	FROM (SELECT r.* FROM pgdba.wait_runs(looked.since, looked.until) r
		WHERE (session_history.pid IS NULL OR session_history.pid IN (r.pid, r.leader_pid))
			AND (session_history.query_id IS NULL OR session_history.query_id = r.query_id)
		ORDER BY r.began DESC, r.pid LIMIT session_history.max_rows) n
	ORDER BY n.began, n.pid;
END
$$;
COMMENT ON FUNCTION pgdba.session_history(int, bigint, interval, int) IS
	'What sessions did, from the raw memory: those of a process and of its parallel workers, those that ran a statement, or all. A row for as long as nothing changed (began, ended; seconds: how long it was seen so; samples: how often), the newest max_rows of them. A notice says where the raw memory does not reach. Raises 22023 unless span and max_rows are positive, 55000 without preload.';
