# Vacuum, sizes and settings on a live server: thresholds and sizes of tables of another database, autovacuum that is off and
# a table that it does not get to, autovacuum at work, and no secret in what is kept.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Only the hot loop goes on by itself, the others are asked for. Autovacuum is off until it is wanted.
my $node = pgdba_node('vacuum', conf => <<'EOF');
autovacuum = off
autovacuum_naptime = '1s'
pgdba.workload_interval = '1h'
pgdba.storage_interval = '1h'
pgdba.top_relations = 10000
work_mem = '12MB'
restore_command = 'fetch --password=hush-restore %f %p'
primary_conninfo = 'host=nowhere password=hush-conninfo'
pgdba_test.api_token = 'hush-token'
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling goes on');

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Takes samples and evaluates until a query has the expected answer: counters arrive a moment after a session has ended.
sub sampled_is {
	my ($query, $expected, $name, @loops) = @_;
	my $answer;
	wait_until(sub {
			sql("SELECT pgdba.sample_now('$_')") for @loops;
			return ($answer = sql($query)) eq $expected;
		});
	return is($answer, $expected, $name);
}

# ---- what the catalog says of a table of another database ----

sql('CREATE DATABASE shop');
$node->safe_psql('shop', <<'EOF');
CREATE TABLE plain (g int, v text) WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
INSERT INTO plain SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g;
CREATE TABLE own (g int, v text) WITH (autovacuum_enabled = off, autovacuum_vacuum_threshold = 100,
	autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 200,
	autovacuum_analyze_scale_factor = 0, autovacuum_freeze_max_age = 150000000, toast.autovacuum_vacuum_threshold = 7,
	toast.autovacuum_vacuum_scale_factor = 0);
INSERT INTO own SELECT g, 'x' FROM generate_series(1, 30000) g;
CREATE TABLE heir (g int, v text) WITH (autovacuum_vacuum_threshold = 300, autovacuum_vacuum_scale_factor = 0);
INSERT INTO heir SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 5000) g;
CREATE UNLOGGED TABLE "odd ""x"".y" (g int);
CREATE TABLE parts (g int) PARTITION BY LIST (g);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE TEMPORARY TABLE passing (g int, v text);
EOF
my $due = q{SELECT coalesce(string_agg(concat_ws(' ', relname, autovacuum_enabled, vacuum_threshold, insert_threshold, analyze_threshold,
		freeze_max_age, coalesce(reltuples::text, '?'), toast_vacuum_threshold, toast_autovacuum_enabled), E'\n' ORDER BY relname), '')
	FROM pgdba.last_table WHERE db = 'shop' AND relname IN ('own', 'heir', 'part')};
sampled_is($due, join("\n", 'heir t 300 1000 50 200000000 ? 300 t', 'own f 100 200 150000000 ? 7 t', 'part t 50 1000 50 200000000 ?'),
	'thresholds: the table\'s own, the setting, and for a TOAST table its own or those of its table', 'storage');
$node->safe_psql('shop', 'ANALYZE own');
sampled_is("SELECT vacuum_threshold, reltuples FROM pgdba.last_table WHERE relname = 'own'", '400|30000', 'they grow with the table', 'storage');
is(sql(q{SELECT string_agg(concat_ws(' ', relation, relkind, persistence, parent_relid IS NOT NULL, size_bytes), E'\n' ORDER BY relation)
	FROM pgdba.last_table WHERE db = 'shop' AND relname IN ('odd "x".y', 'part')}),
	join("\n", 'public."odd ""x"".y" r u f 0', 'public.part r p t 0'), 'kinds and names');
is(sql("SELECT count(*) FROM pgdba.last_table WHERE relname = 'passing'"), '0', 'temporary tables are left out');
is(sql("SELECT string_agg(db, ',') FROM pgdba.last_table WHERE relname = 'pg_database'"), 'postgres', 'shared catalogs are there once');
is(sql("SELECT options::text, toast_options::text FROM pgdba.last_table WHERE relname = 'heir'"),
	'{"autovacuum_vacuum_threshold": "300", "autovacuum_vacuum_scale_factor": "0"}|', 'what was set is kept as it was set');
