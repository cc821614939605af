-- The visits to each database: when its catalogs were read last, and how long that took.
--
-- Counters of relations come from shared memory; what only a database's own catalogs tell is read by a process that connects there. Where
-- there are so many databases that a tick does not reach all, they take turns, and what is shown of one is as old as its last visit.
-- No metrics: where it matters there are too many databases for that.
SELECT pgdba.define_probe(
	name => 'database_visit',
	loop => 'storage',
	query => NULL,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Name of the database"},
	"last_visit": {"help": "When the last visit that answered began"},
	"age_seconds": {"unit": "seconds", "help": "How long ago that was when it was written down"},
	"duration_seconds": {"unit": "seconds", "help": "How long it took"},
	"visits": {"unit": "visits", "help": "How often it was the turn of the database"},
	"missed": {"unit": "visits", "help": "How often no time or no process was left for it, or somebody wanted the database for himself"},
	"last_error": {"help": "What failed in the last visit, NULL when nothing did"}
}$columns$,
	scope => 'native',
	options => '{"max_rows": 100000, "top": {"n": 1000, "by": ["age_seconds", "duration_seconds"]}, "object": "database:{db:I}"}');
