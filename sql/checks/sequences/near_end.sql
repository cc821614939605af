-- Sequences that come to their end, or to that of the column they fill: then every insert fails. Those that begin again
-- are no fault. When it ends is worked out from the samples of the last seven days.
--
-- No value means that none was handed out. Where one was known three hours ago, in the same file, it could not be read.
SELECT pgdba.define_check(
	check_id => 'sequences.near_end',
	query => $check$
WITH past AS MATERIALIZED (
	SELECT h.db, h.schema, h.sequencename, h.filenode, h.sampled_at, h.last_value
	FROM pgdba.hist_sequence h
	WHERE h.sampled_at > (SELECT max(s.sampled_at) FROM pgdba.last_sequence s) - interval '7 days'
		AND h.sampled_at < (SELECT max(s.sampled_at) FROM pgdba.last_sequence s) AND h.last_value IS NOT NULL
), oldest AS (
	SELECT DISTINCT ON (p.db, p.schema, p.sequencename, p.filenode) p.*
	FROM past p
	ORDER BY p.db, p.schema, p.sequencename, p.filenode, p.sampled_at
), state AS (
	SELECT s.*, abs(s.end_value::numeric - s.last_value) AS numbers_left,
		CASE WHEN s.last_value IS NULL THEN NULL ELSE least(100, 100 * abs(s.last_value::float8 - b.base) / nullif(abs(s.end_value::float8 - b.base), 0)) END AS used,
		extract(epoch FROM s.sampled_at - o.sampled_at)::float8 AS past_seconds,
		(s.last_value::float8 - o.last_value) * sign(s.increment::float8) AS past_numbers
	FROM pgdba.last_sequence s
	CROSS JOIN LATERAL (SELECT CASE WHEN (s.increment > 0) = (s.last_value >= s.start_value) THEN s.start_value
		WHEN s.increment > 0 THEN s.min_value ELSE s.max_value END::float8 AS base) b
	LEFT JOIN oldest o ON o.db = s.db AND o.schema = s.schema AND o.sequencename = s.sequencename AND o.filenode = s.filenode
	WHERE NOT s.cycle AND NOT s.in_recovery
), finding AS (
	SELECT s.*, trunc(s.numbers_left / abs(s.increment)) AS values_left,
		s.table_schema || '.' || s.table_name || '.' || s.column_name AS column_text,
		CASE WHEN s.past_numbers > 0 THEN s.numbers_left::float8 / (s.past_numbers / s.past_seconds) END AS seconds_left,
		s.ended_by <> 'bound' AND s.column_type IN ('int2', 'int4') AND s.table_schema IS NOT NULL AS column_is_narrow
	FROM state s
	WHERE s.used IS NOT NULL OR EXISTS (SELECT FROM past p WHERE p.db = s.db AND p.schema = s.schema
		AND p.sequencename = s.sequencename AND p.filenode = s.filenode AND p.sampled_at > s.sampled_at - interval '3 hours')
)
SELECT format('relation:%I/%I.%I', f.db, f.schema, f.sequencename) AS object,
	f.db AS database,
	f.used::float8 AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'sequence', f.sequence, 'schema', f.schema, 'sequencename', f.sequencename, 'data_type', f.data_type,
		'last_value', f.last_value, 'end_value', f.end_value, 'values_left', f.values_left, 'increment', f.increment,
		'column', f.column_text, 'column_type', f.column_type, 'ended_by', f.ended_by, 'seconds_left', f.seconds_left,
		'reason', CASE WHEN f.used IS NULL THEN format('the value of sequence %s in %s cannot be read: it is locked', f.sequence, f.db) END,
		'left_text', CASE WHEN f.values_left = 0 THEN 'none are left'
			ELSE f.values_left || ' left' || CASE WHEN f.seconds_left < 86400 * 3650.0
				THEN ', for ' || pgdba.duration_text(f.seconds_left) || ' at the present rate' ELSE '' END END,
		'next_step', CASE
			WHEN f.ended_by = 'bound' THEN 'Somebody set this bound. When the numbers may become longer: ALTER SEQUENCE ... '
				|| CASE WHEN f.increment > 0 THEN 'MAXVALUE.' ELSE 'MINVALUE.' END
			WHEN f.column_is_narrow THEN format('Column %s has to become bigint, and every column that refers to it. ALTER TABLE rewrites the table '
				'and its indexes under a lock that stops all reads and writes: on a large one add a bigint column, fill it in batches and swap.', f.column_text)
			WHEN f.data_type <> 'bigint' THEN 'Make the sequence a bigint one, when all who use its numbers can take them.'
			ELSE 'Nothing is wider: start again where numbers are free, or take another kind of key.' END,
		'wide_schema', CASE WHEN f.ended_by <> 'bound' AND f.data_type <> 'bigint' THEN f.schema END,
		'column_schema', CASE WHEN f.column_is_narrow THEN f.table_schema END,
		'table_name', f.table_name, 'column_name', f.column_name
	)) AS evidence
FROM finding f
ORDER BY f.used DESC NULLS LAST
LIMIT 1000
$check$,
	definition => $definition${
	"title": "Sequences near their end",
	"loop": "hourly",
	"probes": ["sequence"],
	"thresholds": {"warning": 75, "critical": 95},
	"message": "sequence {sequence} in {database} has used {value:percent} of its numbers ({left_text})",
	"why": "At its end every insert that takes a number fails.",
	"action": "{next_step}",
	"sql": ["ALTER SEQUENCE {wide_schema:I}.{sequencename:I} AS bigint;",
		"ALTER TABLE {column_schema:I}.{table_name:I} ALTER COLUMN {column_name:I} TYPE bigint;"],
	"lock_level": "AccessExclusiveLock",
	"undo": "ALTER TABLE {column_schema:I}.{table_name:I} ALTER COLUMN {column_name:I} TYPE {column_type:I};"
}$definition$);
