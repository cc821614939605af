-- Incidents: what was going on when a verdict became critical, kept for as long as the hourly history.
--
-- Probe incident keeps the list: those that are open and those of the last day. It begins one for a critical verdict
-- that has none, and ends it once the verdict has not been critical for ten minutes, so a flapping one stays one
-- incident. Probe incident_record keeps, once for all that begin in the same tick, what surrounds them. An incident is
-- never rewritten: its end is one more sample of the list.
--
-- The id is the time of the verdict in microseconds since 1970, plus the place among those of the same moment: nobody has
-- to write a sequence, so it works on a standby, and after a failover no two servers have given the same one. It fits into
-- what JSON takes for a number.

-- Limits: at most 3 of one check and 10 of all in an hour, 30 in a day, 200 open at once. suppressed, at the newest one, says
-- how many critical verdicts had to go without.
CREATE FUNCTION pgdba.incident_rows()
	RETURNS TABLE (db text, id bigint, began timestamptz, check_id text, object text, message text, value float8, unit text,
		since timestamptz, ended timestamptz, suppressed bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	quiet CONSTANT interval := '10 min';
	moment CONSTANT timestamptz := coalesce(nullif(current_setting('pgdba.as_of', true), '')::timestamptz, clock_timestamp());
	judged timestamptz;
	calm bool;
BEGIN
	SELECT max(v.sampled_at) INTO judged FROM pgdba.last_verdict v;
	IF judged IS NULL THEN -- nothing was judged yet: nothing is new, and nothing has ended
		RETURN QUERY SELECT i.db, i.id, i.began, i.check_id, i.object, i.message, i.value, i.unit, i.since, i.ended, i.suppressed
			FROM pgdba.last_incident i;
		RETURN;
	END IF;
	-- History is read only when there is one that may have ended, and once a minute.
	calm := EXISTS (SELECT FROM pgdba.last_incident i
		WHERE i.ended IS NULL AND date_trunc('minute', i.sampled_at) <> date_trunc('minute', moment)
			AND NOT EXISTS (SELECT FROM pgdba.last_verdict v
				WHERE v.severity = 'critical' AND v.check_id = i.check_id AND v.object = i.object));
	RETURN QUERY
	WITH critical AS MATERIALIZED (
		SELECT v.* FROM pgdba.last_verdict v WHERE v.severity = 'critical'
	), lately AS MATERIALIZED (
		SELECT h.check_id, h.object, h.severity, h.sampled_at FROM pgdba.hist_verdict h
		WHERE calm AND h.sampled_at > judged - 1.5 * quiet AND h.sampled_at <= judged
	), known AS MATERIALIZED (
		SELECT i.*, coalesce(i.ended, CASE WHEN calm AND coalesce(c.at < judged - quiet, true) THEN (SELECT min(l.sampled_at)
			FROM lately l WHERE l.sampled_at > coalesce(c.at, '-infinity')) END) AS over
		FROM pgdba.last_incident i
		CROSS JOIN LATERAL (SELECT max(l.sampled_at) AS at FROM lately l
			WHERE l.check_id = i.check_id AND l.object = i.object AND l.severity = 'critical') c
		WHERE i.ended IS NULL OR i.began > judged - '1 day'::interval
	), wanted AS (
		SELECT c.*, row_number() OVER (PARTITION BY c.check_id ORDER BY c.since, c.object)
			+ (SELECT count(*) FROM known k WHERE k.check_id = c.check_id AND k.began > judged - '1 hour'::interval) AS place
		FROM critical c
		WHERE NOT EXISTS (SELECT FROM known k WHERE k.check_id = c.check_id AND k.object = c.object AND k.over IS NULL)
	), fresh AS MATERIALIZED (
		SELECT w.*, row_number() OVER (ORDER BY w.symptom_of IS NOT NULL, w.place, w.since, w.check_id, w.object) AS turn
		FROM wanted w WHERE w.place <= 3
	), allowed AS MATERIALIZED (
		SELECT least(10 - count(*) FILTER (WHERE k.began > judged - '1 hour'::interval),
			30 - count(*) FILTER (WHERE k.began > judged - '1 day'::interval), 200 - count(*) FILTER (WHERE k.over IS NULL)) AS most
		FROM known k
	), listed AS (
		SELECT k.db, k.id, k.began, k.check_id, k.object, k.message, k.value, k.unit, k.since, k.over, k.suppressed
		FROM known k
		UNION ALL
		SELECT f.db, (extract(epoch FROM judged) * 1e6)::int8 + f.turn - 1, judged, f.check_id, "left"(f.object, 300),
			"left"(f.message, 300), f.value, f.unit, f.since, NULL, 0
		FROM fresh f CROSS JOIN allowed a WHERE f.turn <= a.most
	)
	SELECT l.db, l.id, l.began, l.check_id, l.object, l.message, l.value, l.unit, l.since, l.over,
		CASE WHEN l.id = max(l.id) OVER () THEN greatest(l.suppressed, (SELECT count(*) FROM wanted)
			- (SELECT count(*) FROM fresh f CROSS JOIN allowed a WHERE f.turn <= a.most)) ELSE l.suppressed END
	FROM listed l
	ORDER BY l.id;
END
$$;
COMMENT ON FUNCTION pgdba.incident_rows() IS 'Under probe incident.';

-- The first elements of a list that fit into so many bytes, and how many there are in all.
CREATE FUNCTION pgdba.first_that_fit(list jsonb, bytes int, OUT kept jsonb, OUT kept_count int, OUT count int)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
	SELECT coalesce(jsonb_agg(e.value ORDER BY e.place) FILTER (WHERE e.bytes <= first_that_fit.bytes), '[]'),
		(count(*) FILTER (WHERE e.bytes <= first_that_fit.bytes))::int4, count(*)::int4
	FROM (SELECT l.value, l.place, sum(octet_length(l.value::text) + 2) OVER (ORDER BY l.place) AS bytes
		FROM jsonb_array_elements(list) WITH ORDINALITY AS l (value, place)) e
$$;
COMMENT ON FUNCTION pgdba.first_that_fit(jsonb, int) IS 'The first elements of a list that fit into so many bytes.';

-- One part of a record: a list, the most important first, of what was so at a moment. Read from what the rings keep, up to
-- that moment. Texts of statements have no place here.
CREATE FUNCTION pgdba.incident_part(part text, at timestamptz) RETURNS jsonb
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	span CONSTANT interval := '5 min';
	recent CONSTANT interval := greatest('2 min', 3 * current_setting('pgdba.hot_interval')::interval);
	before interval;
	basis timestamptz;
	list jsonb;
BEGIN
	CASE part
	WHEN 'verdicts' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(v) - '{sampled_at,elapsed,reset,gap,area,judged_at,why,sql,undo,lock_level,loop}'::text[]
				|| CASE WHEN octet_length(v.evidence::text) > 4000 THEN '{"evidence": null}'::jsonb ELSE '{}' END)
			ORDER BY array_position('{critical,warning,unknown,info}'::text[], v.severity), v.check_id, v.object) INTO list
		FROM pgdba.hist_verdict v
		WHERE v.sampled_at = at AND v.severity <> 'ok';
	WHEN 'load' THEN -- average active sessions of each minute, by class
		SELECT jsonb_agg(jsonb_build_object('until', m.until, 'sessions', m.sessions) ORDER BY m.until DESC) INTO list
		FROM (SELECT c.until, jsonb_object_agg(c.class, round((c.seconds / 60)::numeric, 2)) AS sessions
			FROM (SELECT g.until, r.class, sum(CASE WHEN r.ended > r.began THEN r.seconds * extract(epoch FROM
						least(r.ended, g.until) - greatest(r.began, g.until - '1 min'::interval))::float8
						/ extract(epoch FROM r.ended - r.began)::float8 ELSE r.seconds END) AS seconds
				FROM generate_series(at - span + '1 min'::interval, at, '1 min') AS g (until)
				JOIN pgdba.wait_runs(at - span, at) r ON r.began < g.until AND r.ended > g.until - '1 min'::interval
				WHERE r.state = 'active'
				GROUP BY g.until, r.class) c
			GROUP BY c.until) m;
	WHEN 'waits' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(w)) ORDER BY w.seconds DESC) INTO list
		FROM (SELECT r.db, r.query_id, r.state, r.event_type, r.event, round(sum(r.seconds)::numeric, 2) AS seconds,
				count(DISTINCT (r.pid, r.backend_start)) AS sessions
			FROM pgdba.wait_runs(at - span, at) r WHERE r.state IS DISTINCT FROM 'idle'
			GROUP BY r.db, r.query_id, r.state, r.event_type, r.event) w;
	WHEN 'runs' THEN -- the raw samples of the last half minute, the newest first
		SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('pid', r.pid, 'state', r.state, 'event',
				CASE WHEN r.event_type = 'CPU' THEN 'CPU' ELSE r.event_type || ':' || r.event END, 'query_id', r.query_id,
				'blocked', nullif(r.blocked, false), 'began', r.began, 'seconds', round(r.seconds::numeric, 3)))
			ORDER BY r.ended DESC, r.seconds DESC) INTO list
		FROM (SELECT r.* FROM pgdba.wait_runs(at - '30 s'::interval, at) r WHERE r.state IS DISTINCT FROM 'idle'
			ORDER BY r.ended DESC, r.seconds DESC LIMIT 1000) r;
	WHEN 'locks' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(l) - '{query,sampled_at}'::text[])) INTO list FROM pgdba.lock_tree(at) l;
	WHEN 'activity' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(a) - '{sampled_at,elapsed,reset,gap,query}'::text[])
			ORDER BY a.blocked_by IS NULL, a.xact_start, a.pid) INTO list
		FROM pgdba.hist_activity a
		WHERE a.sampled_at = (SELECT max(m.sampled_at) FROM pgdba.hist_activity m WHERE m.sampled_at > at - recent AND m.sampled_at <= at)
			AND (a.state <> 'idle' OR a.xact_start IS NOT NULL);
	WHEN 'slow_sessions' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(s) - '{sampled_at,elapsed,reset,gap,slow_sessions}'::text[]) ORDER BY s.began)
			INTO list
		FROM pgdba.hist_slow_session s
		WHERE s.sampled_at = (SELECT max(m.sampled_at) FROM pgdba.hist_slow_session m WHERE m.sampled_at > at - recent AND m.sampled_at <= at);
	WHEN 'statements' THEN
		SELECT jsonb_agg(to_jsonb(s) ORDER BY s.exec_seconds DESC) INTO list
		FROM (SELECT h.db, h.queryid AS query_id, sum(h.exec_seconds) AS exec_seconds, sum(h.calls)::int8 AS calls,
				sum(h.rows)::int8 AS rows, sum(h.shared_blks_read)::int8 AS shared_blks_read,
				sum(h.temp_blks_written)::int8 AS temp_blks_written, sum(h.wal_bytes)::int8 AS wal_bytes
			FROM pgdba.hist_statement h
			WHERE h.sampled_at > at - 2 * span AND h.sampled_at <= at AND h.calls > 0
			GROUP BY h.db, h.queryid ORDER BY 3 DESC NULLS LAST LIMIT 50) s;
	WHEN 'settings' THEN -- against a day before, or as far back as there are samples
		FOREACH before IN ARRAY '{1 day,6 hours,1 hour,20 min}'::interval[] LOOP
			SELECT min(h.sampled_at) INTO basis FROM pgdba.hist_setting h
			WHERE h.sampled_at >= at - before AND h.sampled_at < at - before + '20 min'::interval;
			EXIT WHEN basis IS NOT NULL;
		END LOOP;
		SELECT jsonb_agg(jsonb_build_object('name', n.name, 'since', basis, 'before', o.value, 'value', n.value,
			'pending_restart', n.pending_restart) ORDER BY n.name) INTO list
		FROM pgdba.hist_setting o JOIN pgdba.last_setting n ON n.name = o.name
		WHERE o.sampled_at = basis AND (n.value IS DISTINCT FROM o.value OR n.pending_restart > o.pending_restart);
	WHEN 'machine' THEN
		SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(m) - '{db,reset,gap}'::text[]) ORDER BY m.sampled_at DESC) INTO list
		FROM pgdba.hist_machine m WHERE m.sampled_at > at - span AND m.sampled_at <= at;
	END CASE;
	RETURN coalesce(list, '[]');