is(sql("SELECT bool_and(xid_age BETWEEN 0 AND 100000 AND pct_freeze_max_age < 1) FROM pgdba.last_table WHERE relkind <> 'p'"), 't', 'ages');
SKIP: {
	skip 'the maximum came with PostgreSQL 18', 1 if $node->pg_version < 18;
	$node->safe_psql('shop', 'ALTER TABLE heir SET (autovacuum_vacuum_max_threshold = 250)');
	sampled_is("SELECT vacuum_threshold, toast_vacuum_threshold FROM pgdba.last_table WHERE relname = 'heir'", '250|250',
		'a maximum', 'storage');
}

# ---- sizes, also of a table that is locked ----

my $lock = session($node, 'shop');
$lock->query_safe('BEGIN; LOCK TABLE heir');
my ($size, $toast) = split /\|/,
  $node->safe_psql('shop', q{SELECT pg_relation_size('plain'), pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'heir'});
sql("SELECT pgdba.sample_now('storage')");
is(metric($node, 'pg_relation_size_bytes', db => 'shop', relation => 'public.plain', relkind => 'r'), $size, 'the size of a table');
is(metric($node, 'pg_relation_toast_size_bytes', db => 'shop', relation => 'public.heir'), $toast, 'and of the TOAST table of a locked one');
leave($lock);

# ---- autovacuum that is off ----

my $disabled = q{SELECT string_agg(severity || ' ' || object, ', ' ORDER BY object) FROM pgdba.verdicts WHERE check_id = 'vacuum.disabled'};
is(sql($disabled), 'critical setting:autovacuum', 'autovacuum is off in the cluster');
configure($node, autovacuum => 'on');
sampled_is($disabled, 'ok cluster', 'and on again', 'storage');

my $overdue = q{SELECT string_agg(concat_ws(' ', severity, object, evidence ->> 'cause'), ', ' ORDER BY object)
	FROM pgdba.verdicts WHERE check_id = 'vacuum.overdue'};
$node->safe_psql('shop', 'UPDATE own SET v = v || g WHERE g <= 15000');
sampled_is($overdue, 'critical relation:shop/public.own off for it', 'a table that it is off for is overdue', 'workload');
sampled_is($disabled, 'warning relation:shop/public.own', 'and that it is off for it is said', 'storage');
# What is printed does what it says.
my $statements = sql(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'vacuum.disabled'});
is($statements, "ALTER TABLE public.own RESET (autovacuum_enabled);\nVACUUM (VERBOSE, ANALYZE) public.own;", 'what to do');
my $undo = sql(q{SELECT undo FROM pgdba.verdicts WHERE check_id = 'vacuum.disabled'});
is((sqlstate($node, 'shop', $_))[0], '00000', "it runs: $_") for split /\n/, $statements;
sampled_is($overdue, 'ok cluster', 'vacuumed, it is quiet', 'workload');
sampled_is("SELECT autovacuum_enabled FROM pgdba.last_table WHERE relname = 'own'", 't', 'autovacuum is on for it', 'storage');
is(sql($disabled), 'ok cluster', 'which is quiet, too');
$node->safe_psql('shop', $undo);
sampled_is("SELECT autovacuum_enabled FROM pgdba.last_table WHERE relname = 'own'", 'f', 'and can be undone', 'storage');

# ---- autovacuum at work ----

my @phases = ('initializing', 'scanning heap', 'vacuuming indexes', 'vacuuming heap', 'cleaning up indexes', 'truncating heap',
	'performing final cleanup', 'analyzing', 'between tables');
