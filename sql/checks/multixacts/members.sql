-- How much of the room for members of multixacts is taken: of those that lock a row together.
SELECT pgdba.define_check(
	check_id => 'multixacts.members',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	d.pct_multixact_members AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object('members', d.multixact_members)) AS evidence
FROM pgdba.last_data_directory d
$check$,
	definition => $definition${
	"title": "Members of multixacts",
	"loop": "hourly",
	"probes": ["data_directory"],
	"thresholds": {"warning": 50, "critical": 75},
	"message": "{value:percent} of the members that multixacts can have are taken",
	"why": "When none is left, no row can be locked by two transactions, as foreign keys do with each insert; from half on autovacuum comes ever sooner.",
	"action": "Vacuum the tables whose multixacts are oldest (mxid_age in last_table), with what holds back vacuum out of the way (last_horizon)."
}$definition$);
