-- Who holds the vacuum horizon far back: the oldest session, prepared transaction or standby of each database, and every
-- slot. One that is not the oldest of all holds it too, as soon as those before it are gone.
--
-- How far is counted in transactions, because that is what piles up; how long is the matter of the checks of sessions.
-- A session that is idle in a transaction without a snapshot or a transaction ID holds nothing, and is not here.
SELECT pgdba.define_check(
	check_id => 'vacuum.horizon',
	query => $check$
WITH holder AS (
	SELECT h.*, greatest(h.xid_age, h.catalog_xid_age) AS held,
		h.catalog_only OR coalesce(h.catalog_xid_age > h.xid_age, false) AS catalogs,
		h.kind = 'session' AND pgdba.may_end(h.backend_type, h.application_name) AS may_end
	FROM pgdba.last_horizon h
), ranked AS (
	SELECT h.*, row_number() OVER oldest AS place, count(*) OVER (PARTITION BY h.kind, h.db) - 1 AS more
	FROM holder h
	WINDOW oldest AS (PARTITION BY h.kind, h.db, CASE WHEN h.kind = 'slot' THEN h.name END
		ORDER BY h.held DESC NULLS FIRST, h.held_since, h.name)
)
SELECT CASE r.kind
		WHEN 'slot' THEN 'slot:' || quote_ident(r.name)
		WHEN 'prepared transaction' THEN 'database:' || quote_ident(r.db)
		ELSE 'session:' || r.pid || '/' || coalesce(pgdba.session_start(r.backend_start), 'unknown') END AS object,
	r.db AS database,
	r.held::float8 AS value,
	'transactions' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'kind', r.kind, 'name', r.name, 'xid_age', r.xid_age, 'catalog_xid_age', r.catalog_xid_age,
		'catalog_only', r.catalogs, 'held_seconds', r.held_seconds, 'held_since', r.held_since, 'pid', r.pid,
		'backend_start', CASE WHEN r.may_end THEN pgdba.session_start(r.backend_start) END,
		'role', r.role, 'application_name', r.application_name, 'client_addr', r.client_addr,
		'backend_type', r.backend_type, 'state', r.state, 'more', CASE WHEN r.kind <> 'slot' THEN r.more END,
		'gid', CASE r.kind WHEN 'prepared transaction' THEN r.name END,
		'slot', CASE WHEN r.kind = 'slot' AND r.state = 'inactive' THEN r.name END,
		'reason', CASE WHEN r.held IS NULL THEN 'the age of what it holds is not known' END,
		'who', CASE r.kind
			WHEN 'session' THEN CASE WHEN r.backend_type = 'client backend' THEN '' ELSE r.backend_type || ', ' END
				|| pgdba.session_text(r.pid, r.role, r.application_name, r.client_addr, r.state,
					extract(epoch FROM r.sampled_at - r.state_change)::float8)
			WHEN 'standby' THEN concat_ws(' ', 'standby', nullif(r.application_name, ''), 'at ' || r.client_addr)
				|| ', by hot_standby_feedback,'
			WHEN 'slot' THEN concat_ws(' ', r.state, r.backend_type, 'slot ' || r.name)
			ELSE r.kind || ' ' || r.name END,
		'what', CASE WHEN r.catalogs THEN 'vacuum of the system catalogs' ELSE 'vacuum' END,
		'place', coalesce(' of ' || r.db, ''),
		'duration', coalesce(', for ' || pgdba.duration_text(r.held_seconds), ''),
		'next_step', CASE
			WHEN r.may_end AND r.state = 'active' THEN
				'Let its statement finish. When nobody needs it, the SQL ends the session, which rolls back.'
			WHEN r.may_end THEN 'Commit or roll back in that session. When nobody can, the SQL ends it, which rolls back.'
			WHEN r.backend_type = 'autovacuum worker' THEN 'Let it finish: it analyzes a table.'
			WHEN r.kind = 'session' THEN 'Let it finish, and do not end it: it is a backup, replication or a process of the server.'
			WHEN r.kind = 'prepared transaction' THEN 'Ask ' || coalesce(r.role, 'its owner') || ' whether it is to be committed. '
				|| 'When nobody knows, run the SQL in database ' || r.db || '; what it did is lost then.'
			WHEN r.kind = 'standby' THEN
				'Find and end the long query on the standby, or turn hot_standby_feedback off there, which cancels such queries.'
			WHEN r.state = 'active' AND r.catalogs THEN
				'Its consumer is connected but behind: look for a long transaction here, or for an error in its log.'
			WHEN r.state = 'active' THEN
				'Find and end the long query on the standby that uses it, or turn hot_standby_feedback off there.'
			ELSE 'Bring its consumer back. Only when it never comes back, run the SQL: without its slot it may have to be built anew.' END
	)) AS evidence
FROM ranked r
WHERE r.place = 1
ORDER BY r.held DESC NULLS FIRST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Holders of the vacuum horizon",
	"loop": "hot",
	"probes": ["horizon"],
	"thresholds": {"warning": 1000000, "critical": 50000000},
	"message": "{who} holds back {what}{place} by {value:count} transactions{duration}",
	"why": "Vacuum cannot remove what died since then, so tables and indexes grow and every scan reads it; in the end nothing can be frozen either.",
	"action": "{next_step}",
	"sql": ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = {backend_start:L};",
		"ROLLBACK PREPARED {gid:L};",
		"SELECT pg_drop_replication_slot({slot:L});"],
	"lock_level": "none"
}$definition$);
