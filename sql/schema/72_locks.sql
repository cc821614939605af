-- Who waits for a lock, and who is in the way.

-- Lists of process IDs are JSON as text: read into jsonb there, they would cost more than all the rest. With a number, `blocked_by` has all blockers that do not wait and so many of those that do; with NULL all of them.
CREATE FUNCTION pgdba.lock_sessions(most_waiting int DEFAULT 4)
	RETURNS TABLE (place bigint, depth bigint, path text, pid bigint, worker_pid bigint, prepared_xid bigint,
		wait_start timestamptz, lock_type text, mode text, blocker_mode text, blocker_holds bool, lock_database bigint,
		lock_relid bigint, target text, blocked_by text, blocked bigint, queued_ddl bool, circle bool)
	LANGUAGE c VOLATILE ROWS 500 AS 'MODULE_PATHNAME', 'pgdba_lock_sessions';
COMMENT ON FUNCTION pgdba.lock_sessions(int) IS
	'The sessions that wait for a lock, and those in their way, as a forest. One look at the lock table, none while nobody waits. Raises nothing.';

-- A function, because probe lock_wait is defined before relation is.
CREATE FUNCTION pgdba.relation_names(relids bigint[], elsewhere bool) RETURNS TABLE (db text, relid bigint, relation text)
	LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF coalesce(pg_catalog.cardinality(relids), 0) = 0 THEN
		RETURN;
	END IF;
	RETURN QUERY SELECT pg_catalog.current_database()::text, c.oid::int8, pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = ANY (relids::oid[]);
	IF elsewhere AND pgdba.loaded() THEN
		RETURN QUERY SELECT r.db, r.relid, pg_catalog.min(r.relation)
			FROM (SELECT t.db, t.relid, t.relation FROM pgdba.last_relation t
				UNION ALL SELECT w.db, w.lock_relid, w.relation FROM pgdba.last_lock_wait w) r
			WHERE r.relid = ANY (relids) AND r.relation IS NOT NULL AND r.db <> pg_catalog.current_database()
			GROUP BY r.db, r.relid;
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.relation_names(bigint[], bool) IS
	'Names of relations by OID: in this database from its catalog, without a lock; in others, when asked for, from the newest samples that have one. Raises nothing.';

