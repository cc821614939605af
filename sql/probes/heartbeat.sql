-- Proof that sampling went on: with every tick of any loop a row for each loop. An idle minute and an outage differ here.
SELECT pgdba.define_probe(
	name => 'heartbeat',
	loop => 'hot',
	query => NULL,
	key => '{loop}',
	columns => $columns${
	"loop": {"help": "Name of the loop"},
	"tick": {"kind": "counter", "unit": "ticks", "metric": "pgdba_ticks_total",
		"help": "Ticks since the sampler started"},
	"last_tick": {"help": "When its last tick began"},
	"interval_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_interval_seconds",
		"help": "Time between two ticks as it is set"},
	"duration_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_scrape_duration_seconds",
		"help": "How long the last tick took"},
	"lateness_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pgdba_lateness_seconds",
		"help": "How long after its time the last tick began"},
	"rows": {"kind": "gauge", "unit": "rows", "metric": "pgdba_tick_rows", "help": "Rows that its probes returned in the last tick"},
	"bytes": {"kind": "gauge", "unit": "bytes", "metric": "pgdba_tick_bytes", "help": "Bytes put into the rings by the tick before"},
	"errors": {"kind": "counter", "unit": "errors", "metric": "pgdba_errors_total",
		"help": "Probes of the loop that failed"},
	"skipped": {"kind": "counter", "unit": "ticks", "metric": "pgdba_ticks_skipped_total",
		"help": "Ticks that were left out because the one before was not done"},
	"degraded": {"kind": "gauge", "metric": "pgdba_degraded",
		"help": "1 while the loop is over its budget, a probe fails, or history is not written to tables"},
	"reason": {"help": "Why it is degraded"}
}$columns$,
	scope => 'native');
