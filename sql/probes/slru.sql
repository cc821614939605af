-- The small caches of transaction states, subtransactions, multixacts and so on, under the names that they have from 17 on.
--
-- Counters are looked at as rates, and a storm of reads in one of these lasts for minutes, as long as a transaction with many
-- subtransactions: hence every minute.
SELECT pgdba.define_probe(
	name => 'slru',
	loop => 'workload',
	query => $probe$
SELECT CASE s.name WHEN 'CommitTs' THEN 'commit_timestamp' WHEN 'MultiXactMember' THEN 'multixact_member'
		WHEN 'MultiXactOffset' THEN 'multixact_offset' WHEN 'Notify' THEN 'notify' WHEN 'Serial' THEN 'serializable'
		WHEN 'Subtrans' THEN 'subtransaction' WHEN 'Xact' THEN 'transaction' ELSE s.name END AS cache,
	s.blks_hit,
	s.blks_read,
	s.blks_written,
	s.blks_zeroed,
	s.blks_exists,
	s.flushes,
	s.truncates,
	s.stats_reset
FROM pg_catalog.pg_stat_slru s
$probe$,
	key => '{cache}',
	columns => $columns${
	"cache": {"help": "Name of the cache as from 17 on, such as transaction or subtransaction"},
	"blks_hit": {"kind": "counter", "unit": "blocks", "metric": "pg_slru_blks_hit_total", "help": "Blocks found in the cache"},
	"blks_read": {"kind": "counter", "unit": "blocks", "metric": "pg_slru_blks_read_total",
		"help": "Blocks that had to be read from a file"},
	"blks_written": {"kind": "counter", "unit": "blocks", "metric": "pg_slru_blks_written_total",
		"help": "Blocks written to a file"},
	"blks_zeroed": {"kind": "counter", "unit": "blocks", "metric": "pg_slru_blks_zeroed_total", "help": "New blocks"},
	"blks_exists": {"kind": "counter", "unit": "blocks", "metric": "pg_slru_blks_exists_total",
		"help": "Blocks whose existence was asked for"},
	"flushes": {"kind": "counter", "unit": "flushes", "metric": "pg_slru_flushes_total",
		"help": "Times that all changed blocks were written"},
	"truncates": {"kind": "counter", "unit": "truncates", "metric": "pg_slru_truncates_total",
		"help": "Times that old blocks were removed"},
	"stats_reset": {"help": "When these counters began"}
}$columns$);
