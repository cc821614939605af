-- vacuum.horizon: every kind of holder, what it holds, and what may be said to end it. Golden samples of 2001-03-08.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(33);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'vacuum.horizon'
$$;
CREATE FUNCTION pg_temp.holder(kind text, name text, xid_age bigint, at timestamptz, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('kind', kind, 'name', name, 'catalog_only', false, 'xid_age', xid_age,
		'db', CASE WHEN kind IN ('session', 'prepared transaction') THEN 'shop' END)
		|| CASE WHEN kind IN ('session', 'standby') THEN jsonb_build_object('pid', name::int, 'role', 'app',
			'backend_start', '2001-03-08 00:00:00.25+00', 'backend_type',
			CASE kind WHEN 'session' THEN 'client backend' ELSE 'walsender' END, 'state', 'active', 'state_change', at - interval '7 min')
		ELSE '{}' END
		|| CASE WHEN kind IN ('session', 'prepared transaction') THEN jsonb_build_object('held_since', at - interval '2 h',
			'held_seconds', 7200) ELSE '{}' END) || more
$$;

-- Quiet: exactly the threshold.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 1000000, at),
	pg_temp.holder('slot', 'a', 1000000, at), pg_temp.holder('standby', '2', 1000000, at),
	pg_temp.holder('prepared transaction', 'x', 1000000, at)))
