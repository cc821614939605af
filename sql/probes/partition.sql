-- Partitioned tables at every level: how many partitions each has, where its ranges begin and end, whether they go on.
--
-- The function that prints a bound waits for a locked table, so bounds are read from the tree in which the catalog keeps
-- them: of the first column of the key, if that is a whole number, a date or a time. What other types have is not known:
-- NULL. So it is on a server with the other order of bytes; a constant that every server has tells. Dates and times
-- without a zone are taken in the zone of the log, which initdb makes that of the server. Before 4711 BC and after the year
-- 294,000 a range counts as open, as with MINVALUE and infinity. A partition whose concurrent detach has begun has no
-- bounds any more.
--
-- Rows of a default partition: the counters have them, once a vacuum or analyze came since they began; until then they or
-- the catalog, whichever has more. NULL when neither can know. A file without blocks has none in any case.
SELECT pgdba.define_probe(
	name => 'partition',
	loop => 'storage',
	query => $probe$
WITH RECURSIVE server AS MATERIALIZED (
	SELECT pg_catalog.clock_timestamp() AS moment, pg_catalog.current_setting('log_timezone') AS zone,
		pg_catalog.strpos(r.ev_action::pg_catalog.text, ':constvalue 12 [ 48 0 0 0 42 42 ') > 0 AS little_endian
	FROM pg_catalog.pg_rewrite r WHERE r.ev_class = 'pg_catalog.pg_roles'::pg_catalog.regclass
), key_type (type, is_time, has_zone, scale) AS (
	VALUES ('pg_catalog.int2'::pg_catalog.regtype, false, false, 1::pg_catalog.int8),
		('pg_catalog.int4'::pg_catalog.regtype, false, false, 1),
		('pg_catalog.int8'::pg_catalog.regtype, false, false, 1),
		('pg_catalog.date'::pg_catalog.regtype, true, false, 86400000000),
		('pg_catalog.timestamp'::pg_catalog.regtype, true, false, 1),
		('pg_catalog.timestamptz'::pg_catalog.regtype, true, true, 1)
), part AS MATERIALIZED (
	SELECT i.inhparent AS parent, i.inhdetachpending AS detaching, g.partstrat, g.partnatts, c.oid, c.relkind, c.reltuples,
		c.relpartbound::pg_catalog.text AS bound
	FROM pg_catalog.pg_inherits i
	JOIN pg_catalog.pg_partitioned_table g ON g.partrelid = i.inhparent
	JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
), tree AS (
	SELECT p.parent AS top, p.oid, p.relkind, p.reltuples, p.detaching, 1 AS level FROM part p
	UNION ALL
	SELECT t.top, p.oid, p.relkind, p.reltuples, p.detaching, t.level + 1 FROM tree t JOIN part p ON p.parent = t.oid
), first_datum AS MATERIALIZED (
	-- Such as "0 :value {CONST :consttype 23 ... :constvalue 4 [ 7 0 0 0 0 0 0 0 ]", or "-1 :value <>" for MINVALUE.
	SELECT p.parent, p.oid, p.partnatts, s.side, pg_catalog.split_part(pg_catalog.split_part(p.bound,
		s.side || ' ({PARTITIONRANGEDATUM :kind ', 2), '}', 1) AS datum
	FROM part p CROSS JOIN (VALUES (':lowerdatums'), (':upperdatums')) s (side)
	WHERE p.partstrat = 'r' AND NOT p.detaching
), bytes AS MATERIALIZED (
	SELECT d.parent, d.oid, d.partnatts, d.side, k.*, pg_catalog.split_part(d.datum, ' ', 1)::pg_catalog.int4 AS beyond,
		-- Signed or unsigned, as a char is on the machine.
		CASE WHEN k.type IS NOT NULL AND v.little_endian THEN pg_catalog.string_to_array(pg_catalog.split_part(
			pg_catalog.split_part(d.datum, '[ ', 2), ' ]', 1), ' ')::pg_catalog.int8[] END AS b
	FROM first_datum d
	CROSS JOIN server v
	LEFT JOIN pg_catalog.pg_type y ON y.oid = nullif(pg_catalog.split_part(pg_catalog.split_part(
		d.datum, ':consttype ', 2), ' ', 1), '')::pg_catalog.oid
	LEFT JOIN key_type k ON k.type = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END
	WHERE d.datum <> ''
), whole AS MATERIALIZED (
	SELECT b.*, (b[1] & 255) | ((b[2] & 255) << 8) | ((b[3] & 255) << 16) | ((b[4] & 255) << 24) | ((b[5] & 255) << 32)
		| ((b[6] & 255) << 40) | ((b[7] & 255) << 48) | ((b[8] & 255) << 56) AS number
	FROM bytes b
), edge AS MATERIALIZED (
	-- Times become microseconds since 2000.
	SELECT w.parent, w.oid, w.partnatts, w.side, w.is_time, w.has_zone, open.side AS beyond,
		CASE WHEN open.side = 0 THEN w.number * w.scale END AS number
	FROM whole w
	CROSS JOIN LATERAL (SELECT CASE WHEN w.beyond <> 0 OR NOT w.is_time THEN w.beyond
		WHEN w.number::pg_catalog.float8 * w.scale > 9.223e18 THEN 1
		WHEN w.number::pg_catalog.float8 * w.scale < -2.118e17 THEN -1 ELSE w.beyond END AS side) open
), span AS (
	SELECT e.parent, e.oid, e.partnatts, pg_catalog.bool_or(e.is_time) AS is_time, pg_catalog.bool_or(e.has_zone) AS has_zone,
		pg_catalog.bool_or(e.beyond < 0) AS open_start, pg_catalog.bool_or(e.beyond > 0) AS open_end,
		pg_catalog.max(e.number) FILTER (WHERE e.side = ':lowerdatums') AS lower,
		pg_catalog.max(e.number) FILTER (WHERE e.side = ':upperdatums') AS upper
	FROM edge e
	GROUP BY e.parent, e.oid, e.partnatts
), placed AS (
	SELECT s.*, pg_catalog.lag(s.upper) OVER (PARTITION BY s.parent ORDER BY s.lower NULLS FIRST) AS upper_before,
		pg_catalog.row_number() OVER (PARTITION BY s.parent, s.lower IS NULL OR s.upper IS NULL ORDER BY s.upper DESC) AS place
	FROM span s
), range AS MATERIALIZED (
	SELECT p.parent, pg_catalog.bool_or(p.is_time) AS is_time, pg_catalog.bool_or(p.open_start) AS open_start,
		pg_catalog.bool_or(p.open_end) AS open_end, least(pg_catalog.min(p.lower), pg_catalog.min(p.upper)) AS oldest,
		greatest(pg_catalog.max(p.upper), pg_catalog.max(p.lower)) AS newest,
		pg_catalog.bool_or(p.has_zone) AS has_zone,
		pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY p.upper::pg_catalog.float8 - p.lower) FILTER (WHERE p.place <= 12) AS width,
		CASE WHEN pg_catalog.max(p.partnatts) = 1 THEN pg_catalog.count(*) FILTER (WHERE p.lower > p.upper_before) END AS gaps
	FROM placed p
	GROUP BY p.parent
), below AS MATERIALIZED (
	SELECT t.top, pg_catalog.count(*) FILTER (WHERE t.level = 1) AS partitions,
		pg_catalog.count(*) FILTER (WHERE t.level = 1 AND t.detaching) AS detaching,
		pg_catalog.count(*) FILTER (WHERE t.relkind <> 'p') AS leaves, pg_catalog.max(t.level) AS levels
	FROM tree t
	GROUP BY t.top
), default_leaf AS (
	SELECT g.partrelid, p.oid, p.reltuples FROM pg_catalog.pg_partitioned_table g
	JOIN part p ON p.oid = g.partdefid AND p.relkind <> 'p'
	UNION ALL
	SELECT g.partrelid, t.oid, t.reltuples FROM pg_catalog.pg_partitioned_table g
	JOIN tree t ON t.top = g.partdefid AND t.relkind <> 'p'
), default_content AS (
	SELECT l.partrelid, pg_catalog.string_agg(pg_catalog.pg_relation_filepath(l.oid), ' ') AS path,
		CASE WHEN pg_catalog.bool_and(k.rows IS NOT NULL) THEN pg_catalog.sum(k.rows) END AS rows
	FROM default_leaf l
	CROSS JOIN LATERAL (SELECT CASE
		WHEN coalesce(pg_catalog.pg_stat_get_last_autovacuum_time(l.oid), pg_catalog.pg_stat_get_last_autoanalyze_time(l.oid),
			pg_catalog.pg_stat_get_last_vacuum_time(l.oid), pg_catalog.pg_stat_get_last_analyze_time(l.oid)) IS NOT NULL
			THEN pg_catalog.pg_stat_get_live_tuples(l.oid)
		WHEN l.reltuples >= 0 THEN greatest(l.reltuples, pg_catalog.pg_stat_get_live_tuples(l.oid))
		WHEN pg_catalog.pg_stat_get_tuples_inserted(l.oid) > 0 THEN pg_catalog.pg_stat_get_live_tuples(l.oid) END AS rows) k
	GROUP BY l.partrelid
)
SELECT n.nspname::pg_catalog.text AS schema,
	c.relname::pg_catalog.text AS relname,
	CASE WHEN n.nspname ~ '[."]' THEN '"' || pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""') || '"'
		ELSE n.nspname::pg_catalog.text END || '.'
		|| CASE WHEN c.relname ~ '[."]' THEN '"' || pg_catalog.replace(c.relname::pg_catalog.text, '"', '""') || '"'
		ELSE c.relname::pg_catalog.text END AS relation,
	c.oid::pg_catalog.int8 AS relid,
	up.inhparent::pg_catalog.int8 AS parent_relid,
	CASE g.partstrat WHEN 'r' THEN 'range' WHEN 'l' THEN 'list' WHEN 'h' THEN 'hash' END AS strategy,
	key.columns AS key_columns,
	key.types AS key_types,
	coalesce(b.partitions, 0) AS partitions,
	coalesce(b.leaves, 0) AS leaves,
	coalesce(b.levels, 0)::pg_catalog.int8 AS levels,
	coalesce(b.detaching, 0) AS detaching,
	r.is_time,
	c.oid IN (SELECT t.oid FROM tree t JOIN range o ON o.parent = t.top WHERE o.is_time) AS below_time,
	r.open_start,
	r.open_end,
	CASE WHEN NOT r.is_time THEN r.oldest END AS oldest_number,
	CASE WHEN NOT r.is_time THEN r.newest END AS newest_number,
	CASE WHEN NOT r.is_time THEN r.width END AS width,
	moment.oldest AS oldest_time,
	moment.newest AS newest_time,
	CASE WHEN r.is_time THEN r.width / 1e6 END AS width_seconds,
	ahead.seconds AS ahead_seconds,
	ahead.seconds / nullif(r.width / 1e6, 0) AS ahead_partitions,
	r.gaps,
	dn.nspname::pg_catalog.text AS default_schema,
	d.relname::pg_catalog.text AS default_relname,
	o.rows::pg_catalog.float8 AS default_rows,
	o.path AS default_bytes,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM pg_catalog.pg_partitioned_table g
