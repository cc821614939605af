-- Functions by calls and time, in every database: those that track_functions counts, which is off by default.
--
-- Functions of one name are told apart by the types of their arguments. A reset is not told per function: it shows in
-- a counter that went down.
SELECT pgdba.define_probe(
	name => 'function',
	loop => 'storage',
	scope => 'database',
	query => $probe$
SELECT f.schemaname::pg_catalog.text AS schema,
	f.funcname::pg_catalog.text AS function_name,
	pg_catalog.oidvectortypes(p.proargtypes) AS arguments,
	CASE WHEN f.schemaname::pg_catalog.text ~ '[."]' THEN '"' || pg_catalog.replace(f.schemaname::pg_catalog.text, '"', '""') || '"'
			ELSE f.schemaname::pg_catalog.text END
		|| '.' || CASE WHEN f.funcname::pg_catalog.text ~ '[."(]'
			THEN '"' || pg_catalog.replace(f.funcname::pg_catalog.text, '"', '""') || '"' ELSE f.funcname::pg_catalog.text END
		|| '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS function,
	f.funcid::pg_catalog.int8 AS function_oid,
	f.calls,
	f.total_time / 1000 AS total_seconds,
	f.self_time / 1000 AS self_seconds
FROM pg_catalog.pg_stat_user_functions f
JOIN pg_catalog.pg_proc p ON p.oid = f.funcid
$probe$,
	key => '{schema,function_name,arguments}',
	columns => $columns${
	"schema": {"kind": "info", "help": "Schema of the function"},
	"function_name": {"kind": "info", "help": "Name of the function"},
	"arguments": {"kind": "info", "help": "Types of its arguments"},
	"function": {"kind": "label", "help": "schema.function(arguments) as one text, for people and dashboards"},
	"function_oid": {"help": "OID of the function"},
	"calls": {"kind": "counter", "unit": "calls", "metric": "pg_function_calls_total", "help": "Calls of the function"},
	"total_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_function_total_seconds_total",
		"help": "Time spent in the function and what it called"},
	"self_seconds": {"kind": "counter", "unit": "seconds", "metric": "pg_function_self_seconds_total",
		"help": "Time spent in the function itself"}
}$columns$,
	options => $options${
	"max_rows": 10000,
	"top": {"n": 20, "by": ["total_seconds", "self_seconds", "calls"]}
}$options$);
