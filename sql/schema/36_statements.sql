-- Statistics of statements, from pg_stat_statements in whatever schema and version it is.
--
-- It may be missing, in a schema of any name, and older than the server, because nobody updated the extension after
-- pg_upgrade; and its columns were renamed more than once. So its functions are looked for, and the text that calls them
-- is made from the columns they have. Defining a probe evaluates none of this.

-- Only functions in C that belong to the extension are called: nobody but a superuser can make one.
CREATE FUNCTION pgdba.statement_source(OUT source text, OUT info_source text, OUT columns text[], OUT version text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	member record;
BEGIN
	FOR member IN
		SELECT n.oid AS schema_oid, n.nspname, p.proname, p.proargnames, e.extversion
		FROM pg_catalog.pg_extension e
		JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
			AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		JOIN pg_catalog.pg_proc p ON p.oid = d.objid
		JOIN pg_catalog.pg_language l ON l.oid = p.prolang
		JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		WHERE e.extname = 'pg_stat_statements' AND l.lanname = 'c'
			AND ((p.proname = 'pg_stat_statements' AND p.pronargs = 1 AND p.proargtypes[0] = 'pg_catalog.bool'::pg_catalog.regtype)
				OR (p.proname = 'pg_stat_statements_info' AND p.pronargs = 0))
	LOOP
		IF NOT pg_catalog.has_schema_privilege(member.schema_oid, 'USAGE') THEN
			RAISE EXCEPTION 'permission denied for the schema of pg_stat_statements: GRANT USAGE ON SCHEMA % TO %;',
				pg_catalog.quote_ident(member.nspname), pg_catalog.quote_ident(current_user)
				USING ERRCODE = 'insufficient_privilege';
		END IF;
		version := member.extversion;
		IF member.proname = 'pg_stat_statements' THEN
			source := pg_catalog.format('%I.%I', member.nspname, member.proname);
			columns := member.proargnames;
		ELSE
			info_source := pg_catalog.format('%I.%I', member.nspname, member.proname);
		END IF;
	END LOOP;
	IF source IS NULL THEN
		RAISE EXCEPTION 'extension "pg_stat_statements" has no function pg_stat_statements(boolean)' USING
			ERRCODE = 'undefined_function',
			HINT = 'Drop the extension and create it again.';
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.statement_source() IS
	'The functions of pg_stat_statements as quoted names, and the columns that they have. Raises 42883 without the extension, 42501 when its schema may not be used.';

-- One row per entry, without texts: times in milliseconds as they are there, NULL what that version does not have.
CREATE FUNCTION pgdba.statement_rows()
	RETURNS TABLE (dbid oid, queryid bigint, calls bigint, exec_time float8, exec_deviation float8, rows bigint,
		shared_blks_hit bigint, shared_blks_read bigint, shared_blks_dirtied bigint, shared_blks_written bigint,
		temp_blks_read bigint, temp_blks_written bigint, blk_read_time float8, blk_write_time float8, wal_bytes bigint,
		plan_time float8, since timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
DECLARE
	found record;
BEGIN
	SELECT * INTO found FROM pgdba.statement_source();
	RETURN QUERY EXECUTE pg_catalog.concat('SELECT s.dbid, s.queryid, s.calls, ',
		CASE WHEN 'total_exec_time' = ANY (found.columns) THEN 's.total_exec_time, s.stddev_exec_time'
			ELSE 's.total_time, s.stddev_time' END, -- until 1.7
		', s.rows, s.shared_blks_hit, s.shared_blks_read, s.shared_blks_dirtied, s.shared_blks_written, ',
		's.temp_blks_read, s.temp_blks_written, ',
		CASE WHEN 'shared_blk_read_time' = ANY (found.columns)
			THEN 's.shared_blk_read_time + s.local_blk_read_time, s.shared_blk_write_time + s.local_blk_write_time, '
			ELSE 's.blk_read_time, s.blk_write_time, ' END, -- until 1.10, of shared and local blocks together
		CASE WHEN 'wal_bytes' = ANY (found.columns) THEN 's.wal_bytes::int8, ' ELSE 'NULL::int8, ' END,
		CASE WHEN 'total_plan_time' = ANY (found.columns) THEN 's.total_plan_time, ' ELSE 'NULL::float8, ' END,
		-- The start of the entry itself, from 1.11 on, changes also when it was evicted and came back.
		CASE WHEN 'stats_since' = ANY (found.columns) THEN 's.stats_since'
			WHEN found.info_source IS NOT NULL
				THEN pg_catalog.format('(SELECT i.stats_reset FROM %s() i)', found.info_source) -- from 1.9 on
			ELSE 'NULL::timestamptz' END,
		' FROM ', found.source, '(false) s');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	RETURN; -- created, but not preloaded: statement_totals() says so
END
$$;
COMMENT ON FUNCTION pgdba.statement_rows() IS
	'Statistics of statements without texts, the same columns for every version of pg_stat_statements; no rows while it is not preloaded. Raises 42883 without the extension, 42501 when its schema may not be used.';

CREATE FUNCTION pgdba.statement_totals()
	RETURNS TABLE (preloaded bool, version text, track text, max_entries bigint, evictions bigint, stats_reset timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
DECLARE
	found record;
BEGIN
	SELECT * INTO found FROM pgdba.statement_source();
	version := found.version;
	IF found.info_source IS NOT NULL THEN
		EXECUTE pg_catalog.format('SELECT i.dealloc, i.stats_reset FROM %s() i', found.info_source) INTO evictions, stats_reset;
	ELSE
		EXECUTE pg_catalog.format('SELECT FROM %s(false) LIMIT 1', found.source); -- raises unless it is preloaded
	END IF;
	preloaded := true;
	track := pg_catalog.current_setting('pg_stat_statements.track', true);
	max_entries := pg_catalog.current_setting('pg_stat_statements.max', true);
	RETURN NEXT;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	preloaded := false;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pgdba.statement_totals() IS
	'What pg_stat_statements says of itself. Evictions are known from version 1.9 of the extension on. Raises 42883 without the extension, 42501 when its schema may not be used.';

-- Texts that may hold a password are not given. A text that cannot be converted into this database's encoding fails the
-- whole call of pg_stat_statements: then there are none.
CREATE FUNCTION pgdba.statement_texts(databases text[], queryids bigint[])
	RETURNS TABLE (db text, queryid bigint, query text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
DECLARE
	found record;
BEGIN
	SELECT * INTO found FROM pgdba.statement_source();
	RETURN QUERY EXECUTE pg_catalog.format($query$
		SELECT w.db, w.queryid, pg_catalog."left"(pg_catalog.min(s.query) FILTER (WHERE NOT s.withheld), 2000)
		FROM unnest($1, $2) AS w (db, queryid)
		JOIN pg_catalog.pg_database d ON d.datname::text = w.db
		JOIN (SELECT o.dbid, o.queryid, o.query, o.query ILIKE '%%password%%' OR o.query = '<insufficient privilege>' AS withheld
			FROM %s(true) o) s ON s.dbid = d.oid AND s.queryid = w.queryid
		GROUP BY w.db, w.queryid$query$, found.source) USING databases, queryids;
EXCEPTION
	WHEN object_not_in_prerequisite_state THEN
		RETURN;
	WHEN character_not_in_repertoire OR untranslatable_character THEN
		RETURN QUERY SELECT w.db, w.queryid, NULL::text FROM unnest(databases, queryids) AS w (db, queryid);
END
$$;
COMMENT ON FUNCTION pgdba.statement_texts(text[], bigint[]) IS
	'The texts of these statements, cut to 2,000 characters; NULL when they may hold a password or cannot be read. Raises 42883 without the extension, 42501 when its schema may not be used.';
