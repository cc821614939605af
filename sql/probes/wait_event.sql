-- The load by event: sessions that were active since the sample before, on average, by what they waited for. CPU is no wait.
--
-- It reads what wait returned in the same tick, as wait_class does. What that had to fold is other, by class.
SELECT pgdba.define_probe(
	name => 'wait_event',
	loop => 'workload',
	query => $probe$
SELECT e.event_type, e.event, e.event_type AS type, pg_catalog.sum(w.seconds) / nullif(pg_catalog.max(w.span_seconds), 0) AS sessions,
	pg_catalog.sum(w.seconds) AS seconds, pg_catalog.sum(w.samples)::pg_catalog.int8 AS samples
FROM pgdba.last_wait w
CROSS JOIN LATERAL (SELECT w.event_type, CASE w.class WHEN 'CPU' THEN 'CPU' ELSE w.event END AS event) e
WHERE w.state = 'active' AND w.sampled_at = (SELECT pg_catalog.max(t.sampled_at) FROM pgdba.last_checkpoint t)
GROUP BY e.event_type, e.event
$probe$,
	key => '{event_type,event}',
	columns => $columns${
	"event_type": {"kind": "info", "help": "Kind of event, CPU when sessions waited for none"},
	"event": {"help": "What sessions waited for, CPU when for nothing; other is what probe wait folded"},
	"type": {"kind": "label", "help": "Kind of event, by the name that the metric has for it"},
	"sessions": {"kind": "gauge", "unit": "sessions", "metric": "pgdba_wait_sessions",
		"help": "Active sessions that waited for this event, on average since the sample before"},
	"seconds": {"kind": "info", "unit": "seconds", "help": "Session-seconds"},
	"samples": {"kind": "info", "unit": "samples", "help": "How often one was seen"}
}$columns$);
