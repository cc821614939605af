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
