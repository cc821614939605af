\echo Use "CREATE EXTENSION pgdba" to load this file. \quit

-- sql/schema/05_schema.sql
-- DROP EXTENSION leaves the schema, and somebody may have made it before us: who owns it, or may create in it, could put
-- functions and views of their own beside ours.
DO $schema$
DECLARE
	owner pg_catalog.pg_roles;
	makers text;
	inside text;
BEGIN
	SELECT r.* INTO owner FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
	WHERE n.nspname = 'pgdba';
	SELECT pg_catalog.string_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END, ', ') INTO makers
	FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
	WHERE n.nspname = 'pgdba' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner;
	SELECT pg_catalog.min(o.name) INTO inside
	FROM (SELECT p.oid::pg_catalog.regprocedure::text AS name FROM pg_catalog.pg_proc p
			WHERE p.pronamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT o.oprname::text FROM pg_catalog.pg_operator o WHERE o.oprnamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT t.typname::text FROM pg_catalog.pg_type t WHERE t.typnamespace = 'pgdba'::pg_catalog.regnamespace) o;
	IF NOT owner.rolsuper OR makers IS NOT NULL OR inside IS NOT NULL THEN
		RAISE EXCEPTION 'schema "pgdba" exists and cannot be used by pgdba' USING
			ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = pg_catalog.concat_ws(' ',
				CASE WHEN NOT owner.rolsuper THEN pg_catalog.format('Its owner "%s" is not a superuser.', owner.rolname) END,
				'Others may create objects in it: ' || makers || '.',
				'It already has an object: ' || inside || '.'),
			HINT = 'Drop or rename it.';
	END IF;
END
$schema$;

-- sql/schema/10_roles.sql
-- Server roles. They belong to the cluster: two databases share them, and they outlive the extension.
--
-- A role of this name may have been made by somebody else, who could then use what is granted to it here. So an
-- existing role is taken only when nobody can act as it and it can do nothing yet.
DO $roles$
DECLARE
	wanted text;
	present pg_catalog.pg_roles;
	faults text[];
	remedies text[];
	members text;
	owned text;
BEGIN
	FOREACH wanted IN ARRAY '{pgdba_sampler,pgdba_admin}'::pg_catalog.text[] LOOP
		SELECT * INTO present FROM pg_catalog.pg_roles r WHERE r.rolname = wanted;
		IF NOT FOUND THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
			CONTINUE;
		END IF;
		faults := '{}';
		remedies := '{}';
		IF present.rolcanlogin THEN
			faults := faults || 'It can log in.'::pg_catalog.text;
			remedies := remedies || pg_catalog.format('ALTER ROLE %I NOLOGIN;', wanted);
		END IF;
		IF present.rolsuper OR present.rolcreaterole OR present.rolcreatedb OR present.rolreplication
			OR present.rolbypassrls
		THEN
			faults := faults || 'It is superuser, or may create roles or databases, replicate or bypass row security.'::pg_catalog.text;
			remedies := remedies || pg_catalog.format(
				'ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;', wanted);
		END IF;
		SELECT pg_catalog.string_agg(pg_catalog.quote_ident(u.rolname), ', ' ORDER BY u.rolname) INTO members
		FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member
		WHERE m.roleid = present.oid;
		IF members IS NOT NULL THEN
			faults := faults || pg_catalog.format('It has members: %s.', members);
			remedies := remedies || pg_catalog.format('REVOKE %I FROM %s;', wanted, members);
		END IF;
		SELECT pg_catalog.string_agg(pg_catalog.quote_ident(g.rolname), ', ' ORDER BY g.rolname) INTO owned
		FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
		WHERE m.member = present.oid AND NOT (wanted = 'pgdba_sampler' AND g.rolname = 'pg_monitor');
		IF owned IS NOT NULL THEN
			faults := faults || pg_catalog.format('It is a member of %s.', owned);
			remedies := remedies || pg_catalog.format('REVOKE %s FROM %I;', owned, wanted);
		END IF;
		IF EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = present.oid) THEN
			faults := faults || 'It has settings of its own.'::pg_catalog.text;
			remedies := remedies || (SELECT pg_catalog.array_agg(
					pg_catalog.format('ALTER ROLE %I %sRESET ALL;', wanted,
						'IN DATABASE ' || pg_catalog.quote_ident(d.datname) || ' ') ORDER BY d.datname)
				FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
				WHERE s.setrole = present.oid);
		END IF;
		IF faults <> '{}' THEN
			RAISE EXCEPTION 'role "%" exists and cannot be used by pgdba', wanted USING
				ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = pg_catalog.array_to_string(faults, ' '),
				HINT = pg_catalog.format('Make sure that nobody made it to act as pgdba, then run: %s',
					pg_catalog.array_to_string(remedies, ' '));
		END IF;
	END LOOP;
END
$roles$;

-- What probes and checks run as: the monitoring views, and the three things that pg_monitor does not see.
GRANT pg_monitor TO pgdba_sampler;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO pgdba_sampler;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO pgdba_sampler;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ident_file_mappings() TO pgdba_sampler;
GRANT SELECT ON pg_catalog.pg_hba_file_rules TO pgdba_sampler;
GRANT SELECT ON pg_catalog.pg_file_settings TO pgdba_sampler;
GRANT SELECT ON pg_catalog.pg_ident_file_mappings TO pgdba_sampler;

-- sql/schema/20_tables.sql
-- What is measured and judged, as data. `origin` says who defined a row: while this script runs the default is
-- 'pgdba', its last part makes it 'user'. Only the rows of users are dumped: CREATE EXTENSION brings the others.
--
-- Tables that this script fills are unlogged until its last part: rows of a logged one would go to the subscribers of a
-- publication FOR ALL TABLES, which do not have the table, and stop there for good.

CREATE UNLOGGED TABLE pgdba.probe (
	name text PRIMARY KEY,
	loop text NOT NULL,
	query text NOT NULL,
	key text[] NOT NULL,
	columns jsonb NOT NULL,
	scope text NOT NULL,
	options jsonb NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user'))
);
COMMENT ON TABLE pgdba.probe IS 'Probes as defined by pgdba.define_probe(); a native probe has no query.';

CREATE UNLOGGED TABLE pgdba.probe_variant (
	name text,
	from_version int,
	query text NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user')),
	PRIMARY KEY (name, from_version)
);
COMMENT ON TABLE pgdba.probe_variant IS
	'Texts that replace a probe''s query from a server version (server_version_num) on.';

CREATE UNLOGGED TABLE pgdba.check_definition (
	check_id text PRIMARY KEY,
	query text NOT NULL,
	definition jsonb NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user'))
);
COMMENT ON TABLE pgdba.check_definition IS 'Checks as defined by pgdba.define_check().';

CREATE TABLE pgdba.threshold (
	check_id text,
	object_pattern text DEFAULT '%',
	warning float8,
	critical float8,
	floor jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(floor) = 'object'),
	PRIMARY KEY (check_id, object_pattern)
);
COMMENT ON TABLE pgdba.threshold IS
	'Overrides of thresholds, set by pgdba.set_threshold(); pgdba.thresholds shows what is in effect.';
COMMENT ON COLUMN pgdba.threshold.object_pattern IS 'LIKE pattern of the objects it holds for; the most specific one counts.';
COMMENT ON COLUMN pgdba.threshold.warning IS 'In the unit of the check; NULL: the check''s own.';
COMMENT ON COLUMN pgdba.threshold.critical IS 'In the unit of the check; NULL: the check''s own.';
COMMENT ON COLUMN pgdba.threshold.floor IS 'Least values of named columns, merged over the check''s own.';

SELECT pg_catalog.pg_extension_config_dump('pgdba.probe', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.probe_variant', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.check_definition', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.threshold', '');

-- The table ring: one table per loop, ten slots by time. A row is one sample of one probe in the flat format of the
-- memory ring. Insert only, a slot is emptied whole, so there is nothing for vacuum to do and no index to keep.
DO $ring$
DECLARE
	name text;
	compression text := '';
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_settings s
		WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals))
	THEN
		compression := ' COMPRESSION lz4';
	END IF;
	FOREACH name IN ARRAY '{hot,workload,storage,hourly}'::pg_catalog.text[] LOOP
		EXECUTE pg_catalog.format(
			'CREATE TABLE pgdba.ring_%s (slot int2 NOT NULL, tick int8 NOT NULL, sampled_at timestamptz NOT NULL, '
			'probe text NOT NULL, keyframe bool NOT NULL, payload bytea%s NOT NULL) PARTITION BY LIST (slot)',
			name, compression);
		EXECUTE pg_catalog.format('COMMENT ON TABLE pgdba.ring_%s IS %L', name, pg_catalog.format(
			'Kept samples of the %s loop, packed; read them through the hist_ views.', name));
		FOR slot IN 0..9 LOOP
			EXECUTE pg_catalog.format(
				'CREATE TABLE pgdba.ring_%1$s_%2$s PARTITION OF pgdba.ring_%1$s FOR VALUES IN (%2$s) '
				'WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', name, slot);
		END LOOP;
	END LOOP;
END
$ring$;

-- sql/schema/30_functions_c.sql
-- What the library provides. Those that look at definitions or run them pin the search path as the sampler has it, so
-- that what is accepted here runs there; and jit is off: compiling the text of a check takes a thousand times longer than running it.

CREATE FUNCTION pgdba.loaded() RETURNS bool
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgdba_loaded';
COMMENT ON FUNCTION pgdba.loaded() IS 'Whether shared_preload_libraries has pgdba. Raises nothing.';

CREATE FUNCTION pgdba.require_preload() RETURNS void
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pgdba_require_preload';
COMMENT ON FUNCTION pgdba.require_preload() IS
	'Raises 55000, with the line to add, when shared_preload_libraries does not have pgdba.';

CREATE FUNCTION pgdba.validate_probe(name text, loop text, query text, key text[], columns jsonb, scope text,
	options jsonb)
	RETURNS TABLE (column_name text, column_type text, kind text)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'pgdba_validate_probe';
COMMENT ON FUNCTION pgdba.validate_probe(text, text, text, text[], jsonb, text, jsonb) IS
	'Columns that a probe would return, db first. Raises 22023 for a bad definition, 42601 when the text is not one SELECT, 0A000 for a type no sample can hold, and the errors of the query itself. Runs nothing.';

CREATE FUNCTION pgdba.validate_check(check_id text, query text, definition jsonb) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'pgdba_validate_check';
COMMENT ON FUNCTION pgdba.validate_check(text, text, jsonb) IS
	'Returns when a check is well-formed. Raises 22023 for a bad definition, and the errors of the query itself. Runs nothing.';

CREATE FUNCTION pgdba.definition_changed() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'pgdba_definition_changed';
COMMENT ON FUNCTION pgdba.definition_changed() IS 'Tells the sampler to read its definitions again.';

CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgdba.probe
	FOR EACH STATEMENT EXECUTE FUNCTION pgdba.definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgdba.probe_variant
	FOR EACH STATEMENT EXECUTE FUNCTION pgdba.definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgdba.check_definition
	FOR EACH STATEMENT EXECUTE FUNCTION pgdba.definition_changed();
CREATE TRIGGER definition_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgdba.threshold
	FOR EACH STATEMENT EXECUTE FUNCTION pgdba.definition_changed();

-- Foreign tables of this server are the samples; a filter on sampled_at reaches the ring.
CREATE FUNCTION pgdba.ring_handler() RETURNS pg_catalog.fdw_handler
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgdba_ring_handler';
COMMENT ON FUNCTION pgdba.ring_handler() IS 'Reads samples for the last_ and hist_ views.';
CREATE FOREIGN DATA WRAPPER pgdba_ring HANDLER pgdba.ring_handler NO VALIDATOR;
COMMENT ON FOREIGN DATA WRAPPER pgdba_ring IS 'Samples in the rings of pgdba.';
CREATE SERVER pgdba_ring FOREIGN DATA WRAPPER pgdba_ring;
COMMENT ON SERVER pgdba_ring IS 'The rings of this cluster.';

CREATE FUNCTION pgdba.verdicts_at(as_of timestamptz)
	RETURNS TABLE (check_id text, area text, severity text, object text, database text, message text, value float8, unit text, warning float8, critical float8, since timestamptz, sampled_at timestamptz, evidence jsonb, why text, action text, sql text, lock_level text, undo text, symptom_of text)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
	AS 'MODULE_PATHNAME', 'pgdba_verdicts_at';
