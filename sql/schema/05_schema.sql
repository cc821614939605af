-- DROP EXTENSION leaves the schema, and somebody may have made it before us: who owns it, or may create in it, could put
-- functions and views of their own beside ours.
DO $schema$
DECLARE
	owner pg_catalog.pg_roles;
	makers text;
	inside text;
BEGIN
	SELECT r.* INTO owner FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
	WHERE n.nspname = 'pgdba';
	SELECT pg_catalog.string_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::pg_catalog.regrole::text END, ', ') INTO makers
	FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a
	WHERE n.nspname = 'pgdba' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner;
	SELECT pg_catalog.min(o.name) INTO inside
	FROM (SELECT p.oid::pg_catalog.regprocedure::text AS name FROM pg_catalog.pg_proc p
			WHERE p.pronamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT o.oprname::text FROM pg_catalog.pg_operator o WHERE o.oprnamespace = 'pgdba'::pg_catalog.regnamespace
		UNION ALL SELECT t.typname::text FROM pg_catalog.pg_type t WHERE t.typnamespace = 'pgdba'::pg_catalog.regnamespace) o;
	IF NOT owner.rolsuper OR makers IS NOT NULL OR inside IS NOT NULL THEN
		RAISE EXCEPTION 'schema "pgdba" exists and cannot be used by pgdba' USING
			ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = pg_catalog.concat_ws(' ',
				CASE WHEN NOT owner.rolsuper THEN pg_catalog.format('Its owner "%s" is not a superuser.', owner.rolname) END,
				'Others may create objects in it: ' || makers || '.',
				'It already has an object: ' || inside || '.'),
			HINT = 'Drop or rename it.';
	END IF;
END
$schema$;
