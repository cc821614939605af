-- The canary: two small statements, run and timed by the sampler each minute, also on a standby.
--
-- They are parsed, planned and executed anew each time, so they feel what every client feels: a starved CPU, a lock on a catalog, storage that
-- does not answer. `read` fetches one row of a table of pgdba by its key; where it had to be read from disk, `blks_read` says so.
SELECT pgdba.define_probe(
	name => 'canary',
	loop => 'workload',
	query => NULL,
	key => '{kind}',
	columns => $columns${
	"kind": {"help": "select: SELECT 1; read: one row of a table by its primary key"},
	"seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_canary_seconds", "help": "How long the statement took, from text to result"},
	"blks_hit": {"unit": "blocks", "help": "Blocks that it found in shared buffers"},
	"blks_read": {"kind": "gauge", "unit": "blocks", "metric": "pgdba_canary_read_blocks", "help": "Blocks that it had to have read"}
}$columns$,
	scope => 'native');
