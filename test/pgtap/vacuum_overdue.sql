-- vacuum.overdue: when a table is overdue, and why vacuum has not come. Golden samples of 2001-05-02, a scene an hour.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(49);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'vacuum.overdue'
$$;

-- Counters of the table.
CREATE FUNCTION pg_temp.counters(at timestamptz, dead bigint, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('relation', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
		'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'n_dead_tup', dead,
		'n_live_tup', 40000, 'n_ins_since_vacuum', 0, 'last_autovacuum', '2001-05-01 00:00:00+00') || more))
$$;
-- What else is known at a moment: all is well, unless told otherwise. Keys: table, settings, vacuums, holders, sessions, workers.
CREATE FUNCTION pg_temp.known(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('table', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public',
			'relname', 'orders', 'relation', 'public.orders', 'relid', 1, 'relkind', 'r', 'autovacuum_enabled', true,
			'vacuum_threshold', 10000, 'insert_threshold', 10000, 'toast_relid', 2, 'toast_autovacuum_enabled', true,
			'toast_vacuum_threshold', 10000, 'toast_insert_threshold', 10000) || coalesce(more -> 'table', '{}'))),
		pgdba.inject_sample('setting', at, (SELECT jsonb_agg(jsonb_build_object('name', s.key, 'value', s.value))
			FROM jsonb_each('{"autovacuum": "on", "track_counts": "on", "autovacuum_naptime": "60", "vacuum_cost_limit": "200",
				"autovacuum_vacuum_cost_limit": "-1", "autovacuum_vacuum_cost_delay": "2"}' || coalesce(more -> 'settings', '{}')) s)),
		pgdba.inject_sample('vacuum_progress', at, coalesce(more -> 'vacuums', '[]')),
		pgdba.inject_sample('horizon', at, coalesce(more -> 'holders', '[]')),
		pgdba.inject_sample('activity', at, coalesce(more -> 'sessions', '[]')),
		pgdba.inject_sample('autovacuum', at, jsonb_build_array(jsonb_build_object('phase', 'analyzing', 'jobs', 0,
			'workers', coalesce(more -> 'workers', '0'), 'max_workers', 3)))
$$;
-- A scene: for ten minutes the table has had so many dead rows, and workers were as busy as at the end.
CREATE FUNCTION pg_temp.scene(at timestamptz, dead bigint, more jsonb DEFAULT '{}', counters jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	FOR minute IN REVERSE 10..0 LOOP
		PERFORM pg_temp.counters(at - make_interval(mins => minute), dead, counters);
		PERFORM pg_temp.known(at - make_interval(mins => minute), CASE WHEN minute = 0 THEN more
			ELSE more - 'vacuums' - 'sessions' END) WHERE minute IN (0, 5, 10);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.vacuum(started timestamptz, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('vacuums', jsonb_build_array(jsonb_build_object('db', 'shop', 'pid', 77, 'backend_start', started,
		'relid', 1, 'autovacuum', true, 'phase', 'scanning heap', 'started', started, 'heap_blks_total', 200,
		'heap_blks_scanned', 50, 'index_vacuum_count', 0) || more))
$$;

-- Levels, and the floor.
SELECT pg_temp.scene('2001-05-02 01:00:00+00', 20000);
SELECT is(severity, 'ok', 'quiet at exactly twice the threshold') FROM pg_temp.verdict('2001-05-02 01:00:00+00');
SELECT pg_temp.scene('2001-05-02 02:00:00+00', 20001);
SELECT results_eq($$SELECT severity, object, database FROM pg_temp.verdict('2001-05-02 02:00:00+00')$$,
	$$VALUES ('warning', 'relation:shop/public.orders', 'shop')$$, 'warning beyond it');
SELECT is(message, 'public.orders in shop has 20,001 dead rows, 2 times the threshold: autovacuum has not come, the last '
	'vacuum was 1 d 2 h ago', 'the message') FROM pg_temp.verdict('2001-05-02 02:00:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-02 02:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$, 'the SQL and its lock');
SELECT alike(action, '%somebody holds a lock on it%', 'what to look for') FROM pg_temp.verdict('2001-05-02 02:00:00+00');
SELECT pg_temp.scene('2001-05-02 03:00:00+00', 100000);
SELECT is(severity, 'warning', 'warning at exactly ten times the threshold') FROM pg_temp.verdict('2001-05-02 03:00:00+00');
SELECT pg_temp.scene('2001-05-02 04:00:00+00', 100001, counters => '{"last_autovacuum": null}');
SELECT results_eq($$SELECT severity, split_part(message, ': ', 2) FROM pg_temp.verdict('2001-05-02 04:00:00+00')$$,
	$$VALUES ('critical', 'autovacuum has not come')$$, 'critical beyond it; a vacuum that never was has no age');
SELECT pg_temp.scene('2001-05-02 05:00:00+00', 10000, '{"table": {"vacuum_threshold": 50}}');
SELECT is(severity, 'ok', 'quiet with few rows, whatever the threshold') FROM pg_temp.verdict('2001-05-02 05:00:00+00');
SELECT pg_temp.scene('2001-05-02 06:00:00+00', 90000, '{"table": {"vacuum_threshold": 0}}');
SELECT is(value, 90000::float8, 'a threshold of 0 divides nothing') FROM pg_temp.verdict('2001-05-02 06:00:00+00');

-- It takes time to become overdue, and vacuum resets it.
SELECT pg_temp.counters('2001-05-02 07:00:00+00', 90000);
SELECT pg_temp.known('2001-05-02 07:00:00+00');
SELECT is(severity, 'ok', 'quiet without history') FROM pg_temp.verdict('2001-05-02 07:00:00+00');
SELECT pg_temp.scene('2001-05-02 08:00:00+00', 90000);
SELECT pg_temp.counters('2001-05-02 07:55:30+00', 9000);
SELECT is(severity, 'ok', 'quiet when it was not due all the time') FROM pg_temp.verdict('2001-05-02 08:00:00+00');
SELECT pg_temp.scene('2001-05-02 09:00:00+00', 90000, '{"settings": {"autovacuum_naptime": "300"}}');
SELECT is(severity, 'ok', 'a longer naptime gives more time') FROM pg_temp.verdict('2001-05-02 09:00:00+00');
SELECT pg_temp.scene('2001-05-02 10:00:00+00', 90000, counters => '{"last_autovacuum": "2001-05-02 09:50:00+00"}');
SELECT is(severity, 'ok', 'quiet when vacuum came meanwhile') FROM pg_temp.verdict('2001-05-02 10:00:00+00');
SELECT pg_temp.scene('2001-05-02 11:00:00+00', 90000);
SELECT pg_temp.counters('2001-05-02 11:00:40+00', 90000, '{"last_autoanalyze": "2001-05-02 11:00:20+00"}');
SELECT is(severity, 'ok', 'quiet until the threshold knows of an analyze') FROM pg_temp.verdict('2001-05-02 11:00:40+00');

-- Inserts count as well, and are never critical. Where the insert threshold is off they do not.
SELECT pg_temp.scene('2001-05-02 12:00:00+00', 0, counters => '{"n_ins_since_vacuum": 5000000}');
SELECT results_eq($$SELECT severity, split_part(message, ':', 1) FROM pg_temp.verdict('2001-05-02 12:00:00+00')$$,
	$$VALUES ('warning', 'public.orders in shop has 5,000,000 inserted rows, 500 times the threshold')$$, 'inserted rows are due too');
SELECT pg_temp.scene('2001-05-02 13:00:00+00', 0, '{"table": {"insert_threshold": null}}', '{"n_ins_since_vacuum": 5000000}');
SELECT pg_temp.scene('2001-05-03 11:00:00+00', 0, '{"table": {"autovacuum_enabled": false}}', '{"n_ins_since_vacuum": 5000000}');
SELECT is(severity, 'ok', 'or autovacuum is off for the table') FROM pg_temp.verdict('2001-05-03 11:00:00+00');
SELECT is(severity, 'ok', 'unless that is turned off') FROM pg_temp.verdict('2001-05-02 13:00:00+00');

-- Causes, in their order. Off: at once, without history.
SELECT pg_temp.counters('2001-05-02 14:00:00+00', 50000);
SELECT pg_temp.known('2001-05-02 14:00:00+00', '{"settings": {"autovacuum": "off"}, "workers": 3}');
SELECT alike(message, '%: autovacuum is off in the cluster', 'off in the cluster') FROM pg_temp.verdict('2001-05-02 14:00:00+00');
SELECT is(symptom_of, 'vacuum.disabled', 'which another check says first') FROM pg_temp.verdict('2001-05-02 14:00:00+00');
SELECT pg_temp.counters('2001-05-02 14:20:00+00', 50000);
SELECT pg_temp.known('2001-05-02 14:20:00+00', '{"table": {"autovacuum_enabled": false}, "workers": 3}');
SELECT alike(message, '%: autovacuum is off for it', 'off for the table') FROM pg_temp.verdict('2001-05-02 14:20:00+00');
SELECT is(sql, 'VACUUM (VERBOSE, ANALYZE) public.orders;', 'vacuum does it all the same') FROM pg_temp.verdict('2001-05-02 14:20:00+00');

-- The horizon: vacuum came, and could remove nothing.
CREATE FUNCTION pg_temp.holder(more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('workers', 3, 'holders', jsonb_build_array(jsonb_build_object('db', 'shop', 'kind', 'session',
		'name', '4711', 'pid', 4711, 'backend_start', '2001-05-02 00:00:00.25+00', 'catalog_only', false, 'xid_age', 50,
		'held_seconds', 18000, 'held_since', '2001-05-02 00:00:00+00', 'role', 'app', 'backend_type', 'client backend',
		'state', 'idle in transaction') || more))
$$;
SELECT pg_temp.scene('2001-05-02 15:00:00+00', 50000, pg_temp.holder(), '{"last_autovacuum": "2001-05-02 14:59:00+00"}');
SELECT alike(message, '%: session 4711 (role app, idle in transaction) keeps vacuum from removing them', 'a holder is named')
FROM pg_temp.verdict('2001-05-02 15:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 4711 AND '
	'backend_start = ''2001-05-02 00:00:00.250000+00'';' || E'\nVACUUM (VERBOSE, ANALYZE) public.orders;', 'and dealt with first')
FROM pg_temp.verdict('2001-05-02 15:00:00+00');
SELECT pg_temp.scene('2001-05-02 16:00:00+00', 50000, pg_temp.holder('{"application_name": "pg_dump"}'),
	'{"last_autovacuum": "2001-05-02 15:59:00+00"}');
SELECT results_eq($$SELECT action, sql FROM pg_temp.verdict('2001-05-02 16:00:00+00')$$,
	$$VALUES ('Let session 4711 finish, then vacuum.', 'VACUUM (VERBOSE, ANALYZE) public.orders;')$$, 'a backup is not ended');
SELECT pg_temp.scene('2001-05-02 17:00:00+00', 50000, pg_temp.holder());
SELECT alike(message, '%: all 3 autovacuum workers are busy elsewhere', 'where vacuum did not come a holder is not the cause')
FROM pg_temp.verdict('2001-05-02 17:00:00+00');
SELECT pg_temp.scene('2001-05-02 18:00:00+00', 50000, pg_temp.holder('{"db": "crm"}'), '{"last_autovacuum": "2001-05-02 17:59:00+00"}');
SELECT is(severity, 'ok', 'nor is one of another database') FROM pg_temp.verdict('2001-05-02 18:00:00+00');
SELECT pg_temp.scene('2001-05-03 12:00:00+00', 50000, pg_temp.holder('{"held_since": "2001-05-03 11:59:30+00"}'),
	'{"last_autovacuum": "2001-05-03 11:59:00+00"}');
SELECT is(severity, 'ok', 'nor one that began after vacuum came') FROM pg_temp.verdict('2001-05-03 12:00:00+00');
SELECT pg_temp.scene('2001-05-03 13:00:00+00', 50000, pg_temp.holder('{"kind": "slot", "name": "s1", "db": null, "held_since": null,
	"xid_age": 9999, "pid": null}'), '{"last_autovacuum": "2001-05-03 12:59:00+00"}');
SELECT is(severity, 'ok', 'nor a slot that keeps up') FROM pg_temp.verdict('2001-05-03 13:00:00+00');
SELECT pg_temp.scene('2001-05-02 19:00:00+00', 50000, pg_temp.holder('{"kind": "slot", "name": "s''1", "db": null, "held_since": null,
	"xid_age": 10000, "pid": null}'), '{"last_autovacuum": "2001-05-02 18:59:00+00"}');
SELECT results_eq($$SELECT split_part(message, ': ', 2), sql FROM pg_temp.verdict('2001-05-02 19:00:00+00')$$,
	$$VALUES ('slot s''1 keeps vacuum from removing them', 'VACUUM (VERBOSE, ANALYZE) public.orders;')$$, 'a slot holds too');
SELECT pg_temp.scene('2001-05-02 20:00:00+00', 50000, pg_temp.holder('{"kind": "prepared transaction", "name": "g''1", "pid": null}'),
	'{"last_autovacuum": "2001-05-02 19:59:00+00"}');
SELECT is(action, 'Finish it with COMMIT PREPARED ''g''''1''; or ROLLBACK PREPARED ''g''''1''; and vacuum.', 'a prepared transaction, too')
FROM pg_temp.verdict('2001-05-02 20:00:00+00');

-- Running.
SELECT pg_temp.scene('2001-05-02 21:00:00+00', 50000, pg_temp.vacuum('2001-05-02 20:00:00+00'));
SELECT is(severity, 'ok', 'quiet while a vacuum runs, for an hour') FROM pg_temp.verdict('2001-05-02 21:00:00+00');
SELECT pg_temp.scene('2001-05-02 22:00:00+00', 50000, pg_temp.vacuum('2001-05-02 20:59:00+00'));
SELECT alike(message, '%: a vacuum has run for 1 h 1 min (scanning heap, 25 \% scanned)', 'then it is said how far it is')
FROM pg_temp.verdict('2001-05-02 22:00:00+00');
SELECT results_eq($$SELECT sql, undo FROM pg_temp.verdict('2001-05-02 22:00:00+00')$$,
	$$VALUES ('ALTER TABLE public.orders SET (autovacuum_vacuum_cost_limit = 2000);',
		'ALTER TABLE public.orders RESET (autovacuum_vacuum_cost_limit);')$$, 'the next one may be faster; nothing ends this one');
SELECT pg_temp.scene('2001-05-02 23:00:00+00', 50000, pg_temp.vacuum('2001-05-02 20:00:00+00', '{"index_vacuum_count": 3,
	"phase": "vacuuming indexes"}') || '{"table": {"options": {"autovacuum_vacuum_cost_limit": "300"}}}');
SELECT results_eq($$SELECT split_part(message, ': ', 2), sql, undo FROM pg_temp.verdict('2001-05-02 23:00:00+00')$$,
	$$VALUES ('a vacuum has run for 3 h (vacuuming indexes, 25 % scanned, 3 passes over the indexes)', NULL::text, NULL::text)$$,
	'what is set for the table is left alone');
SELECT alike(action, '%autovacuum_work_mem%', 'passes over indexes are a matter of memory') FROM pg_temp.verdict('2001-05-02 23:00:00+00');

-- A lock, an interruption, no worker.
SELECT pg_temp.scene('2001-05-03 00:30:00+00', 50000, '{"sessions": [{"db": "shop", "pid": 9, "backend_start": "2001-05-03 00:00:00+00",
	"backend_type": "autovacuum worker", "wait_event_type": "Lock", "lock_relid": 1}], "workers": 3}');
SELECT alike(message, '%: a vacuum of it waits for a lock', 'a vacuum that waits for a lock') FROM pg_temp.verdict('2001-05-03 00:30:00+00');
SELECT pg_temp.scene('2001-05-03 02:00:00+00', 50000, '{"workers": 3}');
SELECT pgdba.inject_sample('vacuum_progress', '2001-05-03 01:56:00+00', pg_temp.vacuum('2001-05-03 01:56:00+00') -> 'vacuums');
SELECT alike(message, '%: its autovacuum was interrupted 4 min ago', 'one that was interrupted') FROM pg_temp.verdict('2001-05-03 02:00:00+00');
SELECT is(sql, 'VACUUM (VERBOSE, ANALYZE) public.orders;', 'is done by hand') FROM pg_temp.verdict('2001-05-03 02:00:00+00');
SELECT pg_temp.scene('2001-05-03 03:00:00+00', 50000, '{"workers": 3}');
SELECT alike(message, '%: all 3 autovacuum workers are busy elsewhere', 'no worker free') FROM pg_temp.verdict('2001-05-03 03:00:00+00');
SELECT is(sql, E'VACUUM (VERBOSE, ANALYZE) public.orders;\nALTER TABLE public.orders SET (autovacuum_vacuum_cost_limit = 2000);',
	'vacuum by hand, and more speed') FROM pg_temp.verdict('2001-05-03 03:00:00+00');
SELECT pg_temp.scene('2001-05-03 04:00:00+00', 50000, '{"workers": 3, "settings": {"autovacuum_vacuum_cost_delay": "0"}}');
SELECT results_eq($$SELECT sql, undo FROM pg_temp.verdict('2001-05-03 04:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) public.orders;', NULL::text)$$, 'nothing to speed up where nothing is slowed down');
SELECT pg_temp.scene('2001-05-03 05:00:00+00', 50000, '{"workers": 2}');
SELECT alike(message, '%: autovacuum has not come%', 'a free worker is no cause') FROM pg_temp.verdict('2001-05-03 05:00:00+00');

-- A TOAST table stands for its table; a catalog is not altered.
SELECT pg_temp.scene('2001-05-03 06:00:00+00', 50000, '{"workers": 3}',
	'{"schema": "pg_toast", "relname": "pg_toast_1", "relation": "pg_toast.pg_toast_1", "relid": 2, "relkind": "t"}');
SELECT results_eq($$SELECT object, split_part(message, ' has', 1), sql FROM pg_temp.verdict('2001-05-03 06:00:00+00')$$,
	$$VALUES ('relation:shop/pg_toast.pg_toast_1', 'public.orders (TOAST) in shop', 'VACUUM (VERBOSE, ANALYZE) public.orders;')$$,
	'a TOAST table is vacuumed with its table');
SELECT pg_temp.scene('2001-05-03 07:00:00+00', 50000, '{"workers": 3, "table": {"schema": "pg_catalog", "relname": "pg_class",
	"relation": "pg_catalog.pg_class"}}', '{"schema": "pg_catalog", "relname": "pg_class", "relation": "pg_catalog.pg_class"}');
SELECT results_eq($$SELECT sql, undo FROM pg_temp.verdict('2001-05-03 07:00:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE, ANALYZE) pg_catalog.pg_class;', NULL::text)$$, 'a catalog has no parameters to set');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-03 07:09:00+00');
SELECT pg_temp.counters('2001-05-03 08:00:00+00', 90000);
SELECT is(severity, 'unknown', 'unknown while thresholds are not known') FROM pg_temp.verdict('2001-05-03 08:00:00+00');
SELECT pg_temp.scene('2001-05-03 09:00:00+00', 90000, '{"table": {"vacuum_threshold": null}}');
SELECT is(severity, 'ok', 'no finding for a table whose threshold is not known') FROM pg_temp.verdict('2001-05-03 09:00:00+00');

-- Hostile names.
SELECT pg_temp.scene('2001-05-03 10:00:00+00', 50000, '{"workers": 3, "table": {"schema": "a b", "relname": "t\"; DROP TABLE x; --",
	"relation": "a b.t"}}', '{"schema": "a b", "relname": "t\"; DROP TABLE x; --", "relation": "a b.t"}');
SELECT results_eq($$SELECT object, sql, undo FROM pg_temp.verdict('2001-05-03 10:00:00+00')$$,
	$$VALUES ('relation:shop/"a b"."t""; DROP TABLE x; --"', E'VACUUM (VERBOSE, ANALYZE) "a b"."t""; DROP TABLE x; --";\n'
		'ALTER TABLE "a b"."t""; DROP TABLE x; --" SET (autovacuum_vacuum_cost_limit = 2000);',
		'ALTER TABLE "a b"."t""; DROP TABLE x; --" RESET (autovacuum_vacuum_cost_limit);')$$, 'hostile names are quoted');
SELECT * FROM finish();
ROLLBACK;
