-- A checksum of what a database consists of, to tell that it changed, and whether a standby has the same.
--
-- It is made of the rows of the catalogs as they are stored, each hashed with all of it that DDL sets, in no order: no function that prints
-- a definition is called, as these wait for locked tables. What maintenance changes is not in it: files, sizes, statistics, and the OIDs
-- of indexes, which a concurrent REINDEX replaces; neither are rights, comments, temporary tables and indexes that are not valid. OIDs of
-- other objects are in it, so it is the same on standbys, but not after dump and restore.
SELECT pgdba.define_probe(
	name => 'schema_checksum',
	loop => 'hourly',
	query => $probe$
WITH member AS MATERIALIZED (
	SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relpersistence, c.reloptions, c.relispartition, c.relpartbound, c.relam,
		c.relrowsecurity, c.relforcerowsecurity, c.relreplident
	FROM pg_catalog.pg_class c
	WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind <> 't'
), hashed (kind, hash) AS (
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (m.oid, m.relname, m.relnamespace, m.relkind, m.relpersistence,
		m.reloptions::pg_catalog.text, m.relispartition, m.relpartbound::pg_catalog.text, m.relam, m.relrowsecurity, m.relforcerowsecurity,
		m.relreplident), 1)
	FROM member m WHERE m.relkind NOT IN ('i', 'I')
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attndims, a.attnotnull,
		a.atthasdef, a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attcollation, a.attstattarget::pg_catalog.int4,
		a.attoptions::pg_catalog.text, a.attisdropped), 2)
	FROM pg_catalog.pg_attribute a JOIN member m ON m.oid = a.attrelid
	WHERE a.attnum > 0 AND m.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (d.adrelid, d.adnum, d.adbin::pg_catalog.text), 3)
	FROM pg_catalog.pg_attrdef d JOIN member m ON m.oid = d.adrelid
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (i.inhrelid, i.inhparent, i.inhseqno), 4)
	FROM pg_catalog.pg_inherits i JOIN member m ON m.oid = i.inhrelid AND m.relkind NOT IN ('i', 'I')
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (s.seqrelid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache,
		s.seqcycle), 5)
	FROM pg_catalog.pg_sequence s JOIN member m ON m.oid = s.seqrelid
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (t.oid, t.typname, t.typnamespace, t.typtype, t.typbasetype, t.typtypmod, t.typnotnull,
		t.typcollation, t.typdefaultbin::pg_catalog.text), 6)
	FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typtype IN ('d', 'e', 'r', 'm', 'b') AND t.typcategory <> 'A'
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (e.enumtypid, e.enumsortorder, e.enumlabel), 7) FROM pg_catalog.pg_enum e
	UNION ALL
	SELECT 'tables', pg_catalog.hash_record_extended(ROW (n.oid, n.nspname), 8)
	FROM pg_catalog.pg_namespace n WHERE n.oid >= 16384 AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
	UNION ALL
	SELECT 'constraints', pg_catalog.hash_record_extended(ROW (m.relname, m.relnamespace, m.reloptions::pg_catalog.text, m.relam, x.indrelid,
		x.indnkeyatts, x.indisunique, x.indnullsnotdistinct, x.indisprimary, x.indisexclusion, x.indimmediate, x.indisreplident,
		x.indkey::pg_catalog.text, x.indcollation::pg_catalog.text, x.indclass::pg_catalog.text, x.indoption::pg_catalog.text,
		x.indexprs::pg_catalog.text, x.indpred::pg_catalog.text), 9)
	FROM pg_catalog.pg_index x JOIN member m ON m.oid = x.indexrelid
	WHERE x.indisvalid
	UNION ALL
	SELECT 'constraints', pg_catalog.hash_record_extended(ROW (k.conname, k.connamespace, k.contype, k.condeferrable, k.condeferred,
		k.convalidated, k.conrelid, k.contypid, k.confrelid, k.confupdtype, k.confdeltype, k.confmatchtype, k.connoinherit,
		k.conkey::pg_catalog.text, k.confkey::pg_catalog.text, k.conexclop::pg_catalog.text, k.conbin::pg_catalog.text), 10)
	FROM pg_catalog.pg_constraint k
	WHERE k.oid >= 16384 AND (k.conrelid = 0 OR k.conrelid IN (SELECT m.oid FROM member m))
	UNION ALL
	SELECT 'constraints', pg_catalog.hash_record_extended(ROW (s.stxrelid, s.stxname, s.stxnamespace, s.stxkeys::pg_catalog.text,
		s.stxkind::pg_catalog.text, s.stxexprs::pg_catalog.text), 11)
	FROM pg_catalog.pg_statistic_ext s
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (p.oid, p.proname, p.pronamespace, p.prolang, p.prokind, p.prosecdef, p.proleakproof,
		p.proisstrict, p.proretset, p.provolatile, p.proparallel, p.procost, p.prorows, p.prorettype, p.proargtypes::pg_catalog.text,
		p.proallargtypes::pg_catalog.text, p.proargmodes::pg_catalog.text, p.proargnames::pg_catalog.text, p.proargdefaults::pg_catalog.text,
		p.prosrc, p.probin, p.prosqlbody::pg_catalog.text, p.proconfig::pg_catalog.text), 12)
	FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (w.ev_class, w.rulename, w.ev_type, w.ev_enabled, w.is_instead,
		w.ev_qual::pg_catalog.text, w.ev_action::pg_catalog.text), 13)
	FROM pg_catalog.pg_rewrite w JOIN member m ON m.oid = w.ev_class
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (t.tgrelid, t.tgname, t.tgfoid, t.tgtype, t.tgenabled, t.tgdeferrable, t.tginitdeferred,
		t.tgattr::pg_catalog.text, t.tgargs, t.tgqual::pg_catalog.text, t.tgoldtable, t.tgnewtable), 14)
	FROM pg_catalog.pg_trigger t JOIN member m ON m.oid = t.tgrelid WHERE NOT t.tgisinternal
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (y.polrelid, y.polname, y.polcmd, y.polpermissive, y.polroles::pg_catalog.text,
		y.polqual::pg_catalog.text, y.polwithcheck::pg_catalog.text), 15)
	FROM pg_catalog.pg_policy y
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (v.evtname, v.evtevent, v.evtfoid, v.evtenabled, v.evttags::pg_catalog.text), 16)
	FROM pg_catalog.pg_event_trigger v
	UNION ALL
	SELECT 'code', pg_catalog.hash_record_extended(ROW (e.extname, e.extnamespace, e.extversion), 17) FROM pg_catalog.pg_extension e
)
SELECT pg_catalog.to_hex(coalesce(pg_catalog.bit_xor(h.hash), 0)) AS checksum,
	pg_catalog.to_hex(coalesce(pg_catalog.bit_xor(h.hash) FILTER (WHERE h.kind = 'tables'), 0)) AS tables_checksum,
	pg_catalog.to_hex(coalesce(pg_catalog.bit_xor(h.hash) FILTER (WHERE h.kind = 'constraints'), 0)) AS constraints_checksum,
	pg_catalog.to_hex(coalesce(pg_catalog.bit_xor(h.hash) FILTER (WHERE h.kind = 'code'), 0)) AS code_checksum,
	pg_catalog.count(*) AS entries
FROM hashed h
$probe$,
	key => '{db}',
	columns => $columns${
	"db": {"help": "Name of the database"},
	"checksum": {"help": "Checksum of all below: another one means that somebody ran DDL, or that two servers differ"},
	"tables_checksum": {"help": "Of tables, their columns, views' columns, sequences, types and schemas"},
	"constraints_checksum": {"help": "Of constraints, valid indexes and statistics objects"},
	"code_checksum": {"help": "Of functions, views, rules, triggers, policies, event triggers and extensions"},
	"entries": {"help": "Catalog rows that it is made of"}
}$columns$,
	scope => 'database',
	options => '{"object": "database:{db:I}"}');
