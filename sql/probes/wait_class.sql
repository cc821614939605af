-- The load by class of waits: sessions that were active since the sample before, on average. A class in which nobody was has its row, too.
--
-- The name puts it behind checkpoint and wait: probes of a loop run in the order of their names, and it reads what wait returned in the
-- same tick, whose time is that of checkpoint. When wait failed there is no row.
SELECT pgdba.define_probe(
	name => 'wait_class',
	loop => 'workload',
	query => $probe$
WITH tick AS MATERIALIZED (
	SELECT pg_catalog.max(t.sampled_at) AS sampled_at FROM pgdba.last_checkpoint t
), seen AS MATERIALIZED (
	SELECT w.sampled_at, w.state, w.class, w.seconds, w.samples, w.span_seconds FROM pgdba.last_wait w
)
SELECT c.class, coalesce(s.seconds / p.seconds, 0) AS sessions, coalesce(s.seconds, 0) AS seconds, coalesce(s.samples, 0) AS samples
FROM (VALUES ('CPU'), ('IO'), ('Lock'), ('LWLock'), ('Client'), ('IPC'), ('Timeout'), ('Extension'), ('BufferPin'), ('Activity'),
	('other')) AS c (class)
CROSS JOIN tick k
CROSS JOIN (SELECT nullif(pg_catalog.max(a.span_seconds), 0) AS seconds, pg_catalog.max(a.sampled_at) AS sampled_at FROM seen a) p
LEFT JOIN (SELECT a.class, pg_catalog.sum(a.seconds) AS seconds, pg_catalog.sum(a.samples)::pg_catalog.int8 AS samples
	FROM seen a WHERE a.state = 'active' GROUP BY a.class) s ON s.class = c.class
WHERE k.sampled_at = coalesce(p.sampled_at, k.sampled_at)
$probe$,
	key => '{class}',
	columns => $columns${
	"class": {"help": "CPU for sessions that waited for nothing, else the kind of event they waited for"},
	"sessions": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_active_sessions",
		"help": "Active sessions of this class, on average since the sample before; all classes together are the load of the server"},
	"seconds": {"kind": "info", "unit": "seconds", "help": "Session-seconds"},
	"samples": {"kind": "info", "unit": "samples", "help": "How often one was seen"}
}$columns$);