COMMENT ON FUNCTION pgdba.verdicts_at(timestamptz) IS
	'Verdicts as they were at a time, judged now from the samples of then; NULL gives the latest ones of the sampler. Raises 55000 without preload.';

CREATE FUNCTION pgdba.health(as_of timestamptz DEFAULT NULL) RETURNS SETOF text
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
	AS 'MODULE_PATHNAME', 'pgdba_health';
COMMENT ON FUNCTION pgdba.health(timestamptz) IS
	'What is wrong and what to do, as lines for people, worst first. Raises 55000 without preload.';

CREATE FUNCTION pgdba.health_json(as_of timestamptz DEFAULT NULL) RETURNS jsonb
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off
	AS 'MODULE_PATHNAME', 'pgdba_health_json';
COMMENT ON FUNCTION pgdba.health_json(timestamptz) IS
	'The same as pgdba.health() for programs. Raises 55000 without preload.';

CREATE FUNCTION pgdba.sample_now(loop text DEFAULT 'all', timeout interval DEFAULT '30s') RETURNS timestamptz
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgdba_sample_now';
COMMENT ON FUNCTION pgdba.sample_now(text, interval) IS
	'Samples and judges now, then returns the time of the sample. Raises 22023 for an unknown loop, 55000 when no sampler runs, 57014 on timeout.';

CREATE FUNCTION pgdba.inject_sample(probe text, sampled_at timestamptz, rows jsonb) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgdba_inject_sample';
COMMENT ON FUNCTION pgdba.inject_sample(text, timestamptz, jsonb) IS
	'Stores a sample of your own, an array of objects by column name, for verdicts_at() and pgdba.as_of; the live health never sees it. Raises 42704 for an unknown probe, 22023 for bad rows.';

CREATE FUNCTION pgdba.process_rows()
	RETURNS TABLE (name text, pid int, started timestamptz, state text, restarts bigint, last_error text)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_process_rows';
COMMENT ON FUNCTION pgdba.process_rows() IS 'Under view pgdba.processes.';

CREATE FUNCTION pgdba.loop_rows()
	RETURNS TABLE (loop text, last timestamptz, interval_seconds float8, late bool, degraded bool, reason text, ticks bigint, errors bigint)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_loop_rows';
COMMENT ON FUNCTION pgdba.loop_rows() IS 'Under view pgdba.loops.';

CREATE FUNCTION pgdba.ring_usage()
	RETURNS TABLE (item text, value bigint)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_ring_usage';
COMMENT ON FUNCTION pgdba.ring_usage() IS
	'How full the memory ring is, and what was evicted or refused. Raises 55000 without preload.';

CREATE FUNCTION pgdba.pause(duration interval) RETURNS timestamptz
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'pgdba_pause';
COMMENT ON FUNCTION pgdba.pause(interval) IS
	'Stops sampling and leaves the home database until the returned time, or pgdba.resume(). Raises 22023 for a duration that is not positive.';

CREATE FUNCTION pgdba.resume() RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_resume';
COMMENT ON FUNCTION pgdba.resume() IS 'Samples again after pgdba.pause().';

-- sql/schema/35_helpers.sql
-- For the texts of checks.

CREATE FUNCTION pgdba.duration_text(seconds float8) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN CASE
		WHEN seconds < 0 OR seconds = 'NaN' OR seconds = 'Infinity' THEN '?'
		WHEN round(seconds) < 60 THEN round(seconds) || ' s'
		WHEN round(seconds) < 3600 THEN concat_ws(' ', floor(round(seconds) / 60) || ' min',
			nullif(round(seconds)::int8 % 60, 0) || ' s')
		WHEN round(seconds) < 86400 THEN concat_ws(' ', floor(round(seconds) / 3600) || ' h',
			nullif(round(seconds)::int8 % 3600 / 60, 0) || ' min')
		ELSE concat_ws(' ', floor(round(seconds) / 86400) || ' d', nullif(round(seconds)::int8 % 86400 / 3600, 0) || ' h')
	END;
COMMENT ON FUNCTION pgdba.duration_text(float8) IS 'Seconds as people read them: "2 min 5 s", "1 d 4 h".';

CREATE FUNCTION pgdba.session_text(pid bigint, role text, application_name text, client_addr text, state text,
	seconds float8) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN 'session ' || pid || coalesce(' (' || nullif(concat_ws(', ', 'role ' || role,
		'application ' || nullif(application_name, ''), 'from ' || client_addr,
		state || coalesce(' for ' || pgdba.duration_text(seconds), '')), '') || ')', '');
COMMENT ON FUNCTION pgdba.session_text(bigint, text, text, text, text, float8) IS
	'A session as people read it, with how long it has been in its state.';

