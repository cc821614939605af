-- File systems that run full: of the data directory, the WAL, a tablespace or the log. One finding per file system, whatever lies in it.
--
-- Bytes and inodes run out alike. How long it lasts is told from what the last hour took, when that was sampled long enough.
SELECT pgdba.define_check(
	check_id => 'disk.space',
	query => $check$
WITH newest AS (
	SELECT f.device, (pg_catalog.array_agg(f.kind || CASE WHEN f.kind = 'tablespace' THEN '/' || quote_ident(f.name) ELSE '' END
			ORDER BY f.kind, f.name))[1] AS place,
		pg_catalog.string_agg(CASE f.kind WHEN 'data' THEN 'the data directory' WHEN 'wal' THEN 'the WAL' WHEN 'log' THEN 'the log'
			ELSE 'tablespace ' || quote_ident(f.name) END, ', ' ORDER BY f.kind, f.name) AS holds,
		pg_catalog.max(f.sampled_at) AS sampled_at, pg_catalog.max(f.size_bytes) AS size_bytes,
		pg_catalog.max(f.available_bytes) AS available_bytes, pg_catalog.max(f.pct_used) AS pct_used,
		pg_catalog.max(f.pct_files_used) AS pct_files_used, pg_catalog.max(f.files_free) AS files_free,
		pg_catalog.bool_or(f.read_only) AS read_only
	FROM pgdba.last_filesystem f
	GROUP BY f.device
), before AS (
	SELECT DISTINCT ON (h.device) h.device, h.sampled_at, h.available_bytes
	FROM pgdba.hist_filesystem h
	WHERE h.sampled_at >= (SELECT pg_catalog.max(n.sampled_at) FROM newest n) - interval '1 hour'
	ORDER BY h.device, h.sampled_at
), trend AS (
	SELECT n.*, CASE WHEN n.sampled_at - b.sampled_at >= interval '10 minutes' AND b.available_bytes > n.available_bytes
		THEN (b.available_bytes - n.available_bytes) / extract(epoch FROM n.sampled_at - b.sampled_at)::float8 END AS bytes_per_second
	FROM newest n LEFT JOIN before b ON b.device = n.device
)
SELECT 'filesystem:' || t.place AS object,
	NULL::text AS database,
	CASE WHEN t.read_only THEN 100 ELSE greatest(t.pct_used, t.pct_files_used) END AS value,
	'percent' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'holds', t.holds, 'available', t.available_bytes, 'size', t.size_bytes, 'inodes_free', t.files_free,
		'of', CASE WHEN t.read_only THEN 'can be written to no more: it is read-only, and'
			WHEN t.pct_files_used > t.pct_used THEN 'has few inodes left:' ELSE 'is' END,
		'growth', t.bytes_per_second, 'left', t.available_bytes / t.bytes_per_second,
		'forecast', CASE WHEN t.available_bytes / t.bytes_per_second < 30 * 86400 THEN
			'At the pace of the last hour it is full in ' || pgdba.duration_text(t.available_bytes / t.bytes_per_second) || '.'
			ELSE 'It has not grown much in the last hour.' END
	)) AS evidence
FROM trend t
ORDER BY value DESC NULLS FIRST
$check$,
	definition => $definition${
	"title": "File systems that run full",
	"loop": "workload",
	"probes": ["filesystem"],
	"thresholds": {"warning": 85, "critical": 95, "clear": 80, "for": "2m"},
	"message": "the file system of {holds} {of} {value:percent} full; {available:bytes} are left",
	"why": "A full file system of the WAL stops the server at once, any other every statement that writes. {forecast}",
	"action": "Look at what grew: tables and indexes (pgdba.last_table, last_index), WAL kept by slots or a failing archiver, temporary files, logs. Never remove anything in pg_wal or the data directory by hand: enlarge the file system, drop what is not needed, or move a table to another tablespace."
}$definition$);
