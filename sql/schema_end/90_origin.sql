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
