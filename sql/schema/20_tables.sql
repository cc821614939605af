-- What is measured and judged, as data. `origin` says who defined a row: while this script runs the default is
-- 'pgdba', its last part makes it 'user'. Only the rows of users are dumped: CREATE EXTENSION brings the others.
--
-- Tables that this script fills are unlogged until its last part: rows of a logged one would go to the subscribers of a
-- publication FOR ALL TABLES, which do not have the table, and stop there for good.

CREATE UNLOGGED TABLE pgdba.probe (
	name text PRIMARY KEY,
	loop text NOT NULL,
	query text NOT NULL,
	key text[] NOT NULL,
	columns jsonb NOT NULL,
	scope text NOT NULL,
	options jsonb NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user'))
);
COMMENT ON TABLE pgdba.probe IS 'Probes as defined by pgdba.define_probe(); a native probe has no query.';

CREATE UNLOGGED TABLE pgdba.probe_variant (
	name text,
	from_version int,
	query text NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user')),
	PRIMARY KEY (name, from_version)
);
COMMENT ON TABLE pgdba.probe_variant IS
	'Texts that replace a probe''s query from a server version (server_version_num) on.';

CREATE UNLOGGED TABLE pgdba.check_definition (
	check_id text PRIMARY KEY,
	query text NOT NULL,
	definition jsonb NOT NULL,
	origin text NOT NULL DEFAULT 'pgdba' CHECK (origin IN ('pgdba', 'user'))
);
COMMENT ON TABLE pgdba.check_definition IS 'Checks as defined by pgdba.define_check().';

CREATE TABLE pgdba.threshold (
	check_id text,
	object_pattern text DEFAULT '%',
	warning float8,
	critical float8,
	floor jsonb NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(floor) = 'object'),
	PRIMARY KEY (check_id, object_pattern)
);
COMMENT ON TABLE pgdba.threshold IS
	'Overrides of thresholds, set by pgdba.set_threshold(); pgdba.thresholds shows what is in effect.';
COMMENT ON COLUMN pgdba.threshold.object_pattern IS 'LIKE pattern of the objects it holds for; the most specific one counts.';
COMMENT ON COLUMN pgdba.threshold.warning IS 'In the unit of the check; NULL: the check''s own.';
COMMENT ON COLUMN pgdba.threshold.critical IS 'In the unit of the check; NULL: the check''s own.';
COMMENT ON COLUMN pgdba.threshold.floor IS 'Least values of named columns, merged over the check''s own.';

SELECT pg_catalog.pg_extension_config_dump('pgdba.probe', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.probe_variant', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.check_definition', 'WHERE origin = ''user''');
SELECT pg_catalog.pg_extension_config_dump('pgdba.threshold', '');

-- The table ring: one table per loop, ten slots by time. A row is one sample of one probe in the flat format of the
-- memory ring. Insert only, a slot is emptied whole, so there is nothing for vacuum to do and no index to keep.
DO $ring$
DECLARE
	name text;
	compression text := '';
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_settings s
		WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals))
	THEN
		compression := ' COMPRESSION lz4';
	END IF;
	FOREACH name IN ARRAY '{hot,workload,storage,hourly}'::pg_catalog.text[] LOOP
		EXECUTE pg_catalog.format(
			'CREATE TABLE pgdba.ring_%s (slot int2 NOT NULL, tick int8 NOT NULL, sampled_at timestamptz NOT NULL, '
			'probe text NOT NULL, keyframe bool NOT NULL, payload bytea%s NOT NULL) PARTITION BY LIST (slot)',
			name, compression);
		EXECUTE pg_catalog.format('COMMENT ON TABLE pgdba.ring_%s IS %L', name, pg_catalog.format(
			'Kept samples of the %s loop, packed; read them through the hist_ views.', name));
		FOR slot IN 0..9 LOOP
			EXECUTE pg_catalog.format(
				'CREATE TABLE pgdba.ring_%1$s_%2$s PARTITION OF pgdba.ring_%1$s FOR VALUES IN (%2$s) '
				'WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)', name, slot);
		END LOOP;
	END LOOP;
END
$ring$;
