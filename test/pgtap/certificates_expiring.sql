-- certificates.expiring: until when they are valid, and files without one. Golden samples of 2001-09-02.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(9);

CREATE FUNCTION pg_temp.verdict(at timestamptz) RETURNS SETOF pgdba.verdicts LANGUAGE sql AS $$
	SELECT * FROM pgdba.verdicts_at(at) WHERE check_id = 'certificates.expiring'
$$;
CREATE FUNCTION pg_temp.inject(at timestamptz, remaining interval, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pgdba.inject_sample('certificate', at, jsonb_build_array(jsonb_build_object('kind', 'server', 'file', 'server.crt', 'place', 1,
		'subject', 'CN=db.example', 'issuer', 'CN=ca', 'not_after', at + remaining) || more))
$$;

SELECT pg_temp.inject('2001-09-02 01:00:00+00', '30 days');
SELECT is(severity, 'ok', 'quiet with 30 days left') FROM pg_temp.verdict('2001-09-02 01:00:00+00');
SELECT pg_temp.inject('2001-09-02 04:00:00+00', '29 days');
SELECT results_eq($$SELECT severity, object, value, message, sql FROM pg_temp.verdict('2001-09-02 04:00:00+00')$$,
	$$VALUES ('warning', 'file:server.crt/1', 29 * 86400::float8, 'the certificate of the server (CN=db.example) runs out in 29 d', 'SELECT pg_reload_conf();')$$,
	'warning with less');
SELECT pg_temp.inject('2001-09-02 08:00:00+00', '6 days', '{"kind": "authority"}');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-09-02 08:00:00+00')$$,
	$$VALUES ('critical', 'the certificate of an authority that it trusts (CN=db.example) runs out in 6 d')$$, 'critical in the last week, authorities as well');
SELECT pg_temp.inject('2001-09-02 12:00:00+00', '-1 hour');
SELECT results_eq($$SELECT severity, message FROM pg_temp.verdict('2001-09-02 12:00:00+00')$$,
	$$VALUES ('critical', 'the certificate of the server (CN=db.example) has run out')$$, 'one that has run out');
SELECT pgdba.inject_sample('certificate', '2001-09-02 16:00:00+00', '[]');
SELECT is(severity, 'ok', 'quiet without ssl') FROM pg_temp.verdict('2001-09-02 16:00:00+00');
SELECT pgdba.inject_sample('certificate', '2001-09-02 20:00:00+00',
	'[{"kind": "server", "file": "server.crt", "place": 0, "problem": "cannot be read"}]');
SELECT results_eq($$SELECT severity, evidence ->> 'reason' FROM pg_temp.verdict('2001-09-02 20:00:00+00')$$,
	$$VALUES ('unknown', 'server.crt cannot be read')$$, 'unknown when the file cannot be read, and why');
SELECT is(severity, 'unknown', 'unknown without a sample') FROM pg_temp.verdict('1990-09-02 00:00:00+00');
SELECT is(severity, 'unknown', 'unknown when the sample is stale') FROM pg_temp.verdict('2001-09-03 02:00:00+00');
SELECT pg_temp.inject('2001-09-03 04:00:00+00', '1 day', '{"subject": "CN={file}''; DROP TABLE x; --"}');
SELECT matches(message, E'CN=\\{file\\}''; DROP TABLE x; --', 'a name stays text') FROM pg_temp.verdict('2001-09-03 04:00:00+00');

SELECT * FROM finish();
ROLLBACK;
