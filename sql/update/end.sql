-- The last part of every update: what belonged to definitions that did not come again, and what of the users' fits no more.
DO $gone$
DECLARE
	gone text;
	own record;
	reason text;
BEGIN
	FOR gone IN
		SELECT DISTINCT o.option_value
		FROM pg_catalog.pg_foreign_table f
		JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver AND s.srvname = 'pgdba_ring'
		CROSS JOIN LATERAL pg_catalog.pg_options_to_table(f.ftoptions) o
		WHERE o.option_name = 'probe' AND NOT EXISTS (SELECT FROM pgdba.probe p WHERE p.name = o.option_value)
	LOOP
		PERFORM pgdba.drop_probe_views(gone);
		DELETE FROM pgdba.probe_variant v WHERE v.name = gone;
	END LOOP;

	FOR gone IN
		SELECT t.check_id FROM pgdba.threshold t
		WHERE NOT EXISTS (SELECT FROM pgdba.check_definition c WHERE c.check_id = t.check_id)
	LOOP
		RAISE WARNING 'dropping your thresholds of check "%", which pgdba no longer has', gone;
		DELETE FROM pgdba.threshold t WHERE t.check_id = gone;
	END LOOP;

	FOR own IN SELECT c.* FROM pgdba.check_definition c WHERE c.origin = 'user' ORDER BY c.check_id LOOP
		BEGIN
			PERFORM pgdba.validate_check(own.check_id, own.query, own.definition);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
			RAISE WARNING 'check "%" of yours does not work with this version of pgdba', own.check_id USING
				DETAIL = reason,
				HINT = 'It is "unknown" until you define it again with pgdba.define_check().';
		END;
	END LOOP;
END
$gone$;
