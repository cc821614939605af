-- Vacuums that run now, by hand or automatic, and how far they are.
--
-- A vacuum that waits for its table is not among them: it shows its progress once it has the table. Until 16 the server
-- counts dead rows against an array of so many, from 17 on it keeps them in so many bytes; the delay is known from 18
-- on, with track_cost_delay_timing. How a vacuum that prevents wraparound is told is said in probe autovacuum.
SELECT pgdba.define_probe_variant('vacuum_progress', 170000, $probe$
SELECT v.datname::pg_catalog.text AS db,
	v.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	v.relid::pg_catalog.int8 AS relid,
	a.backend_type = 'autovacuum worker' AS autovacuum,
	CASE WHEN a.backend_type <> 'autovacuum worker' THEN false
		WHEN pg_catalog.current_setting('client_encoding') = pg_catalog.current_setting('server_encoding')
		THEN pg_catalog.substr(pg_catalog.textsend(a.query), pg_catalog.octet_length(a.query) - 23)
			= ' (to prevent wraparound)'::pg_catalog.bytea END AS prevents_wraparound,
	v.phase,
	a.xact_start AS started,
	a.wait_event_type,
	a.wait_event,
	v.heap_blks_total,
	v.heap_blks_scanned,
	v.heap_blks_vacuumed,
	v.index_vacuum_count,
	v.num_dead_item_ids AS dead_items,
	NULL::pg_catalog.int8 AS max_dead_items,
	v.dead_tuple_bytes AS dead_item_bytes,
	v.max_dead_tuple_bytes AS max_dead_item_bytes,
	v.indexes_total AS indexes_total,
	v.indexes_processed AS indexes_processed,
	NULL::pg_catalog.float8 AS delay_seconds
FROM pg_catalog.pg_stat_progress_vacuum v
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = v.pid
$probe$);

SELECT pgdba.define_probe_variant('vacuum_progress', 180000, pgdba.changed_text(v.query,
	'NULL::pg_catalog.float8 AS delay_seconds',
	'CASE WHEN pg_catalog.current_setting(''track_cost_delay_timing'')::pg_catalog.bool THEN v.delay_time / 1000 END AS delay_seconds'))
FROM pgdba.probe_variant v WHERE v.name = 'vacuum_progress' AND v.from_version = 170000;

SELECT pgdba.define_probe(
	name => 'vacuum_progress',
	loop => 'hot',
	query => $probe$
SELECT v.datname::pg_catalog.text AS db,
	v.pid::pg_catalog.int8 AS pid,
	a.backend_start,
	v.relid::pg_catalog.int8 AS relid,
	a.backend_type = 'autovacuum worker' AS autovacuum,
	CASE WHEN a.backend_type <> 'autovacuum worker' THEN false
		WHEN pg_catalog.current_setting('client_encoding') = pg_catalog.current_setting('server_encoding')
		THEN pg_catalog.substr(pg_catalog.textsend(a.query), pg_catalog.octet_length(a.query) - 23)
			= ' (to prevent wraparound)'::pg_catalog.bytea END AS prevents_wraparound,
	v.phase,
	a.xact_start AS started,
	a.wait_event_type,
	a.wait_event,
	v.heap_blks_total,
	v.heap_blks_scanned,
	v.heap_blks_vacuumed,
	v.index_vacuum_count,
	v.num_dead_tuples AS dead_items,
	v.max_dead_tuples AS max_dead_items,
	NULL::pg_catalog.int8 AS dead_item_bytes,
	NULL::pg_catalog.int8 AS max_dead_item_bytes,
	NULL::pg_catalog.int8 AS indexes_total,
	NULL::pg_catalog.int8 AS indexes_processed,
	NULL::pg_catalog.float8 AS delay_seconds
FROM pg_catalog.pg_stat_progress_vacuum v
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = v.pid
$probe$,
	key => '{pid,backend_start}',
	columns => $columns${
	"db": {"help": "Database of the table"},
	"pid": {"help": "Process ID"},
	"backend_start": {"help": "Start of the process; with pid it names the session"},
	"relid": {"help": "OID of the table"},
	"autovacuum": {"help": "Whether autovacuum does it, not somebody by hand"},
	"prevents_wraparound": {"help": "Whether autovacuum came to prevent wraparound; NULL when that cannot be told"},
	"phase": {"help": "What it does now"},
	"started": {"help": "When it began with this table"},
	"wait_event_type": {"help": "Kind of what it waits for"},
	"wait_event": {"help": "What it waits for"},
	"heap_blks_total": {"unit": "blocks", "help": "Blocks of the table when it began"},
	"heap_blks_scanned": {"unit": "blocks", "help": "Blocks looked at"},
	"heap_blks_vacuumed": {"unit": "blocks", "help": "Blocks cleaned"},
	"index_vacuum_count": {"unit": "passes", "help": "Passes over the indexes that it has finished"},
	"dead_items": {"unit": "rows", "help": "Dead rows collected for the next pass over the indexes"},
	"max_dead_items": {"unit": "rows", "help": "How many it can collect; NULL from PostgreSQL 17 on"},
	"dead_item_bytes": {"unit": "bytes", "help": "Memory that the collected ones take; NULL before PostgreSQL 17"},
	"max_dead_item_bytes": {"unit": "bytes", "help": "Memory that they may take; NULL before PostgreSQL 17"},
	"indexes_total": {"unit": "indexes", "help": "Indexes of this pass; NULL before PostgreSQL 17"},
	"indexes_processed": {"unit": "indexes", "help": "Those of them that are done; NULL before PostgreSQL 17"},
	"delay_seconds": {"unit": "seconds", "help": "Time slept for the cost limit; NULL before PostgreSQL 18 or without track_cost_delay_timing"}
}$columns$);