FROM (VALUES ('2001-03-08 01:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'ok', 'quiet at exactly 1,000,000 transactions') FROM pg_temp.verdict('2001-03-08 01:00:00+00');

-- A session. Warning, then critical.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 1000001, at, '{"application_name": "psql"}')))
FROM (VALUES ('2001-03-08 02:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq(
	$$SELECT severity, object, database, value, unit FROM pg_temp.verdict('2001-03-08 02:00:00+00')$$,
	$$VALUES ('warning', 'session:1/2001-03-08 00:00:00.250000+00', 'shop', 1000001::float8, 'transactions')$$,
	'warning beyond 1,000,000 transactions');
SELECT is(message, 'session 1 (role app, application psql, active for 7 min) holds back vacuum of shop by 1,000,001 transactions, for 2 h',
	'the message has the values in it') FROM pg_temp.verdict('2001-03-08 02:00:00+00');
SELECT is(sql, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 1 AND backend_start = '
	'''2001-03-08 00:00:00.250000+00'';', 'ending it is guarded by its start') FROM pg_temp.verdict('2001-03-08 02:00:00+00');
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 50000000, at)))
FROM (VALUES ('2001-03-08 03:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'warning', 'still a warning at exactly 50,000,000') FROM pg_temp.verdict('2001-03-08 03:00:00+00');
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 50000001, at)))
FROM (VALUES ('2001-03-08 04:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'critical', 'critical beyond 50,000,000') FROM pg_temp.verdict('2001-03-08 04:00:00+00');

-- The oldest session of each database, and how many more there are.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 2000000, at),
	pg_temp.holder('session', '2', 3000000, at), pg_temp.holder('session', '3', 5, at),
	pg_temp.holder('session', '4', 1500000, at, '{"db": "club"}')))
FROM (VALUES ('2001-03-08 05:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT database, (evidence ->> 'pid')::int, (evidence ->> 'more')::int FROM pg_temp.verdict('2001-03-08 05:00:00+00')$$,
	$$VALUES ('shop', 2, 2), ('club', 4, 0)$$, 'one session per database, the oldest');

-- What waits inside a transaction is asked to end it first.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 2000000, at, '{"state": "idle in transaction"}')))
FROM (VALUES ('2001-03-08 06:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, '%idle in transaction for 7 min) holds back vacuum of shop%', 'its state is said')
FROM pg_temp.verdict('2001-03-08 06:00:00+00');
SELECT alike(action, 'Commit or roll back in that session.%', 'and it is asked to end first') FROM pg_temp.verdict('2001-03-08 06:00:00+00');

-- An open transaction without a snapshot or a transaction ID is not in the sample of holders, and is not blamed.
SELECT pgdba.inject_sample('horizon', '2001-03-08 07:00:00+00', '[]'),
	pgdba.inject_sample('activity', '2001-03-08 07:00:00+00', '[{"pid": 1, "backend_start": "2000-10-26 00:00:00+00",
		"backend_type": "client backend", "state": "idle in transaction", "xact_start": "2000-10-26 00:00:00+00",
		"state_change": "2000-10-26 00:00:00+00", "db": "shop", "role": "app"}]');
SELECT is(severity, 'ok', 'a session that holds nothing is not blamed') FROM pg_temp.verdict('2001-03-08 07:00:00+00');

-- Backups, replication and processes of the server: named, never ended.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(
	pg_temp.holder('session', '1', 2000000, at, '{"application_name": "pg_dump", "db": "d1"}'),
	pg_temp.holder('session', '2', 2000000, at, '{"backend_type": "walsender", "db": "d2"}'),
	pg_temp.holder('session', '3', 2000000, at, '{"backend_type": "autovacuum worker", "db": "d3"}'),
	pg_temp.holder('session', '4', 2000000, at, '{"backend_type": "logical replication worker", "db": "d4"}')))
FROM (VALUES ('2001-03-08 08:00:00+00'::timestamptz)) AS v (at);
SELECT is(count(*), 4::bigint, 'they are found like others') FROM pg_temp.verdict('2001-03-08 08:00:00+00');
SELECT is(sql, NULL, 'but nothing ends ' || (evidence ->> 'backend_type') || ' ' || (evidence ->> 'pid'))
FROM pg_temp.verdict('2001-03-08 08:00:00+00') ORDER BY (evidence ->> 'pid')::int;
SELECT alike(message, 'autovacuum worker, session 3 %', 'a process of the server is called what it is')
FROM pg_temp.verdict('2001-03-08 08:00:00+00') WHERE evidence ->> 'pid' = '3';

-- A prepared transaction.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('prepared transaction', 'order 7', 2000000, at, '{"role": "app"}')))
FROM (VALUES ('2001-03-08 09:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, message, sql FROM pg_temp.verdict('2001-03-08 09:00:00+00')$$,
	$$VALUES ('database:shop', 'prepared transaction order 7 holds back vacuum of shop by 2,000,000 transactions, for 2 h',
		'ROLLBACK PREPARED ''order 7'';')$$, 'a prepared transaction');
SELECT alike(action, 'Ask app whether it is to be committed.%in database shop;%', 'its owner is asked')
FROM pg_temp.verdict('2001-03-08 09:00:00+00');

-- A standby's feedback, which holds every database. Nothing ends its walsender.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(
	pg_temp.holder('standby', '77', 2000000, at, '{"application_name": "berlin", "client_addr": "10.0.0.9"}')))
FROM (VALUES ('2001-03-08 10:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, database, message, sql FROM pg_temp.verdict('2001-03-08 10:00:00+00')$$,
	$$VALUES ('session:77/2001-03-08 00:00:00.250000+00', NULL::text, 'standby berlin at 10.0.0.9, by hot_standby_feedback, '
		'holds back vacuum by 2,000,000 transactions', NULL::text)$$, 'a standby');

-- Slots: each is a finding. Only one that nobody uses may be dropped. One that decodes holds system catalogs alone.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(
	pg_temp.holder('slot', 'used', 2000000, at, '{"backend_type": "physical", "state": "active", "pid": 5}'),
	pg_temp.holder('slot', 'dead', 3000000, at, '{"backend_type": "physical", "state": "inactive"}'),
	pg_temp.holder('slot', 'etl', 4000000, at, '{"backend_type": "logical", "state": "active", "catalog_only": true, "catalog_xid_age": 4000000}'),
	pg_temp.holder('slot', 'sync', 10, at, '{"backend_type": "physical", "state": "active", "catalog_xid_age": 5000000}')))
FROM (VALUES ('2001-03-08 11:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT object, message, sql FROM pg_temp.verdict('2001-03-08 11:00:00+00')$$,
	$$VALUES ('slot:sync', 'active physical slot sync holds back vacuum of the system catalogs by 5,000,000 transactions', NULL::text),
		('slot:etl', 'active logical slot etl holds back vacuum of the system catalogs by 4,000,000 transactions', NULL),
		('slot:dead', 'inactive physical slot dead holds back vacuum by 3,000,000 transactions', 'SELECT pg_drop_replication_slot(''dead'');'),
		('slot:used', 'active physical slot used holds back vacuum by 2,000,000 transactions', NULL)$$, 'each slot is a finding');
SELECT alike(action, 'Find and end the long query on the standby%', 'behind a slot in use is a standby')
FROM pg_temp.verdict('2001-03-08 11:00:00+00') WHERE object = 'slot:used';
SELECT alike(action, 'Its consumer is connected but behind%', 'or a consumer that is behind')
FROM pg_temp.verdict('2001-03-08 11:00:00+00') WHERE object = 'slot:etl';
SELECT alike(action, 'Bring its consumer back.%', 'without one, dropping it comes last')
FROM pg_temp.verdict('2001-03-08 11:00:00+00') WHERE object = 'slot:dead';

-- Several kinds at once are several findings, the worst first.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', 2000000, at),
	pg_temp.holder('slot', 'a', 60000000, at, '{"state": "inactive"}'), pg_temp.holder('standby', '2', 3000000, at),
	pg_temp.holder('prepared transaction', 'x', 4000000, at)))
FROM (VALUES ('2001-03-08 12:00:00+00'::timestamptz)) AS v (at);
SELECT results_eq($$SELECT evidence ->> 'kind', severity FROM pg_temp.verdict('2001-03-08 12:00:00+00')$$,
	$$VALUES ('slot', 'critical'), ('prepared transaction', 'warning'), ('standby', 'warning'), ('session', 'warning')$$,
	'each kind is a finding');

-- Unknown: no sample, a stale one, no value.
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-03-08 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-03-08 04:10:00+00');
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('session', '1', NULL, at)))
FROM (VALUES ('2001-03-08 13:00:00+00'::timestamptz)) AS v (at);
SELECT is(severity, 'unknown', 'unknown without an age') FROM pg_temp.verdict('2001-03-08 13:00:00+00');
SELECT is(sql, NULL, 'and then nothing is ended') FROM pg_temp.verdict('2001-03-08 13:00:00+00');

-- Hostile names.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(
	pg_temp.holder('session', '1', 4000000, at, jsonb_build_object('role', E'x''; DROP TABLE t; --', 'application_name', '{pid}\')),
	pg_temp.holder('prepared transaction', E'y''; DROP TABLE t; --', 3000000, at, '{"db": "A \"b"}'),
	pg_temp.holder('slot', E'z''; DROP', 2000000, at, '{"state": "inactive"}')))
FROM (VALUES ('2001-03-08 14:00:00+00'::timestamptz)) AS v (at);
SELECT alike(message, E'session 1 (role x''; DROP TABLE t; --, application {pid}\\\\, %', 'a role''s name is in the message')
FROM pg_temp.verdict('2001-03-08 14:00:00+00') WHERE object LIKE 'session:%';
SELECT unalike(sql, '%DROP%', 'and not in the SQL') FROM pg_temp.verdict('2001-03-08 14:00:00+00') WHERE object LIKE 'session:%';
SELECT is(sql, 'ROLLBACK PREPARED ''y''''; DROP TABLE t; --'';', 'the name of a prepared transaction is quoted')
FROM pg_temp.verdict('2001-03-08 14:00:00+00') WHERE object = 'database:"A ""b"';
SELECT is(sql, 'SELECT pg_drop_replication_slot(''z''''; DROP'');', 'and that of a slot')
FROM pg_temp.verdict('2001-03-08 14:00:00+00') WHERE object = 'slot:"z''; DROP"';

-- With names or without them there is a line to read.
SELECT pgdba.inject_sample('horizon', at, jsonb_build_array(pg_temp.holder('standby', '2', 3000000, at)))
FROM (VALUES ('2001-03-08 15:00:00+00'::timestamptz)) AS v (at);
SELECT is(message, 'standby, by hot_standby_feedback, holds back vacuum by 3,000,000 transactions', 'a standby without a name')
FROM pg_temp.verdict('2001-03-08 15:00:00+00');

SELECT * FROM finish();
ROLLBACK;
