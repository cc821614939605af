-- Everything that the extension is made of, as lines: an updated one must give the same as a new one. OIDs, owners'
-- names and the order of what has none are left out.
SET search_path = pg_catalog;

CREATE FUNCTION pg_temp.acl(aclitem[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(format('%s %s%s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
		a.privilege_type, CASE WHEN a.is_grantable THEN ' grantable' END), ', ' ORDER BY a.grantee::regrole::text, a.privilege_type), 'none')
	FROM aclexplode($1) a
$$;

CREATE TEMP TABLE member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgdba'
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
CREATE TEMP VIEW relation AS SELECT c.* FROM pg_class c WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relkind <> 'i';

SELECT replace(line, E'\n', '\n') FROM (
	SELECT format('extension: version %s, schema %s', e.extversion, e.extnamespace::regnamespace) AS line
	FROM pg_extension e WHERE e.extname = 'pgdba'
	UNION ALL
	SELECT format('dumped: %s %s', d.relation::regclass, d.condition)
	FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS d (relation, condition) WHERE e.extname = 'pgdba'
	UNION ALL
	SELECT format('member: %s, comment %L, depends on %s', pg_describe_object(m.classid, m.objid, 0),
		CASE m.classid WHEN 'pg_foreign_server'::regclass THEN obj_description(m.objid, 'pg_foreign_server')
			WHEN 'pg_foreign_data_wrapper'::regclass THEN obj_description(m.objid, 'pg_foreign_data_wrapper') END,
		(SELECT string_agg(DISTINCT pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid), ', ') FROM pg_depend d
			WHERE d.classid = m.classid AND d.objid = m.objid AND d.refclassid <> 'pg_extension'::regclass))
	FROM member m
	UNION ALL
	SELECT format('no member: %s', pg_describe_object(o.classid, o.objid, 0))
	FROM (SELECT 'pg_class'::regclass AS classid, c.oid AS objid FROM relation c
		UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p WHERE p.pronamespace = 'pgdba'::regnamespace
		UNION ALL SELECT 'pg_operator'::regclass, p.oid FROM pg_operator p WHERE p.oprnamespace = 'pgdba'::regnamespace) o
	WHERE NOT EXISTS (SELECT FROM member m WHERE m.classid = o.classid AND m.objid = o.objid)
	UNION ALL
	SELECT format('function: %s rows %s cost %s, acl %s, comment %L', pg_get_functiondef(p.oid), p.prorows, p.procost,
		pg_temp.acl(p.proacl), obj_description(p.oid, 'pg_proc'))
	FROM pg_proc p WHERE p.pronamespace = 'pgdba'::regnamespace
	UNION ALL
	SELECT format('relation: %s %s, persistence %s, options %s %s, partition %s of %s, acl %s, comment %L, definition %s', c.relkind,
		c.relname, c.relpersistence, c.reloptions,
		(SELECT t.reloptions FROM pg_class t WHERE t.oid = c.reltoastrelid), pg_get_expr(c.relpartbound, c.oid),
		(SELECT i.inhparent::regclass FROM pg_inherits i WHERE i.inhrelid = c.oid), pg_temp.acl(c.relacl),
		obj_description(c.oid, 'pg_class'), CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) WHEN 'p' THEN pg_get_partkeydef(c.oid)
			WHEN 'f' THEN (SELECT string_agg(format('%s %s', o.option_name, o.option_value), ', ' ORDER BY o.option_name)
				FROM pg_foreign_table f CROSS JOIN LATERAL pg_options_to_table(f.ftoptions) o WHERE f.ftrelid = c.oid) END)
	FROM relation c
	UNION ALL
	SELECT format('column: %s %s, %s %s, not null %s, default %s, storage %s %s, acl %s, comment %L', c.relname,
		row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		(SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
		a.attstorage, a.attcompression, pg_temp.acl(a.attacl), col_description(c.oid, a.attnum))
	FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT format('constraint: %s %s %s', c.relname, o.conname, pg_get_constraintdef(o.oid))
	FROM relation c JOIN pg_constraint o ON o.conrelid = c.oid AND o.contype <> 'n' -- that is in the column
	UNION ALL
	SELECT format('index: %s', pg_get_indexdef(i.indexrelid)) FROM relation c JOIN pg_index i ON i.indrelid = c.oid
	UNION ALL
	SELECT format('trigger: %s %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM relation c JOIN pg_trigger t ON t.tgrelid = c.oid
	UNION ALL
	-- What pg_dump takes for the extension's own privileges, on objects of the server as well.
	SELECT format('script granted: %s %s %s', pg_describe_object(i.classoid, i.objoid, i.objsubid), i.privtype, pg_temp.acl(i.initprivs))
	FROM pg_init_privs i
	WHERE EXISTS (SELECT FROM member m WHERE m.classid = i.classoid AND m.objid = i.objoid) OR i.initprivs::text ~ 'pgdba_'
	UNION ALL
	SELECT format('granted: %s, acl %s', s.what, pg_temp.acl(s.acl))
	FROM (SELECT p.oid::regprocedure::text AS what, p.proacl AS acl FROM pg_proc p WHERE p.pronamespace <> 'pgdba'::regnamespace
		UNION ALL SELECT c.oid::regclass::text, c.relacl FROM pg_class c WHERE c.relnamespace <> 'pgdba'::regnamespace
		UNION ALL SELECT n.nspname, n.nspacl FROM pg_namespace n) s
	WHERE s.acl::text ~ 'pgdba_'
	UNION ALL
	SELECT format('role: %s', to_jsonb(r) - '{oid}'::text[]) FROM pg_roles r WHERE r.rolname ~ '^pgdba_'
	UNION ALL
	SELECT format('role: %s is a member of %s', m.member::regrole, m.roleid::regrole) FROM pg_auth_members m
	WHERE m.member::regrole::text ~ '^pgdba_' OR m.roleid::regrole::text ~ '^pgdba_'
	UNION ALL
	SELECT format('probe: %s', to_jsonb(p)) FROM pgdba.probe p
	UNION ALL
	SELECT format('variant: %s', to_jsonb(v)) FROM pgdba.probe_variant v
	UNION ALL
	SELECT format('check: %s', to_jsonb(c)) FROM pgdba.check_definition c
	UNION ALL
	SELECT format('threshold: %s', to_jsonb(t)) FROM pgdba.threshold t
) lines (line)
ORDER BY line COLLATE "C";
