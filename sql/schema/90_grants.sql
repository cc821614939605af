-- Nobody gets anything by default. Reading is for pg_monitor; pgdba_admin sets thresholds and steers sampling; defining
-- and injecting stay with superusers, unless they grant them (docs/probes-and-checks.md says what that gives away).
--
-- What has its privileges already is left alone, so that an update takes back nothing that somebody granted or revoked. It
-- would even without a REVOKE: in the script of an extension any GRANT declares all privileges of its object to be the
-- extension's own, and pg_dump leaves those out.
DO $grants$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		WITH object AS (
			SELECT o.kind, o.name, o.signature, i.initprivs AS given
			FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS catalog, c.oid, 'TABLE' AS kind, c.relname AS name,
					pg_catalog.format('pgdba.%I', c.relname) AS signature
				FROM pg_catalog.pg_class c
				WHERE c.relnamespace = 'pgdba'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p', 'v')
				UNION ALL
				SELECT 'pg_catalog.pg_proc', p.oid, 'FUNCTION', p.proname, p.oid::pg_catalog.regprocedure::text
				FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pgdba'::pg_catalog.regnamespace) o
			LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.catalog AND i.objoid = o.oid AND i.objsubid = 0
		)
		SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM PUBLIC', o.kind, o.signature)
		FROM object o WHERE o.given IS NULL
		UNION ALL
		SELECT pg_catalog.format('GRANT %s ON %s pgdba.%I TO %I', w.privilege, w.kind, n.name, w.role)
		FROM (VALUES
			('pg_monitor', 'SELECT', 'TABLE', 'probe probe_variant check_definition threshold '
				'verdicts processes loops checks thresholds causes incidents'),
			('pg_monitor', 'EXECUTE', 'FUNCTION', 'verdicts_at health health_json process_rows loop_rows ring_usage '
				'loaded require_preload cost coverage databases in_list preflight publications setting_line duration_text '
				'session_text session_start holder_text may_end '
				'statement_source statement_rows statement_totals statement_texts '
				'wait_runs wait_runs_since wait_now '
				'load waits top_load session_history wait_window wait_samples wait_sources wait_rows wait_groups wait_doubt load_texts '
				'lock_sessions lock_tree lock_waits relation_names hypotheses load_facts load_kind '
				'slow_session_rows slow_sessions incident_rows first_that_fit incident_part incident_record incident_record_rows '
				'incident_list incident'),
			('pgdba_sampler', 'EXECUTE', 'FUNCTION', 'file_settings hba_file_rules ident_file_mappings '
				'host_filesystem host_folder host_machine host_processes host_certificates'),
			('pgdba_admin', 'SELECT', 'TABLE', 'checks thresholds threshold'),
			('pgdba_admin', 'EXECUTE', 'FUNCTION', 'set_threshold sample_now pause resume')
		) AS w (role, privilege, kind, names)
		CROSS JOIN LATERAL pg_catalog.string_to_table(w.names, ' ') AS n (name)
		LEFT JOIN object o ON o.kind = w.kind AND o.name = n.name
		WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(o.given) a
			WHERE a.grantee = w.role::pg_catalog.regrole AND a.privilege_type = w.privilege)
		ORDER BY 1 DESC -- REVOKE first
	LOOP
		EXECUTE statement;
	END LOOP;
END
$grants$;
