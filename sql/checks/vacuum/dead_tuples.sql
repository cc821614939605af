-- Tables with many dead rows, and what keeps them: a holder of the vacuum horizon, or a vacuum that has not come.
--
-- A holder is named when vacuum has run since it began, so what is left died under it; or when it has held for a minute
-- and transactions went by; or, for a slot or a standby, which do not say since when, when 10,000 went by.
-- Tables with fewer than 1,000 dead rows are passed over: there can be very many of them.
SELECT pgdba.define_check(
	check_id => 'vacuum.dead_tuples',
	query => $check$
WITH holder AS MATERIALIZED (
	SELECT h.* FROM pgdba.last_horizon h WHERE h.xid_age > 0
)
SELECT format('relation:%I/%I.%I', r.db, r.schema, r.relname) AS object,
	r.db AS database,
	r.pct_dead AS value,
	'percent' AS unit,
	r.n_dead_tup AS dead,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', r.relation, 'schema', r.schema, 'relname', r.relname, 'relkind', r.relkind,
		'dead', r.n_dead_tup, 'live', r.n_live_tup, 'last_vacuum', r.last_vacuum, 'last_autovacuum', r.last_autovacuum,
		'holder_kind', h.kind, 'holder', h.name, 'holder_pid', h.pid, 'holder_xid_age', h.xid_age,
		'holder_start', CASE WHEN h.kind = 'session' AND pgdba.may_end(h.backend_type, h.application_name)
			THEN pgdba.session_start(h.backend_start) END,
		'held_seconds', h.held_seconds, 'held_since', h.held_since,
		'cause', CASE
			WHEN h.kind IS NOT NULL THEN h.who || ' keeps vacuum from removing what died since '
				|| coalesce('it began ' || pgdba.duration_text(h.held_seconds) || ' ago', h.xid_age || ' transactions ago')
			WHEN r.vacuumed_at IS NULL THEN 'vacuum has never come to it'
			ELSE 'vacuum came last '
				|| pgdba.duration_text(greatest(extract(epoch FROM r.sampled_at - r.vacuumed_at)::float8, 0)) || ' ago' END,
		'next_step', CASE h.kind
			WHEN 'session' THEN CASE WHEN pgdba.may_end(h.backend_type, h.application_name)
				THEN format('First commit or roll back in session %s; when nobody can, end it, which rolls back.', h.pid)
				ELSE format('First let session %s finish.', h.pid) END
			WHEN 'prepared transaction' THEN format('First finish it in database %I: COMMIT PREPARED %L; or ROLLBACK PREPARED %L;',
				h.db, h.name, h.name)
			WHEN 'slot' THEN format('First let the consumer of the slot catch up; when it has none any more: SELECT pg_drop_replication_slot(%L);',
				h.name)
			WHEN 'standby' THEN 'First end the long query on the standby, or turn hot_standby_feedback off there.'
			ELSE 'Nothing is in its way.' END
	)) AS evidence
FROM (SELECT t.*, greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at
	FROM pgdba.last_relation t WHERE t.n_dead_tup >= 1000) r
LEFT JOIN LATERAL (
	SELECT o.*, pgdba.holder_text(o.kind, o.name, o.pid, o.role, o.application_name, o.state) AS who
	FROM holder o
	WHERE (o.db IS NULL OR o.db = r.db) AND (NOT o.catalog_only OR r.schema = 'pg_catalog')
		AND (o.held_since < r.vacuumed_at OR o.held_seconds >= 60 OR (o.held_seconds IS NULL AND o.xid_age >= 10000))
	ORDER BY o.xid_age DESC, o.held_since, o.kind, o.name LIMIT 1) h ON true
ORDER BY r.pct_dead DESC
LIMIT 1000
$check$,
	definition => $definition${
	"title": "Dead rows",
	"loop": "workload",
	"probes": ["relation", "horizon"],
	"thresholds": {"warning": 20, "critical": 50, "for": "10m", "floor": {"dead": 100000}},
	"message": "{value:percent} of the rows of {relation} in {database} are dead ({dead:count}): {cause}",
	"why": "Every scan reads dead rows too, and the space they take is not used again until vacuum has removed them.",
	"action": "{next_step} Then vacuum the table.",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {holder_pid} AND backend_start = {holder_start:L};",
		"VACUUM (VERBOSE, ANALYZE) {schema:I}.{relname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
