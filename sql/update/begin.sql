-- The first part of every update. What pgdba shipped goes, and comes again from the files of this version; what users
-- defined stays.
DO $refuse$
DECLARE
	version CONSTANT text := '@VERSION@';
	names CONSTANT text[] := pg_catalog.string_to_array('@NAMES@', ' ');
	running text;
	taken text;
BEGIN
	-- Definitions are checked by the library that runs: an older one does not know all that they say.
	IF pgdba.loaded() THEN
		PERFORM pg_catalog.set_config('pgdba.as_of', '', true);
		running := pgdba.health_json() ->> 'version';
		IF pg_catalog.string_to_array(running, '.')::int[] < pg_catalog.string_to_array(version, '.')::int[] THEN
			RAISE EXCEPTION 'cannot update pgdba to % because the server runs its library %', version, running USING
				ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Restart the server, so that it loads the installed library, then repeat.';
		END IF;
	END IF;
	SELECT pg_catalog.string_agg(o.name, ', ' ORDER BY o.name) INTO taken
	FROM (SELECT p.name FROM pgdba.probe p WHERE p.origin = 'user'
		UNION ALL SELECT c.check_id FROM pgdba.check_definition c WHERE c.origin = 'user') o
	WHERE o.name = ANY (names);
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'cannot update pgdba to % because names that are new in it are taken', version USING
			ERRCODE = 'duplicate_object',
			DETAIL = pg_catalog.format('You have defined: %s.', taken),
			HINT = 'Define yours under other names, drop these with pgdba.drop_check() and pgdba.drop_probe(), then repeat.';
	END IF;
END
$refuse$;

-- As while the extension was created (sql/schema/20_tables.sql says why).
ALTER TABLE pgdba.probe SET UNLOGGED;
ALTER TABLE pgdba.probe_variant SET UNLOGGED;
ALTER TABLE pgdba.check_definition SET UNLOGGED;
ALTER TABLE pgdba.probe ALTER COLUMN origin SET DEFAULT 'pgdba';
ALTER TABLE pgdba.probe_variant ALTER COLUMN origin SET DEFAULT 'pgdba';
ALTER TABLE pgdba.check_definition ALTER COLUMN origin SET DEFAULT 'pgdba';

DELETE FROM pgdba.check_definition WHERE origin = 'pgdba';
DELETE FROM pgdba.probe_variant WHERE origin = 'pgdba';
DELETE FROM pgdba.probe WHERE origin = 'pgdba';
