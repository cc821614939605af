-- How long the major version still gets fixes. The project names the day when a version comes out; it is the second Thursday of a November,
-- five years later.
SELECT pgdba.define_check(
	check_id => 'version.support',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	extract(epoch FROM r.ends - s.sampled_at)::float8 AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'major', s.major, 'ends', to_char(r.ends AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
		'state', CASE WHEN r.ends < s.sampled_at THEN 'ended' ELSE 'ends' END,
		'when', CASE WHEN r.ends > s.sampled_at THEN ', in ' || pgdba.duration_text(extract(epoch FROM r.ends - s.sampled_at)::float8) ELSE '' END,
		'reason', CASE WHEN s.major IS NULL THEN 'setting server_version_num is not known'
			WHEN r.ends IS NULL THEN format('PostgreSQL %s is newer than what pgdba knows', s.major) END
	)) AS evidence
FROM (SELECT max(l.sampled_at) AS sampled_at, max(l.value::int8) FILTER (WHERE l.name = 'server_version_num') / 10000 AS major
	FROM pgdba.last_setting l WHERE l.name = 'server_version_num') s
LEFT JOIN (VALUES
	(15, timestamptz '2027-11-11 00:00+00'),
	(16, timestamptz '2028-11-09 00:00+00'),
	(17, timestamptz '2029-11-08 00:00+00'),
	(18, timestamptz '2030-11-14 00:00+00')) AS r (major, ends) ON r.major = s.major
$check$,
	definition => $definition${
	"title": "End of the major version",
	"loop": "storage",
	"probes": ["setting"],
	"thresholds": {"info": 15552000, "warning": 0, "direction": "below"},
	"message": "support for PostgreSQL {major} {state} on {ends}{when}",
	"why": "From then on nobody mends bugs that lose data, or holes, in this version; what is found in later ones shows where to look.",
	"action": "Plan the upgrade to a later major version, with pg_upgrade or by logical replication, and try it on a copy first."
}$definition$);
