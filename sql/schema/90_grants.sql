-- Nobody gets anything by default. Reading is for pg_monitor; pgdba_admin sets thresholds and steers sampling; defining
-- and injecting stay with superusers, unless they grant them (docs/probes-and-checks.md says what that gives away).
REVOKE ALL ON SCHEMA pgdba FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgdba FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgdba FROM PUBLIC;

GRANT USAGE ON SCHEMA pgdba TO pg_monitor, pgdba_admin;

GRANT SELECT ON pgdba.probe, pgdba.probe_variant, pgdba.check_definition, pgdba.threshold TO pg_monitor;
GRANT SELECT ON pgdba.verdicts, pgdba.processes, pgdba.loops, pgdba.checks, pgdba.thresholds TO pg_monitor;
GRANT EXECUTE ON FUNCTION pgdba.verdicts_at(timestamptz), pgdba.health(timestamptz), pgdba.health_json(timestamptz),
	pgdba.process_rows(), pgdba.loop_rows(), pgdba.ring_usage(), pgdba.loaded(), pgdba.require_preload(),
	pgdba.cost(), pgdba.coverage(timestamptz, timestamptz), pgdba.databases(), pgdba.in_list(text, text),
	pgdba.preflight(), pgdba.publications(), pgdba.setting_line(text, text), pgdba.duration_text(float8),
	pgdba.session_text(bigint, text, text, text, text, float8), pgdba.session_start(timestamptz),
	pgdba.holder_text(text, text, bigint, text, text, text), pgdba.may_end(text, text), pgdba.statement_source(),
	pgdba.statement_rows(), pgdba.statement_totals(),
	pgdba.statement_texts(text[], bigint[])
	TO pg_monitor;

GRANT EXECUTE ON FUNCTION pgdba.host_filesystem(text), pgdba.host_machine(), pgdba.host_processes(),
	pgdba.host_certificates() TO pgdba_sampler;

GRANT SELECT ON pgdba.checks, pgdba.thresholds, pgdba.threshold TO pgdba_admin;
GRANT EXECUTE ON FUNCTION pgdba.set_threshold(text, text, float8, float8), pgdba.sample_now(text, interval),
	pgdba.pause(interval), pgdba.resume() TO pgdba_admin;