JOIN pg_catalog.pg_class c ON c.oid = g.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN server v
LEFT JOIN pg_catalog.pg_inherits up ON up.inhrelid = c.oid
LEFT JOIN below b ON b.top = c.oid
LEFT JOIN range r ON r.parent = c.oid
LEFT JOIN pg_catalog.pg_class d ON d.oid = g.partdefid
LEFT JOIN pg_catalog.pg_namespace dn ON dn.oid = d.relnamespace
LEFT JOIN default_content o ON o.partrelid = c.oid
CROSS JOIN LATERAL (
	SELECT pg_catalog.string_agg(coalesce(a.attname::pg_catalog.text, '(expression)'), ', ' ORDER BY k.place) AS columns,
		pg_catalog.string_agg(coalesce(pg_catalog.format_type(a.atttypid, NULL), '(expression)'), ', ' ORDER BY k.place) AS types
	FROM pg_catalog.unnest(g.partattrs::pg_catalog.int2[]) WITH ORDINALITY k (number, place)
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0) key
CROSS JOIN LATERAL (SELECT '2000-01-01'::pg_catalog.timestamp AS zero,
		CASE WHEN r.has_zone THEN 'UTC' ELSE v.zone END AS zone) epoch
CROSS JOIN LATERAL (
	SELECT CASE WHEN r.is_time THEN (epoch.zero + pg_catalog.make_interval(days => (r.oldest / 86400000000)::pg_catalog.int4,
			secs => (r.oldest % 86400000000) / 1e6)) AT TIME ZONE epoch.zone END AS oldest,
		CASE WHEN r.is_time THEN (epoch.zero + pg_catalog.make_interval(days => (r.newest / 86400000000)::pg_catalog.int4,
			secs => (r.newest % 86400000000) / 1e6)) AT TIME ZONE epoch.zone END AS newest) moment