-- Plain SQL in one piece, because a function called for each of hundreds of rows would cost more than all the rest.
-- Planning it would too: one plan serves both times.
CREATE FUNCTION pgdba.lock_tree(as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (line text, depth int, path int[], root int, pid int, backend_start timestamptz, worker_pid int,
		prepared_gid text, database text, role text, application_name text, state text, xact_seconds float8,
		wait_seconds float8, lock_type text, mode text, blocker_mode text, blocker_holds bool, relation text, target text,
		blocked_by int[], blocked bigint, queued_ddl bool, circle bool, query_id bigint, query text, sampled_at timestamptz)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	setting text := pg_catalog.current_setting('pgdba.as_of', true);
	at timestamptz := coalesce(lock_tree.as_of, nullif(setting, '')::timestamptz);
	oldest timestamptz; -- a sample older than three intervals says nothing of then
	moment timestamptz := pg_catalog.clock_timestamp();
	texts bool := pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE');
BEGIN
	IF at IS NOT NULL THEN
		PERFORM pgdba.require_preload();
		IF NOT isfinite(at) THEN
			RAISE EXCEPTION 'as_of must be a finite time' USING ERRCODE = 'datetime_field_overflow';
		END IF;
		PERFORM pg_catalog.set_config('pgdba.as_of', at::text, true);
		SELECT at - pg_catalog.make_interval(secs => 3 * l.interval_seconds) INTO oldest FROM pgdba.loop_rows() l WHERE l.loop = 'hot';
	END IF;
	RETURN QUERY
	WITH node AS MATERIALIZED (
		SELECT l.place, l.depth, l.path, l.pid, a.backend_start, l.worker_pid, x.gid, coalesce(a.datname, x.database)::text AS db,
			coalesce(a.usename, x.owner)::text AS role, a.application_name, a.state, a.xact_start, x.prepared, l.wait_start,
			l.lock_type, l.mode, l.blocker_mode, l.blocker_holds, l.lock_database, l.lock_relid, NULL::text AS relation, l.target,
			l.blocked_by, l.blocked, l.queued_ddl, l.circle, a.query_id, a.query, moment AS sampled_at
		FROM pgdba.lock_sessions() l
		LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
		LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = l.prepared_xid::text::xid
		WHERE at IS NULL
		UNION ALL
		SELECT l.place, l.depth, l.path::text, l.pid, l.backend_start, l.worker_pid, l.prepared_gid, l.db, coalesce(a.role, l.prepared_owner),
			a.application_name, a.state, a.xact_start, l.prepared_at, l.wait_start,
			l.lock_type, l.mode, l.blocker_mode, l.blocker_holds, NULL, l.lock_relid, l.relation, l.target,
			l.blocked_by::text, l.blocked, l.queued_ddl, l.circle, a.query_id, a.query, l.sampled_at
		FROM pgdba.last_lock_wait l
		LEFT JOIN pgdba.last_activity a ON a.pid = l.pid AND a.backend_start = l.backend_start AND a.sampled_at = l.sampled_at
		WHERE at IS NOT NULL AND l.sampled_at > oldest
	), known AS MATERIALIZED (
		SELECT r.db, r.relid, r.relation
		FROM pgdba.relation_names(ARRAY(SELECT DISTINCT n.lock_relid FROM node n
				WHERE n.lock_relid IS NOT NULL AND n.relation IS NULL),
			EXISTS (SELECT FROM node n WHERE n.lock_relid IS NOT NULL AND n.relation IS NULL
				AND n.lock_database IS DISTINCT FROM 0 AND n.db <> pg_catalog.current_database())) r
	), named AS (
		SELECT n.*, coalesce(n.relation, k.relation, n.lock_relid::text) AS name,
			pg_catalog.translate(n.path, '[]', '{}')::int4[] AS chain,
			pg_catalog.date_part('epoch', n.sampled_at - coalesce(n.xact_start, n.prepared)) AS xact_seconds,
			pg_catalog.date_part('epoch', n.sampled_at - n.wait_start) AS wait_seconds,
			CASE WHEN texts AND n.query <> '<insufficient privilege>' THEN n.query END AS shown
		FROM node n
		LEFT JOIN known k ON k.relid = n.lock_relid
			AND k.db = CASE n.lock_database WHEN 0 THEN pg_catalog.current_database()::text ELSE n.db END
	)
	SELECT pg_catalog.concat(pg_catalog.repeat('  ', least(n.depth, 40)::int4),
			CASE n.pid WHEN 0 THEN pg_catalog.concat('prepared transaction ', n.gid) ELSE n.pid::text END,
			' ' || n.role, '@' || n.db, ' (' || nullif(n.application_name, '') || ')',
			CASE WHEN n.lock_type IS NULL THEN pg_catalog.concat(', ' || n.state,
					', in transaction for ' || pg_catalog.round(n.xact_seconds) || ' s')
				ELSE pg_catalog.concat(' waits ' || pg_catalog.round(n.wait_seconds) || ' s', ' for ', n.mode, ' on ', n.lock_type,
					' ' || n.target, CASE WHEN n.target IS NULL THEN ' ' ELSE ' of ' END || n.name, ', ' || CASE WHEN n.blocker_holds THEN 'held: ' ELSE 'queued ahead: ' END
					|| n.blocker_mode) END,
			', ' || nullif(n.blocked, 0) || ' behind it',
			CASE WHEN n.queued_ddl THEN ', holds up readers or writers' END,
			CASE WHEN n.circle THEN ', waits for itself' END),
		n.depth::int4, n.chain, n.chain[1], n.pid::int4, n.backend_start, n.worker_pid::int4, n.gid, n.db, n.role, n.application_name,
		n.state, n.xact_seconds, n.wait_seconds, n.lock_type, n.mode, n.blocker_mode, n.blocker_holds, n.name, n.target,
		pg_catalog.translate(coalesce(n.blocked_by, '[]'), '[]', '{}')::int4[],
		n.blocked, coalesce(n.queued_ddl, false), n.circle, n.query_id, n.shown, n.sampled_at
	FROM named n
	ORDER BY n.place;
	IF at IS NOT NULL THEN
		PERFORM pg_catalog.set_config('pgdba.as_of', coalesce(setting, ''), true);
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.lock_tree(timestamptz) IS
	'Who waits for a lock and who is in the way, as a tree: now, or as the hot loop saw it at a time. Raises 22008 for a time that is not finite, 55000 for the past without preload.';

CREATE FUNCTION pgdba.lock_waits(span interval DEFAULT '1 hour')
	RETURNS TABLE (database text, relation text, lock_type text, waits bigint, sessions bigint, longest_seconds float8,
		seconds float8, hot_row text, hot_row_sessions bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	until timestamptz := coalesce(nullif(pg_catalog.current_setting('pgdba.as_of', true), '')::timestamptz, pg_catalog.now());
	since timestamptz := until - lock_waits.span;
BEGIN
	PERFORM pgdba.require_preload();
	IF span IS NULL OR since >= until THEN
		RAISE EXCEPTION 'span must be positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	WITH wait AS MATERIALIZED (
		-- A wait is known by who began it when; how long it was, as far as it was seen.
		SELECT h.db, h.lock_relid, h.lock_type, h.target, h.pid, h.backend_start, h.wait_start, pg_catalog.max(h.relation) AS relation,
			extract(epoch FROM pg_catalog.max(h.sampled_at) - greatest(h.wait_start, since))::float8 AS seconds
		FROM pgdba.hist_lock_wait h
		WHERE h.sampled_at > since AND h.sampled_at <= until AND h.wait_start IS NOT NULL
		GROUP BY h.db, h.lock_relid, h.lock_type, h.target, h.pid, h.backend_start, h.wait_start
	), hot AS (
		SELECT DISTINCT ON (r.db, r.lock_relid) r.db, r.lock_relid, r.target, r.sessions
		FROM (SELECT w.db, w.lock_relid, w.target, pg_catalog.count(DISTINCT (w.pid, w.backend_start)) AS sessions
			FROM wait w
			WHERE w.lock_relid IS NOT NULL AND w.lock_type IN ('tuple', 'transactionid')
			GROUP BY w.db, w.lock_relid, w.target) r
		WHERE r.sessions > 1
		ORDER BY r.db, r.lock_relid, r.sessions DESC, r.target
	)
	SELECT w.db, coalesce(pg_catalog.max(w.relation), pg_catalog.max(k.relation), w.lock_relid::text), w.lock_type, pg_catalog.count(*),
		pg_catalog.count(DISTINCT (w.pid, w.backend_start)), pg_catalog.max(w.seconds), pg_catalog.sum(w.seconds), h.target, h.sessions
	FROM wait w
	LEFT JOIN pgdba.relation_names(ARRAY(SELECT DISTINCT u.lock_relid FROM wait u WHERE u.relation IS NULL AND u.lock_relid IS NOT NULL), true) k
		ON k.db = w.db AND k.relid = w.lock_relid
	LEFT JOIN hot h ON h.db = w.db AND h.lock_relid = w.lock_relid AND w.lock_type IN ('tuple', 'transactionid')
	GROUP BY w.db, w.lock_relid, w.lock_type, h.target, h.sessions
	ORDER BY 7 DESC, 1, 2, 3;
END
$$;
COMMENT ON FUNCTION pgdba.lock_waits(interval) IS
	'Waits for locks that the hot loop saw, by relation and kind of lock, the dearest first. Raises 22023 for a span that is not positive, 55000 without preload.';
