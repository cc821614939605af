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

CREATE FUNCTION pgdba.holder_text(kind text, name text, pid bigint, role text, application_name text, state text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN CASE kind
		WHEN 'session' THEN pgdba.session_text(pid, role, application_name, NULL, state, NULL)
		WHEN 'standby' THEN 'a standby' || coalesce(' (' || nullif(application_name, '') || ')', '')
		ELSE kind || ' ' || name END;
COMMENT ON FUNCTION pgdba.holder_text(text, text, bigint, text, text, text) IS
	'Who holds the vacuum horizon as people read it, from a row of probe horizon.';

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
