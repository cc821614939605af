-- Tables that are older than the age at which autovacuum comes whatever is set: there it does not keep up.
--
-- The age is that of the table or its TOAST table, against autovacuum_freeze_max_age as the table has it. A little over
-- it is where every table is while its vacuum is on the way, so ten million more must have gone by, too. Tables of an
-- access method that freezes nothing have no age.
SELECT pgdba.define_check(
	check_id => 'wraparound.table',
	query => $check$
WITH old AS MATERIALIZED (
	SELECT t.*, k.*,
		CASE WHEN k.multixact THEN t.mxid_age ELSE t.xid_age END AS age,
		CASE WHEN k.multixact THEN t.multixact_freeze_max_age ELSE t.freeze_max_age END AS max_age,
		coalesce(CASE WHEN k.multixact THEN t.toast_mxid_age = t.mxid_age ELSE t.toast_xid_age = t.xid_age END, false) AS toast
	FROM pgdba.last_table t
	CROSS JOIN LATERAL (SELECT greatest(t.pct_freeze_max_age, t.pct_multixact_freeze_max_age) AS pct,
		coalesce(t.pct_multixact_freeze_max_age > t.pct_freeze_max_age, false) AS multixact) k
	WHERE k.pct >= 100
), running AS MATERIALIZED (
	SELECT p.db, p.relid, p.pid, p.phase, extract(epoch FROM p.sampled_at - p.started)::float8 AS running_seconds,
		100.0 * p.heap_blks_scanned / nullif(p.heap_blks_total, 0) AS scanned
	FROM pgdba.last_vacuum_progress p
), holder AS MATERIALIZED (
	SELECT a.db, a.catalog_only, a.xid_age AS holder_age,
		pgdba.holder_text(a.kind, a.name, a.pid, a.role, a.application_name, a.state) AS who
	FROM pgdba.last_horizon a
), finding AS (
	SELECT o.*, v.pid, v.phase, v.running_seconds, v.scanned, h.who, h.holder_age, b.all_busy,
		CASE WHEN h.who IS NOT NULL THEN 'horizon' WHEN v.pid IS NOT NULL THEN 'running' WHEN b.all_busy THEN 'workers'
			ELSE 'none' END AS cause
	FROM old o
	CROSS JOIN (SELECT max(w.workers) >= max(w.max_workers) AS all_busy FROM pgdba.last_autovacuum w) b
	LEFT JOIN LATERAL (SELECT p.* FROM running p WHERE p.db = o.db AND p.relid IN (o.relid, o.toast_relid) LIMIT 1) v ON true
	LEFT JOIN LATERAL (SELECT a.* FROM holder a
		WHERE (a.db IS NULL OR a.db = o.db) AND (NOT a.catalog_only OR o.schema = 'pg_catalog')
			AND NOT o.multixact AND a.holder_age > o.max_age / 2
		ORDER BY a.holder_age DESC LIMIT 1) h ON true
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.relname) AS object,
	f.db AS database,
	f.pct AS value,
	'percent' AS unit,
	(f.age - f.max_age)::float8 AS beyond,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', f.relation, 'relname', f.relname, 'age', f.age, 'freeze_max_age', f.max_age, 'toast', f.toast,
		'schema', CASE WHEN f.cause IN ('none', 'workers') THEN f.schema END, 'size_bytes', f.size_bytes,
		'cause', f.cause, 'vacuum_pid', f.pid, 'phase', f.phase,
		'running_seconds', f.running_seconds, 'holder_xid_age', f.holder_age,
		'which', CASE WHEN f.toast THEN 'the TOAST table of ' ELSE '' END || f.relation,
		'what', CASE WHEN f.multixact THEN 'multixacts' ELSE 'transactions' END,
		'state', CASE f.cause
			WHEN 'horizon' THEN f.who || ' holds back freezing by ' || f.holder_age || ' transactions'
			WHEN 'running' THEN 'its vacuum has run for ' || pgdba.duration_text(f.running_seconds) || ' ('
				|| concat_ws(', ', f.phase, round(f.scanned) || ' % scanned') || ')'
			WHEN 'workers' THEN 'all autovacuum workers are busy, none with it'
			ELSE 'no vacuum of it runs' END,
		'next_step', CASE f.cause
			WHEN 'horizon' THEN 'See vacuum.horizon and deal with that first: until then no vacuum makes the table younger.'
			WHEN 'running' THEN 'Let it finish and never end it: the next one begins anew. A higher autovacuum_vacuum_cost_limit speeds '
				|| 'it up.'
			WHEN 'workers' THEN 'Vacuum it by hand in a quiet hour. Raise autovacuum_vacuum_cost_limit, which the workers share.'
			ELSE 'Vacuum it by hand in a quiet hour, and look into the server''s log why autovacuum does not.' END
	)) AS evidence
FROM finding f
ORDER BY f.pct DESC
LIMIT 100
$check$,
	definition => $definition${
	"title": "Tables that are not frozen in time",
	"loop": "storage",
	"probes": ["table", "vacuum_progress", "autovacuum", "horizon"],
	"thresholds": {"warning": 110, "critical": 125, "floor": {"beyond": 10000000}},
	"message": "{which} in {database} is {age:count} {what} old, {value:percent} of the age that forces a vacuum: {state}",
	"why": "The age of the oldest table is that of its database, and at two billion the cluster accepts no more writes.",
	"action": "{next_step}",
	"sql": "VACUUM (FREEZE, VERBOSE) {schema:I}.{relname:I};",
	"lock_level": "ShareUpdateExclusiveLock",
	"symptom_of": "wraparound.database"
}$definition$);