-- The start of a session to the microsecond, the same text in every time zone: with the process ID it is the
-- session's identity, and the guard in a printed pg_terminate_backend().
CREATE FUNCTION pgdba.session_start(backend_start timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00';
COMMENT ON FUNCTION pgdba.session_start(timestamptz) IS 'The start of a session as text, in UTC.';

-- Ending a replication connection, a backup or a vacuum does more harm than waiting for it.
CREATE FUNCTION pgdba.may_end(backend_type text, application_name text) RETURNS bool
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN coalesce(backend_type = 'client backend', false)
		AND NOT (coalesce(application_name, '') LIKE 'pg\_dump%' OR coalesce(application_name, '') LIKE 'pg\_basebackup%'
			OR coalesce(application_name, '') LIKE '%backup%');
COMMENT ON FUNCTION pgdba.may_end(text, text) IS
	'Whether a verdict may suggest pg_terminate_backend() for a session: never for a walsender, a backup or a vacuum.';

-- sql/schema/40_define.sql
-- Defining and dropping probes. The definer's text is run by nobody here: the library prepares it as pgdba_sampler.
--
-- These functions run as the owner of the extension, because whoever was granted the right to define must not need the
-- right to create views in this schema. Who may call them can read what pg_monitor reads, in every database.

-- The text of a probe for this server version.
CREATE FUNCTION pgdba.probe_query(name text, query text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN coalesce((SELECT v.query FROM pgdba.probe_variant v WHERE v.name = probe_query.name
			AND v.from_version <= pg_catalog.current_setting('server_version_num')::pg_catalog.int4
		ORDER BY v.from_version DESC LIMIT 1), probe_query.query);
COMMENT ON FUNCTION pgdba.probe_query(text, text) IS
	'The variant of a probe''s query for this server version, or the given text when there is none.';

CREATE FUNCTION pgdba.is_member(catalog regclass, object oid) RETURNS bool
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN EXISTS (SELECT FROM pg_catalog.pg_depend d
		WHERE d.classid = catalog AND d.objid = object AND d.objsubid = 0 AND d.deptype = 'e'
			AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass);
COMMENT ON FUNCTION pgdba.is_member(regclass, oid) IS 'Whether an object belongs to an extension.';

-- Takes the views of a probe away, and what is under them.
CREATE FUNCTION pgdba.drop_probe_views(name text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	part pg_catalog.pg_class;
	what text;
	detail text;
BEGIN
	FOR part IN SELECT c.* FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'pgdba'::pg_catalog.regnamespace AND c.relkind IN ('v', 'f')
			AND c.relname IN ('last_' || drop_probe_views.name, 'hist_' || drop_probe_views.name,
				'ring_last_' || drop_probe_views.name, 'ring_hist_' || drop_probe_views.name)
		ORDER BY c.relkind DESC
	LOOP
		what := CASE part.relkind WHEN 'v' THEN 'VIEW' ELSE 'FOREIGN TABLE' END;
		IF pgdba.is_member('pg_class', part.oid) THEN
			EXECUTE pg_catalog.format('ALTER EXTENSION pgdba DROP %s pgdba.%I', what, part.relname);
		END IF;
		EXECUTE pg_catalog.format('DROP %s pgdba.%I', what, part.relname);
	END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE EXCEPTION 'cannot replace the views of probe "%" because other objects depend on them', drop_probe_views.name
		USING ERRCODE = 'dependent_objects_still_exist', DETAIL = detail,
			HINT = 'Drop these objects first, and create them again afterwards.';
END
$$;
COMMENT ON FUNCTION pgdba.drop_probe_views(text) IS 'Part of define_probe() and drop_probe().';

-- Makes last_<probe> and hist_<probe> unless they are there with the right columns.
-- REQUIRES: a defined probe. RETURNS: whether it made them. Objects made while the extension's own script runs become
-- members by themselves; the others are added, so that DROP EXTENSION takes them and pg_dump leaves them out.
CREATE FUNCTION pgdba.make_probe_views(name text) RETURNS bool
	LANGUAGE plpgsql SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	probe pgdba.probe;
	wanted text[];
	present text[];
	column_list text;
	side text;
	relation text;
	comments record;
BEGIN
	SELECT * INTO STRICT probe FROM pgdba.probe p WHERE p.name = make_probe_views.name;
	-- sampled_at, db, key columns, the others as the query gives them
	SELECT pg_catalog.array_agg(pg_catalog.format('%I %s', c.column_name, c.column_type) ORDER BY
			c.column_name <> 'db', pg_catalog.array_position(probe.key, c.column_name), c.ordinality)
		INTO wanted
	FROM pgdba.validate_probe(probe.name, probe."loop", pgdba.probe_query(probe.name, probe.query), probe.key,
		probe.columns, probe.scope, probe.options) WITH ORDINALITY c;
	wanted := 'sampled_at timestamp with time zone'::pg_catalog.text || wanted;
	SELECT pg_catalog.array_agg(pg_catalog.format('%I %s', a.attname,
			pg_catalog.format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
		INTO present
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'pgdba'::pg_catalog.regnamespace AND c.relkind = 'v'
		AND c.relname = 'last_' || probe.name AND a.attnum > 0 AND NOT a.attisdropped;

	IF present IS DISTINCT FROM wanted THEN
		PERFORM pgdba.drop_probe_views(probe.name);
		FOREACH side IN ARRAY '{last,hist}'::pg_catalog.text[] LOOP
			column_list := pg_catalog.array_to_string(wanted, ', ');
			IF side = 'hist' THEN
				column_list := column_list || ', elapsed double precision, reset boolean, gap boolean';
			END IF;
			EXECUTE pg_catalog.format('CREATE FOREIGN TABLE pgdba.%I (%s) SERVER pgdba_ring OPTIONS (probe %L, loop %L, kind %L)',
				'ring_' || side || '_' || probe.name, column_list, probe.name, probe."loop", side);
			EXECUTE pg_catalog.format('CREATE VIEW pgdba.%I AS SELECT * FROM pgdba.%I',
				side || '_' || probe.name, 'ring_' || side || '_' || probe.name);
			EXECUTE pg_catalog.format('REVOKE ALL ON pgdba.%I FROM PUBLIC', side || '_' || probe.name);
			EXECUTE pg_catalog.format('GRANT SELECT ON pgdba.%I TO pg_monitor', side || '_' || probe.name);
			FOREACH relation IN ARRAY ARRAY['ring_' || side || '_' || probe.name, side || '_' || probe.name] LOOP
				IF NOT pgdba.is_member('pg_class', pg_catalog.to_regclass(
					pg_catalog.format('pgdba.%I', relation))::pg_catalog.oid)
				THEN
					EXECUTE pg_catalog.format('ALTER EXTENSION pgdba ADD %s pgdba.%I',
						CASE WHEN relation LIKE 'ring\_%' THEN 'FOREIGN TABLE' ELSE 'VIEW' END, relation);
				END IF;
			END LOOP;
		END LOOP;
	END IF;

	FOREACH side IN ARRAY '{last,hist}'::pg_catalog.text[] LOOP -- a probe may have moved to another loop
		EXECUTE pg_catalog.format('ALTER FOREIGN TABLE pgdba.%I OPTIONS (SET loop %L)',
			'ring_' || side || '_' || probe.name, probe."loop");
	END LOOP;
	EXECUTE pg_catalog.format('COMMENT ON VIEW pgdba.%I IS %L', 'last_' || probe.name,
		pg_catalog.format('The newest sample of probe %s; with pgdba.as_of the newest one of then.', probe.name));
	EXECUTE pg_catalog.format('COMMENT ON VIEW pgdba.%I IS %L', 'hist_' || probe.name,
		pg_catalog.format('Samples of probe %s, counters as the difference to the sample before.', probe.name));
	FOR comments IN
		SELECT c.column_name, pg_catalog.concat_ws(' ', nullif(pg_catalog.concat_ws('', c.help,
			CASE WHEN c.help NOT LIKE '%.' THEN '.' END), ''), 'Unit: ' || c.unit || '.') AS text
		FROM (SELECT e.key AS column_name, e.value ->> 'help' AS help, nullif(e.value ->> 'unit', '') AS unit
			FROM pg_catalog.jsonb_each(probe.columns) e) c
		UNION ALL VALUES ('sampled_at', 'Time of the sample.')
		UNION ALL SELECT 'db', 'Database, NULL when the row concerns the cluster.' WHERE NOT probe.columns ? 'db'
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON COLUMN pgdba.%I.%I IS %L', 'last_' || probe.name,
			comments.column_name, comments.text);
		EXECUTE pg_catalog.format('COMMENT ON COLUMN pgdba.%I.%I IS %L', 'hist_' || probe.name,
			comments.column_name, comments.text);
	END LOOP;
	EXECUTE pg_catalog.format('COMMENT ON COLUMN pgdba.%I.elapsed IS %L', 'hist_' || probe.name,
		'Time since the sample before. Unit: seconds.');
	EXECUTE pg_catalog.format('COMMENT ON COLUMN pgdba.%I.reset IS %L', 'hist_' || probe.name,
		'Counters began again since the sample before: their difference is NULL.');
	EXECUTE pg_catalog.format('COMMENT ON COLUMN pgdba.%I.gap IS %L', 'hist_' || probe.name,
		'Samples are missing before this one.');
	RETURN present IS DISTINCT FROM wanted;
END
$$;
COMMENT ON FUNCTION pgdba.make_probe_views(text) IS 'Part of define_probe() and sync_views().';

CREATE FUNCTION pgdba.define_probe(name text, loop text, query text, key text[], columns jsonb,
	scope text DEFAULT 'cluster', options jsonb DEFAULT '{}') RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	missing text;
BEGIN
	SELECT a.name INTO missing
	FROM (VALUES ('name', name IS NULL), ('loop', loop IS NULL), ('query', query IS NULL AND scope <> 'native'),
		('key', key IS NULL), ('columns', columns IS NULL), ('scope', scope IS NULL), ('options', options IS NULL))
		AS a (name, missing)
	WHERE a.missing LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'argument "%" of a probe must not be null', missing USING
			ERRCODE = 'null_value_not_allowed',
			HINT = 'Use ''{}'' for an empty key, columns or options.';
	END IF;
	PERFORM pgdba.validate_probe(name, loop, pgdba.probe_query(name, coalesce(query, '')), key, columns, scope, options);
	-- The default of origin says who is defining: this extension's script, or a user.
	INSERT INTO pgdba.probe AS p (name, loop, query, key, columns, scope, options)
	VALUES (define_probe.name, define_probe.loop, coalesce(define_probe.query, ''), define_probe.key,
		define_probe.columns, define_probe.scope, define_probe.options)
	ON CONFLICT ON CONSTRAINT probe_pkey DO UPDATE SET loop = EXCLUDED.loop, query = EXCLUDED.query,
		key = EXCLUDED.key, columns = EXCLUDED.columns, scope = EXCLUDED.scope, options = EXCLUDED.options
	WHERE p.origin = EXCLUDED.origin;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'probe "%" belongs to pgdba', name USING
			ERRCODE = 'duplicate_object',
			DETAIL = 'Its columns are what the checks and metrics of pgdba rely on.',
			HINT = 'Define a probe of your own under another name; its text may be a copy.';
	END IF;
	PERFORM pgdba.make_probe_views(name);
END
$$;
COMMENT ON FUNCTION pgdba.define_probe(text, text, text, text[], jsonb, text, jsonb) IS
	'Defines a probe, or replaces your own of that name, with views last_<name> and hist_<name>. Raises 22004 and 22023 for bad arguments, 42601 when the text is not one SELECT, 42710 for a probe of pgdba, and the errors of the query itself.';

CREATE FUNCTION pgdba.define_probe_variant(name text, from_version int, query text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	probe pgdba.probe;
BEGIN
	IF name IS NULL OR from_version IS NULL OR query IS NULL THEN
		RAISE EXCEPTION 'arguments of a probe variant must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF from_version NOT BETWEEN 150000 AND 999999 THEN
		RAISE EXCEPTION 'invalid server version: %', from_version USING
			ERRCODE = 'invalid_parameter_value',
			DETAIL = 'It is the server_version_num from which on the text is used.',
			HINT = 'Use 170000 for PostgreSQL 17.';
	END IF;
	INSERT INTO pgdba.probe_variant AS v (name, from_version, query)
	VALUES (define_probe_variant.name, define_probe_variant.from_version, define_probe_variant.query)
	ON CONFLICT ON CONSTRAINT probe_variant_pkey DO UPDATE SET query = EXCLUDED.query
	WHERE v.origin = EXCLUDED.origin;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'variant % of probe "%" belongs to pgdba', from_version, name USING
			ERRCODE = 'duplicate_object',
			HINT = 'Define a probe of your own under another name; its text may be a copy.';
	END IF;
	-- A variant may come before its probe, whose own text this server may not know any more. A text for a later
	-- server cannot be prepared here.
	SELECT * INTO probe FROM pgdba.probe p WHERE p.name = define_probe_variant.name;
	IF FOUND AND from_version <= pg_catalog.current_setting('server_version_num')::pg_catalog.int4 THEN
		PERFORM pgdba.make_probe_views(name);
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.define_probe_variant(text, int, text) IS
	'The text that a probe uses from a server version (server_version_num) on. Define it before a probe whose own text the server does not understand. Raises 22004 and 22023 for bad arguments, 42710 for a variant of pgdba, and the errors of the query itself.';

CREATE FUNCTION pgdba.drop_probe(name text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	probe pgdba.probe;
	users text;
BEGIN
	SELECT * INTO probe FROM pgdba.probe p WHERE p.name = drop_probe.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'probe "%" does not exist', name USING ERRCODE = 'undefined_object';
	END IF;
	IF probe.origin = 'pgdba' THEN
		RAISE EXCEPTION 'cannot drop probe "%" because pgdba requires it', name USING
			ERRCODE = 'dependent_objects_still_exist',
			HINT = 'Only probes of your own can be dropped.';
	END IF;
	SELECT pg_catalog.string_agg(c.check_id, ', ' ORDER BY c.check_id) INTO users
	FROM pgdba.check_definition c
	WHERE c.definition -> 'probes' ? drop_probe.name OR c.definition -> 'needs' ? drop_probe.name;
	IF users IS NOT NULL THEN
		RAISE EXCEPTION 'cannot drop probe "%" because checks depend on it', name USING
			ERRCODE = 'dependent_objects_still_exist',
			DETAIL = pg_catalog.format('It is used by: %s.', users),
			HINT = 'Drop these checks first with pgdba.drop_check().';
	END IF;
	PERFORM pgdba.drop_probe_views(name);
	DELETE FROM pgdba.probe_variant v WHERE v.name = drop_probe.name;
	DELETE FROM pgdba.probe p WHERE p.name = drop_probe.name;
END
$$;
COMMENT ON FUNCTION pgdba.drop_probe(text) IS
	'Drops a probe of your own with its views. Raises 42704 when there is none, 2BP01 when pgdba or a check needs it.';

CREATE FUNCTION pgdba.sync_views() RETURNS int
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	name text;
	made int := 0;
	reason text;
BEGIN
	FOR name IN SELECT p.name FROM pgdba.probe p
		WHERE pg_catalog.to_regclass(pg_catalog.format('pgdba.%I', 'last_' || p.name)) IS NULL
			OR pg_catalog.to_regclass(pg_catalog.format('pgdba.%I', 'hist_' || p.name)) IS NULL
		ORDER BY p.name
	LOOP
		BEGIN
			PERFORM pgdba.make_probe_views(name);
			made := made + 1;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
			RAISE WARNING 'could not create the views of probe "%"', name USING DETAIL = reason;
		END;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION pgdba.sync_views() IS
	'Makes the views of probes that have none, as after a restore, and returns for how many. The sampler calls it.';

-- sql/schema/45_define_check.sql
-- Defining and dropping checks, and their thresholds.

CREATE FUNCTION pgdba.define_check(check_id text, query text, definition jsonb) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	missing text;
BEGIN
	IF check_id IS NULL OR query IS NULL OR definition IS NULL THEN
		RAISE EXCEPTION 'arguments of a check must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM pgdba.validate_check(check_id, query, definition);
	SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.name), ', ' ORDER BY n.name) INTO missing
	FROM pg_catalog.jsonb_array_elements_text(coalesce(definition -> 'probes', '[]')) AS n (name)
	WHERE NOT EXISTS (SELECT FROM pgdba.probe p WHERE p.name = n.name);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'check "%" reads a probe that does not exist: %', check_id, missing USING
			ERRCODE = 'undefined_object',
			HINT = 'Define the probe first with pgdba.define_probe().';
	END IF;
	INSERT INTO pgdba.check_definition AS c (check_id, query, definition)
	VALUES (define_check.check_id, define_check.query, define_check.definition)
	ON CONFLICT ON CONSTRAINT check_definition_pkey DO UPDATE
		SET query = EXCLUDED.query, definition = EXCLUDED.definition
	WHERE c.origin = EXCLUDED.origin;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'check "%" belongs to pgdba', check_id USING
			ERRCODE = 'duplicate_object',
			HINT = 'Define a check of your own under another name, or change its thresholds with pgdba.set_threshold().';
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.define_check(text, text, jsonb) IS
	'Defines a check, or replaces your own of that name. Raises 22004 and 22023 for bad arguments, 42704 for an unknown probe, 42710 for a check of pgdba, and the errors of the query itself.';

CREATE FUNCTION pgdba.drop_check(check_id text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	found_origin text;
BEGIN
	SELECT c.origin INTO found_origin FROM pgdba.check_definition c WHERE c.check_id = drop_check.check_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'check "%" does not exist', check_id USING ERRCODE = 'undefined_object';
	END IF;
	IF found_origin = 'pgdba' THEN
		RAISE EXCEPTION 'cannot drop check "%" because pgdba requires it', check_id USING
			ERRCODE = 'dependent_objects_still_exist',
			HINT = pg_catalog.format('SELECT pgdba.set_threshold(%L, ''%%'', ''Infinity'', ''Infinity''); turns its levels off.',
				check_id);
	END IF;
	DELETE FROM pgdba.threshold t WHERE t.check_id = drop_check.check_id;
	DELETE FROM pgdba.check_definition c WHERE c.check_id = drop_check.check_id;
END
$$;
COMMENT ON FUNCTION pgdba.drop_check(text) IS
	'Drops a check of your own with its thresholds. Raises 42704 when there is none, 2BP01 for a check of pgdba.';

CREATE FUNCTION pgdba.set_threshold(check_id text, object_pattern text, warning float8, critical float8) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	own jsonb;
	below bool;
	at_warning float8;
	at_critical float8;
BEGIN
	IF check_id IS NULL OR object_pattern IS NULL THEN
		RAISE EXCEPTION 'check and object pattern of a threshold must not be null' USING
			ERRCODE = 'null_value_not_allowed',
			HINT = 'Use ''%'' for every object.';
	END IF;
	SELECT coalesce(c.definition -> 'thresholds', '{}') INTO own
	FROM pgdba.check_definition c WHERE c.check_id = set_threshold.check_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'check "%" does not exist', check_id USING
			ERRCODE = 'undefined_object',
			HINT = 'SELECT check_id, title FROM pgdba.checks; lists them.';
	END IF;
	below := coalesce(own ->> 'direction', 'above') = 'below';
	at_warning := coalesce(warning, (own ->> 'warning')::pg_catalog.float8);
	at_critical := coalesce(critical, (own ->> 'critical')::pg_catalog.float8);
	IF 'NaN'::pg_catalog.float8 IN (warning, critical) OR (below AND at_warning < at_critical)
		OR (NOT below AND at_warning > at_critical)
	THEN
		RAISE EXCEPTION 'invalid thresholds for check "%"', check_id USING
			ERRCODE = 'invalid_parameter_value',
			DETAIL = pg_catalog.format('Warning would begin %s %s, critical %s %s.',
				CASE WHEN below THEN 'below' ELSE 'above' END, at_warning,
				CASE WHEN below THEN 'below' ELSE 'above' END, at_critical),
			HINT = 'Critical must not begin before warning; NULL keeps the check''s own.';
	END IF;
	INSERT INTO pgdba.threshold AS t (check_id, object_pattern, warning, critical)
	VALUES (set_threshold.check_id, set_threshold.object_pattern, set_threshold.warning, set_threshold.critical)
	ON CONFLICT ON CONSTRAINT threshold_pkey DO UPDATE SET warning = EXCLUDED.warning, critical = EXCLUDED.critical;
	-- An override that says nothing is none.
	DELETE FROM pgdba.threshold t
	WHERE t.check_id = set_threshold.check_id AND t.object_pattern = set_threshold.object_pattern
		AND t.warning IS NULL AND t.critical IS NULL AND t.floor = '{}';
END
$$;
COMMENT ON FUNCTION pgdba.set_threshold(text, text, float8, float8) IS
	'Overrides the thresholds of a check for the objects that match a LIKE pattern, in the unit of the check. NULL keeps the check''s own, two NULLs take the override away, Infinity turns a level off. Raises 42704 for an unknown check, 22004 and 22023 for bad arguments.';

-- sql/schema/50_views.sql
-- What is read: verdicts, processes, definitions, cost.

CREATE VIEW pgdba.verdicts AS SELECT * FROM pgdba.verdicts_at(NULL);
COMMENT ON VIEW pgdba.verdicts IS
	'The latest verdicts: a row per check and object that is not ok, and one ok row per quiet check.';
COMMENT ON COLUMN pgdba.verdicts.severity IS 'critical, warning, unknown, info or ok.';
COMMENT ON COLUMN pgdba.verdicts.object IS 'With check_id the identity of the finding.';
COMMENT ON COLUMN pgdba.verdicts.value IS 'What was observed, in the unit of column unit; NULL is unknown.';
COMMENT ON COLUMN pgdba.verdicts.since IS 'Since when it has had this severity.';
COMMENT ON COLUMN pgdba.verdicts.sampled_at IS 'Time of the sample that was judged.';
COMMENT ON COLUMN pgdba.verdicts.sql IS 'A statement to run by hand, names and values quoted; pgdba never runs it.';
COMMENT ON COLUMN pgdba.verdicts.lock_level IS 'The strongest lock that the statement takes.';
COMMENT ON COLUMN pgdba.verdicts.undo IS 'The statement that takes it back.';
COMMENT ON COLUMN pgdba.verdicts.symptom_of IS 'The check that explains this one when it fires too.';

CREATE VIEW pgdba.processes AS SELECT * FROM pgdba.process_rows();
COMMENT ON VIEW pgdba.processes IS
	'The processes of pgdba, also those that pg_stat_activity does not show; pid is NULL for one that does not run.';

CREATE VIEW pgdba.loops AS SELECT * FROM pgdba.loop_rows();
COMMENT ON VIEW pgdba.loops IS 'The loops: when each ran last, whether it is late or degraded, and why.';

CREATE VIEW pgdba.checks AS
	SELECT c.check_id, pg_catalog.split_part(c.check_id, '.', 1) AS area, c.definition ->> 'title' AS title,
		c.definition ->> 'loop' AS loop,
		ARRAY(SELECT pg_catalog.jsonb_array_elements_text(c.definition -> 'probes')) AS probes,
		ARRAY(SELECT pg_catalog.jsonb_array_elements_text(c.definition -> 'needs')) AS needs,
		ARRAY(SELECT s.severity FROM (VALUES (1, 'info'), (2, 'warning'), (3, 'critical')) AS s (place, severity)
			WHERE c.definition -> 'thresholds' ->> s.severity IS NOT NULL ORDER BY s.place) AS severities,
		c.definition ->> 'message' AS message, c.definition ->> 'why' AS why, c.definition ->> 'action' AS action,
		CASE pg_catalog.jsonb_typeof(c.definition -> 'sql')
			WHEN 'array' THEN pg_catalog.array_to_string(
				ARRAY(SELECT pg_catalog.jsonb_array_elements_text(c.definition -> 'sql')), E'\n')
			ELSE c.definition ->> 'sql' END AS sql, c.definition ->> 'lock_level' AS lock_level, c.definition ->> 'undo' AS undo,
		c.definition ->> 'symptom_of' AS symptom_of, c.query, c.origin
	FROM pgdba.check_definition c;
COMMENT ON VIEW pgdba.checks IS 'The checks that are defined, with their texts as templates.';
COMMENT ON COLUMN pgdba.checks.severities IS 'What it can say beside ok and unknown, unless a threshold is overridden.';
COMMENT ON COLUMN pgdba.checks.origin IS '''pgdba'' or ''user''.';

CREATE VIEW pgdba.thresholds AS
	SELECT c.check_id, coalesce(t.object_pattern, '%') AS object_pattern,
		(d.own ->> 'info')::pg_catalog.float8 AS info,
		coalesce(t.warning, (d.own ->> 'warning')::pg_catalog.float8) AS warning,
		coalesce(t.critical, (d.own ->> 'critical')::pg_catalog.float8) AS critical,
		(d.own ->> 'clear')::pg_catalog.float8 AS clear, d.own ->> 'for' AS hold,
		coalesce(d.own ->> 'direction', 'above') AS direction,
		coalesce(d.own -> 'floor', '{}') || coalesce(t.floor, '{}') AS floor,
		CASE WHEN t.check_id IS NULL THEN 'default' ELSE 'override' END AS source
	FROM pgdba.check_definition c
	CROSS JOIN LATERAL (SELECT c.definition -> 'thresholds' AS own) d
	CROSS JOIN LATERAL (
		SELECT o.check_id, o.object_pattern, o.warning, o.critical, o.floor
		FROM pgdba.threshold o WHERE o.check_id = c.check_id
		UNION ALL
		SELECT NULL, NULL, NULL, NULL, NULL WHERE NOT EXISTS (
			SELECT FROM pgdba.threshold o WHERE o.check_id = c.check_id AND o.object_pattern = '%')) t;
COMMENT ON VIEW pgdba.thresholds IS
	'Thresholds in effect, in the unit of the check; for an object the most specific pattern counts.';
COMMENT ON COLUMN pgdba.thresholds.hold IS 'How long a finding lasts before it is an alert.';
COMMENT ON COLUMN pgdba.thresholds.floor IS 'Values that a finding must exceed as well.';
COMMENT ON COLUMN pgdba.thresholds.source IS '''default'': the check''s own; ''override'': pgdba.set_threshold().';

CREATE FUNCTION pgdba.cost() RETURNS TABLE (probe text, loop text, runs bigint, wall_seconds float8,
	cpu_seconds float8, rows bigint, bytes bigint, errors bigint, last_error text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	RETURN QUERY SELECT r.probe, r.loop, r.runs, r.wall_seconds, r.cpu_seconds, r.rows, r.bytes, r.errors, r.last_error
		FROM pgdba.last_probe_run r ORDER BY r.wall_seconds DESC, r.probe;
END
$$;
COMMENT ON FUNCTION pgdba.cost() IS
	'What sampling has cost since the sampler started, per probe, the dearest first. Raises 55000 without preload.';

CREATE FUNCTION pgdba.coverage(since timestamptz, until timestamptz) RETURNS TABLE (loop text, expected bigint,
	ticks bigint, gaps bigint, share float8)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'since must lie before until' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	SELECT l.loop, l.expected, coalesce(h.ticks, 0)::pg_catalog.int8, coalesce(h.gaps, 0)::pg_catalog.int8,
		CASE WHEN l.expected > 0 THEN least(100.0 * coalesce(h.ticks, 0) / l.expected, 100.0)::pg_catalog.float8 END
	FROM (SELECT r.loop, r.interval_seconds, pg_catalog.floor(
				extract(epoch FROM coverage.until - coverage.since) / nullif(r.interval_seconds, 0))::pg_catalog.int8 AS expected
			FROM pgdba.loop_rows() r) l
	LEFT JOIN (SELECT b.loop, pg_catalog.sum(coalesce(b.tick, 1)) AS ticks, pg_catalog.count(*) FILTER (WHERE b.gap) AS gaps
			FROM pgdba.hist_heartbeat b
			WHERE b.sampled_at > coverage.since AND b.sampled_at <= coverage.until
			GROUP BY b.loop) h ON h.loop = l.loop
	ORDER BY l.interval_seconds, l.loop;
END
$$;
COMMENT ON FUNCTION pgdba.coverage(timestamptz, timestamptz) IS
	'How much of a time was sampled, per loop: ticks expected at the present interval, ticks there were, gaps, share in percent. Raises 22023 for an empty time, 55000 without preload.';

-- Agrees with the sampler on lists: names separated by commas, blanks around them ignored, * stands for any text.
CREATE FUNCTION pgdba.in_list(name text, list text) RETURNS bool
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN EXISTS (SELECT FROM pg_catalog.string_to_table(in_list.list, ',') AS p (pattern)
		WHERE in_list.name LIKE pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
			pg_catalog.btrim(p.pattern), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
			AND pg_catalog.btrim(p.pattern) <> '');
COMMENT ON FUNCTION pgdba.in_list(text, text) IS 'Whether a name is met by a setting such as pgdba.exclude_databases.';

CREATE FUNCTION pgdba.databases() RETURNS TABLE (database text, sampled bool, reason text, last_sampled timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	RETURN QUERY
	SELECT d.datname::text, w.reason IS NULL, w.reason, r.last_sampled
	FROM pg_catalog.pg_database d
	CROSS JOIN LATERAL (SELECT CASE
		WHEN d.datconnlimit = -2 THEN 'invalid: a DROP DATABASE was interrupted; drop it again'
		WHEN d.datname = pg_catalog.current_database() THEN NULL
		WHEN NOT d.datallowconn THEN 'does not allow connections'
		WHEN d.datistemplate THEN 'is a template'
		WHEN pgdba.in_list(d.datname::text, pg_catalog.current_setting('pgdba.exclude_databases', true))
			THEN 'excluded by pgdba.exclude_databases'
		WHEN pg_catalog.current_setting('pgdba.include_databases', true) <> '' AND NOT pgdba.in_list(d.datname::text,
			pg_catalog.current_setting('pgdba.include_databases', true)) THEN 'not in pgdba.include_databases'
		END AS reason) w
	LEFT JOIN (SELECT l.db, pg_catalog.max(l.sampled_at) AS last_sampled FROM pgdba.last_relation l GROUP BY l.db) r
		ON r.db = d.datname::text
	ORDER BY d.datname;
END
$$;
COMMENT ON FUNCTION pgdba.databases() IS
	'Every database: whether its relations are sampled, or why not, and the time of the newest sample that has one of them. Raises 55000 without preload.';

-- sql/schema/60_preflight.sql
-- Is the server set up for pgdba? One row per item; works without preload too, and then says so first.

-- "name = value" as a line of postgresql.conf.
CREATE FUNCTION pgdba.setting_line(name text, value text) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN name || ' = ' || CASE WHEN value ~ '^([a-z]+|[0-9]+)$' THEN value
		ELSE '''' || pg_catalog.replace(value, '''', '''''') || '''' END;
COMMENT ON FUNCTION pgdba.setting_line(text, text) IS 'A line for postgresql.conf.';

-- Publications that would send samples to subscribers, which do not have the tables. Sampling then keeps to memory.
CREATE FUNCTION pgdba.publications() RETURNS TABLE (publication text, line_to_add text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
BEGIN ATOMIC
	SELECT p.pubname::text, CASE
		WHEN p.puballtables THEN pg_catalog.format('DROP PUBLICATION %I; -- and create it again FOR TABLES IN SCHEMA', p.pubname)
		WHEN p.in_schema THEN pg_catalog.format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA pgdba;', p.pubname)
		ELSE pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, p.tables) END
	FROM (SELECT b.pubname, b.puballtables,
			EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n
				WHERE n.pnpubid = b.oid AND n.pnnspid = 'pgdba'::pg_catalog.regnamespace) AS in_schema,
			(SELECT pg_catalog.string_agg(pg_catalog.format('pgdba.%I', c.relname), ', ' ORDER BY c.relname)
				FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
				WHERE r.prpubid = b.oid AND c.relnamespace = 'pgdba'::pg_catalog.regnamespace) AS tables
		FROM pg_catalog.pg_publication b) p
	WHERE p.puballtables OR p.in_schema OR p.tables IS NOT NULL;
END;
COMMENT ON FUNCTION pgdba.publications() IS
	'Publications that would send the tables of pgdba to their subscribers, and how to stop that.';

CREATE FUNCTION pgdba.preflight() RETURNS TABLE (item text, ok bool, severity text, detail text, line_to_add text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
DECLARE
	libraries text[] := ARRAY(SELECT pg_catalog.btrim(l.name, ' "') FROM pg_catalog.string_to_table(
		pg_catalog.current_setting('shared_preload_libraries'), ',') AS l (name) WHERE pg_catalog.btrim(l.name) <> '');
	preloaded bool := pgdba.loaded();
	home text := coalesce(pg_catalog.current_setting('pgdba.database', true), 'postgres');
	statements bool := 'pg_stat_statements' = ANY (libraries);
	created bool := EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements');
	tracked text := pg_catalog.current_setting('pg_stat_statements.track', true);
	workers int := pg_catalog.current_setting('max_worker_processes');
	parallel int := pg_catalog.current_setting('max_parallel_workers');
	own_workers CONSTANT int := 4; -- launcher, sampler, server and a reader
	published record;
BEGIN
	SELECT pg_catalog.string_agg(p.publication, ', ' ORDER BY p.publication) AS names, pg_catalog.min(p.line_to_add) AS line
		INTO published
	FROM pgdba.publications() p;
	RETURN QUERY
	SELECT r.item, r.ok, CASE WHEN r.ok THEN 'ok' ELSE r.severity END, r.detail,
		CASE WHEN NOT r.ok THEN r.line_to_add END
	FROM (VALUES
		('shared_preload_libraries', preloaded, 'critical',
			CASE WHEN preloaded THEN 'pgdba is preloaded' ELSE 'pgdba is not preloaded: nothing is sampled (needs a restart)' END,
			pgdba.setting_line('shared_preload_libraries', pg_catalog.array_to_string(
				libraries || CASE WHEN 'pgdba' = ANY (libraries) THEN '{}'::text[] ELSE '{pgdba}' END, ','))),
		('pgdba.database', home = pg_catalog.current_database(), 'critical',
			CASE WHEN home = pg_catalog.current_database() THEN 'this is the home database'
				ELSE pg_catalog.format('the sampler works in database "%s", not in this one (needs a restart)', home) END,
			pgdba.setting_line('pgdba.database', pg_catalog.current_database())),
		('publication', published.names IS NULL, 'warning',
			CASE WHEN published.names IS NULL THEN 'no publication covers the tables of pgdba'
				ELSE pg_catalog.format('history stays in memory, because these publications would send it to subscribers: %s',
					published.names) END,
			published.line),
		('pg_stat_statements', statements, 'info',
			CASE WHEN statements THEN 'pg_stat_statements is preloaded'
				ELSE 'pg_stat_statements is not preloaded: no statistics of statements (needs a restart)' END,
			pgdba.setting_line('shared_preload_libraries', pg_catalog.array_to_string(libraries || '{pg_stat_statements}', ','))),
		('pg_stat_statements extension', created, 'info',
			CASE WHEN created THEN 'pg_stat_statements is created in this database'
				ELSE 'pg_stat_statements is not created in this database: its statistics cannot be read' END,
			'CREATE EXTENSION pg_stat_statements;'),
		('pg_stat_statements.track', tracked IS DISTINCT FROM 'none', 'info',
			coalesce('pg_stat_statements tracks: ' || tracked, 'not known while pg_stat_statements is not preloaded'),
			pgdba.setting_line('pg_stat_statements.track', 'top')),
		('compute_query_id', pg_catalog.current_setting('compute_query_id') = 'on'
				OR (pg_catalog.current_setting('compute_query_id') IN ('auto', 'regress') AND statements), 'info',
			pg_catalog.format('compute_query_id is %s%s', pg_catalog.current_setting('compute_query_id'),
				CASE WHEN statements THEN '' ELSE ' and pg_stat_statements does not turn it on' END),
			pgdba.setting_line('compute_query_id', 'on')),
		('track_io_timing', pg_catalog.current_setting('track_io_timing')::bool, 'info',
			pg_catalog.format('track_io_timing is %s: time spent reading and writing is %s',
				pg_catalog.current_setting('track_io_timing'),
				CASE WHEN pg_catalog.current_setting('track_io_timing')::bool THEN 'known' ELSE 'not known' END),
			pgdba.setting_line('track_io_timing', 'on')),
		('track_activities', pg_catalog.current_setting('track_activities')::bool, 'warning',
			pg_catalog.format('track_activities is %s: sessions %s be judged', pg_catalog.current_setting('track_activities'),
				CASE WHEN pg_catalog.current_setting('track_activities')::bool THEN 'can' ELSE 'cannot' END),
			pgdba.setting_line('track_activities', 'on')),
		('track_counts', pg_catalog.current_setting('track_counts')::bool, 'warning',
			pg_catalog.format('track_counts is %s: tables %s be judged', pg_catalog.current_setting('track_counts'),
				CASE WHEN pg_catalog.current_setting('track_counts')::bool THEN 'can' ELSE 'cannot' END),
			pgdba.setting_line('track_counts', 'on')),
		('autovacuum', pg_catalog.current_setting('autovacuum')::bool, 'warning',
			pg_catalog.format('autovacuum is %s', pg_catalog.current_setting('autovacuum')),
			pgdba.setting_line('autovacuum', 'on')),
		-- Ours come out of the same pool as parallel workers; other background workers are not counted here.
		('max_worker_processes', workers >= parallel + own_workers, 'info',
			pg_catalog.format('max_worker_processes is %s: parallel query may use %s, pgdba uses up to %s',
				workers, parallel, own_workers),
			pgdba.setting_line('max_worker_processes', (parallel + own_workers)::text)),
		('log_min_messages', pg_catalog.current_setting('log_min_messages') NOT IN ('fatal', 'panic'), 'info',
			pg_catalog.format('log_min_messages is %s: errors %s', pg_catalog.current_setting('log_min_messages'),
				CASE WHEN pg_catalog.current_setting('log_min_messages') IN ('fatal', 'panic')
					THEN 'are not logged and cannot be counted' ELSE 'are logged' END),
			pgdba.setting_line('log_min_messages', 'warning')),
		('data_checksums', pg_catalog.current_setting('data_checksums')::bool, 'info',
			pg_catalog.format('data checksums are %s', pg_catalog.current_setting('data_checksums')),
			'pg_checksums --enable (while the server is shut down)')
	) AS r (item, ok, severity, detail, line_to_add);
END
$$;
COMMENT ON FUNCTION pgdba.preflight() IS
	'Whether the server is set up for pgdba: what is not, how bad that is, and the line to add to postgresql.conf or run. Works without preload.';

-- sql/schema/90_grants.sql
-- Nobody gets anything by default. Reading is for pg_monitor; pgdba_admin sets thresholds and steers sampling; defining
-- and injecting stay with superusers, unless they grant them (docs/probes-and-checks.md says what that gives away).
REVOKE ALL ON SCHEMA pgdba FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgdba FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgdba FROM PUBLIC;

GRANT USAGE ON SCHEMA pgdba TO pg_monitor, pgdba_admin;

GRANT SELECT ON pgdba.probe, pgdba.probe_variant, pgdba.check_definition, pgdba.threshold TO pg_monitor;
GRANT SELECT ON pgdba.verdicts, pgdba.processes, pgdba.loops, pgdba.checks, pgdba.thresholds TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgdba.verdicts_at(timestamptz), pgdba.health(timestamptz), pgdba.health_json(timestamptz),
	pgdba.process_rows(), pgdba.loop_rows(), pgdba.ring_usage(), pgdba.loaded(), pgdba.require_preload(),
	pgdba.cost(), pgdba.coverage(timestamptz, timestamptz), pgdba.databases(), pgdba.in_list(text, text),
	pgdba.preflight(), pgdba.publications(), pgdba.setting_line(text, text), pgdba.duration_text(float8),
	pgdba.session_text(bigint, text, text, text, text, float8), pgdba.session_start(timestamptz),
	pgdba.may_end(text, text)
	TO pg_monitor;

GRANT SELECT ON pgdba.checks, pgdba.thresholds, pgdba.threshold TO pgdba_admin;
GRANT EXECUTE ON FUNCTION pgdba.set_threshold(text, text, float8, float8), pgdba.sample_now(text, interval),
	pgdba.pause(interval), pgdba.resume() TO pgdba_admin;

-- sql/probes/activity.sql
-- Sessions: who does what, who waits for whom.
--
-- Names and texts of other databases may be in other encodings, so no text function touches them. The text of a
-- statement is kept only inside a transaction: idle sessions block nobody, save by advisory locks, which have no text.
-- pg_blocking_pids() and pg_locks stop the lock manager for a moment: they are asked only when somebody waits.
--
-- In a queue everybody waits for all those ahead. Kept are the blockers that do not wait themselves, and of the others
-- the four that have waited longest, which lead to the holder too: a queue of hundreds stays small.
SELECT pgdba.define_probe(
	name => 'activity',
	loop => 'hot',
	query => $probe$
WITH waiter AS MATERIALIZED (
	SELECT w.pid, pg_catalog.pg_blocking_pids(w.pid) AS blockers
	FROM pg_catalog.pg_stat_activity w
	WHERE w.wait_event_type = 'Lock'
), wanted AS MATERIALIZED (
	SELECT DISTINCT ON (l.pid) l.pid, l.waitstart, l.locktype, l.mode, l.relation
	FROM pg_catalog.pg_locks l
	WHERE NOT l.granted AND (SELECT pg_catalog.count(*) FROM waiter) > 0
	ORDER BY l.pid, l.waitstart
), queue AS MATERIALIZED (
	SELECT w.pid FROM waiter w LEFT JOIN wanted t ON t.pid = w.pid ORDER BY t.waitstart, w.pid
), blocked AS (
	SELECT w.pid, pg_catalog.to_jsonb(ARRAY(
			SELECT DISTINCT b.pid FROM pg_catalog.unnest(w.blockers) AS b (pid)
			WHERE NOT EXISTS (SELECT FROM queue q WHERE q.pid = b.pid))
		|| ARRAY(SELECT q.pid FROM queue q WHERE q.pid = ANY (w.blockers) LIMIT 4)) AS blocked_by
	FROM waiter w
)
SELECT a.datname::pg_catalog.text AS db,
	a.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	pg_catalog.host(a.client_addr) AS client_addr,
	a.backend_type,
	a.state,
	a.wait_event_type,
	a.wait_event,
	a.xact_start,
	a.query_start,
	a.state_change,
	pg_catalog.age(a.backend_xid)::pg_catalog.int8 AS backend_xid_age,
	pg_catalog.age(a.backend_xmin)::pg_catalog.int8 AS backend_xmin_age,
	blocked.blocked_by,
	wanted.waitstart AS lock_wait_start,
	wanted.locktype AS lock_type,
	wanted.mode AS lock_mode,
	wanted.relation::pg_catalog.int8 AS lock_relid,
	a.leader_pid::pg_catalog.int8 AS leader_pid,
	a.query_id,
	CASE WHEN a.xact_start IS NOT NULL THEN a.query END AS query
FROM pg_catalog.pg_stat_activity a
LEFT JOIN blocked ON blocked.pid = a.pid
LEFT JOIN wanted ON wanted.pid = a.pid
WHERE a.pid <> pg_catalog.pg_backend_pid()
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the session, NULL for one of the cluster"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"role": {"help": "Role that logged in"},
	"application_name": {"help": "What the client calls itself"},
	"client_addr": {"help": "Address of the client, NULL for a local socket"},
	"backend_type": {"help": "Kind of process"},
	"state": {"help": "State as pg_stat_activity shows it"},
	"wait_event_type": {"help": "Kind of what it waits for"},
	"wait_event": {"help": "What it waits for"},
	"xact_start": {"help": "Start of its transaction, NULL without one"},
	"query_start": {"help": "Start of its statement, or of the last one"},
	"state_change": {"help": "Since when it has had this state"},
	"backend_xid_age": {"unit": "transactions", "help": "Age of its transaction ID; NULL when it has written nothing"},
	"backend_xmin_age": {"unit": "transactions", "help": "Age of the oldest transaction it may need to see; NULL when it has no snapshot"},
	"blocked_by": {"help": "Process IDs that it waits for, only while it waits for a lock; 0 is a prepared transaction. Of those that wait themselves at most four"},
	"lock_wait_start": {"help": "Since when it has waited for a lock"},
	"lock_type": {"help": "Kind of lock that it waits for"},
	"lock_mode": {"help": "Mode of the lock that it waits for"},
	"lock_relid": {"help": "OID of the relation that it waits for"},
	"leader_pid": {"help": "Leader of a parallel worker"},
	"query_id": {"help": "Identifier of the statement, NULL when compute_query_id is off"},
	"query": {"help": "Statement of an open transaction, running or the last one"}
}$columns$);

-- sql/probes/connections.sql
-- How full the server is, and who stands in whose way, as one row of numbers.
--
-- Idle sessions take a slot as well, and only client backends do. The slots reserved for superusers are not usable.
SELECT pgdba.define_probe(
	name => 'connections',
	loop => 'hot',
	query => $probe$
SELECT s.connections,
	(pg_catalog.current_setting('max_connections')::pg_catalog.int8
		- pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int8
		- coalesce(pg_catalog.current_setting('reserved_connections', true)::pg_catalog.int8, 0)) AS usable,
	s.active,
	s.idle_in_transaction,
	s.oldest_transaction_seconds,
	s.blocked,
	s.blocked AS blocked_level,
	CASE WHEN s.blocked = 0 THEN 0 ELSE (
		SELECT coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(l.waitstart)), 0)
		FROM pg_catalog.pg_locks l WHERE NOT l.granted) END::pg_catalog.float8 AS longest_blocked_seconds
FROM (SELECT pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend') AS connections,
		pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend' AND a.state = 'active') AS active,
		pg_catalog.count(*) FILTER (WHERE a.backend_type = 'client backend'
			AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')) AS idle_in_transaction,
		coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(a.xact_start)
			FILTER (WHERE a.backend_type = 'client backend')), 0)::pg_catalog.float8 AS oldest_transaction_seconds,
		pg_catalog.count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS blocked
	FROM pg_catalog.pg_stat_activity a
	WHERE a.pid <> pg_catalog.pg_backend_pid()) s
$probe$,
	key => '{}',
	columns => $columns${
	"connections": {"kind": "gauge", "unit": "connections", "metric": "pg_connections",
		"help": "Client connections in any state"},
	"usable": {"kind": "gauge", "unit": "connections", "metric": "pg_max_connections",
		"help": "Connections that ordinary roles can have: max_connections less the reserved ones"},
	"active": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_active_sessions",
		"help": "Client sessions that run a statement"},
	"idle_in_transaction": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_idle_in_transaction_sessions",
		"help": "Client sessions that are idle in a transaction"},
	"oldest_transaction_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_oldest_transaction_seconds",
		"help": "Age of the oldest transaction of a client, 0 without one"},
	"blocked": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_blocked_sessions",
		"help": "Sessions that wait for a lock"},
	"blocked_level": {"kind": "gauge", "unit": "sessions", "metric": "pg_blocked_sessions_total",
		"help": "The same as pgdba_blocked_sessions: sessions that wait now, not a count of events"},
	"longest_blocked_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_longest_blocked_seconds",
		"help": "Longest time that a session has waited for its lock, 0 when none waits"}
}$columns$);

