-- How long ago a base backup of this server ended. Backups that leave no trace here cannot be judged: probe backup says which.
SELECT pgdba.define_check(
	check_id => 'backups.age',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	extract(epoch FROM b.sampled_at - b.last_ended_at)::float8 AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'last_ended_at', b.last_ended_at,
		'reason', CASE WHEN b.last_ended_at IS NULL
			THEN 'no base backup of this server is known; those of a standby, and snapshots, leave no trace here' END
	)) AS evidence
FROM pgdba.last_backup b
WHERE b.last_ended_at IS NOT NULL OR b.leaves_trace
$check$,
	definition => $definition${
	"title": "Age of the last base backup",
	"loop": "hourly",
	"probes": ["backup"],
	"thresholds": {"info": 93600, "warning": 691200},
	"message": "the last base backup of this server ended {value:duration} ago",
	"why": "A restore begins with a base backup and replays all WAL since: the older it is, the longer that takes, and all of it has to be there.",
	"action": "See whether the backups still run. Where they are taken elsewhere, turn this check off with pgdba.set_threshold()."
}$definition$);
