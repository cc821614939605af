-- Sequences that can come to an end: where they are, and where they or the column that they fill end.
--
-- The last value is read by the library without waiting for a lock; the server's own view hides it from a monitoring
-- role. A sequence of type bigint with the usual bounds does not end unless its column is narrower. The column is the one
-- that owns the sequence, else one that has it as its default.
SELECT pgdba.define_probe(
	name => 'sequence',
	loop => 'hourly',
	query => $probe$
WITH used AS (
	SELECT d.objid AS sequence, d.refobjid AS relid, d.refobjsubid AS number, 1 AS place
	FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
	WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
		AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
	UNION ALL
	SELECT d.refobjid, f.adrelid, f.adnum, 2
	FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
	JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
	WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
		AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
), filled AS (
	SELECT DISTINCT ON (u.sequence) u.sequence, u.relid, u.number FROM used u
	ORDER BY u.sequence, u.place, u.relid, u.number
), target AS (
	SELECT f.sequence, n.nspname, t.relname, a.attname, b.typname
	FROM filled f
	JOIN pg_catalog.pg_class t ON t.oid = f.relid
	JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
	JOIN pg_catalog.pg_attribute a ON a.attrelid = f.relid AND a.attnum = f.number
	JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
	JOIN pg_catalog.pg_type b ON b.oid = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END
)
SELECT s.schema,
	s.sequencename,
	CASE WHEN s.schema ~ '[."]' THEN '"' || pg_catalog.replace(s.schema, '"', '""') || '"' ELSE s.schema END
		|| '.' || CASE WHEN s.sequencename ~ '[."]' THEN '"' || pg_catalog.replace(s.sequencename, '"', '""') || '"'
			ELSE s.sequencename END AS sequence,
	s.relfilenode::pg_catalog.int8 AS filenode,
	s.data_type,
	s.seqstart AS start_value,
	s.seqincrement AS increment,
	s.seqmin AS min_value,
	s.seqmax AS max_value,
	s.seqcycle AS cycle,
	s.seqcache AS cache_size,
	s.table_schema,
	s.table_name,
	s.column_name,
	s.column_type,
	CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, s.column_max) ELSE greatest(s.seqmin, - s.column_max - 1) END AS end_value,
	CASE WHEN s.seqincrement > 0 AND s.column_max < s.seqmax OR s.seqincrement < 0 AND - s.column_max - 1 > s.seqmin THEN 'column'
		WHEN s.seqincrement > 0 AND s.seqmax = s.type_max OR s.seqincrement < 0 AND s.seqmin = - s.type_max - 1 THEN 'type'
		ELSE 'bound' END AS ended_by,
	s.seqrelid AS last_value,
	pg_catalog.pg_is_in_recovery() AS in_recovery
FROM (SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS sequencename, c.relfilenode, q.*,
		pg_catalog.format_type(q.seqtypid, NULL) AS data_type,
		o.nspname::pg_catalog.text AS table_schema, o.relname::pg_catalog.text AS table_name,
		o.attname::pg_catalog.text AS column_name, o.typname::pg_catalog.text AS column_type,
		CASE o.typname WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 WHEN 'int8' THEN 9223372036854775807 END AS column_max,
		CASE q.seqtypid WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767
			WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 2147483647 ELSE 9223372036854775807 END AS type_max
	FROM pg_catalog.pg_sequence q
	JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN target o ON o.sequence = q.seqrelid
	WHERE c.relpersistence <> 't') s
WHERE NOT (s.type_max = 9223372036854775807 AND coalesce(s.column_max, s.type_max) = s.type_max
	AND CASE WHEN s.seqincrement > 0 THEN s.seqmax = s.type_max ELSE s.seqmin = - s.type_max - 1 END)
$probe$,
	key => '{db,schema,sequencename}',
	columns => $columns${
	"db": {"help": "Database of the sequence"},
	"schema": {"kind": "info", "help": "Schema of the sequence"},
	"sequencename": {"kind": "info", "help": "Name of the sequence"},
	"sequence": {"kind": "label", "help": "schema.sequence as one text, for people and dashboards"},
	"filenode": {"help": "File of the sequence: another one when it was restarted or altered"},
	"data_type": {"help": "Type of the sequence"},
	"start_value": {"help": "Where it began"},
	"increment": {"help": "Step from one value to the next"},
	"min_value": {"help": "Its lower bound"},
	"max_value": {"help": "Its upper bound"},
	"cycle": {"help": "Whether it begins again at its end"},
	"cache_size": {"help": "Values that a session takes at once"},
	"table_schema": {"help": "Schema of the table that it fills, NULL when none is known"},
	"table_name": {"help": "Table that it fills"},
	"column_name": {"help": "Column that it fills"},
	"column_type": {"help": "Type of that column"},
	"end_value": {"kind": "gauge", "metric": "pg_sequence_end_value", "help": "The last value that it, or its column, can take"},
	"ended_by": {"help": "What ends it: its column, its type, or a bound that somebody set"},
	"last_value": {"kind": "gauge", "metric": "pg_sequence_last_value", "read": "sequence_value",
		"help": "The last value handed out; absent when there was none, or when it was locked"},
	"in_recovery": {"help": "Whether the server is a standby, where nothing can be changed"}
}$columns$,
	scope => 'database',
	options => $options${
	"max_rows": 10000,
	"top": {"n": 50, "by": ["last_value"]},
	"object": "relation:{db:I}/{schema:I}.{sequencename:I}"
}$options$);
