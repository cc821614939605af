-- What OR REPLACE cannot do from 0.1 to 0.2.

-- The sampler has functions for these now (38_catalogs.sql).
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() FROM pgdba_sampler;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() FROM pgdba_sampler;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ident_file_mappings() FROM pgdba_sampler;
REVOKE SELECT ON pg_catalog.pg_hba_file_rules FROM pgdba_sampler;
REVOKE SELECT ON pg_catalog.pg_file_settings FROM pgdba_sampler;
REVOKE SELECT ON pg_catalog.pg_ident_file_mappings FROM pgdba_sampler;

-- More columns.
DROP FUNCTION pgdba.cost();
DROP FUNCTION pgdba.coverage(timestamptz, timestamptz);
DROP FUNCTION pgdba.databases();
