-- How far each database is towards the age at which the server refuses new transactions, by transaction IDs or by
-- multixacts, whichever is further.
--
-- There are 2^31 of each. Warnings in the log begin 40 million before the end, and 3 million before it nothing that
-- needs a new ID is done any more; reading goes on. Where autovacuum_freeze_max_age is high, an age below it is meant
-- to be; from 1.6 billion on, where vacuum itself drops all consideration, nothing excuses it.
--
-- Freezing cannot get beyond the horizon, so an old holder comes first. Then a table that is as old as its database is
-- sought; where pgdba sees none, the age is that of a temporary table, or of a database that nobody can connect to.
SELECT pgdba.define_check(
	check_id => 'wraparound.database',
	query => $check$
WITH setting AS MATERIALIZED (
	SELECT max(s.value::float8) FILTER (WHERE s.name = 'autovacuum_freeze_max_age') AS freeze_max_age,
		max(s.value::float8) FILTER (WHERE s.name = 'autovacuum_multixact_freeze_max_age') AS multixact_freeze_max_age
	FROM pgdba.last_setting s
	WHERE s.name IN ('autovacuum_freeze_max_age', 'autovacuum_multixact_freeze_max_age')
), aged AS MATERIALIZED (
	SELECT d.sampled_at, d.db, d.datallowconn, d.xid_age, d.mxid_age, k.*, 2147483647::int8 - 3000000 - k.age AS remaining
	FROM pgdba.last_database d
	CROSS JOIN setting s
	CROSS JOIN LATERAL (SELECT d.mxid_age > d.xid_age AS multixact, greatest(d.xid_age, d.mxid_age) AS age,
		CASE WHEN d.mxid_age > d.xid_age THEN s.multixact_freeze_max_age ELSE s.freeze_max_age END AS max_age) k
), step AS (
	SELECT h.db, h.sampled_at, h.xid_age - lag(h.xid_age) OVER w AS xids, h.mxid_age - lag(h.mxid_age) OVER w AS mxids,
		extract(epoch FROM h.sampled_at - lag(h.sampled_at) OVER w)::float8 AS seconds
	FROM pgdba.hist_database h
	WHERE h.sampled_at > (SELECT max(a.sampled_at) - interval '6 hours' FROM aged a WHERE a.age > 100000000)
	WINDOW w AS (PARTITION BY h.db ORDER BY h.sampled_at)
), rate AS (
	SELECT p.db, sum(p.xids) FILTER (WHERE p.xids >= 0) / nullif(sum(p.seconds) FILTER (WHERE p.xids >= 0), 0) AS xids,
		sum(p.mxids) FILTER (WHERE p.mxids >= 0) / nullif(sum(p.seconds) FILTER (WHERE p.mxids >= 0), 0) AS mxids
	FROM step p
	GROUP BY p.db
	HAVING sum(p.seconds) >= 600
), oldest AS MATERIALIZED (
	SELECT l.db, l.schema, l.relname, l.relation, l.relid, l.toast_relid, l.size_bytes,
		CASE WHEN a.multixact THEN l.mxid_age ELSE l.xid_age END AS age
	FROM pgdba.last_table l JOIN aged a ON a.db = l.db AND a.age > 100000000
		AND CASE WHEN a.multixact THEN l.mxid_age ELSE l.xid_age END > a.age - 10000000
), running AS MATERIALIZED (
	SELECT p.db, p.relid, p.pid, p.phase FROM pgdba.last_vacuum_progress p
), holder AS MATERIALIZED (
	SELECT o.*, o.db AS holder_db, pgdba.may_end(o.backend_type, o.application_name) AS may_end,
		pgdba.holder_text(o.kind, o.name, o.pid, o.role, o.application_name, o.state) AS who
	FROM pgdba.last_horizon o
	WHERE o.xid_age > 100000000
), finding AS (
	SELECT a.*, t.schema, t.relname, t.relation, v.pid AS vacuum_pid, v.phase,
		CASE WHEN a.multixact THEN 'multixact ID' ELSE 'transaction ID' END AS what,
		a.remaining / nullif(CASE WHEN a.multixact THEN r.mxids ELSE r.xids END, 0) AS eta,
		h.kind, h.name, h.pid, h.xid_age AS holder_age, h.who, h.holder_db,
		CASE WHEN h.kind = 'session' AND h.may_end THEN pgdba.session_start(h.backend_start) END AS holder_start,
		CASE WHEN h.kind IS NOT NULL THEN 'horizon' WHEN NOT a.datallowconn THEN 'closed'
			WHEN v.pid IS NOT NULL THEN 'running' WHEN t.relname IS NOT NULL THEN 'table' ELSE 'unseen' END AS cause
	FROM aged a
	LEFT JOIN rate r ON r.db = a.db
	LEFT JOIN LATERAL (SELECT o.* FROM oldest o WHERE o.db = a.db ORDER BY o.age DESC, o.size_bytes DESC NULLS LAST LIMIT 1) t ON true
	LEFT JOIN LATERAL (SELECT p.* FROM running p WHERE p.db = a.db AND p.relid IN (t.relid, t.toast_relid) LIMIT 1) v ON true
	LEFT JOIN LATERAL (SELECT o.* FROM holder o WHERE (o.db IS NULL OR o.db = a.db) AND NOT a.multixact AND o.xid_age > a.age / 2
		ORDER BY o.xid_age DESC LIMIT 1) h ON true
)
SELECT 'database:' || quote_ident(f.db) AS object,
	f.db AS database,
	f.age::float8 AS value,
	CASE WHEN f.multixact THEN 'multixacts' ELSE 'transactions' END AS unit,
	CASE WHEN f.age > 1600000000 THEN 'Infinity' ELSE f.age - 1.1 * f.max_age END AS beyond,
	jsonb_strip_nulls(jsonb_build_object(
		'xid_age', f.xid_age, 'mxid_age', f.mxid_age, 'what', f.what, 'age', f.age, 'remaining', f.remaining,
		'to_warnings', f.remaining - 37000000, 'freeze_max_age', f.max_age, 'eta_seconds', f.eta, 'cause', f.cause,
		'reason', CASE WHEN f.age IS NULL THEN 'its age is not known' WHEN f.max_age IS NULL THEN 'the settings are not known' END,
		'left', CASE WHEN f.remaining <= 0 THEN 'nothing that needs a new one is done any more'
			ELSE 'writes stop after ' || CASE WHEN f.remaining >= 1000000 THEN round(f.remaining / 1e6) || ' million'
				ELSE f.remaining::text END || ' more' || coalesce(', in ' || pgdba.duration_text(f.eta) || ' at the present rate', '') END,
		'schema', CASE WHEN f.cause IN ('table', 'horizon') THEN f.schema END, 'relname', f.relname, 'relation', f.relation,
		'vacuum_pid', f.vacuum_pid, 'holder_kind', f.kind, 'holder', f.name, 'holder_xid_age', f.holder_age,
		'holder_pid', CASE WHEN f.holder_start IS NOT NULL THEN f.pid END, 'holder_start', f.holder_start,
		'next_step', CASE f.cause
			WHEN 'horizon' THEN 'First ' || CASE f.kind
				WHEN 'session' THEN CASE WHEN f.holder_start IS NULL THEN 'let ' || f.who || ' finish'
					ELSE 'commit or roll back in ' || f.who || ', or end it' END
				WHEN 'prepared transaction' THEN format('finish it in database %s: COMMIT PREPARED %L; or ROLLBACK PREPARED %L',
					f.holder_db, f.name, f.name)
				WHEN 'slot' THEN format('let the consumer of slot %s catch up; when it has none: SELECT pg_drop_replication_slot(%L)',
					f.name, f.name)
				ELSE 'end the long query on ' || f.who END
				|| ': nothing can be frozen beyond the ' || f.holder_age || ' transactions that it holds.'
			WHEN 'closed' THEN 'Only autovacuum comes to a database that does not allow connections: look into the server''s log '
				|| 'why it fails, or allow connections and vacuum it.'
			WHEN 'running' THEN 'A vacuum of ' || f.relation || ' runs (' || f.phase || '). Let it finish; never end it.'
			WHEN 'table' THEN 'Vacuum ' || f.relation || ', the oldest, then the next; not FULL and not FREEZE, which take longer. '
				|| 'No single-user mode is needed.'
			ELSE 'No table that pgdba sees there is that old: look for temporary tables of long sessions, and for errors of autovacuum '
				|| 'in the log. Then run: VACUUM;' END
	)) AS evidence
FROM finding f
ORDER BY f.age DESC NULLS FIRST
LIMIT 1000
$check$,
	definition => $definition${
	"title": "Distance to wraparound",
	"loop": "storage",
	"probes": ["database", "table", "setting", "horizon", "vacuum_progress"],
	"thresholds": {"warning": 500000000, "critical": 1500000000, "floor": {"beyond": 0}},
	"message": "the oldest {what} of {database} is {age:count} old: {left}",
	"why": "When they run out the whole cluster accepts no writes until the database has been vacuumed, which can take days.",
	"action": "{next_step}",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {holder_pid} AND backend_start = {holder_start:L};",
		"VACUUM (VERBOSE) {schema:I}.{relname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
