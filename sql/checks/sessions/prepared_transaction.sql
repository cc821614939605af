-- Prepared transactions that nobody finishes, one finding per database: they belong to no session and survive a restart.
SELECT pgdba.define_check(
	check_id => 'sessions.prepared_transaction',
	query => $check$
SELECT 'database:' || quote_ident(p.db) AS object,
	p.db AS database,
	p.held_seconds AS value,
	'seconds' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'gid', p.name, 'role', p.role, 'prepared', p.held_since, 'xid_age', p.xid_age, 'transactions', p.transactions,
		'gids', p.gids,
		'reason', CASE WHEN p.held_seconds IS NULL THEN 'the time of a prepared transaction is not known' END,
		'what', CASE p.transactions WHEN 1 THEN 'prepared transaction ' || p.name
			ELSE p.transactions || ' prepared transactions, the oldest named ' || p.name || ',' END
	)) AS evidence
FROM (SELECT h.*, row_number() OVER oldest AS place, count(*) OVER (PARTITION BY h.db) AS transactions,
		jsonb_agg(h.name) OVER (PARTITION BY h.db ORDER BY h.held_since, h.name ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING) AS gids
	FROM pgdba.last_horizon h
	WHERE h.kind = 'prepared transaction'
	WINDOW oldest AS (PARTITION BY h.db ORDER BY h.held_since, h.name)) p
WHERE p.place = 1
ORDER BY p.held_seconds DESC NULLS FIRST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Prepared transactions",
	"loop": "hot",
	"probes": ["horizon"],
	"thresholds": {"warning": 300, "critical": 3600},
	"message": "{what} in {database}: unfinished for {value:duration}",
	"why": "It keeps its locks, also over a restart, and vacuum keeps every row that died since it began, by now {xid_age:count} transactions.",
	"action": "Ask {role}, or the transaction manager, for its outcome: COMMIT PREPARED when the others committed. When nobody knows it, run the SQL in database {database}; what it did is lost then.",
	"sql": "ROLLBACK PREPARED {gid:L};",
	"lock_level": "none"
}$definition$);
