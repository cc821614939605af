-- Lines of the configuration files that the server would not accept: of postgresql.conf and what it includes, pg_hba.conf
-- and pg_ident.conf. The files are read, so this is known before a reload or a restart meets them.
--
-- Two things have an error there and are none: what only waits for a restart (the setting itself tells, but not before its
-- line was read), and a rule that is taken over and cannot match, such as hostssl without TLS. A server starts without
-- pg_ident.conf, so that is read only where a rule of pg_hba.conf uses a map. The text of an error quotes the file, whatever
-- bytes it has, so it is not cut but left out when it is long.
SELECT pgdba.define_probe(
	name => 'config_error',
	loop => 'storage',
	query => $probe$
WITH rule AS MATERIALIZED (
	SELECT pg_catalog.current_setting('hba_file') AS file, h.line_number, h.type, h.options, h.error
	FROM pgdba.hba_file_rules() h
), setting AS MATERIALIZED (
	SELECT f.*, pg_catalog.bool_or(f.applied) OVER () AS readable FROM pgdba.file_settings() f
), fault AS (
	SELECT 'setting' AS kind, coalesce(f.sourcefile, pg_catalog.current_setting('config_file')) AS file,
		f.sourceline AS line, f.name, NOT f.readable AS whole, f.error
	FROM setting f
	WHERE f.error IS NOT NULL AND (f.sourcefile IS NOT NULL OR NOT f.readable)
		AND NOT coalesce((SELECT s.pending_restart FROM pg_catalog.pg_settings s WHERE s.name = f.name), false)
	UNION ALL
	SELECT 'hba', r.file, r.line_number, NULL, true, r.error FROM rule r WHERE r.error IS NOT NULL AND r.type IS NULL
	UNION ALL
	SELECT 'ident', m.file, m.line, NULL, true, m.error
	FROM pg_catalog.jsonb_to_recordset(CASE WHEN EXISTS (SELECT FROM rule r CROSS JOIN pg_catalog.unnest(r.options) o
			WHERE o LIKE 'map=%') THEN (
		SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('file', pg_catalog.current_setting('ident_file'),
			'line', i.line_number, 'error', i.error))
		FROM pgdba.ident_file_mappings() i WHERE i.error IS NOT NULL) END)
		AS m (file pg_catalog.text, line pg_catalog.int4, error pg_catalog.text)
)
SELECT DISTINCT ON (f.file, f.line) f.file,
	f.line,
	f.kind,
	f.name,
	f.whole,
	CASE WHEN pg_catalog.octet_length(f.error) <= 500 THEN f.error
		ELSE 'an error of ' || pg_catalog.octet_length(f.error) || ' bytes' END AS error
FROM fault f
ORDER BY f.file, f.line
$probe$,
	key => '{file,line}',
	columns => $columns${
	"file": {"help": "The file"},
	"line": {"help": "Number of the line, 0 for the file as a whole"},
	"kind": {"help": "setting, hba or ident: what the line is for"},
	"name": {"help": "Name of the setting, NULL when that cannot be told"},
	"whole": {"help": "Whether a reload takes over nothing of that kind, not only this line"},
	"error": {"help": "What is wrong with it"}
}$columns$,
	options => '{"max_rows": 200}');

SELECT pgdba.define_probe_variant('config_error', 160000, pgdba.changed_text(p.query,
	$$pg_catalog.current_setting('hba_file') AS file$$, 'h.file_name AS file',
	$$pg_catalog.current_setting('ident_file')$$, 'i.file_name'))
FROM pgdba.probe p WHERE p.name = 'config_error';
