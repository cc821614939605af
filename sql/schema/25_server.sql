-- Foreign tables of this server are the samples; a filter on sampled_at reaches the ring.
CREATE FUNCTION pgdba.ring_handler() RETURNS pg_catalog.fdw_handler
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'pgdba_ring_handler';
COMMENT ON FUNCTION pgdba.ring_handler() IS 'Reads samples for the last_ and hist_ views.';
CREATE FOREIGN DATA WRAPPER pgdba_ring HANDLER pgdba.ring_handler NO VALIDATOR;
COMMENT ON FOREIGN DATA WRAPPER pgdba_ring IS 'Samples in the rings of pgdba.';
CREATE SERVER pgdba_ring FOREIGN DATA WRAPPER pgdba_ring;
COMMENT ON SERVER pgdba_ring IS 'The rings of this cluster.';
