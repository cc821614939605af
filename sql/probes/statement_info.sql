-- How pg_stat_statements itself is doing: whether it has room for the statements there are.
SELECT pgdba.define_probe(
	name => 'statement_info',
	loop => 'workload',
	query => $probe$
SELECT t.preloaded, t.version, t.track, t.max_entries,
	CASE WHEN t.preloaded THEN (SELECT pg_catalog.count(*) FROM pgdba.last_statement) END AS entries,
	t.evictions, t.stats_reset
FROM pgdba.statement_totals() t
$probe$,
	key => '{}',
	columns => $columns${
	"preloaded": {"help": "Whether the library is preloaded; without that there are no statistics"},
	"version": {"help": "Version of the extension"},
	"track": {"help": "Which statements are tracked: none, top or all"},
	"max_entries": {"kind": "gauge", "unit": "statements", "metric": "pg_stmt_max_entries",
		"help": "Statements that pg_stat_statements has room for: pg_stat_statements.max"},
	"entries": {"kind": "gauge", "unit": "statements", "metric": "pg_stmt_entries",
		"help": "Statements that pg_stat_statements has, those of several users counted once"},
	"evictions": {"kind": "counter", "unit": "evictions", "metric": "pg_stmt_evictions_total",
		"help": "Times that the least used statements were thrown out for want of room; absent where the extension is older than version 1.9"},
	"stats_reset": {"help": "When all statistics of statements were reset last"}
}$columns$,
	options => '{"needs_extension": "pg_stat_statements"}');
