-- Publications: what they publish, and which of their tables have no replica identity, so that there UPDATE and DELETE fail.
--
-- The server's own list of published tables waits for locks on them, so they are found in the catalogs. Counted are the
-- tables that have rows, each partition and not the table that it is a part of: the identity of the partition counts, also
-- where changes are published under the name of the whole. A deferrable primary key identifies nothing.
SELECT pgdba.define_probe(
	name => 'publication',
	loop => 'hourly',
	query => $probe$
WITH RECURSIVE member AS (
	(SELECT r.prpubid AS pubid, r.prrelid AS relid FROM pg_catalog.pg_publication_rel r
	UNION ALL
	SELECT n.pnpubid, c.oid FROM pg_catalog.pg_publication_namespace n
	JOIN pg_catalog.pg_class c ON c.relnamespace = n.pnnspid AND c.relkind IN ('r', 'p'))
	UNION
	SELECT m.pubid, i.inhrelid FROM member m
	JOIN pg_catalog.pg_inherits i ON i.inhparent = m.relid
	JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
), published AS (
	SELECT m.pubid, m.relid FROM member m
	UNION ALL
	SELECT p.oid, c.oid FROM pg_catalog.pg_publication p CROSS JOIN pg_catalog.pg_class c
	WHERE p.puballtables AND c.relkind = 'r'
), judged AS (
	SELECT p.pubid, n.nspname, c.relname,
		c.relreplident = 'n' OR c.relreplident IN ('d', 'i') AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
			WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
				AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) AS unidentified
	FROM published p
	JOIN pg_catalog.pg_class c ON c.oid = p.relid
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384
), counted AS (
	SELECT j.pubid, pg_catalog.count(*) AS tables, pg_catalog.count(*) FILTER (WHERE j.unidentified) AS unidentified
	FROM judged j GROUP BY j.pubid
), example AS (
	SELECT e.pubid, pg_catalog.jsonb_agg(e.name ORDER BY e.place) AS names
	FROM (SELECT j.pubid, j.nspname::pg_catalog.text || '.' || j.relname::pg_catalog.text AS name,
			pg_catalog.row_number() OVER (PARTITION BY j.pubid ORDER BY j.nspname, j.relname) AS place
		FROM judged j WHERE j.unidentified) e
	WHERE e.place <= 5
	GROUP BY e.pubid
)
SELECT p.pubname::pg_catalog.text AS publication,
	o.rolname::pg_catalog.text AS owner,
	p.puballtables AS all_tables,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_publication_namespace n WHERE n.pnpubid = p.oid) AS schemas,
	p.pubinsert AS inserts,
	p.pubupdate AS updates,
	p.pubdelete AS deletes,
	p.pubtruncate AS truncates,
	p.pubviaroot AS via_root,
	coalesce(c.tables, 0) AS tables,
	CASE WHEN p.pubupdate OR p.pubdelete THEN coalesce(c.unidentified, 0) ELSE 0 END AS unidentified,
	CASE WHEN p.pubupdate OR p.pubdelete THEN e.names END AS unidentified_tables
FROM pg_catalog.pg_publication p
LEFT JOIN pg_catalog.pg_roles o ON o.oid = p.pubowner
LEFT JOIN counted c ON c.pubid = p.oid
LEFT JOIN example e ON e.pubid = p.oid
$probe$,
	key => '{db,publication}',
	columns => $columns${
	"db": {"help": "Database of the publication"},
	"publication": {"help": "Name of the publication"},
	"owner": {"help": "Role that owns it"},
	"all_tables": {"help": "Whether it publishes all tables, also those that are yet to come"},
	"schemas": {"help": "How many schemas it publishes all tables of"},
	"inserts": {"help": "Whether it publishes INSERT"},
	"updates": {"help": "Whether it publishes UPDATE"},
	"deletes": {"help": "Whether it publishes DELETE"},
	"truncates": {"help": "Whether it publishes TRUNCATE"},
	"via_root": {"help": "Whether changes of partitions are published as those of the partitioned table"},
	"tables": {"kind": "gauge", "unit": "tables", "metric": "pg_publication_tables",
		"help": "Tables that it publishes, each partition counted"},
	"unidentified": {"kind": "gauge", "unit": "tables", "metric": "pg_publication_unidentified_tables",
		"help": "Tables of these without replica identity, whose rows cannot be updated or deleted"},
	"unidentified_tables": {"help": "The first five of them by name"}
}$columns$,
	scope => 'database',
	options => '{"top": {"n": 50, "by": ["unidentified", "tables"]}}');