-- sql/probes/database.sql
-- Databases: what they did, and how old their oldest transaction ID is. From shared catalogs and statistics alone.
SELECT pgdba.define_probe(
	name => 'database',
	loop => 'workload',
	query => $probe$
SELECT d.datname::pg_catalog.text AS db,
	s.numbackends::pg_catalog.int8 AS connections,
	s.xact_commit,
	s.xact_rollback,
	s.blks_read,
	s.blks_hit,
	s.tup_returned,
	s.tup_fetched,
	s.tup_inserted,
	s.tup_updated,
	s.tup_deleted,
	s.conflicts,
	s.deadlocks,
	s.temp_files,
	s.temp_bytes,
	s.blk_read_time / 1000 AS blk_read_seconds,
	s.blk_write_time / 1000 AS blk_write_seconds,
	s.session_time / 1000 AS session_seconds,
	s.active_time / 1000 AS active_seconds,
	s.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,
	s.sessions,
	s.sessions_abandoned,
	s.sessions_fatal,
	s.sessions_killed,
	s.checksum_failures,
	s.stats_reset,
	pg_catalog.age(d.datfrozenxid)::pg_catalog.int8 AS xid_age,
	pg_catalog.mxid_age(d.datminmxid)::pg_catalog.int8 AS mxid_age,
	d.datallowconn,
	d.datconnlimit::pg_catalog.int8 AS datconnlimit,
	d.datistemplate
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_stat_database s ON s.datid = d.oid
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Name of the database"},
	"connections": {"kind": "gauge", "unit": "connections", "metric": "pg_database_connections",
		"help": "Backends connected to the database"},
	"xact_commit": {"kind": "counter", "unit": "transactions", "metric": "pg_database_xact_commit_total",
		"help": "Transactions committed"},
	"xact_rollback": {"kind": "counter", "unit": "transactions", "metric": "pg_database_xact_rollback_total",
		"help": "Transactions rolled back"},
	"blks_read": {"kind": "counter", "unit": "blocks", "metric": "pg_database_blks_read_total",
		"help": "Blocks read from outside shared buffers"},
	"blks_hit": {"kind": "counter", "unit": "blocks", "metric": "pg_database_blks_hit_total",
		"help": "Blocks found in shared buffers"},
	"tup_returned": {"kind": "counter", "unit": "rows", "metric": "pg_database_tup_returned_total",
		"help": "Live rows fetched by sequential scans and index entries returned by index scans"},
	"tup_fetched": {"kind": "counter", "unit": "rows", "metric": "pg_database_tup_fetched_total",
		"help": "Live rows fetched by index scans"},
	"tup_inserted": {"kind": "counter", "unit": "rows", "metric": "pg_database_tup_inserted_total",
		"help": "Rows inserted"},
	"tup_updated": {"kind": "counter", "unit": "rows", "metric": "pg_database_tup_updated_total",
		"help": "Rows updated"},
	"tup_deleted": {"kind": "counter", "unit": "rows", "metric": "pg_database_tup_deleted_total",
		"help": "Rows deleted"},
	"conflicts": {"kind": "counter", "unit": "statements", "metric": "pg_database_conflicts_total",
		"help": "Statements cancelled by a conflict with recovery"},
	"deadlocks": {"kind": "counter", "unit": "deadlocks", "metric": "pg_database_deadlocks_total",
		"help": "Deadlocks"},
	"temp_files": {"kind": "counter", "unit": "files", "metric": "pg_temp_files_total",
		"help": "Temporary files made by statements"},
	"temp_bytes": {"kind": "counter", "unit": "bytes", "metric": "pg_temp_bytes_total",
		"help": "Bytes written to temporary files by statements"},
	"blk_read_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_database_blk_read_seconds_total",
		"help": "Time spent reading blocks; 0 unless track_io_timing is on"},
	"blk_write_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_database_blk_write_seconds_total",
		"help": "Time spent writing blocks; 0 unless track_io_timing is on"},
	"session_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_database_session_seconds_total",
		"help": "Time that sessions were connected"},
	"active_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_database_active_seconds_total",
		"help": "Time that sessions ran statements"},
	"idle_in_transaction_seconds": {"kind": "counter", "unit": "seconds",
		"metric": "pg_database_idle_in_transaction_seconds_total", "help": "Time that sessions were idle in a transaction"},
	"sessions": {"kind": "counter", "unit": "sessions", "metric": "pg_database_sessions_total",
		"help": "Sessions begun"},
	"sessions_abandoned": {"kind": "counter", "unit": "sessions", "metric": "pg_database_sessions_abandoned_total",
		"help": "Sessions that lost their client"},
	"sessions_fatal": {"kind": "counter", "unit": "sessions", "metric": "pg_database_sessions_fatal_total",
		"help": "Sessions ended by an error"},
	"sessions_killed": {"kind": "counter", "unit": "sessions", "metric": "pg_database_sessions_killed_total",
		"help": "Sessions ended by an operator"},
	"checksum_failures": {"kind": "counter", "unit": "pages", "metric": "pg_database_checksum_failures_total",
		"help": "Pages whose checksum was wrong; absent without data checksums"},
	"stats_reset": {"help": "When these counters began"},
	"xid_age": {"kind": "gauge", "unit": "transactions", "metric": "pg_wraparound_tx_age",
		"help": "Age of the oldest transaction ID that is not frozen"},
	"mxid_age": {"kind": "gauge", "unit": "multixacts", "metric": "pg_wraparound_mxid_age",
		"help": "Age of the oldest multixact ID"},
	"datallowconn": {"help": "Whether it may be connected to"},
	"datconnlimit": {"unit": "connections", "help": "Connection limit, -1 for none; -2 marks an invalid database"},
	"datistemplate": {"help": "Whether it is a template"}
}$columns$);

