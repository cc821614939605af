# Facts that change seldom: what a database consists of and its checksum, types and rights that bite later, the data directory,
# the kernel's settings, the last base backup.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = join "\n", map { "pgdba.${_}_interval = '1h'" } qw(workload storage hourly);
my $node = pgdba_node('facts', init => { allows_streaming => 1, has_archiving => 1 }, conf => $conf);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling');

sub ask { my ($sql, $at) = @_; return ($at // $node)->safe_psql('postgres', $sql); }
sub sample { my ($loop, $at) = @_; ask("SELECT pgdba.sample_now('$loop')", $at); return; }
sub content { local (@ARGV, $/) = @_; return @ARGV && -r $ARGV[0] ? scalar <> : ''; }
sub fact { return ask("SELECT concat_ws(' ', " . join(', ', @_[ 1 .. $#_ ]) . ") FROM pgdba.last_$_[0] WHERE db = 'shop'"); }

# ---- the machine ----

sample('workload');
my ($chosen) = content('/sys/kernel/mm/transparent_hugepage/enabled') =~ /\[(\w+)\]/;
is(ask('SELECT transparent_huge_pages FROM pgdba.last_machine'), $chosen // '', 'transparent huge pages as the kernel says');
my ($governor) = content('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor') =~ /(\S+)/;
is(ask('SELECT cpu_governor FROM pgdba.last_machine'), $governor // '', 'what decides how fast the CPUs run');
my ($booted) = content('/proc/stat') =~ /^btime (\d+)/m;
is(ask('SELECT extract(epoch FROM booted_at)::int8 FROM pgdba.last_machine'), $booted, 'when the machine started');
is(ask('SELECT server_started_at = pg_postmaster_start_time() AND loaded_at = pg_conf_load_time() FROM pgdba.last_machine'), 't', 'and the server');
cmp_ok(metric($node, 'pg_uptime_seconds'), '>', 0, 'a metric of it');
is(ask('SELECT (clock_synchronized IS NULL) = (clock_error IS NULL) AND coalesce(clock_error, 0) BETWEEN 0 AND 86400 FROM pgdba.last_machine'), 't',
	'the state of the clock, where the kernel tells it');

# ---- the data directory ----

sub members { my @files = glob $node->data_dir . '/pg_multixact/members/*'; return @files * 32 * 1636; }
sample('hourly');
is(ask('SELECT mode, own, multixact_members FROM pgdba.last_data_directory'), '0700|t|' . members(), 'who may enter it, and room for multixacts');
chmod 0750, $node->data_dir;
append_to_file($node->data_dir . '/pg_multixact/members/0001', '');
sample('hourly');
is(ask('SELECT mode, multixact_members, pct_multixact_members > 0.002 FROM pgdba.last_data_directory'), '0750|' . members() . '|t', 'when that has changed');
unlink $node->data_dir . '/pg_multixact/members/0001';
chmod 0700, $node->data_dir;
is(ask(q{SELECT count(*) FROM pgdba.host_folder('no such folder')}), '0', 'a folder that is not there has none');

# ---- base backups ----

sub judged { return ask(q{SELECT severity FROM pgdba.verdicts WHERE check_id = 'backups.age'}); }
is(ask('SELECT last_ended_at IS NULL, leaves_trace, history_files FROM pgdba.last_backup'), 't|t|0', 'no backup is known');
is(judged(), 'unknown', 'which says nothing');
my $began = ask('SELECT clock_timestamp()');
$node->backup('base');
sample('hourly');
is(ask("SELECT last_ended_at BETWEEN '$began'::timestamptz - interval '1 s' AND sampled_at, history_files FROM pgdba.last_backup"), 't|1', 'one that has ended');
is(judged(), 'ok', 'is a good one');

# ---- what is counted ----

my @hazards = qw(money_columns timestamp_columns timetz_columns padded_columns json_columns unportable_columns narrow_keys serial_columns
  array_indexes duplicate_foreign_keys view_depth);
is(fact('schema_fact', @hazards), '0 0 0 0 0 0 0 0 0 0 0', 'an empty database has no hazards');
is(fact('security_fact', qw(untrusted_functions overlapping_policies definer_views public_relations public_materialized_views)), '0 0 0 0 0', 'and nothing open');
$node->safe_psql('shop', <<'EOF_SQL');
CREATE TABLE t (id serial PRIMARY KEY, m money, t timestamp, z timetz, c char(5), free bpchar, j json, r regproc, k regclass, a text[], times timestamp[], x smallint);
CREATE TABLE u (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t_id int REFERENCES t, v varchar(5), jb jsonb, at timestamptz,
	CONSTRAINT again FOREIGN KEY (t_id) REFERENCES t);
CREATE TABLE two (a int, b smallint, PRIMARY KEY (a, b), gone money); ALTER TABLE two DROP gone;
CREATE TABLE p (k smallint PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE INDEX ON t (a); CREATE INDEX ON t USING gin (a);
CREATE VIEW v1 AS SELECT id FROM t; CREATE VIEW v2 AS SELECT * FROM v1; CREATE MATERIALIZED VIEW "V.3" AS SELECT * FROM v2;
CREATE VIEW top WITH (security_invoker) AS SELECT a.id FROM "V.3" a, v1;
CREATE TYPE span AS RANGE (subtype = int4);
CREATE POLICY p1 ON u TO pg_monitor; CREATE POLICY p2 ON u FOR SELECT; CREATE POLICY p3 ON t FOR SELECT; CREATE POLICY p4 ON t FOR INSERT;
GRANT SELECT ON u, "V.3" TO PUBLIC;
VACUUM;
EOF_SQL
sample('hourly');
is(fact('schema_fact', @hazards), '1 1 1 1 1 1 2 1 1 1 4', 'types that bite later, and views on views');
is(fact('schema_fact', 'deepest_view_schema', 'deepest_view_relname'), 'public top', 'the topmost of these');
is(fact('schema_fact', 'estimated_bytes'), $node->safe_psql('shop', q{SELECT sum(relpages) * 8192 FROM pg_class WHERE NOT relisshared}), 'how large it is as of the last vacuum');
is(fact('security_fact', qw(untrusted_functions overlapping_policies definer_views public_relations public_materialized_views)), '0 1 2 2 1', 'what is open');
is(fact('security_fact', 'owner', 'owner_is_superuser'), ask('SELECT current_user') . ' t', 'who owns it');

# ---- the checksum of the schema ----

# The query of the probe, as a view in the database: what each statement changes. Maintenance changes nothing.
my $query = ask(q{SELECT query FROM pgdba.probe WHERE name = 'schema_checksum'});
$node->safe_psql('shop', "CREATE VIEW parts AS $query");
my @ddl = (
	'CREATE TABLE w (a int)' => 'tables', 'ALTER TABLE w ADD b int' => 'tables', 'ALTER TABLE w RENAME b TO c' => 'tables',
	'ALTER TABLE w ALTER c TYPE int8' => 'tables', 'ALTER TABLE w ALTER c SET DEFAULT 3' => 'tables', 'ALTER TABLE w SET (fillfactor = 90)' => 'tables',
	'ALTER TABLE w ADD CHECK (a > 0) NOT VALID' => 'constraints', 'ALTER TABLE w VALIDATE CONSTRAINT w_a_check' => 'constraints',
	'CREATE INDEX i ON w (a)' => 'constraints', 'ALTER INDEX i RENAME TO j' => 'constraints', 'DROP INDEX j' => 'constraints',
	'CREATE TYPE mood AS ENUM (\'sad\')' => 'tables', 'ALTER TYPE mood ADD VALUE \'ok\'' => 'tables', 'ALTER SEQUENCE t_id_seq INCREMENT 2' => 'tables',
	'ALTER TABLE p DETACH PARTITION p1' => 'tables', 'CREATE SCHEMA s' => 'tables', 'CREATE STATISTICS st ON a, c FROM w' => 'constraints',
	'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS \'SELECT 1\'' => 'code', 'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS \'SELECT 2\'' => 'code',
	'ALTER FUNCTION f SET work_mem = \'1MB\'' => 'code', 'CREATE OR REPLACE VIEW v1 AS SELECT id FROM t WHERE id > 0' => 'code',
	'CREATE RULE r AS ON INSERT TO top DO INSTEAD NOTHING' => 'code', 'ALTER POLICY p1 ON u USING (id > 1)' => 'code', 'DROP TABLE w' => 'tables constraints');
push @ddl, map { $_ => '' } 'VACUUM FULL t', 'ANALYZE', 'REINDEX TABLE CONCURRENTLY t', 'CLUSTER t USING t_pkey', 'TRUNCATE t, u',
  'INSERT INTO t (x) SELECT g FROM generate_series(1, 100) g', 'REFRESH MATERIALIZED VIEW "V.3"', 'GRANT SELECT ON t TO PUBLIC', 'CREATE TEMP TABLE x (a int)',
  'ALTER TABLE u CLUSTER ON u_pkey', 'DO $$ BEGIN CREATE TABLE y (a int); RAISE division_by_zero; EXCEPTION WHEN others THEN END $$';
my @statements = @ddl[ grep { $_ % 2 == 0 } 0 .. $#ddl ];
my $parts = 'SELECT tables_checksum, constraints_checksum, code_checksum FROM parts';
my @lines = split /\n/, $node->safe_psql('shop', join ";\n", $parts, map { ($_, $parts) } @statements);
is(@lines, @statements + 1, 'a checksum after each statement');
while (my ($sql, $what) = splice @ddl, 0, 2) {
	my ($before, $after) = map { [ split /\|/ ] } @lines[ 0, 1 ];
	is(join(' ', (qw(tables constraints code))[ grep { $before->[$_] ne $after->[$_] } 0 .. 2 ]), $what, $sql);
	shift @lines;
}

# ---- locked tables, and a standby ----

my $holder = session($node, 'shop');
$holder->query_safe('BEGIN; LOCK TABLE t, u, v1, p IN ACCESS EXCLUSIVE MODE');
sample('hourly');
my $sums = fact('schema_checksum', qw(checksum tables_checksum constraints_checksum code_checksum entries));
is($sums, join(' ', split /\|/, $node->safe_psql('shop', 'SELECT checksum, tables_checksum, constraints_checksum, code_checksum, entries FROM parts')),
	'the probe says the same, and waits for no table');
$holder->query_safe('COMMIT');
leave($holder);
is(ask('SELECT count(*) FROM pgdba.last_recovery_prefetch'), '0', 'a primary replays nothing');
my $standby = pgdba_node('copy', backup => [ $node, 'base' ], conf => $conf);
$standby->start;
$node->wait_for_catchup($standby);
ok(settled($standby), 'a standby');
sample($_, $standby) for qw(hourly storage);
is(ask(q{SELECT concat_ws(' ', checksum, tables_checksum, constraints_checksum, code_checksum, entries) FROM pgdba.last_schema_checksum WHERE db = 'shop'}, $standby),
	$sums, 'has the same checksum');
is(ask('SELECT prefetched >= 0 AND wal_distance >= 0 FROM pgdba.last_recovery_prefetch', $standby), 't', 'what replay reads ahead');
is(ask('SELECT in_recovery AND NOT leaves_trace FROM pgdba.last_backup', $standby), 't', 'it leaves no trace of backups');

$standby->stop;
$node->stop;
done_testing();
