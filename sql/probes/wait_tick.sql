-- How well the sampler of waits could look since the sample before: its rate, what it missed, what it cost.
--
-- Time in which it was not run (a stopped process, a machine without a free CPU) is a gap: it is counted in `gap_seconds`, never as anybody's waiting.
-- What the system says of sessions on a CPU tells those that ran from those that waited for one to get free.
SELECT pgdba.define_probe(
	name => 'wait_tick',
	loop => 'workload',
	query => NULL,
	key => '{}',
	columns => $columns${
	"rate": {"kind": "gauge", "unit": "ticks per second", "metric": "pgdba_wait_rate", "help": "How often sessions are looked at, as it is set"},
	"ticks": {"unit": "ticks", "help": "How often they were"},
	"late_ticks": {"unit": "ticks", "help": "Of these, how many came more than half an interval after their time"},
	"missed_ticks": {"unit": "ticks", "help": "How many were left out because the one before was so late"},
	"span_seconds": {"unit": "seconds", "help": "How long was looked at in all"},
	"gap_seconds": {"unit": "seconds", "help": "How long was not looked at"},
	"cpus": {"kind": "gauge", "unit": "CPUs", "metric": "pgdba_cpus", "help": "CPUs that the server may use: what its control group allows, or those of the machine"},
	"cpu_seconds": {"unit": "seconds", "help": "How long sessions of class CPU had one; NULL when the system does not tell"},
	"runnable_seconds": {"unit": "seconds", "help": "How long sessions of class CPU waited for one to get free; NULL when the system does not tell"},
	"sampler_cpu_seconds": {"unit": "seconds", "help": "CPU time that looking took, that of the whole launcher"},
	"dropped": {"unit": "samples", "help": "How many looks at a session went to folded rows at once, because there was no memory for more rows (pgdba.wait_memory)"},
	"all_ticks": {"kind": "counter", "unit": "ticks", "metric": "pgdba_wait_ticks_total", "help": "Ticks of the sampler of waits"},
	"all_missed_ticks": {"kind": "counter", "unit": "ticks", "metric": "pgdba_wait_ticks_missed_total", "help": "Ticks of the sampler of waits that were left out"},
	"all_gap_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_wait_gap_seconds_total", "help": "Time in which nobody looked at what sessions wait for"},
	"all_sampler_cpu_seconds": {"kind": "counter", "unit": "seconds", "metric": "pgdba_wait_sampler_cpu_seconds_total", "help": "CPU time of the launcher, which samples waits"},
	"all_dropped": {"kind": "counter", "unit": "samples", "metric": "pgdba_wait_samples_folded_total", "help": "Looks at a session that went to folded rows for want of memory"}
}$columns$,
	scope => 'native');
