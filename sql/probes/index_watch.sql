-- What only time tells of an index: since when nobody has scanned it, and since when it has not been valid.
--
-- Every row is carried on from the sample before, so 7 days are known without reading 7 days of samples, and for any
-- index, not for the largest alone. Listed are those that are not valid while nobody works on them, and those of at least
-- 10 MB that nothing but scans needs; the partitions of a partitioned index count together. Nothing on a standby: there it
-- is not known who else uses an index, nor can it be dropped.
--
-- After a start memory is empty, and what was written to tables is read instead.
--
-- What is read of `index` is its newest finished sample: it may be the one before, so all times are its own. After a start
-- it may lack rows, and a database may not have been visited: what is missing is kept for a day.
--
-- The query reads the probe's own views, which have to be there first.
SELECT pgdba.define_probe('index_watch', 'storage', $probe$
SELECT NULL::pg_catalog.text AS db, NULL::pg_catalog.text AS schema, NULL::pg_catalog.text AS indexname,
	NULL::pg_catalog.int8 AS indexrelid, NULL::pg_catalog.int8 AS parts, NULL::pg_catalog.int8 AS size,
	NULL::pg_catalog.int8 AS scans, NULL::pg_catalog.timestamptz AS stats_since,
	NULL::pg_catalog.timestamptz AS unused_since, NULL::pg_catalog.timestamptz AS invalid_since,
	NULL::pg_catalog.timestamptz AS watched_since, NULL::pg_catalog.timestamptz AS missing_since,
	NULL::pg_catalog.int8 AS standbys
WHERE false
$probe$, '{db,schema,indexname}', '{}');

SELECT pgdba.define_probe(
	name => 'index_watch',
	loop => 'storage',
	query => $probe$
WITH latest AS MATERIALIZED (
	SELECT w.* FROM pgdba.last_index_watch w
), kept AS (
	SELECT h.*, pg_catalog.max(h.sampled_at) OVER () AS newest
	FROM pgdba.hist_index_watch h
	WHERE h.sampled_at > pg_catalog.now() - interval '8 days' AND (SELECT pg_catalog.count(*) FROM latest) = 0
		AND pg_catalog.pg_postmaster_start_time() > pg_catalog.now() - interval '1 hour'
), before AS MATERIALIZED (
	SELECT l.db, l.schema, l.indexname, l.indexrelid, l.parts, l.size, l.scans, l.stats_since, l.unused_since,
		l.invalid_since, l.watched_since, l.missing_since
	FROM latest l
	UNION ALL
	SELECT k.db, k.schema, k.indexname, k.indexrelid, k.parts, k.size, k.scans, k.stats_since, k.unused_since,
		k.invalid_since, k.watched_since, k.missing_since
	FROM kept k
	WHERE k.sampled_at = k.newest
), present AS MATERIALIZED (
	SELECT i.sampled_at, i.db, i.schema, i.indexname, i.indexrelid, i.root, i.droppable AND NOT i.is_unique AND NOT i.of_child AS only_for_scans,
		i.is_valid AND i.is_ready AND i.is_live AS usable, i.is_busy, i.is_partitioned, i.scans, i.last_scan, i.size, i.stats_reset
	FROM pgdba.last_index i
	WHERE NOT i.in_recovery
), total AS (
	SELECT p.db, coalesce(p.root, p.indexrelid) AS indexrelid, pg_catalog.count(*) AS parts,
		pg_catalog.sum(p.size)::pg_catalog.int8 AS size, pg_catalog.sum(p.scans)::pg_catalog.int8 AS scans,
		pg_catalog.max(p.last_scan) AS last_scan
	FROM present p
	WHERE NOT p.is_partitioned
	GROUP BY p.db, coalesce(p.root, p.indexrelid)
	HAVING pg_catalog.sum(p.size) >= 10485760
), watched AS (
	SELECT p.*, t.parts, t.size AS total_size, t.scans AS total_scans, t.last_scan AS newest_scan
	FROM present p LEFT JOIN total t ON t.db = p.db AND t.indexrelid = p.indexrelid AND p.only_for_scans AND p.usable
	WHERE t.indexrelid IS NOT NULL OR NOT (p.usable OR p.is_busy)
), server AS (
	SELECT (SELECT pg_catalog.min(b.watched_since) FROM before b) AS watched_since,
		(SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication r WHERE NOT EXISTS (SELECT
			FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))
		+ (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots s WHERE s.slot_type = 'physical' AND NOT s.active)
			AS standbys
), carried AS (
	SELECT w.db, w.schema, w.indexname, w.indexrelid, w.parts, w.total_size AS size, w.total_scans AS scans,
		w.stats_reset AS stats_since,
		CASE WHEN w.total_scans IS NULL THEN NULL
			WHEN w.newest_scan IS NOT NULL THEN w.newest_scan
			ELSE greatest(CASE WHEN b.scans = w.total_scans THEN b.unused_since
				WHEN w.total_scans = 0 AND b.stats_since < w.stats_reset THEN w.stats_reset
				ELSE w.sampled_at END, w.stats_reset) END AS unused_since,
		CASE WHEN NOT w.usable THEN coalesce(b.invalid_since, w.sampled_at) END AS invalid_since,
		coalesce(s.watched_since, w.sampled_at) AS watched_since, NULL::pg_catalog.timestamptz AS missing_since, s.standbys
	FROM watched w
	LEFT JOIN before b ON b.db = w.db AND b.indexrelid = w.indexrelid
	CROSS JOIN server s
	UNION ALL
	SELECT b.db, b.schema, b.indexname, b.indexrelid, b.parts, b.size, b.scans, b.stats_since, b.unused_since,
		b.invalid_since, b.watched_since, coalesce(b.missing_since, pg_catalog.now()), s.standbys
	FROM before b CROSS JOIN server s
	WHERE NOT EXISTS (SELECT FROM present p WHERE p.db = b.db AND p.indexrelid = b.indexrelid)
		AND NOT EXISTS (SELECT FROM watched w WHERE w.db = b.db AND w.schema = b.schema AND w.indexname = b.indexname)
		AND coalesce(b.missing_since > pg_catalog.now() - interval '1 day', true)
)
SELECT c.* FROM carried c ORDER BY c.invalid_since, c.size DESC LIMIT 5000
$probe$,
	key => '{db,schema,indexname}',
	columns => $columns${
	"db": {"help": "Database of the index"},
	"schema": {"help": "Schema of the index"},
	"indexname": {"help": "Name of the index"},
	"indexrelid": {"help": "OID of the index"},
	"parts": {"help": "Files that it consists of: of a partitioned index one for each partition"},
	"size": {"unit": "bytes", "help": "Size of all its parts"},
	"scans": {"unit": "scans", "help": "Scans of all its parts since the counters began"},
	"stats_since": {"help": "When its counters began"},
	"unused_since": {"help": "Since when it is known that nobody has scanned it"},
	"invalid_since": {"help": "Since when it has been seen not to be valid, NULL when it is"},
	"watched_since": {"help": "Since when indexes have been watched here"},
	"missing_since": {"help": "Since when it has been missing among the indexes"},
	"standbys": {"help": "Standbys that are connected, and slots of others: their scans are not counted here"}
}$columns$,
	options => $options${
	"object": "index:{db:I}/{schema:I}.{indexname:I}"
}$options$);
