-- The functions of the boundary library, for a database of a private server.
CREATE FUNCTION live() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_live';
CREATE FUNCTION heap() RETURNS bigint LANGUAGE c AS 'pgdba_boundary', 'boundary_heap';
CREATE FUNCTION clean() RETURNS boolean LANGUAGE c AS 'pgdba_boundary', 'boundary_clean';
CREATE FUNCTION holdoff() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_holdoff';
CREATE FUNCTION server_error() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_server_error';
CREATE FUNCTION throw(kind text) RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_throw';
CREATE FUNCTION nested() RETURNS boolean LANGUAGE c AS 'pgdba_boundary', 'boundary_nested';
CREATE FUNCTION execute(command text) RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_execute';
CREATE FUNCTION long_message() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_long_message';
CREATE FUNCTION no_memory_for_copy() RETURNS text
	LANGUAGE c AS 'pgdba_boundary', 'boundary_no_memory_for_copy';
CREATE FUNCTION destructor(while_unwinding boolean) RETURNS boolean
	LANGUAGE c AS 'pgdba_boundary', 'boundary_destructor';
CREATE FUNCTION locked_copy() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_locked_copy';
CREATE FUNCTION sandboxed(query text) RETURNS text LANGUAGE c AS 'pgdba_boundary', 'boundary_sandboxed';
CREATE FUNCTION start_worker(main text) RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_start_worker';

-- One template of one name in two libraries.
CREATE FUNCTION which_first() RETURNS int LANGUAGE c AS 'pgdba_boundary', 'boundary_which';
CREATE FUNCTION which_second() RETURNS int LANGUAGE c AS 'pgdba_boundary_second', 'boundary_which';

CREATE TABLE half_done (value int);
CREATE ROLE pgdba_sampler NOLOGIN;

-- Runs a command that must fail, in a subtransaction. RETURNS what the caller sees of its error.
CREATE TYPE seen AS (state text, message text, detail text, hint text, context text);
CREATE FUNCTION failure(command text) RETURNS seen LANGUAGE plpgsql AS $$
DECLARE
	result seen;
BEGIN
	EXECUTE command;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS result.state = RETURNED_SQLSTATE, result.message = MESSAGE_TEXT,
		result.detail = PG_EXCEPTION_DETAIL, result.hint = PG_EXCEPTION_HINT,
		result.context = PG_EXCEPTION_CONTEXT;
	RETURN result;
END
$$;

-- The growth of the heap over many failures of a command, after as many for warming up.
CREATE FUNCTION growth(command text, times int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
BEGIN
	FOR i IN 1..times LOOP PERFORM failure(command); END LOOP;
	before := heap();
	FOR i IN 1..times LOOP PERFORM failure(command); END LOOP;
	RETURN heap() - before;
END
$$;
