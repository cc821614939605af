-- What sampling costs, per probe, since the sampler started.
SELECT pgdba.define_probe(
	name => 'probe_run',
	loop => 'hot',
	query => NULL,
	key => '{probe}',
	columns => $columns${
	"probe": {"help": "Name of the probe"},
	"loop": {"kind": "label", "help": "Its loop"},
	"runs": {"kind": "counter", "unit": "runs", "metric": "pgdba_probe_runs_total", "help": "How often it ran"},
	"wall_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_probe_seconds_total",
		"help": "Time that it took"},
	"cpu_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_probe_cpu_seconds_total",
		"help": "CPU time that it took"},
	"rows": {"kind": "gauge", "unit": "rows", "metric": "pgdba_probe_rows", "help": "Rows that it returned last"},
	"cut": {"kind": "gauge", "unit": "rows", "metric": "pgdba_probe_rows_cut", "help": "Rows left out last, by its bounds"},
	"bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_probe_bytes_total",
		"help": "Bytes that it put into the rings"},
	"wal_bytes": {"kind": "counter", "unit": "bytes", "metric": "pgdba_probe_wal_bytes_total",
		"help": "WAL written for its samples, its share of what a tick wrote"},
	"errors": {"kind": "counter", "unit": "errors", "metric": "pgdba_probe_errors_total", "help": "How often it failed"},
	"late": {"kind": "counter", "unit": "ticks", "metric": "pgdba_probe_late_total",
		"help": "Ticks in which no time was left for it"},
	"skipped": {"kind": "counter", "unit": "ticks", "metric": "pgdba_probe_skipped_total",
		"help": "Ticks that it rested after it had failed"},
	"last_error": {"help": "What its last run failed with, NULL when that went well"},
	"last_error_at": {"help": "When that was"}
}$columns$,
	scope => 'native');
