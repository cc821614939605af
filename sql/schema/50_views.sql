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
	cpu_seconds float8, rows bigint, bytes bigint, errors bigint, last_error text, wal_bytes bigint, late bigint, skipped bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	RETURN QUERY SELECT r.probe, r.loop, r.runs, r.wall_seconds, r.cpu_seconds, r.rows, r.bytes, r.errors, r.last_error,
			r.wal_bytes, r.late, r.skipped
		FROM pgdba.last_probe_run r ORDER BY r.wall_seconds DESC, r.probe;
END
$$;
COMMENT ON FUNCTION pgdba.cost() IS
	'What sampling has cost since the sampler started, per probe, the dearest first: time, rows of the last run, bytes put into the rings and WAL written for them, and ticks in which it failed, had no time left (late), or rested (skipped). Raises 55000 without preload.';

CREATE FUNCTION pgdba.coverage(since timestamptz, until timestamptz) RETURNS TABLE (loop text, expected bigint,
	ticks bigint, gaps bigint, share float8, longest_gap float8, longest_gap_since timestamptz)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'since must lie before until' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	SELECT l.loop, l.expected, coalesce(h.ticks, 0)::pg_catalog.int8, coalesce(h.gaps, 0)::pg_catalog.int8,
		CASE WHEN l.expected > 0 THEN least(100.0 * coalesce(h.ticks, 0) / l.expected, 100.0)::pg_catalog.float8 END,
		h.longest[1], pg_catalog.to_timestamp(h.longest[2])
	FROM (SELECT r.loop, r.interval_seconds, pg_catalog.floor(
				extract(epoch FROM coverage.until - coverage.since) / nullif(r.interval_seconds, 0))::pg_catalog.int8 AS expected
			FROM pgdba.loop_rows() r) l
	LEFT JOIN (SELECT b.loop, pg_catalog.sum(coalesce(b.tick, 1)) AS ticks, pg_catalog.count(*) FILTER (WHERE b.gap) AS gaps,
				pg_catalog.max(ARRAY[b.elapsed, extract(epoch FROM b.sampled_at) - b.elapsed]) FILTER (WHERE b.gap) AS longest
			FROM pgdba.hist_heartbeat b
			WHERE b.sampled_at > coverage.since AND b.sampled_at <= coverage.until
			GROUP BY b.loop) h ON h.loop = l.loop
	ORDER BY l.interval_seconds, l.loop;
END
$$;
COMMENT ON FUNCTION pgdba.coverage(timestamptz, timestamptz) IS
	'How much of a time was sampled, per loop: ticks expected at the present interval, ticks there were, share in percent, gaps, how long the longest lasted (seconds) and when it began. Raises 22023 for an empty time, 55000 without preload.';

-- Agrees with the sampler on lists: names separated by commas, blanks around them ignored, * stands for any text.
CREATE FUNCTION pgdba.in_list(name text, list text) RETURNS bool
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN EXISTS (SELECT FROM pg_catalog.string_to_table(in_list.list, ',') AS p (pattern)
		WHERE in_list.name LIKE pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
			pg_catalog.btrim(p.pattern), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
			AND pg_catalog.btrim(p.pattern) <> '');
COMMENT ON FUNCTION pgdba.in_list(text, text) IS 'Whether a name is met by a setting such as pgdba.exclude_databases.';

CREATE FUNCTION pgdba.databases() RETURNS TABLE (database text, sampled bool, reason text, last_sampled timestamptz,
	last_visited timestamptz, visit_seconds float8, last_error text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	RETURN QUERY
	SELECT d.datname::text, w.reason IS NULL, w.reason, r.last_sampled, v.last_visit, v.duration_seconds, v.last_error
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
	LEFT JOIN pgdba.last_database_visit v ON v.db = d.datname::text
	ORDER BY d.datname;
END
$$;
COMMENT ON FUNCTION pgdba.databases() IS
	'Every database: whether its relations are sampled, or why not, the time of the newest sample that has one of them; and when its catalogs were last visited, how long that took, and what failed. Raises 55000 without preload.';
