-- Is the server set up for pgdba? One row per item; works without preload too, and then says so first.

-- "name = value" as a line of postgresql.conf.
CREATE FUNCTION pgdba.setting_line(name text, value text) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN name || ' = ' || CASE WHEN value ~ '^([a-z]+|[0-9]+)$' THEN value
		ELSE '''' || pg_catalog.replace(value, '''', '''''') || '''' END;
COMMENT ON FUNCTION pgdba.setting_line(text, text) IS 'A line for postgresql.conf.';

-- Publications that would send samples to subscribers, which do not have the tables. Sampling then keeps to memory.
CREATE FUNCTION pgdba.publications() RETURNS TABLE (publication text, line_to_add text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pgdba, pg_temp
BEGIN ATOMIC
	SELECT p.pubname::text, CASE
		WHEN p.puballtables THEN pg_catalog.format('DROP PUBLICATION %I; -- and create it again FOR TABLES IN SCHEMA', p.pubname)
		WHEN p.in_schema THEN pg_catalog.format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA pgdba;', p.pubname)
		ELSE pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, p.tables) END
	FROM (SELECT b.pubname, b.puballtables,
			EXISTS (SELECT FROM pg_catalog.pg_publication_namespace n
				WHERE n.pnpubid = b.oid AND n.pnnspid = 'pgdba'::pg_catalog.regnamespace) AS in_schema,
			(SELECT pg_catalog.string_agg(pg_catalog.format('pgdba.%I', c.relname), ', ' ORDER BY c.relname)
				FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
				WHERE r.prpubid = b.oid AND c.relnamespace = 'pgdba'::pg_catalog.regnamespace) AS tables
		FROM pg_catalog.pg_publication b) p
	WHERE p.puballtables OR p.in_schema OR p.tables IS NOT NULL;
END;
COMMENT ON FUNCTION pgdba.publications() IS
	'Publications that would send the tables of pgdba to their subscribers, and how to stop that.';

