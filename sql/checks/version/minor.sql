-- Minor releases that the server lacks. No network is asked: releases come on the second Thursday of February, May, August and November
-- until support ends, so those since the ones that pgdba knows are counted by the calendar. One out of turn is not seen: the server may
-- lack more than it says, never less.
SELECT pgdba.define_check(
	check_id => 'version.minor',
	query => $check$
SELECT 'cluster' AS object,
	NULL::text AS database,
	CASE WHEN r.known IS NOT NULL THEN greatest(r.known + c.since - s.minor, 0) END::float8 AS value,
	'releases' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'running', concat(s.major, '.', s.minor), 'latest', concat(s.major, '.', greatest(r.known + c.since, s.minor)),
		'reason', CASE WHEN s.major IS NULL THEN 'setting server_version_num is not known'
			WHEN r.known IS NULL THEN format('PostgreSQL %s is newer than what pgdba knows', s.major) END
	)) AS evidence
FROM (SELECT max(l.sampled_at) AS sampled_at, max(l.value::int8) / 10000 AS major, max(l.value::int8) % 10000 AS minor
	FROM pgdba.last_setting l WHERE l.name = 'server_version_num') s
LEFT JOIN (VALUES -- as of 2026-08-13, and the last release
	(15, 19, date '2027-11-11'),
	(16, 15, date '2028-11-09'),
	(17, 11, date '2029-11-08'),
	(18, 6, date '2030-11-14')) AS r (major, known, ends) ON r.major = s.major
LEFT JOIN LATERAL (SELECT count(*) AS since
	FROM (SELECT (m + make_interval(days => (4 - extract(isodow FROM m)::int + 7) % 7 + 7))::date AS day
		FROM generate_series(timestamp '2026-11-01', r.ends::timestamp, '3 months') m) d
	WHERE d.day < (s.sampled_at AT TIME ZONE 'UTC')::date) c ON true
$check$,
	definition => $definition${
	"title": "Minor releases that are missing",
	"loop": "storage",
	"probes": ["setting"],
	"thresholds": {"info": 1, "warning": 4},
	"message": "the server runs {running}, {value:count} minor releases behind {latest}",
	"why": "Each mends bugs, some of which lose data, and holes that are public from then on.",
	"action": "Read the release notes, install the packages of {latest} or later, and restart the server: a minor release needs no more."
}$definition$);
