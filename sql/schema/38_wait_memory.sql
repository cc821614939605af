-- What the sampler of waits has in memory. Query ids and names of applications are in it, no texts of statements.

CREATE FUNCTION pgdba.wait_runs(since timestamptz, until timestamptz) RETURNS TABLE (pid int, backend_start timestamptz, db text,
	role text, application_name text, backend_type text, state text, event_type text, event text, class text, query_id bigint,
	xact_start timestamptz, leader_pid int, blocked bool, began timestamptz, ended timestamptz, samples bigint, seconds float8)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgdba_wait_runs';
COMMENT ON FUNCTION pgdba.wait_runs(timestamptz, timestamptz) IS
	'What each session did in a time of the last minutes: a row as long as nothing of it changed, clipped to that time. NULL is an open end. Raises 55000 without preload.';

CREATE FUNCTION pgdba.wait_runs_since() RETURNS timestamptz
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_wait_runs_since';
COMMENT ON FUNCTION pgdba.wait_runs_since() IS
	'From when on pgdba.wait_runs() is whole: what is older may have made room for newer rows (pgdba.wait_memory). NULL when nothing was looked at yet. Raises 55000 without preload.';

CREATE FUNCTION pgdba.wait_now() RETURNS TABLE (db text, role text, application_name text, query_id bigint, state text,
	event_type text, event text, class text, samples bigint, seconds float8, blocked_seconds float8, folded bool, span_seconds float8)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgdba_wait_now';
COMMENT ON FUNCTION pgdba.wait_now() IS
	'What sessions did since the newest sample of probe wait, in the columns of that. Raises 55000 without preload.';