CREATE FUNCTION pgdba.preflight() RETURNS TABLE (item text, ok bool, severity text, detail text, line_to_add text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
#variable_conflict use_column
DECLARE
	libraries text[] := ARRAY(SELECT pg_catalog.btrim(l.name, ' "') FROM pg_catalog.string_to_table(
		pg_catalog.current_setting('shared_preload_libraries'), ',') AS l (name) WHERE pg_catalog.btrim(l.name) <> '');
	preloaded bool := pgdba.loaded();
	home text := coalesce(pg_catalog.current_setting('pgdba.database', true), 'postgres');
	statements bool := 'pg_stat_statements' = ANY (libraries);
	created bool := EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements');
	tracked text := pg_catalog.current_setting('pg_stat_statements.track', true);
	workers int := pg_catalog.current_setting('max_worker_processes');
	parallel int := pg_catalog.current_setting('max_parallel_workers');
	own_workers CONSTANT int := 4; -- launcher, sampler, server and a reader
	published record;
BEGIN
	SELECT pg_catalog.string_agg(p.publication, ', ' ORDER BY p.publication) AS names, pg_catalog.min(p.line_to_add) AS line
		INTO published
	FROM pgdba.publications() p;
	RETURN QUERY
	SELECT r.item, r.ok, CASE WHEN r.ok THEN 'ok' ELSE r.severity END, r.detail,
		CASE WHEN NOT r.ok THEN r.line_to_add END
	FROM (VALUES
		('shared_preload_libraries', preloaded, 'critical',
			CASE WHEN preloaded THEN 'pgdba is preloaded' ELSE 'pgdba is not preloaded: nothing is sampled (needs a restart)' END,
			pgdba.setting_line('shared_preload_libraries', pg_catalog.array_to_string(
				libraries || CASE WHEN 'pgdba' = ANY (libraries) THEN '{}'::text[] ELSE '{pgdba}' END, ','))),
		('pgdba.database', home = pg_catalog.current_database(), 'critical',
			CASE WHEN home = pg_catalog.current_database() THEN 'this is the home database'
				ELSE pg_catalog.format('the sampler works in database "%s", not in this one (needs a restart)', home) END,
			pgdba.setting_line('pgdba.database', pg_catalog.current_database())),
		('publication', published.names IS NULL, 'warning',
			CASE WHEN published.names IS NULL THEN 'no publication covers the tables of pgdba'
				ELSE pg_catalog.format('history stays in memory, because these publications would send it to subscribers: %s',
					published.names) END,
			published.line),
		('pg_stat_statements', statements, 'info',
			CASE WHEN statements THEN 'pg_stat_statements is preloaded'
				ELSE 'pg_stat_statements is not preloaded: no statistics of statements (needs a restart)' END,
			pgdba.setting_line('shared_preload_libraries', pg_catalog.array_to_string(libraries || '{pg_stat_statements}', ','))),
		('pg_stat_statements extension', created, 'info',
			CASE WHEN created THEN 'pg_stat_statements is created in this database'
				ELSE 'pg_stat_statements is not created in this database: its statistics cannot be read' END,
			'CREATE EXTENSION pg_stat_statements;'),
		('pg_stat_statements.track', tracked IS DISTINCT FROM 'none', 'info',
			coalesce('pg_stat_statements tracks: ' || tracked, 'not known while pg_stat_statements is not preloaded'),
			pgdba.setting_line('pg_stat_statements.track', 'top')),
		('compute_query_id', pg_catalog.current_setting('compute_query_id') = 'on'
				OR (pg_catalog.current_setting('compute_query_id') IN ('auto', 'regress') AND statements), 'info',
			pg_catalog.format('compute_query_id is %s%s', pg_catalog.current_setting('compute_query_id'),
				CASE WHEN statements THEN '' ELSE ' and pg_stat_statements does not turn it on' END),
			pgdba.setting_line('compute_query_id', 'on')),
		('track_io_timing', pg_catalog.current_setting('track_io_timing')::bool, 'info',
			pg_catalog.format('track_io_timing is %s: time spent reading and writing is %s',
				pg_catalog.current_setting('track_io_timing'),
				CASE WHEN pg_catalog.current_setting('track_io_timing')::bool THEN 'known' ELSE 'not known' END),
			pgdba.setting_line('track_io_timing', 'on')),
		('track_activities', pg_catalog.current_setting('track_activities')::bool, 'warning',
			pg_catalog.format('track_activities is %s: sessions %s be judged', pg_catalog.current_setting('track_activities'),
				CASE WHEN pg_catalog.current_setting('track_activities')::bool THEN 'can' ELSE 'cannot' END),
			pgdba.setting_line('track_activities', 'on')),
		('track_counts', pg_catalog.current_setting('track_counts')::bool, 'warning',
			pg_catalog.format('track_counts is %s: tables %s be judged', pg_catalog.current_setting('track_counts'),
				CASE WHEN pg_catalog.current_setting('track_counts')::bool THEN 'can' ELSE 'cannot' END),
			pgdba.setting_line('track_counts', 'on')),
		('autovacuum', pg_catalog.current_setting('autovacuum')::bool, 'warning',
			pg_catalog.format('autovacuum is %s', pg_catalog.current_setting('autovacuum')),
			pgdba.setting_line('autovacuum', 'on')),
		-- Ours come out of the same pool as parallel workers; other background workers are not counted here.
		('max_worker_processes', workers >= parallel + own_workers, 'info',
			pg_catalog.format('max_worker_processes is %s: parallel query may use %s, pgdba uses up to %s',
				workers, parallel, own_workers),
			pgdba.setting_line('max_worker_processes', (parallel + own_workers)::text)),
		('log_min_messages', pg_catalog.current_setting('log_min_messages') NOT IN ('fatal', 'panic'), 'info',
			pg_catalog.format('log_min_messages is %s: errors %s', pg_catalog.current_setting('log_min_messages'),
				CASE WHEN pg_catalog.current_setting('log_min_messages') IN ('fatal', 'panic')
					THEN 'are not logged and cannot be counted' ELSE 'are logged' END),
			pgdba.setting_line('log_min_messages', 'warning')),
		('data_checksums', pg_catalog.current_setting('data_checksums')::bool, 'info',
			pg_catalog.format('data checksums are %s', pg_catalog.current_setting('data_checksums')),
			'pg_checksums --enable (while the server is shut down)')
	) AS r (item, ok, severity, detail, line_to_add);
END
$$;
COMMENT ON FUNCTION pgdba.preflight() IS
	'Whether the server is set up for pgdba: what is not, how bad that is, and the line to add to postgresql.conf or run. Works without preload.';
