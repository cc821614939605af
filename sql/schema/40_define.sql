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

-- For variants that differ from another text in a few places. A place that is not there is an error, or the variant would
-- silently be the same text.
CREATE FUNCTION pgdba.changed_text(original text, VARIADIC changes text[]) RETURNS text
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
BEGIN
	FOR i IN 1 .. pg_catalog.cardinality(changes) BY 2 LOOP
		IF pg_catalog.strpos(original, changes[i]) = 0 THEN
			RAISE EXCEPTION 'text to be changed does not contain "%"', changes[i] USING
				ERRCODE = 'invalid_parameter_value';
		END IF;
		original := pg_catalog.replace(original, changes[i], changes[i + 1]);
	END LOOP;
	RETURN original;
END
$$;
COMMENT ON FUNCTION pgdba.changed_text(text, text[]) IS
	'A text with pieces replaced, given in pairs: what stands there, what is to stand there. Raises 22023 for a piece that is not there.';

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
	ring text;
	side text;
	relation text;
	comments record;
BEGIN
	SELECT * INTO STRICT probe FROM pgdba.probe p WHERE p.name = make_probe_views.name;
	ring := coalesce(probe.options ->> 'ring', probe."loop");
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
				'ring_' || side || '_' || probe.name, column_list, probe.name, ring, side);
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
			'ring_' || side || '_' || probe.name, ring);
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

-- One name on the page has one meaning, one type and one help.
CREATE FUNCTION pgdba.refuse_metrics(name text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	clash record;
BEGIN
	SELECT m.value ->> 'metric' AS metric, o.owner INTO clash
	FROM pgdba.probe p
	CROSS JOIN LATERAL pg_catalog.jsonb_each(p.columns) m
	CROSS JOIN LATERAL (
		SELECT 'probe "' || other.name || '"' AS owner
		FROM pgdba.probe other CROSS JOIN LATERAL pg_catalog.jsonb_each(other.columns) theirs
		WHERE other.name <> p.name AND theirs.value ->> 'metric' = m.value ->> 'metric'
		UNION ALL
		SELECT CASE WHEN m.value ->> 'metric' ~ '^pgdba_' THEN 'pgdba' ELSE 'Prometheus' END
		WHERE p.origin = 'user' AND m.value ->> 'metric' ~ '^(pgdba_|scrape_|up$)') o
	WHERE p.name = refuse_metrics.name LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'metric "%" belongs to %', clash.metric, clash.owner USING
			ERRCODE = 'duplicate_object',
			HINT = 'Give it a name of its own, such as one that begins with that of your application.';
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.refuse_metrics(text) IS
	'Part of define_probe(). Raises 42710 for a metric that another probe has, or whose name is reserved.';

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
	PERFORM pgdba.refuse_metrics(name);
	PERFORM pgdba.make_probe_views(name);
END
$$;
COMMENT ON FUNCTION pgdba.define_probe(text, text, text, text[], jsonb, text, jsonb) IS
	'Defines a probe, or replaces your own of that name, with views last_<name> and hist_<name>. Raises 22004 and 22023 for bad arguments, 42601 when the text is not one SELECT, 42710 for a probe of pgdba or a metric of another one, and the errors of the query itself.';

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
