-- What the planner believes of the columns that matter most: those that an index of one of the 50 largest tables
-- begins with.
--
-- Numbers only, never values. The server shows a monitoring role nothing of other people's tables in pg_stats, so the
-- library reads them. Of a partitioned table they include its partitions.
SELECT pgdba.define_probe(
	name => 'column_statistic',
	loop => 'hourly',
	query => $probe$
WITH large AS MATERIALIZED (
	SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples
	FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND c.reltuples > 0
		AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	ORDER BY c.reltuples DESC, c.oid
	LIMIT 50
)
SELECT l.nspname::pg_catalog.text AS schema,
	l.relname::pg_catalog.text AS relname,
	a.attname::pg_catalog.text AS column_name,
	l.oid AS relid,
	a.attnum::pg_catalog.int8 AS column_number,
	pg_catalog.format_type(a.atttypid, NULL) AS column_type,
	l.reltuples::pg_catalog.float8 AS reltuples,
	place.of_column AS null_fraction,
	place.of_column AS average_width,
	place.of_column AS distinct_values,
	place.of_column AS correlation
FROM large l
JOIN pg_catalog.pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0
	AND a.attnum IN (SELECT x.indkey[0] FROM pg_catalog.pg_index x WHERE x.indrelid = l.oid)
CROSS JOIN LATERAL (SELECT l.oid::pg_catalog.text || ' ' || a.attnum::pg_catalog.text AS of_column) place
ORDER BY l.reltuples DESC, l.oid, a.attnum
$probe$,
	key => '{db,schema,relname,column_name}',
	columns => $columns${
	"db": {"help": "Database of the table"},
	"schema": {"help": "Schema of the table"},
	"relname": {"help": "Name of the table"},
	"column_name": {"help": "Name of the column"},
	"relid": {"help": "OID of the table"},
	"column_number": {"help": "Number of the column in the table"},
	"column_type": {"help": "Type of the column"},
	"reltuples": {"unit": "rows", "help": "Live rows as the planner counts them"},
	"null_fraction": {"read": "null_fraction",
		"help": "Share of the rows where it is null, 0 to 1; this and the rest is NULL until the table is analyzed"},
	"average_width": {"unit": "bytes", "read": "average_width", "help": "Mean width of its values in the row"},
	"distinct_values": {"read": "distinct_values",
		"help": "How many different values; negative: as a share of the rows, so that -1 is unique; 0: unknown"},
	"correlation": {"read": "correlation",
		"help": "How far the order of the rows follows its values: 1 or -1 as one, 0 not at all; NULL for types without an order"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 1000,
	"object": "relation:{db:I}/{schema:I}.{relname:I}"
}$options$);