-- sql/probes/heartbeat.sql
-- Proof that sampling went on: with every tick of any loop a row for each loop. An idle minute and an outage differ here.
SELECT pgdba.define_probe(
	name => 'heartbeat',
	loop => 'hot',
	query => NULL,
	key => '{loop}',
	columns => $columns${
	"loop": {"help": "Name of the loop"},
	"tick": {"kind": "counter", "unit": "ticks", "metric": "pgdba_ticks_total",
		"help": "Ticks since the sampler started"},
	"last_tick": {"help": "When its last tick began"},
	"interval_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_interval_seconds",
		"help": "Time between two ticks as it is set"},
	"duration_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_scrape_duration_seconds",
		"help": "How long the last tick took"},
	"lateness_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_lateness_seconds",
		"help": "How long after its time the last tick began"},
	"rows": {"kind": "gauge", "unit": "rows", "metric": "pgdba_tick_rows", "help": "Rows that its probes returned in the last tick"},
	"bytes": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_tick_bytes", "help": "Bytes put into the rings by the tick before"},
	"errors": {"kind": "counter", "unit": "errors", "metric": "pgdba_errors_total",
		"help": "Probes of the loop that failed"},
	"skipped": {"kind": "counter", "unit": "ticks", "metric": "pgdba_ticks_skipped_total",
		"help": "Ticks that were left out because the one before was not done"},
	"degraded": {"kind": "gauge", "metric": "pgdba_degraded",
		"help": "1 while the loop is over its budget, a probe fails, or history is not written to tables"},
	"reason": {"help": "Why it is degraded"}
}$columns$,
	scope => 'native');

