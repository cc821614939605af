-- Certificates that run out: that of the server, and those that it trusts. And files that hold none.
SELECT pgdba.define_check(
	check_id => 'certificates.expiring',
	query => $check$
SELECT 'file:' || c.file || '/' || c.place AS object,
	NULL::text AS database,
	CASE WHEN c.problem IS NULL THEN extract(epoch FROM c.not_after - c.sampled_at)::float8 END AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'whose', CASE c.kind WHEN 'server' THEN 'the server' ELSE 'an authority that it trusts' END,
		'subject', c.subject, 'issuer', c.issuer, 'not_after', c.not_after, 'file', c.file,
		'state', CASE WHEN c.not_after <= c.sampled_at THEN 'has run out' ELSE 'runs out in '
			|| pgdba.duration_text(extract(epoch FROM c.not_after - c.sampled_at)::float8) END,
		'reason', c.file || ' ' || c.problem
	)) AS evidence
FROM pgdba.last_certificate c
ORDER BY value NULLS FIRST
$check$,
	definition => $definition${
	"title": "Certificates that run out",
	"loop": "hourly",
	"probes": ["certificate"],
	"thresholds": {"warning": 2592000, "critical": 604800, "direction": "below"},
	"message": "the certificate of {whose} ({subject}) {state}",
	"why": "Clients that check it cannot connect any more from then on, all of them at once; of an authority, clients with certificates that it signed.",
	"action": "Have a new one issued, put it into {file}, and reload. Sessions that exist go on.",
	"sql": "SELECT pg_reload_conf();",
	"lock_level": "none"
}$definition$);
