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