-- sql/probes/horizon.sql
-- Who holds the vacuum horizon: what may still see dead rows, so that vacuum cannot remove them.
--
-- An open transaction is not enough: only a snapshot (xmin) or a transaction ID holds. A VACUUM holds nothing for
-- others. A slot's catalog_xmin holds system catalogs only. Where db is NULL every database is held.
SELECT pgdba.define_probe(
	name => 'horizon',
	loop => 'hot',
	query => $probe$
SELECT a.datname::pg_catalog.text AS db,
	CASE WHEN a.backend_type = 'walsender' THEN 'standby' ELSE 'session' END AS kind,
	a.pid::pg_catalog.text AS name,
	false AS catalog_only,
	greatest(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))::pg_catalog.int8 AS xid_age,
	extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.float8 AS held_seconds,
	a.xact_start AS held_since,
	a.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	a.backend_type,
	a.state
FROM pg_catalog.pg_stat_activity a
WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
	AND a.pid <> pg_catalog.pg_backend_pid()
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.pid = a.pid)
UNION ALL
SELECT p.database::pg_catalog.text, 'prepared transaction', p.gid, false,
	pg_catalog.age(p.transaction)::pg_catalog.int8,
	extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::pg_catalog.float8, p.prepared,
	NULL, NULL, p.owner::pg_catalog.text, NULL, NULL, NULL
FROM pg_catalog.pg_prepared_xacts p
UNION ALL
SELECT NULL, 'slot', s.slot_name::pg_catalog.text, s.xmin IS NULL,
	coalesce(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin))::pg_catalog.int8,
	NULL, NULL, s.active_pid::pg_catalog.int8, NULL, NULL, NULL, s.slot_type,
	CASE WHEN s.active THEN 'active' ELSE 'inactive' END