CROSS JOIN LATERAL (SELECT CASE WHEN NOT r.open_end
	THEN extract(epoch FROM moment.newest - v.moment)::pg_catalog.float8 END AS seconds) ahead
$probe$,
	key => '{db,schema,relname}',
	columns => $columns${
	"db": {"help": "Database of the table"},
	"schema": {"kind": "info", "help": "Schema of the table"},
	"relname": {"kind": "info", "help": "Name of the table"},
	"relation": {"kind": "label", "help": "schema.table as one text, for people and dashboards"},
	"relid": {"help": "OID of the table"},
	"parent_relid": {"help": "OID of the partitioned table that it is a partition of itself"},
	"strategy": {"help": "range, list or hash"},
	"key_columns": {"help": "Columns of the key"},
	"key_types": {"help": "Types of these columns"},
	"partitions": {"kind": "gauge", "unit": "partitions", "metric": "pg_partitions", "help": "Its partitions, one level down"},
	"leaves": {"kind": "gauge", "unit": "partitions", "metric": "pg_partition_leaves",
		"help": "Partitions below it that have rows of their own"},
	"levels": {"help": "Levels of partitions below it"},
	"detaching": {"unit": "partitions", "help": "Partitions whose concurrent detach has begun and not ended"},
	"is_time": {"help": "Whether its ranges are of dates or times; NULL without ranges of a known type"},
	"below_time": {"help": "Whether a table above it is partitioned by ranges of time, so that its own end somewhere"},
	"open_start": {"help": "Whether a range begins at MINVALUE, -infinity, or a time before 4711 BC"},
	"open_end": {"help": "Whether a range ends at MAXVALUE, infinity, or a time after the year 294,000"},
	"oldest_number": {"help": "Lowest bound of ranges of whole numbers"},
	"newest_number": {"help": "Highest bound of ranges of whole numbers"},
	"width": {"help": "Usual width of a range of whole numbers: the median of the last twelve"},
	"oldest_time": {"help": "Lowest bound of ranges of time"},
	"newest_time": {"help": "Highest bound of ranges of time"},
	"width_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_partition_width_seconds",
		"help": "Usual width of a range of time: the median of the last twelve"},
	"ahead_seconds": {"kind": "gauge", "unit": "seconds", "metric": "pg_partition_ahead_seconds",
		"help": "Time from now to the highest bound, negative when it is over; absent when the end is open"},
	"ahead_partitions": {"kind": "gauge", "unit": "partitions", "metric": "pg_partition_ahead",
		"help": "The same in usual widths"},
	"gaps": {"kind": "gauge", "unit": "gaps", "metric": "pg_partition_gaps",
		"help": "Places where a range does not begin where the one before ends; absent for keys of several columns"},
	"default_schema": {"help": "Schema of its default partition"},
	"default_relname": {"help": "Name of its default partition, NULL when it has none"},
	"default_rows": {"kind": "gauge", "unit": "rows", "metric": "pg_partition_default_rows",
		"help": "Rows in its default partition, an estimate; absent when not known"},
	"default_bytes": {"kind": "gauge", "unit": "bytes", "metric": "pg_partition_default_bytes", "read": "file_size",
		"help": "Size of its default partition"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 20000,
	"top": {"n": "top_relations", "by": ["leaves", "default_rows"]},
	"object": "relation:{db:I}/{schema:I}.{relname:I}"
}$options$);
