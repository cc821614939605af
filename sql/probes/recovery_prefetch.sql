-- What replay reads ahead of itself, on a standby: blocks that the log is about to need, or why they were not asked for.
SELECT pgdba.define_probe(
	name => 'recovery_prefetch',
	loop => 'storage',
	query => $probe$
SELECT s.prefetch AS prefetched,
	s.hit AS hits,
	s.skip_init + s.skip_new AS skipped_new,
	s.skip_fpw AS skipped_images,
	s.skip_rep AS skipped_recent,
	s.wal_distance::pg_catalog.int8 AS wal_distance,
	s.block_distance::pg_catalog.int8 AS block_distance,
	s.io_depth::pg_catalog.int8 AS reads_in_flight,
	s.stats_reset
FROM pg_catalog.pg_stat_recovery_prefetch s
WHERE pg_catalog.pg_is_in_recovery()
$probe$,
	key => '{}',
	columns => $columns${
	"prefetched": {"kind": "counter", "unit": "blocks", "metric": "pg_recovery_prefetched_total", "help": "Blocks asked for ahead of replay"},
	"hits": {"kind": "counter", "unit": "blocks", "metric": "pg_recovery_prefetch_hits_total", "help": "Blocks that were in shared buffers already"},
	"skipped_new": {"kind": "counter", "unit": "blocks", "metric": "pg_recovery_prefetch_skipped_new_total",
		"help": "Blocks that replay makes, or that are not there yet"},
	"skipped_images": {"kind": "counter", "unit": "blocks", "metric": "pg_recovery_prefetch_skipped_images_total",
		"help": "Blocks that the log has whole, so that they need not be read"},
	"skipped_recent": {"kind": "counter", "unit": "blocks", "metric": "pg_recovery_prefetch_skipped_recent_total",
		"help": "Blocks that were asked for a moment ago"},
	"wal_distance": {"kind": "gauge", "unit": "bytes", "metric": "pg_recovery_prefetch_distance_bytes", "help": "How far ahead of replay the log is looked at"},
	"block_distance": {"unit": "blocks", "help": "How many blocks ahead that is"},
	"reads_in_flight": {"unit": "reads", "help": "Reads that were begun and have not been needed yet"},
	"stats_reset": {"help": "When these counters began"}
}$columns$);