ok(wait_until(sub { (metric($node, 'pg_autovacuum_jobs', phase => 'scanning heap') // 0) > 0 }), 'a worker is seen')
  or diag($node->safe_psql('shop', 'SELECT * FROM pg_stat_all_tables WHERE n_ins_since_vacuum > 0'));
is(scalar(grep { defined metric($node, 'pg_autovacuum_jobs', phase => $_) } @phases), scalar(@phases), 'every phase has a series');
my $plain = $node->safe_psql('shop', "SELECT 'plain'::regclass::oid");
ok(wait_until(sub {
			sql("SELECT count(*) FROM pgdba.last_vacuum_progress WHERE db = 'shop' AND relid = $plain AND autovacuum
				AND NOT prevents_wraparound AND heap_blks_total > heap_blks_scanned AND started IS NOT NULL") eq '1';
		}), 'and how far it is') or diag(sql('SELECT * FROM pgdba.last_vacuum_progress'));
is(sql("SELECT DISTINCT max_workers FROM pgdba.last_autovacuum"), '3', 'how many there may be');
# Transaction IDs are used up until a table must be vacuumed, slowly enough to be seen.
$node->safe_psql('shop', <<'EOF');
CREATE TABLE old WITH (autovacuum_enabled = off, autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100,
	autovacuum_vacuum_cost_limit = 1) AS SELECT g FROM generate_series(1, 200000) g;
DO $$ BEGIN
	FOR i IN 1..101000 LOOP
		BEGIN UPDATE heir SET g = 2 WHERE g = 1; INSERT INTO parts VALUES (1); EXCEPTION WHEN division_by_zero THEN NULL; END;
	END LOOP;
END $$;
EOF
ok(wait_until(sub { (metric($node, 'pg_autovacuum_wraparound_jobs', phase => 'scanning heap') // 0) > 0 }),
	'a vacuum that prevents wraparound is told');
ok(wait_until(sub { sql("SELECT bool_or(prevents_wraparound) FROM pgdba.last_vacuum_progress") eq 't' }), 'by its text alone');
sampled_is("SELECT pct_freeze_max_age > 100 FROM pgdba.last_table WHERE relname = 'old'", 't', 'the age that forced it', 'storage');
is(sql("SELECT string_agg(DISTINCT severity, ',') FROM pgdba.verdicts WHERE area = 'wraparound'"), 'ok', 'which is no alarm yet');

# ---- statistics ----

my $missing = q{SELECT coalesce(min(%s), 'none') FROM pgdba.verdicts
	WHERE check_id = 'statistics.missing' AND object = 'relation:shop/public.parts'};
sampled_is(sprintf($missing, 'severity'), 'info', 'a partitioned table without statistics', 'workload', 'storage');
$node->safe_psql('shop', sql(sprintf($missing, 'sql')));
sampled_is(sprintf($missing, 'severity'), 'none', 'analyzed, it is quiet', 'storage');
is(sql(q{SELECT string_agg(object, ', ') FROM pgdba.verdicts WHERE object LIKE 'relation:postgres/pgdba.%'}), '',
	'nothing is said of the tables of pgdba');

# ---- settings ----

configure($node, max_connections => 99);
sampled_is("SELECT value, pending_restart, in_file FROM pgdba.last_setting WHERE name = 'max_connections'", '100|t|t',
	'a value that waits for a restart', 'storage');
is(sql("SELECT value, source, is_set FROM pgdba.last_setting WHERE name = 'work_mem'"), '12MB|configuration file|t',
	'what the sampler has of its own is not taken for the server\'s');
is(sql(q{SELECT string_agg(concat_ws(' ', name, coalesce(value, '?'), is_set), ', ' ORDER BY name) FROM pgdba.last_setting
	WHERE name IN ('restore_command', 'primary_conninfo', 'ssl_passphrase_command')}),
	'primary_conninfo ? t, restore_command ? t, ssl_passphrase_command ? f', 'of secrets only that they are set');
is(sql("SELECT count(*) FROM pgdba.hist_setting s WHERE s::text LIKE '%hush%'"), '0', 'none is kept');
unlike((http_get($node, '/metrics'))[1], qr/hush/, 'none is exported');

$node->stop;
done_testing();
