-- Large indexes that nobody has scanned for seven days: neither since they have been watched nor in the age of the
-- statistics, whichever is shorter, said in the message. A partitioned index counts as one, with all its partitions.
--
-- Not listed is what serves without being scanned: unique indexes, those behind a constraint and the replica identity.
-- Nothing is to be dropped while there is a standby, whose scans are not seen here, nor where a foreign key relies on it.
--
-- Where indexes have been watched for too short a time to say, and one has no scan at all, one finding says so for all
-- of them. An index made later than that is judged when it is seven days old, and is no finding until then.
SELECT pgdba.define_check(
	check_id => 'indexes.unused',
	query => $check$
WITH idle AS MATERIALIZED (
	SELECT w.*, i.index, i.relation, i.is_partitioned, i.is_for_foreign_key,
		extract(epoch FROM w.sampled_at - w.unused_since)::float8 AS idle_seconds,
		extract(epoch FROM w.sampled_at - greatest(w.watched_since, w.stats_since))::float8 AS known_seconds
	FROM pgdba.last_index_watch w
	LEFT JOIN pgdba.last_index i ON i.db = w.db AND i.indexrelid = w.indexrelid
	WHERE w.unused_since IS NOT NULL AND (i.db IS NOT NULL OR w.db NOT IN (SELECT o.db FROM pgdba.last_index o))
)
(SELECT format('index:%I/%I.%I', f.db, f.schema, f.indexname) AS object,
	f.db AS database,
	f.size::float8 AS value,
	'bytes' AS unit,
	f.idle_seconds,
	jsonb_strip_nulls(jsonb_build_object(
		'index', coalesce(f.index, f.schema || '.' || f.indexname), 'relation', f.relation, 'schema', f.schema, 'indexname', f.indexname,
		'size', f.size, 'parts', f.parts, 'scans', f.scans, 'unused_since', f.unused_since, 'stats_since', f.stats_since,
		'standbys', f.standbys,
		'next_step', CASE
			WHEN f.standbys > 0 THEN 'First see on each standby that it is not scanned there: pg_stat_user_indexes.'
			WHEN f.is_for_foreign_key THEN 'A foreign key begins with its columns: without it, a delete in the other table scans this one. Keep it unless nothing is deleted there.'
			WHEN f.is_partitioned THEN 'When no monthly or yearly job needs it: DROP INDEX. It cannot be done concurrently, and locks the table and all partitions.'
			ELSE 'When no monthly or yearly job needs it, drop it; the first statement prints what makes it again.' END,
		'drop_name', CASE WHEN f.may_drop THEN format('%I.%I', f.schema, f.indexname) END,
		'drop_schema', CASE WHEN f.may_drop THEN f.schema END
	)) AS evidence
FROM (SELECT i.*, i.standbys = 0 AND NOT i.is_for_foreign_key AND NOT i.is_partitioned AS may_drop FROM idle i) f
WHERE f.idle_seconds > 604800
ORDER BY f.size DESC
LIMIT 100)
UNION ALL
SELECT 'cluster', NULL, NULL, 'bytes', NULL,
	jsonb_build_object('reason', format('%s not scanned so far (the largest is %s in %s), but known are only %s of the 7 days that it takes to say',
			CASE count(*) WHEN 1 THEN '1 index of more than 100 MB was' ELSE count(*) || ' indexes of more than 100 MB were' END,
			(array_agg(coalesce(f.index, f.schema || '.' || f.indexname) ORDER BY f.size DESC))[1],
			(array_agg(f.db ORDER BY f.size DESC))[1], pgdba.duration_text(max(f.known_seconds))),
		'indexes', count(*), 'bytes', sum(f.size), 'known_seconds', max(f.known_seconds))
FROM idle f
WHERE f.size > 104857600 AND f.scans = 0 AND f.known_seconds < 604800 AND f.idle_seconds <= 604800
HAVING count(*) > 0
$check$,
	definition => $definition${
	"title": "Unused indexes",
	"loop": "storage",
	"probes": ["index", "index_watch"],
	"thresholds": {"info": 104857600, "floor": {"idle_seconds": 604800}},
	"message": "index {index} on {relation} in {database} ({value:bytes}) was not scanned in the {idle_seconds:duration} that are known",
	"why": "Every write maintains it, it takes room on disk and in the cache, and vacuum goes through it.",
	"action": "{next_step}",
	"sql": ["SELECT pg_get_indexdef({drop_name:L}::regclass);", "DROP INDEX CONCURRENTLY {drop_schema:I}.{indexname:I};"],
	"lock_level": "ShareUpdateExclusiveLock"
}$definition$);