FROM pg_catalog.pg_replication_slots s
WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
$probe$,
	key => '{kind,name}',
	columns => $columns${
	"db": {"help": "Database whose vacuum is held back, NULL for all"},
	"kind": {"help": "session, standby (its feedback), prepared transaction or slot"},
	"name": {"help": "Process ID, name of the prepared transaction or of the slot"},
	"catalog_only": {"help": "Whether only system catalogs are held back"},
	"xid_age": {"unit": "transactions", "help": "How far back it holds"},
	"held_seconds": {"unit": "seconds", "help": "For how long, NULL when that is not known"},
	"held_since": {"help": "Since when, NULL when that is not known"},
	"pid": {"help": "Process ID of the session, or of the walsender that uses the slot"},
	"backend_start": {"help": "Start of the session"},
	"role": {"help": "Role of the session, owner of the prepared transaction"},
	"application_name": {"help": "What the client calls itself"},
	"backend_type": {"help": "Kind of process, or of slot"},
	"state": {"help": "State of the session; active or inactive for a slot"}
}$columns$);

-- sql/probes/preflight.sql
-- Whether the server is set up for pgdba, as pgdba.preflight() says it.
SELECT pgdba.define_probe(
	name => 'preflight',
	loop => 'storage',
	query => 'SELECT * FROM pgdba.preflight()',
	key => '{item}',
	columns => $columns${
	"item": {"help": "What was looked at"},
	"ok": {"kind": "gauge", "metric": "pgdba_preflight_ok", "help": "1 when it is as it should be"},
	"severity": {"help": "How bad it is: ok, info, warning or critical"},
	"detail": {"help": "What was found"},
	"line_to_add": {"help": "Line for postgresql.conf, or statement to run"}
}$columns$);

-- sql/probes/probe_run.sql
-- What sampling costs, per probe, since the sampler started.
SELECT pgdba.define_probe(
	name => 'probe_run',
	loop => 'hot',
	query => NULL,
	key => '{probe}',
	columns => $columns${
	"probe": {"help": "Name of the probe"},
	"loop": {"kind": "label", "help": "Its loop"},
	"runs": {"kind": "counter", "unit": "runs", "metric": "pgdba_probe_runs_total", "help": "How often it ran"},
	"wall_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_probe_seconds_total",
		"help": "Time that it took"},
	"cpu_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_probe_cpu_seconds_total",
		"help": "CPU time that it took"},
	"rows": {"kind": "gauge", "unit": "rows", "metric": "pgdba_probe_rows", "help": "Rows that it returned last"},
	"cut": {"kind": "gauge", "unit": "rows", "metric": "pgdba_probe_rows_cut", "help": "Rows left out last, by its bounds"},
	"bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_probe_bytes_total",
		"help": "Bytes that it put into the rings"},
	"errors": {"kind": "counter", "unit": "errors", "metric": "pgdba_probe_errors_total", "help": "How often it failed"},
	"last_error": {"help": "What its last run failed with, NULL when that went well"},
	"last_error_at": {"help": "When that was"}
}$columns$,
	scope => 'native');

-- sql/probes/relation.sql
-- The counters of every table of every database, read by the library in one pass over the server's shared statistics:
-- no connection to the databases, no lock on the tables. Names come from visits and are kept.
SELECT pgdba.define_probe(
	name => 'relation',
	loop => 'workload',
	query => NULL,
	key => '{db,schema,relname}',
	columns => $columns${
	"db": {"help": "Database of the table; catalogs that all share are those of the home database"},
	"relation": {"kind": "label", "help": "schema.table as one text, for people and dashboards"},
	"relid": {"help": "OID of the table"},
	"schema": {"kind": "info", "help": "Schema of the table"},
	"relname": {"kind": "info", "help": "Name of the table"},
	"relkind": {"help": "As in pg_class: r table, m materialized view, t TOAST table"},
	"seq_scan": {"kind": "counter", "unit": "scans", "metric": "pg_table_seq_scan_total",
		"help": "Sequential scans"},
	"idx_scan": {"kind": "counter", "unit": "scans", "metric": "pg_table_idx_scan_total",
		"help": "Scans of its indexes"},
	"n_tup_ins": {"kind": "counter", "unit": "rows", "metric": "pg_table_tup_inserted_total",
		"help": "Rows inserted"},
	"n_tup_upd": {"kind": "counter", "unit": "rows", "metric": "pg_table_tup_updated_total",
		"help": "Rows updated"},
	"n_tup_del": {"kind": "counter", "unit": "rows", "metric": "pg_table_tup_deleted_total",
		"help": "Rows deleted"},
	"n_tup_hot_upd": {"kind": "counter", "unit": "rows", "metric": "pg_table_tup_hot_updated_total",
		"help": "Rows updated without a new index entry"},
	"n_live_tup": {"kind": "gauge", "unit": "rows", "metric": "pg_table_live_tuples",
		"help": "Live rows, an estimate"},
	"n_dead_tup": {"kind": "gauge", "unit": "rows", "metric": "pg_table_dead_tuples",
		"help": "Dead rows, an estimate"},
	"pct_dead": {"kind": "gauge", "unit": "percent", "metric": "pg_table_pct_dead",
		"help": "Share of dead rows in live and dead ones; absent for an empty table"},
	"n_mod_since_analyze": {"kind": "gauge", "unit": "rows", "metric": "pg_table_modified_since_analyze",
		"help": "Rows changed since the last analyze, an estimate"},
	"n_ins_since_vacuum": {"kind": "gauge", "unit": "rows", "metric": "pg_table_inserted_since_vacuum",
		"help": "Rows inserted since the last vacuum, an estimate"},
	"last_vacuum": {"help": "Last VACUUM by hand, NULL for never"},
	"last_autovacuum": {"kind": "gauge", "unit": "seconds since", "metric": "pg_table_last_autovacuum_seconds",
		"help": "Time since the last autovacuum; absent when there was none"},
	"last_analyze": {"help": "Last ANALYZE by hand, NULL for never"},
	"last_autoanalyze": {"kind": "gauge", "unit": "seconds since", "metric": "pg_table_last_autoanalyze_seconds",
		"help": "Time since the last automatic analyze; absent when there was none"},
	"vacuum_count": {"kind": "counter", "unit": "runs", "help": "VACUUMs by hand"},
	"autovacuum_count": {"kind": "counter", "unit": "runs", "metric": "pg_table_autovacuum_total",
		"help": "Automatic vacuums"},
	"analyze_count": {"kind": "counter", "unit": "runs", "help": "ANALYZEs by hand"},
	"autoanalyze_count": {"kind": "counter", "unit": "runs", "metric": "pg_table_autoanalyze_total",
		"help": "Automatic analyzes"},
	"blks_fetched": {"kind": "counter", "unit": "blocks", "metric": "pg_table_blks_fetched_total",
		"help": "Blocks asked for"},
	"blks_hit": {"kind": "counter", "unit": "blocks", "metric": "pg_table_blks_hit_total",
		"help": "Blocks found in shared buffers"}
}$columns$,
	scope => 'native',
	options => $options${
	"top": {"n": "top_relations", "by": ["n_dead_tup", "pct_dead", "n_tup_ins", "n_tup_upd", "n_tup_del", "blks_fetched"]},
	"object": "relation:{db:I}/{schema:I}.{relname:I}"
}$options$);

-- sql/probes/verdict.sql
-- The verdicts of each evaluation, kept like any sample: what was said at the time.
SELECT pgdba.define_probe(
	name => 'verdict',
	loop => 'hot',
	query => NULL,
	key => '{check_id,object}',
	columns => $columns${
	"db": {"help": "Database of the object"},
	"check_id": {"help": "Check that says so"},
	"area": {"help": "Area of the check"},
	"severity": {"help": "critical, warning, unknown, info or ok"},
	"object": {"help": "What it is about"},
	"message": {"help": "What is wrong"},
	"value": {"help": "What was observed, in the unit of column unit"},
	"unit": {"help": "Unit of value, warning and critical"},
	"warning": {"help": "Where warning begins"},
	"critical": {"help": "Where critical begins"},
	"since": {"help": "Since when it has had this severity"},
	"judged_at": {"help": "Time of the sample that was judged"},
	"evidence": {"help": "What was seen"},
	"why": {"help": "Why it matters"},
	"action": {"help": "What to do"},
	"sql": {"help": "Statement to run by hand"},
	"lock_level": {"help": "The strongest lock that the statement takes"},
	"undo": {"help": "Statement that takes it back"},
	"symptom_of": {"help": "Check that explains this one when it fires too"},
	"loop": {"help": "Loop of the check"}
}$columns$,
	scope => 'native');

-- sql/checks/locks/blocked.sql
-- Who stands at the head of a queue of lock waits, and how long the longest wait behind it is.
--
-- A root is a blocker that waits for nobody; process ID 0 is a prepared transaction. The probe gives few blockers per
-- waiter, so that all paths can be walked.
SELECT pgdba.define_check(
	check_id => 'locks.blocked',
	query => $check$
WITH RECURSIVE session AS MATERIALIZED (
	SELECT a.*, extract(epoch FROM a.sampled_at - coalesce(a.lock_wait_start, a.sampled_at))::float8 AS waited
	FROM pgdba.last_activity a
), edge AS MATERIALIZED (
	SELECT DISTINCT w.pid AS waiter, b.pid::int8 AS blocker
	FROM session w CROSS JOIN LATERAL jsonb_array_elements_text(w.blocked_by) AS b (pid)
), reach AS (
	SELECT e.waiter, e.blocker, 1 AS depth FROM edge e
	UNION
	SELECT r.waiter, e.blocker, r.depth + 1 FROM reach r JOIN edge e ON e.waiter = r.blocker WHERE r.depth < 16
), root AS (
	SELECT r.blocker AS pid, max(r.depth) AS depth, max(w.waited) AS waited, max(w.db) AS waiter_db,
		jsonb_agg(DISTINCT w.pid) AS waiting
	FROM reach r JOIN session w ON w.pid = r.waiter
	WHERE NOT EXISTS (SELECT FROM edge e WHERE e.waiter = r.blocker)
	GROUP BY r.blocker
), finding AS (
	SELECT r.pid AS root_pid, r.depth, r.waited, r.waiting, r.waiter_db, jsonb_array_length(r.waiting) AS blocked_sessions,
		s.db, s.backend_start, s.role, s.application_name, s.client_addr, s.backend_type, s.state,
		extract(epoch FROM s.sampled_at - s.xact_start)::float8 AS xact_seconds,
		extract(epoch FROM s.sampled_at - s.state_change)::float8 AS state_seconds,
		pgdba.may_end(s.backend_type, s.application_name) AS may_end, w.lock_type, w.lock_mode,
		(SELECT t.relation FROM pgdba.last_relation t WHERE t.db = w.db AND t.relid = w.lock_relid LIMIT 1) AS relation,
		CASE WHEN r.pid = 0 THEN (SELECT jsonb_agg(h.name ORDER BY h.held_since) FROM pgdba.last_horizon h
			WHERE h.kind = 'prepared transaction' AND h.db = r.waiter_db) END AS prepared
	FROM root r
	LEFT JOIN session s ON s.pid = r.pid
	LEFT JOIN LATERAL (SELECT l.db, l.lock_type, l.lock_mode, l.lock_relid FROM session l
		WHERE r.waiting @> to_jsonb(l.pid) ORDER BY l.lock_relid IS NULL, l.waited DESC LIMIT 1) w ON true
)
SELECT CASE WHEN f.root_pid = 0 THEN 'cluster'
		ELSE 'session:' || f.root_pid || '/' || coalesce(pgdba.session_start(f.backend_start), 'unknown') END AS object,
	CASE WHEN f.root_pid = 0 THEN f.waiter_db ELSE f.db END AS database,
	f.waited AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', f.root_pid,
		'backend_start', CASE WHEN f.may_end THEN pgdba.session_start(f.backend_start) END,
		'role', f.role, 'application_name', f.application_name, 'client_addr', f.client_addr,
		'backend_type', f.backend_type, 'state', f.state, 'xact_seconds', f.xact_seconds,
		'blocked_sessions', f.blocked_sessions, 'depth', f.depth, 'waiting', f.waiting,
		'lock_type', f.lock_type, 'lock_mode', f.lock_mode, 'relation', f.relation, 'prepared', f.prepared,
		'who', CASE WHEN f.root_pid = 0 THEN 'a prepared transaction'
			ELSE pgdba.session_text(f.root_pid, f.role, f.application_name, f.client_addr, f.state, f.state_seconds) END,
		'whom', CASE f.blocked_sessions WHEN 1 THEN '1 session' ELSE f.blocked_sessions || ' sessions' END
			|| coalesce(' on ' || f.relation, ''),
		'next_step', CASE
			WHEN f.root_pid = 0 THEN 'Finish it in database ' || f.waiter_db
				|| ' with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts lists them.'
			WHEN f.may_end AND f.state = 'active' THEN
				'Let its statement finish, or cancel it with pg_cancel_backend(); the SQL ends the session and rolls back.'
			WHEN f.may_end THEN
				'Commit or roll back in that session. When nobody can, the SQL ends it, which rolls back.'
			WHEN f.backend_type = 'autovacuum worker' THEN
				'Let the vacuum finish: it gives way to others unless it prevents wraparound.'
			ELSE 'Let it finish: it is a backup, replication or a process of the server. Do not end it.' END
	)) AS evidence