END
$$;
COMMENT ON FUNCTION pgdba.incident_part(text, timestamptz) IS 'A part of the record of an incident, as a list.';

-- Bounded: each part has its share of 128 kB, the texts 32 kB. What did not fit is said in "cut", what could not be read in
-- "unavailable": one part that fails takes nothing from the others.
--
-- Texts are those of pg_stat_statements, without values, and none that may hold a password: they stay for a year.
CREATE FUNCTION pgdba.incident_record(at timestamptz, OUT contents jsonb, OUT texts jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
	part text;
	share int;
	fits record;
	cut jsonb := '{}';
	unavailable jsonb := '{}';
	reason text;
BEGIN
	contents := jsonb_build_object('at', at);
	FOR part, share IN VALUES ('verdicts', 20), ('load', 2), ('waits', 18), ('locks', 22), ('activity', 20),
		('slow_sessions', 10), ('statements', 8), ('settings', 4), ('machine', 4), ('runs', 20)
	LOOP
		BEGIN
			SELECT f.* INTO fits FROM pgdba.first_that_fit(pgdba.incident_part(part, at), share * 1024) f;
			contents := contents || jsonb_build_object(part, fits.kept);
			IF fits.kept_count < fits.count THEN
				cut := cut || jsonb_build_object(part, jsonb_build_object('kept', fits.kept_count, 'of', fits.count));
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
			unavailable := unavailable || jsonb_build_object(part, reason);
		END;
	END LOOP;
	BEGIN
		SELECT f.* INTO fits FROM pgdba.first_that_fit((
			SELECT jsonb_agg(jsonb_build_object('db', t.db, 'query_id', t.queryid, 'query', t.query) ORDER BY w.place)
			FROM (SELECT array_agg(s.db ORDER BY s.place) AS dbs, array_agg(s.query_id ORDER BY s.place) AS ids
				FROM (SELECT e.value ->> 'db' AS db, (e.value ->> 'query_id')::int8 AS query_id, min(e.place) AS place
					FROM (SELECT v.value, v.place FROM jsonb_array_elements(contents -> 'slow_sessions') WITH ORDINALITY AS v (value, place)
						UNION ALL SELECT v.value, v.place FROM jsonb_array_elements(contents -> 'waits') WITH ORDINALITY AS v (value, place)
						UNION ALL SELECT v.value, v.place FROM jsonb_array_elements(contents -> 'statements') WITH ORDINALITY AS v (value, place)
						UNION ALL SELECT v.value, v.place FROM jsonb_array_elements(contents -> 'activity') WITH ORDINALITY AS v (value, place)) e
					WHERE e.value ->> 'db' IS NOT NULL AND e.value ->> 'query_id' IS NOT NULL
					GROUP BY 1, 2 ORDER BY 3 LIMIT 50) s
				HAVING count(*) > 0) q
			CROSS JOIN LATERAL pgdba.statement_texts(q.dbs, q.ids) t
			JOIN LATERAL unnest(q.dbs, q.ids) WITH ORDINALITY AS w (db, query_id, place) ON w.db = t.db AND w.query_id = t.queryid
			WHERE t.query IS NOT NULL), 32 * 1024) f;
		texts := fits.kept;
		IF fits.kept_count < fits.count THEN
			cut := cut || jsonb_build_object('texts', jsonb_build_object('kept', fits.kept_count, 'of', fits.count));
		END IF;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
		unavailable := unavailable || jsonb_build_object('texts', reason);
	END;
	contents := contents || jsonb_build_object('cut', cut, 'unavailable', unavailable);
END
$$;
COMMENT ON FUNCTION pgdba.incident_record(timestamptz) IS
	'What surrounds a moment, and the texts of its statements. Under probe incident_record.';

-- A row for the newest incidents that have no record yet, for as long as there are samples of them: a tick that had no
-- time left is not the last word.
CREATE FUNCTION pgdba.incident_record_rows() RETURNS TABLE (began timestamptz, record jsonb, texts jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	newest timestamptz;
BEGIN
	SELECT max(i.began) INTO newest FROM pgdba.last_incident i
	WHERE i.began > (SELECT max(v.sampled_at) FROM pgdba.last_verdict v) - '3 min'::interval;
	IF newest IS NOT NULL AND NOT EXISTS (SELECT FROM pgdba.hist_incident_record h
		WHERE h.sampled_at >= newest AND h.began = newest)
	THEN
		RETURN QUERY SELECT newest, r.contents, r.texts FROM pgdba.incident_record(newest) r;
	END IF;
END
$$;
COMMENT ON FUNCTION pgdba.incident_record_rows() IS 'Under probe incident_record.';

CREATE FUNCTION pgdba.incident_list()
	RETURNS TABLE (id bigint, at timestamptz, ended timestamptz, check_id text, object text, database text, message text,
		value float8, unit text, since timestamptz, suppressed bigint)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
	PERFORM pgdba.require_preload();
	RETURN QUERY
	SELECT DISTINCT ON (i.id) i.id, i.began, i.ended, i.check_id, i.object, i.db, i.message, i.value, i.unit, i.since, i.suppressed
	FROM pgdba.hist_incident i
	ORDER BY i.id DESC, i.sampled_at DESC;
END
$$;
COMMENT ON FUNCTION pgdba.incident_list() IS 'Under view pgdba.incidents.';

CREATE VIEW pgdba.incidents AS SELECT * FROM pgdba.incident_list();
COMMENT ON VIEW pgdba.incidents IS 'Verdicts that became critical, the newest first; pgdba.incident(id) tells what was going on.';
COMMENT ON COLUMN pgdba.incidents.at IS 'When it was first seen to be critical.';
COMMENT ON COLUMN pgdba.incidents.ended IS 'Since when it has not been critical, known after ten minutes of that; NULL while it goes on.';
COMMENT ON COLUMN pgdba.incidents.since IS 'Since when it has been critical by its samples.';
COMMENT ON COLUMN pgdba.incidents.suppressed IS 'How many more critical verdicts there were for which the limits left no incident.';

CREATE FUNCTION pgdba.incident(id bigint) RETURNS jsonb
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	entry record;
	kept record;
BEGIN
	SELECT l.* INTO entry FROM pgdba.incident_list() l WHERE l.id = incident.id;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	SELECT h.record, h.texts INTO kept FROM pgdba.hist_incident_record h
	WHERE h.sampled_at >= entry.at AND h.sampled_at < entry.at + '10 min'::interval AND h.began = entry.at
	ORDER BY h.sampled_at LIMIT 1;
	RETURN to_jsonb(entry) || jsonb_build_object('record', kept.record)
		|| CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN jsonb_build_object('texts', kept.texts) ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION pgdba.incident(bigint) IS
	'An incident with its record: verdicts, load and waits of the five minutes before, raw samples, locks, sessions, statements, changed settings; NULL when there is none with that id. Key texts, the texts of its statements, is for members of pg_read_all_stats. Raises 55000 without preload.';
