-- Who holds the vacuum horizon: what may still see dead rows, so that vacuum cannot remove them.
--
-- An open transaction is not enough: only a snapshot (xmin) or a transaction ID holds. A VACUUM holds nothing for
-- others, nor does a slot that has been invalidated. A parallel worker holds what its leader holds. A slot's
-- catalog_xmin holds system catalogs only. Where db is NULL every database is held.
--
-- On a standby sessions hold the vacuum of the primary, and only with hot_standby_feedback. A walsender without a
-- database passes on such feedback; one with a database decodes, or copies tables in a transaction like any session.
SELECT pgdba.define_probe(
	name => 'horizon',
	loop => 'hot',
	query => $probe$
SELECT a.datname::pg_catalog.text AS db,
	CASE WHEN a.backend_type = 'walsender' AND a.datid IS NULL THEN 'standby' ELSE 'session' END AS kind,
	a.pid::pg_catalog.text AS name,
	false AS catalog_only,
	greatest(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))::pg_catalog.int8 AS xid_age,
	extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.float8 AS held_seconds,
	a.xact_start AS held_since,
	a.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	a.usename::pg_catalog.text AS role,
	a.application_name,
	a.backend_type,
	a.state,
	pg_catalog.host(a.client_addr) AS client_addr,
	a.state_change,
	NULL::pg_catalog.int8 AS catalog_xid_age
FROM pg_catalog.pg_stat_activity a
WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
	AND a.pid <> pg_catalog.pg_backend_pid()
	AND a.backend_type <> 'parallel worker'
	AND (NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('hot_standby_feedback')::pg_catalog.bool
		OR a.backend_type = 'walsender')
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_progress_info('VACUUM') v WHERE v.pid = a.pid)
UNION ALL
SELECT p.database::pg_catalog.text, 'prepared transaction', p.gid, false,
	pg_catalog.age(p.transaction)::pg_catalog.int8,
	extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::pg_catalog.float8, p.prepared,
	NULL, NULL, p.owner::pg_catalog.text, NULL, NULL, NULL, NULL, NULL, NULL
FROM pg_catalog.pg_prepared_xacts p
UNION ALL
SELECT NULL, 'slot', s.slot_name::pg_catalog.text, s.xmin IS NULL,
	coalesce(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin))::pg_catalog.int8,
	NULL, NULL, s.active_pid::pg_catalog.int8, NULL, NULL, NULL, s.slot_type,
	CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL, NULL,
	pg_catalog.age(s.catalog_xmin)::pg_catalog.int8
FROM pg_catalog.pg_replication_slots s
WHERE (s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL) AND s.wal_status IS DISTINCT FROM 'lost'
$probe$,
	key => '{kind,name}',
	columns => $columns${
	"db": {"help": "Database whose vacuum is held back, NULL for all"},
	"kind": {"help": "session, standby (its feedback), prepared transaction or slot"},
	"name": {"help": "Process ID, name of the prepared transaction or of the slot"},
	"catalog_only": {"help": "Whether only system catalogs are held back"},
	"xid_age": {"unit": "transactions", "help": "How far back it holds"},
	"held_seconds": {"unit": "seconds", "help": "For how long, NULL when that is not known"},
	"held_since": {"help": "Since when, NULL when that is not known"},
	"pid": {"help": "Process ID of the session, or of the walsender that uses the slot"},
	"backend_start": {"help": "Start of the session"},
	"role": {"help": "Role of the session, owner of the prepared transaction"},
	"application_name": {"help": "What the client calls itself"},
	"backend_type": {"help": "Kind of process, or of slot"},
	"state": {"help": "State of the session; active or inactive for a slot"},
	"client_addr": {"help": "Address of the client, NULL for a local socket"},
	"state_change": {"help": "Since when the session has had its state"},
	"catalog_xid_age": {"unit": "transactions", "help": "How far back a slot holds system catalogs, NULL for others"}
}$columns$);
