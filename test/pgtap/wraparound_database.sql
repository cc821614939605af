-- wraparound.database: levels, how long it will last, and what keeps the age up. Golden samples of 2001-05-25.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(27);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'wraparound.database'
$$;
CREATE FUNCTION pg_temp.age(at timestamptz, xids bigint, mxids bigint DEFAULT 0, more jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('database', at, jsonb_build_array(jsonb_build_object('db', 'shop', 'datallowconn', true,
		'xid_age', xids, 'mxid_age', mxids) || more))
$$;
-- What else is known. Keys: tables, holders, vacuums, settings.
CREATE FUNCTION pg_temp.known(at timestamptz, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('table', at, coalesce(more -> 'tables', '[]')),
		pgdba.inject_sample('horizon', at, coalesce(more -> 'holders', '[]')),
		pgdba.inject_sample('vacuum_progress', at, coalesce(more -> 'vacuums', '[]')),
		pgdba.inject_sample('setting', at, (SELECT jsonb_agg(jsonb_build_object('name', s.key, 'value', s.value))
			FROM jsonb_each('{"autovacuum_freeze_max_age": "200000000", "autovacuum_multixact_freeze_max_age": "400000000"}'
				|| coalesce(more -> 'settings', '{}')) s))
$$;
CREATE FUNCTION pg_temp.orders(age bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('tables', jsonb_build_array(jsonb_build_object('db', 'shop', 'schema', 'public', 'relname', 'lines',
			'relation', 'public.lines', 'relid', 2, 'xid_age', age - 1, 'mxid_age', 0, 'size_bytes', 9000),
		jsonb_build_object('db', 'shop', 'schema', 'public', 'relname', 'orders', 'relation', 'public.orders', 'relid', 1,
			'toast_relid', 11, 'xid_age', age, 'mxid_age', age, 'size_bytes', 8000)))
$$;

-- Levels.
SELECT pg_temp.age('2001-05-25 01:05:00+00', 500000000), pg_temp.known('2001-05-25 01:05:00+00');
SELECT is(severity, 'ok', 'quiet at exactly 500 million') FROM pg_temp.verdict('2001-05-25 01:05:00+00');
SELECT pg_temp.age('2001-05-25 01:10:00+00', 500000001), pg_temp.known('2001-05-25 01:10:00+00', pg_temp.orders(500000001));
SELECT results_eq($$SELECT severity, object, database, unit FROM pg_temp.verdict('2001-05-25 01:10:00+00')$$,
	$$VALUES ('warning', 'database:shop', 'shop', 'transactions')$$, 'warning beyond it');
SELECT is(message, 'the oldest transaction ID of shop is 500,000,001 old: writes stop after 1644 million more', 'the message')
FROM pg_temp.verdict('2001-05-25 01:10:00+00');
SELECT results_eq($$SELECT sql, lock_level, undo FROM pg_temp.verdict('2001-05-25 01:10:00+00')$$,
	$$VALUES ('VACUUM (VERBOSE) public.orders;', 'ShareUpdateExclusiveLock', NULL::text)$$, 'the oldest table first');
SELECT pg_temp.age('2001-05-25 01:20:00+00', 1500000000), pg_temp.known('2001-05-25 01:20:00+00');
SELECT is(severity, 'warning', 'warning at exactly 1.5 billion') FROM pg_temp.verdict('2001-05-25 01:20:00+00');
SELECT pg_temp.age('2001-05-25 01:30:00+00', 1500000001), pg_temp.known('2001-05-25 01:30:00+00');
SELECT is(severity, 'critical', 'critical beyond it') FROM pg_temp.verdict('2001-05-25 01:30:00+00');
SELECT pg_temp.age('2001-05-25 01:40:00+00', 2144483646), pg_temp.known('2001-05-25 01:40:00+00');
SELECT alike(message, '%: writes stop after 1 more%', 'to the last one') FROM pg_temp.verdict('2001-05-25 01:40:00+00');
SELECT pg_temp.age('2001-05-25 01:50:00+00', 2144483647), pg_temp.known('2001-05-25 01:50:00+00');
SELECT alike(message, '%: nothing that needs a new one is done any more', 'and at the end') FROM pg_temp.verdict('2001-05-25 01:50:00+00');

-- Multixacts count as well; the worse of the two is told.
SELECT pg_temp.age('2001-05-25 02:00:00+00', 40000000, 600000000), pg_temp.known('2001-05-25 02:00:00+00', pg_temp.orders(600000000));
SELECT results_eq($$SELECT severity, split_part(message, ', in', 1), unit, sql FROM pg_temp.verdict('2001-05-25 02:00:00+00')$$,
	$$VALUES ('warning', 'the oldest multixact ID of shop is 600,000,000 old: writes stop after 1544 million more', 'multixacts',
		'VACUUM (VERBOSE) public.orders;')$$, 'multixacts run out too');

-- An age that is meant to be is no finding, until it is beyond all reason.
SELECT pg_temp.age('2001-05-25 03:00:00+00', 1100000000),
	pg_temp.known('2001-05-25 03:00:00+00', '{"settings": {"autovacuum_freeze_max_age": "1000000000"}}');
SELECT is(severity, 'ok', 'quiet at the age that is set, and a tenth more') FROM pg_temp.verdict('2001-05-25 03:00:00+00');
SELECT pg_temp.age('2001-05-25 03:10:00+00', 1100000001),
	pg_temp.known('2001-05-25 03:10:00+00', '{"settings": {"autovacuum_freeze_max_age": "1000000000"}}');
SELECT is(severity, 'warning', 'but not beyond that') FROM pg_temp.verdict('2001-05-25 03:10:00+00');
SELECT pg_temp.age('2001-05-25 03:20:00+00', 1600000001),
	pg_temp.known('2001-05-25 03:20:00+00', '{"settings": {"autovacuum_freeze_max_age": "2000000000"}}');
SELECT is(severity, 'critical', 'nor where the server itself is alarmed') FROM pg_temp.verdict('2001-05-25 03:20:00+00');

-- How long it lasts, by what was used up in the hours before; what a vacuum gives back does not count.
SELECT pg_temp.age(timestamptz '2001-05-25 20:00:00+00' - make_interval(mins => 10 * m), 1144483647 - 600000 * m + CASE WHEN m > 2 THEN 100000000 ELSE 0 END)
FROM generate_series(4, 0, -1) m; -- 1,000 a second
SELECT pg_temp.known('2001-05-25 20:00:00+00');
SELECT alike(message, '%: writes stop after 1000 million more, in 11 d 13 h at the present rate', 'how long it lasts')
FROM pg_temp.verdict('2001-05-25 20:00:00+00');

-- What keeps the age up. A holder of the horizon:
CREATE FUNCTION pg_temp.holder(more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT pg_temp.orders(900000000) || jsonb_build_object('holders', jsonb_build_array(jsonb_build_object('db', 'shop',
		'kind', 'session', 'name', '4711', 'pid', 4711, 'backend_start', '2001-05-20 00:00:00.25+00', 'catalog_only', false,
		'xid_age', 800000000, 'role', 'app', 'backend_type', 'client backend', 'state', 'idle in transaction') || more))
$$;
SELECT pg_temp.age('2001-05-25 07:00:00+00', 900000000), pg_temp.known('2001-05-25 07:00:00+00', pg_temp.holder());
SELECT is(action, 'First commit or roll back in session 4711 (role app, idle in transaction), or end it: nothing can be frozen '
	'beyond the 800000000 transactions that it holds.', 'the holder comes first') FROM pg_temp.verdict('2001-05-25 07:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 4711 AND backend_start = '
	'''2001-05-20 00:00:00.250000+00'';' || E'\nVACUUM (VERBOSE) public.orders;', 'and is ended first')
FROM pg_temp.verdict('2001-05-25 07:00:00+00');
SELECT pg_temp.age('2001-05-25 07:10:00+00', 900000000),
	pg_temp.known('2001-05-25 07:10:00+00', pg_temp.holder('{"backend_type": "walsender"}'));
SELECT results_eq($$SELECT action LIKE 'First let session 4711%finish: %', sql FROM pg_temp.verdict('2001-05-25 07:10:00+00')$$,
	$$VALUES (true, 'VACUUM (VERBOSE) public.orders;')$$, 'a walsender is not ended');
SELECT pg_temp.age('2001-05-25 07:20:00+00', 900000000),
	pg_temp.known('2001-05-25 07:20:00+00', pg_temp.holder('{"kind": "slot", "name": "old''slot", "db": null, "pid": null}'));
SELECT alike(action, 'First let the consumer of slot old''slot catch up; when it has none: SELECT pg_drop_replication_slot(''old''''slot''): %',
	'a slot') FROM pg_temp.verdict('2001-05-25 07:20:00+00');
SELECT pg_temp.age('2001-05-25 07:30:00+00', 900000000),
	pg_temp.known('2001-05-25 07:30:00+00', pg_temp.holder('{"kind": "prepared transaction", "name": "g''1", "pid": null}'));
SELECT alike(action, 'First finish it in database shop: COMMIT PREPARED ''g''''1''; or ROLLBACK PREPARED ''g''''1'': %',
	'a prepared transaction') FROM pg_temp.verdict('2001-05-25 07:30:00+00');
SELECT pg_temp.age('2001-05-25 07:40:00+00', 900000000),
	pg_temp.known('2001-05-25 07:40:00+00', pg_temp.holder('{"xid_age": 450000000}'));
SELECT alike(action, 'Vacuum public.orders, %', 'a holder that holds less than half of it does not')
FROM pg_temp.verdict('2001-05-25 07:40:00+00');
SELECT pg_temp.age('2001-05-25 07:50:00+00', 900000000), pg_temp.known('2001-05-25 07:50:00+00', pg_temp.holder('{"db": "crm"}'));
SELECT alike(action, 'Vacuum public.orders, %', 'nor does one of another database') FROM pg_temp.verdict('2001-05-25 07:50:00+00');

-- A vacuum that runs is not disturbed, also when it is at the TOAST table.
SELECT pg_temp.age('2001-05-25 08:00:00+00', 900000000), pg_temp.known('2001-05-25 08:00:00+00', pg_temp.orders(900000000)
	|| '{"vacuums": [{"db": "shop", "pid": 9, "backend_start": "2001-05-25 07:00:00+00", "relid": 11, "phase": "scanning heap"}]}');
SELECT results_eq($$SELECT action, sql FROM pg_temp.verdict('2001-05-25 08:00:00+00')$$,
	$$VALUES ('A vacuum of public.orders runs (scanning heap). Let it finish; never end it.', NULL::text)$$, 'nothing is run beside it');
-- No table is that old; nobody can connect.
SELECT pg_temp.age('2001-05-25 08:10:00+00', 900000000), pg_temp.known('2001-05-25 08:10:00+00', pg_temp.orders(890000000));
SELECT results_eq($$SELECT action LIKE 'No table that pgdba sees there is that old: %', sql FROM pg_temp.verdict('2001-05-25 08:10:00+00')$$,
	$$VALUES (true, NULL::text)$$, 'a table of another age is not blamed');
SELECT pg_temp.age('2001-05-25 08:20:00+00', 900000000, more => '{"datallowconn": false}'), pg_temp.known('2001-05-25 08:20:00+00');
SELECT alike(action, 'Only autovacuum comes to a database that does not allow connections: %', 'a database without connections')
FROM pg_temp.verdict('2001-05-25 08:20:00+00');

-- Unknown.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-05-25 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-05-25 08:24:00+00');
SELECT pg_temp.age('2001-05-25 09:00:00+00', NULL, NULL), pg_temp.known('2001-05-25 09:00:00+00');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-05-25 09:00:00+00')$$,
	$$VALUES ('unknown', 'Distance to wraparound (database:shop): cannot be judged, its age is not known')$$, 'unknown without an age');

-- Hostile names.
SELECT pg_temp.age('2001-05-25 10:00:00+00', 900000000, more => '{"db": "a\"b"}'), pg_temp.known('2001-05-25 10:00:00+00',
	'{"tables": [{"db": "a\"b", "schema": "a b", "relname": "t\"; --", "relation": "a b.t", "relid": 1, "xid_age": 900000000}]}');
SELECT results_eq($$SELECT object, sql FROM pg_temp.verdict('2001-05-25 10:00:00+00')$$,
	$$VALUES ('database:"a""b"', 'VACUUM (VERBOSE) "a b"."t""; --";')$$, 'hostile names are quoted');
SELECT * FROM finish();
ROLLBACK;