FROM finding f
ORDER BY f.waited DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Waits for locks",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 30, "critical": 120},
	"message": "{who} blocks {whom}, the longest for {value:duration}",
	"why": "Every session behind it waits and keeps its connection, so pools fill up and the application stops.",
	"action": "{next_step}",
	"sql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none"
}$definition$);

-- sql/checks/pgdba/samples.sql
-- Whether pgdba itself samples as it should: loops on time and within their budgets, history written, no probe failing.
SELECT pgdba.define_check(
	check_id => 'pgdba.samples',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	count(*)::float8 AS value,
	'problems' AS unit,
	jsonb_build_object('problems', string_agg(p.problem, '; ' ORDER BY p.problem)) AS evidence
FROM (SELECT format('loop %s is late, its last tick was %s ago', h.loop,
			pgdba.duration_text(extract(epoch FROM h.sampled_at - h.last_tick)::float8)) AS problem
		FROM pgdba.last_heartbeat h
		WHERE extract(epoch FROM h.sampled_at - h.last_tick) > 3 * h.interval_seconds
	UNION ALL
	SELECT format('loop %s: %s', h.loop, h.reason)
		FROM pgdba.last_heartbeat h
		WHERE h.degraded AND h.reason NOT LIKE 'failed: %'
	UNION ALL
	SELECT format('probe %s fails: %s', r.probe, r.last_error)
		FROM pgdba.last_probe_run r
		WHERE r.last_error <> '') p
$check$,
	definition => $definition${
	"title": "Sampling by pgdba",
	"loop": "hot",
	"probes": ["heartbeat", "probe_run"],
	"thresholds": {"warning": 0},
	"message": "{problems}",
	"why": "What is not sampled is not judged, and history has a hole.",
	"action": "SELECT * FROM pgdba.loops; and SELECT * FROM pgdba.cost(); show more. Over budget: raise pgdba.<loop>_budget. Published: leave schema pgdba out of the publication."
}$definition$);

-- sql/checks/sessions/idle_in_transaction.sql
-- Sessions that sit in an open transaction and do nothing, one finding per origin (role, address, application).
--
-- Such a session keeps its locks and its connection. It holds back vacuum only when it has a snapshot or a transaction
-- ID: one that only read under READ COMMITTED has neither, and is not blamed.
SELECT pgdba.define_check(
	check_id => 'sessions.idle_in_transaction',
	query => $check$
SELECT 'session:' || s.pid || '/' || pgdba.session_start(s.backend_start) AS object,
	s.db AS database,
	s.idle_seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'pid', s.pid,
		'backend_start', CASE WHEN pgdba.may_end(s.backend_type, s.application_name)
			THEN pgdba.session_start(s.backend_start) END,
		'role', s.role, 'application_name', s.application_name, 'client_addr', s.client_addr, 'state', s.state,
		'xact_seconds', s.xact_seconds, 'sessions', s.sessions, 'holders', s.holders,
		'xid_age', s.oldest_age,
		'who', CASE WHEN s.sessions = 1
			THEN pgdba.session_text(s.pid, s.role, s.application_name, s.client_addr, NULL, NULL) || ' is'
			ELSE s.sessions || ' sessions of one origin (' || concat_ws(', ', 'role ' || s.role,
				'application ' || nullif(s.application_name, ''), 'from ' || s.client_addr) || ') are' END,
		'longest', CASE WHEN s.sessions > 1 THEN ', the longest, session ' || s.pid || ',' ELSE '' END,
		'effect', CASE WHEN s.holders = 0 THEN 'no snapshot and no transaction ID, so vacuum is not held back'
			ELSE CASE WHEN s.sessions = 1 THEN 'it holds back vacuum by '
				ELSE s.holders || ' of them hold back vacuum by up to ' END || s.oldest_age || ' transactions' END
	)) AS evidence
FROM (SELECT i.*,
		extract(epoch FROM i.sampled_at - i.state_change)::float8 AS idle_seconds,
		extract(epoch FROM i.sampled_at - i.xact_start)::float8 AS xact_seconds,
		row_number() OVER (PARTITION BY i.role, i.client_addr, i.application_name ORDER BY i.state_change, i.pid) AS place,
		count(*) OVER origin AS sessions,
		count(greatest(i.backend_xid_age, i.backend_xmin_age)) OVER origin AS holders,
		max(greatest(i.backend_xid_age, i.backend_xmin_age)) OVER origin AS oldest_age
	FROM pgdba.last_activity i
	WHERE i.backend_type = 'client backend' AND i.state IN ('idle in transaction', 'idle in transaction (aborted)')
	WINDOW origin AS (PARTITION BY i.role, i.client_addr, i.application_name)) s
WHERE s.place = 1
ORDER BY s.idle_seconds DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Sessions idle in a transaction",
	"loop": "hot",
	"probes": ["activity"],
	"thresholds": {"warning": 300, "critical": 1800},
	"message": "{who} idle in transaction{longest} for {value:duration}: {effect}",
	"why": "An open transaction keeps its locks and its connection, and with a snapshot or a transaction ID the dead rows of its database.",
	"action": "Make the application commit before it waits; idle_in_transaction_session_timeout ends what it forgets. The SQL ends the oldest session.",
	"sql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
	"lock_level": "none"
}$definition$);

-- sql/checks/setup/preflight.sql
-- Advice on how the server is set up. Never worse than info: a server that is set up otherwise is not ill.
SELECT pgdba.define_check(
	check_id => 'setup.preflight',
	query => $check$
SELECT 'setting:' || p.item AS object,
	NULL::text AS database,
	1::float8 AS value,
	'' AS unit,
	jsonb_build_object('item', p.item, 'severity', p.severity, 'detail', p.detail, 'line_to_add', p.line_to_add) AS evidence
FROM pgdba.last_preflight p
WHERE NOT p.ok
ORDER BY p.item
$check$,
	definition => $definition${
	"title": "Set-up of the server",
	"loop": "storage",
	"probes": ["preflight"],
	"thresholds": {"info": 0},
	"message": "{detail}",
	"why": "pgdba sees more, and keeps more, with it.",
	"action": "Set: {line_to_add}"
}$definition$);

-- sql/checks/vacuum/dead_tuples.sql
-- Tables with many dead rows, and what keeps them: a holder of the vacuum horizon, or a vacuum that has not come.
--
-- A holder is named when vacuum has run since it began, so what is left died under it; or when it has held for a minute
-- and transactions went by; or, for a slot or a standby, which do not say since when, when 10,000 went by.
-- Tables with fewer than 1,000 dead rows are passed over: there can be very many of them.
SELECT pgdba.define_check(
	check_id => 'vacuum.dead_tuples',
	query => $check$
WITH holder AS MATERIALIZED (
	SELECT h.* FROM pgdba.last_horizon h WHERE h.xid_age > 0
)
SELECT format('relation:%I/%I.%I', r.db, r.schema, r.relname) AS object,
	r.db AS database,
	r.pct_dead AS value,
	'percent' AS unit,
	r.n_dead_tup AS dead,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', r.relation, 'schema', r.schema, 'relname', r.relname, 'relkind', r.relkind,
		'dead', r.n_dead_tup, 'live', r.n_live_tup, 'last_vacuum', r.last_vacuum, 'last_autovacuum', r.last_autovacuum,
		'holder_kind', h.kind, 'holder', h.name, 'holder_pid', h.pid, 'holder_xid_age', h.xid_age,
		'holder_start', CASE WHEN h.kind = 'session' AND pgdba.may_end(h.backend_type, h.application_name)
			THEN pgdba.session_start(h.backend_start) END,
		'held_seconds', h.held_seconds, 'held_since', h.held_since,
		'cause', CASE
			WHEN h.kind IS NOT NULL THEN h.who || ' keeps vacuum from removing what died since '
				|| coalesce('it began ' || pgdba.duration_text(h.held_seconds) || ' ago', h.xid_age || ' transactions ago')
			WHEN r.vacuumed_at IS NULL THEN 'vacuum has never come to it'
			ELSE 'vacuum came last '
				|| pgdba.duration_text(greatest(extract(epoch FROM r.sampled_at - r.vacuumed_at)::float8, 0)) || ' ago' END,
		'next_step', CASE h.kind
			WHEN 'session' THEN CASE WHEN pgdba.may_end(h.backend_type, h.application_name)
				THEN format('First commit or roll back in session %s; when nobody can, end it, which rolls back.', h.pid)
				ELSE format('First let session %s finish.', h.pid) END
			WHEN 'prepared transaction' THEN format('First finish it in database %I: COMMIT PREPARED %L; or ROLLBACK PREPARED %L;',
				h.db, h.name, h.name)
			WHEN 'slot' THEN format('First let the consumer of the slot catch up; when it has none any more: SELECT pg_drop_replication_slot(%L);',
				h.name)
			WHEN 'standby' THEN 'First end the long query on the standby, or turn hot_standby_feedback off there.'
			ELSE 'Nothing is in its way.' END
	)) AS evidence
FROM (SELECT t.*, greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at
	FROM pgdba.last_relation t WHERE t.n_dead_tup >= 1000) r
LEFT JOIN LATERAL (
	SELECT o.*, CASE o.kind
			WHEN 'session' THEN pgdba.session_text(o.pid, o.role, o.application_name, NULL, o.state, NULL)
			WHEN 'standby' THEN 'a standby' || coalesce(' (' || nullif(o.application_name, '') || ')', '')
			ELSE o.kind || ' ' || o.name END AS who
	FROM holder o
	WHERE (o.db IS NULL OR o.db = r.db) AND (NOT o.catalog_only OR r.schema = 'pg_catalog')
		AND (o.held_since < r.vacuumed_at OR o.held_seconds >= 60 OR (o.held_seconds IS NULL AND o.xid_age >= 10000))
	ORDER BY o.xid_age DESC, o.held_since, o.kind, o.name LIMIT 1) h ON true
ORDER BY r.pct_dead DESC
LIMIT 1000
$check$,
	definition => $definition${
	"title": "Dead rows",
	"loop": "workload",
	"probes": ["relation", "horizon"],
	"thresholds": {"warning": 20, "critical": 50, "for": "10m", "floor": {"dead": 100000}},
	"message": "{value:percent} of the rows of {relation} in {database} are dead ({dead:count}): {cause}",
	"why": "Every scan reads dead rows too, and the space they take is not used again until vacuum has removed them.",
	"action": "{next_step} Then vacuum the table.",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {holder_pid} AND backend_start = {holder_start:L};",
		"VACUUM (VERBOSE, ANALYZE) {schema:I}.{relname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);

-- sql/schema_end/90_origin.sql
-- From here on whoever defines something is a user, and CREATE EXTENSION says what would keep history in memory.
ALTER TABLE pgdba.probe ALTER COLUMN origin SET DEFAULT 'user';
ALTER TABLE pgdba.probe_variant ALTER COLUMN origin SET DEFAULT 'user';
ALTER TABLE pgdba.check_definition ALTER COLUMN origin SET DEFAULT 'user';

-- Rewriting a table sends no row to subscribers.
ALTER TABLE pgdba.probe SET LOGGED;
ALTER TABLE pgdba.probe_variant SET LOGGED;
ALTER TABLE pgdba.check_definition SET LOGGED;

DO $published$
DECLARE
	publication record;
BEGIN
	FOR publication IN SELECT * FROM pgdba.publications() LOOP
		RAISE WARNING 'publication "%" would send the tables of pgdba to its subscribers', publication.publication USING
			DETAIL = 'Samples are kept in memory only while it does.',
			HINT = pg_catalog.format('Run: %s', publication.line_to_add);
	END LOOP;
END
$published$;
