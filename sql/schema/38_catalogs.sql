-- What probes read and pg_monitor may not. It is not granted on the server's own views: what the script of an extension grants
-- there is lost in pg_upgrade, and before 17 stays on record when the role is dropped, so that no dump can be restored.

CREATE FUNCTION pgdba.file_settings() RETURNS SETOF pg_catalog.pg_file_settings
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp
	AS 'SELECT * FROM pg_catalog.pg_file_settings';
COMMENT ON FUNCTION pgdba.file_settings() IS 'View pg_file_settings, for probes.';

CREATE FUNCTION pgdba.hba_file_rules() RETURNS SETOF pg_catalog.pg_hba_file_rules
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp
	AS 'SELECT * FROM pg_catalog.pg_hba_file_rules';
COMMENT ON FUNCTION pgdba.hba_file_rules() IS 'View pg_hba_file_rules, for probes.';

CREATE FUNCTION pgdba.ident_file_mappings() RETURNS SETOF pg_catalog.pg_ident_file_mappings
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pgdba, pg_temp
	AS 'SELECT * FROM pg_catalog.pg_ident_file_mappings';
COMMENT ON FUNCTION pgdba.ident_file_mappings() IS 'View pg_ident_file_mappings, for probes.';
