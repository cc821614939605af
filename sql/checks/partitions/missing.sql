-- Tables partitioned by time whose partitions end soon, or have ended. Value is how many partitions of the usual width there are
-- room for between now and their end.
--
-- A table whose last partition ended more than ten widths or 400 days ago was given up. Nobody has to make partitions of a
-- year two years ahead: what lasts for more than 60 days is quiet. So are tables below another one that is partitioned by time: they
-- end where their own range does.
SELECT pgdba.define_check(
	check_id => 'partitions.missing',
	query => $check$
SELECT format('relation:%I/%I.%I', p.db, p.schema, p.relname) AS object,
	p.db AS database,
	p.ahead_partitions AS value,
	'partitions' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', p.relation, 'schema', p.schema, 'relname', p.relname, 'partitions', p.partitions, 'newest_time', p.newest_time,
		'width_seconds', p.width_seconds, 'ahead_seconds', p.ahead_seconds, 'default_partition', p.default_relname,
		'reason', CASE WHEN p.newest_time IS NULL THEN format('the bounds of partitions of %s in %s cannot be read here', p.relation, p.db) END,
		'what', CASE WHEN p.ahead_seconds < 0 THEN 'ended ' || pgdba.duration_text(- p.ahead_seconds) || ' ago'
			ELSE 'end in ' || pgdba.duration_text(p.ahead_seconds) END,
		'consequence', CASE WHEN p.default_relname IS NULL THEN 'From then on every insert of a present time fails.'
			ELSE format('From then on new rows go to the default partition %s, and no partition can be made for their time while they are there.',
				p.default_relname) END
	)) AS evidence
FROM pgdba.last_partition p
WHERE p.is_time AND NOT p.open_end AND NOT p.below_time AND NOT p.in_recovery
	AND (p.newest_time IS NULL OR p.ahead_partitions > -10 AND p.ahead_seconds BETWEEN -34560000 AND 5184000)
ORDER BY p.ahead_partitions
LIMIT 100
$check$,
	definition => $definition${
	"title": "Partitions that are not made in time",
	"loop": "storage",
	"probes": ["partition"],
	"thresholds": {"direction": "below", "warning": 2, "critical": 0},
	"message": "partitions of {relation} in {database}, of {width_seconds:duration} each, {what}",
	"why": "{consequence}",
	"action": "Make the next ones now, and see why the job that makes them has not: its schedule, its role, its errors in the server log."
}$definition$);
