-- Default partitions of tables partitioned by ranges that have rows. In one of a table partitioned by lists, rows are where
-- they were meant to be.
SELECT pgdba.define_check(
	check_id => 'partitions.default_rows',
	query => $check$
SELECT format('relation:%I/%I.%I', p.db, p.default_schema, p.default_relname) AS object,
	p.db AS database,
	p.default_rows AS value,
	'rows' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'relation', p.relation, 'default_partition', p.default_relname, 'default_schema', p.default_schema, 'key', p.key_columns,
		'size', p.default_bytes,
		'reason', CASE WHEN p.default_rows IS NULL
			THEN format('how many rows the default partition %s of %s in %s has was never counted', p.default_relname, p.relation, p.db) END
	)) AS evidence
FROM pgdba.last_partition p
WHERE p.strategy = 'range' AND p.default_relname IS NOT NULL AND NOT p.in_recovery
	AND p.default_bytes IS DISTINCT FROM 0 AND p.default_rows IS DISTINCT FROM 0
ORDER BY p.default_rows DESC NULLS LAST
LIMIT 100
$check$,
	definition => $definition${
	"title": "Rows in a default partition",
	"loop": "storage",
	"probes": ["partition"],
	"thresholds": {"warning": 0},
	"message": "default partition {default_partition} of {relation} in {database} has rows that no range was made for: about {value:count}",
	"why": "While they are there no partition can be made for their range, and every new one has the default partition read under a lock that stops its users.",
	"action": "See in which ranges of {key} they are. In one transaction detach the default partition, make the partitions, move the rows, attach it again: it locks the table that long."
}$definition$);
