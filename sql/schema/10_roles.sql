-- Server roles. They belong to the cluster: two databases share them, and they outlive the extension.
--
-- A role of this name may have been made by somebody else, who could then use what is granted to it here. So an
-- existing role is taken only when nobody can act as it and it can do nothing yet.
DO $roles$
DECLARE
	wanted text;
	present pg_catalog.pg_roles;
	faults text[];
	remedies text[];
	members text;
	owned text;
BEGIN
	FOREACH wanted IN ARRAY '{pgdba_sampler,pgdba_admin}'::pg_catalog.text[] LOOP
		SELECT * INTO present FROM pg_catalog.pg_roles r WHERE r.rolname = wanted;
		IF NOT FOUND THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
			CONTINUE;
		END IF;
		faults := '{}';
		remedies := '{}';
		IF present.rolcanlogin THEN
			faults := faults || 'It can log in.'::pg_catalog.text;
			remedies := remedies || pg_catalog.format('ALTER ROLE %I NOLOGIN;', wanted);
		END IF;
		IF present.rolsuper OR present.rolcreaterole OR present.rolcreatedb OR present.rolreplication
			OR present.rolbypassrls
		THEN
			faults := faults || 'It is superuser, or may create roles or databases, replicate or bypass row security.'::pg_catalog.text;
			remedies := remedies || pg_catalog.format(
				'ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;', wanted);
		END IF;
		-- Whom a superuser made a member of pgdba_admin is meant to be one: so it is when a cluster is restored, where
		-- roles come first, and in a second database.
		SELECT pg_catalog.string_agg(pg_catalog.quote_ident(u.rolname), ', ' ORDER BY u.rolname) INTO members
		FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member
		LEFT JOIN pg_catalog.pg_roles g ON g.oid = m.grantor
		WHERE m.roleid = present.oid AND NOT (wanted = 'pgdba_admin' AND coalesce(g.rolsuper, false)
			AND (u.rolsuper OR NOT m.admin_option));
		IF members IS NOT NULL THEN
			faults := faults || pg_catalog.format('It has members: %s.', members);
			remedies := remedies || pg_catalog.format('REVOKE %I FROM %s;', wanted, members);
		END IF;
		SELECT pg_catalog.string_agg(pg_catalog.quote_ident(g.rolname), ', ' ORDER BY g.rolname) INTO owned
		FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
		WHERE m.member = present.oid AND NOT (wanted = 'pgdba_sampler' AND g.rolname = 'pg_monitor');
		IF owned IS NOT NULL THEN
			faults := faults || pg_catalog.format('It is a member of %s.', owned);
			remedies := remedies || pg_catalog.format('REVOKE %s FROM %I;', owned, wanted);
		END IF;
		IF EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = present.oid) THEN
			faults := faults || 'It has settings of its own.'::pg_catalog.text;
			remedies := remedies || (SELECT pg_catalog.array_agg(
					pg_catalog.format('ALTER ROLE %I %sRESET ALL;', wanted,
						'IN DATABASE ' || pg_catalog.quote_ident(d.datname) || ' ') ORDER BY d.datname)
				FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
				WHERE s.setrole = present.oid);
		END IF;
		IF faults <> '{}' THEN
			RAISE EXCEPTION 'role "%" exists and cannot be used by pgdba', wanted USING
				ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = pg_catalog.array_to_string(faults, ' '),
				HINT = pg_catalog.format('Make sure that nobody made it to act as pgdba, then run: %s',
					pg_catalog.array_to_string(remedies, ' '));
		END IF;
	END LOOP;
END
$roles$;

-- What probes and checks run as; 38_catalogs.sql has what pg_monitor does not see.
GRANT pg_monitor TO pgdba_sampler;

REVOKE ALL ON SCHEMA pgdba FROM PUBLIC;
GRANT USAGE ON SCHEMA pgdba TO pg_monitor, pgdba_admin;
