-- docs/interface.md and the installed catalog say the same; docs/probes-and-checks.md has an example that works.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgdba;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET intervalstyle = postgres;
\getenv abs_srcdir PG_ABS_SRCDIR
\set page `cat :'abs_srcdir'/sql/../../docs/interface.md`

CREATE TEMP TABLE page AS
SELECT line FROM regexp_split_to_table(:'page', '\n') AS line;

-- Functions, static views and tables, as the page writes them.
CREATE TEMP TABLE catalog AS
SELECT format('pgdba.%s(%s) returns %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) AS line
FROM pg_proc p WHERE p.pronamespace = 'pgdba'::regnamespace
UNION ALL
SELECT format('pgdba.%s(%s)', c.relname, string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname !~ '^(last_|hist_|ring_)'
GROUP BY c.oid, c.relname;

SELECT count(*) > 40 AS enough FROM page WHERE line LIKE 'pgdba.%';
SELECT line AS only_on_the_page FROM page WHERE line LIKE 'pgdba.%' EXCEPT SELECT line FROM catalog ORDER BY 1;
SELECT line AS only_in_the_catalog FROM catalog EXCEPT SELECT line FROM page ORDER BY 1;

-- Every candidate cause is told about.
\set page `cat :'abs_srcdir'/sql/../../docs/hypotheses.md`
SELECT c.cause AS not_on_the_page FROM pgdba.causes c WHERE strpos(:'page', format(E'\n| %s | ', c.cause)) = 0;

-- The example, as it is printed.
\set example `tr '\140' '#' < :'abs_srcdir'/sql/../../docs/probes-and-checks.md | sed -n '/^###sql/,/^###$/p' | grep -v '^###'`
:example
SELECT pgdba.drop_check('my.prepared'), pgdba.drop_probe('my_prepared');
