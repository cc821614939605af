-- Sessions that could run and do not, because others have the CPUs: other processes of the machine, its hypervisor, or the limit of
-- the control group. Over the last five minutes.
--
-- The kernel tells of each session how long it was ready to run and had no CPU. What other processes used is what all used without what
-- the server's own did; processes that ended meanwhile count as others, unless they were sessions at work. Where the server's own
-- sessions fill the CPUs, that is load.above_cpus. Below 300 samples of sessions on a CPU it is unknown, or ok where hardly anybody wanted one.
SELECT pgdba.define_check(
	check_id => 'load.cpu_starved',
	query => $check$
WITH newest AS MATERIALIZED (
	SELECT max(l.sampled_at) AS sampled_at FROM pgdba.last_wait_tick l
), looked AS MATERIALIZED (
	SELECT sum(t.span_seconds) AS span, sum(t.cpu_seconds) AS on_cpu, sum(t.runnable_seconds) AS runnable
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_wait_tick h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) t
), wait AS (
	SELECT sum(w.samples)::int8 AS samples, sum(w.seconds) AS seconds
	FROM newest n CROSS JOIN LATERAL (SELECT h.samples, h.seconds FROM pgdba.hist_wait h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at AND h.class = 'CPU') w
), machine AS MATERIALIZED (
	SELECT sum(m.elapsed) AS elapsed, min(m.usable_cpus) AS usable, max(m.cpus) AS cpus, sum(m.cpu_user + m.cpu_system) AS used,
		coalesce(sum(m.cpu_steal), 0) AS stolen,
		coalesce(sum(m.group_throttled), 0) AS throttled
	FROM newest n CROSS JOIN LATERAL (SELECT h.* FROM pgdba.hist_machine h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at AND h.cpu_user IS NOT NULL) m
), own AS (
	SELECT coalesce(sum(p.cpu_seconds), 0) AS used
	FROM newest n CROSS JOIN LATERAL (SELECT h.cpu_seconds FROM pgdba.hist_process h
		WHERE h.sampled_at > n.sampled_at - interval '5 min' AND h.sampled_at <= n.sampled_at) p
), finding AS (
	SELECT l.*, w.samples, w.seconds, m.usable, m.cpus, m.used / m.elapsed AS used, m.elapsed,
		greatest(o.used, l.on_cpu) / m.elapsed AS own, m.stolen / m.elapsed AS stolen,
		greatest(m.used - greatest(o.used, l.on_cpu), 0) / m.elapsed AS others, m.throttled / m.elapsed AS throttled
	FROM looked l CROSS JOIN wait w CROSS JOIN machine m CROSS JOIN own o
	WHERE w.samples > 0
)
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN f.samples >= 300 AND f.used IS NOT NULL THEN 100 * f.runnable / nullif(f.runnable + f.on_cpu, 0) END AS value,
	'percent' AS unit,
	greatest(100 * (f.others + f.stolen) / f.cpus, 100 * f.throttled) AS taken,
	jsonb_strip_nulls(jsonb_build_object(
		'cpus', f.cpus, 'usable_cpus', f.usable, 'own_cpus', round(f.own::numeric, 2), 'other_cpus', round(f.others::numeric, 2),
		'stolen_cpus', round(f.stolen::numeric, 2), 'throttled_percent', round((100 * f.throttled)::numeric, 1),
		'waiting_sessions', round((f.runnable / f.span)::numeric, 2), 'samples', f.samples, 'observed_seconds', f.span,
		'who', CASE
			WHEN f.throttled * f.cpus >= greatest(f.others, f.stolen) THEN 'the limit of its control group stops it '
				|| round((100 * f.throttled)::numeric) || ' % of the time'
			WHEN f.stolen > f.others THEN 'the hypervisor takes ' || round(f.stolen::numeric, 1) || ' of ' || f.cpus || ' CPUs'
			ELSE 'other processes use ' || round(f.others::numeric, 1) || ' of ' || f.cpus || ' CPUs' END,
		'reason', CASE WHEN f.used IS NULL THEN 'the CPU time of the machine is not known'
			WHEN f.runnable IS NULL THEN 'the system does not tell how long sessions wait for a CPU'
			WHEN f.samples < 300 THEN 'only ' || f.samples || ' samples of sessions on a CPU in ' || pgdba.duration_text(f.span)
				|| ': 300 are needed' END,
		'next_step', CASE
			WHEN f.throttled * f.cpus >= greatest(f.others, f.stolen) THEN 'Raise the CPU limit of the container or service, or lower the load.'
			WHEN f.stolen > f.others THEN 'Move the virtual machine, or give it CPUs of its own.'
			ELSE 'top or pidstat on the machine names them: move them elsewhere, or limit them.' END
	)) AS evidence
FROM finding f
WHERE f.samples >= 300 OR f.seconds > 0.5 * f.span
$check$,
	definition => $definition${
	"title": "CPU taken by others",
	"loop": "workload",
	"probes": ["wait_tick", "wait", "machine", "process"],
	"thresholds": {"warning": 20, "floor": {"taken": 25}, "for": "2m"},
	"message": "sessions on a CPU wait {value:percent} of their time to get one: {who}",
	"why": "Every statement takes longer, and nothing in the database explains it.",
	"action": "{next_step} The server itself used {own_cpus} CPUs."
}$definition$);
