# The relation counters of all databases: right, named in every encoding, and never in anybody's way.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = pgdba_node('databases',
	init => { extra => [ '--encoding=UTF8', '--locale=C' ] },
	conf => <<EOF);
autovacuum = off
pgdba.workload_interval = '100ms'
pgdba.workload_budget = '60s'
pgdba.top_relations = 10000
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling goes on');

sub value_is {
	my ($sql, $expected, $name) = @_;
	my $value;
	wait_until(sub { ($value = $node->safe_psql('postgres', $sql)) eq $expected });
	return is($value, $expected, $name);
}

sub visits { return $node->safe_psql('postgres', "SELECT restarts FROM pgdba.processes WHERE name = 'pgdba reader'") }

# ---- counters ----

my $columns = join ', ', map { "coalesce($_, 0)" } qw(seq_scan idx_scan n_tup_ins n_tup_upd n_tup_del n_tup_hot_upd
  n_live_tup n_dead_tup n_mod_since_analyze n_ins_since_vacuum vacuum_count autovacuum_count analyze_count
  autoanalyze_count);
my $times = join ', ',
  map { "extract(epoch FROM $_)" } qw(last_vacuum last_autovacuum last_analyze last_autoanalyze);

for my $database (qw(shop crm)) {
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<'EOF');
SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', i) FROM generate_series(1, 60) i \gexec
SELECT format('INSERT INTO t%s SELECT g, $$x$$ FROM generate_series(1, %s) g', i, i) FROM generate_series(1, 60) i \gexec
UPDATE t7 SET v = 'y' WHERE id <= 3;
UPDATE t8 SET id = id + 100;
DELETE FROM t9 WHERE id <= 4;
VACUUM t10;
ANALYZE t11;
SET enable_seqscan = off;
SELECT v FROM t12 WHERE id = 5;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM t13;
CREATE TABLE parts (a int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts VALUES (1);
EOF
	my $server = "SELECT relid, schemaname, relname, $columns, $times FROM pg_stat_all_tables "
	  . "WHERE schemaname = 'public' AND relname <> 'parts' ORDER BY relid";
	my $ours = "SELECT relid, schema, relname, $columns, $times FROM pgdba.last_relation "
	  . "WHERE db = '$database' AND schema = 'public' AND relname <> 'parts' ORDER BY relid";
	my ($expected, $seen);
	wait_until(
		sub {
			$expected = $node->safe_psql($database, $server);
			$seen = $node->safe_psql('postgres', $ours);
			return $expected eq $seen;
		});
	is($seen, $expected, "database $database: every table as the server's own view has it");
	like($expected, qr/^\d+\|public\|t60\|.*\|60\|/m, "database $database: the server has seen the rows");
}
value_is("SELECT relkind, relation FROM pgdba.last_relation WHERE db = 'shop' AND relname = 'seen'",
	'm|public.seen', 'a materialized view is one of them');
value_is("SELECT count(*) FROM pgdba.last_relation WHERE relkind NOT IN ('r', 'm', 'p', 't')",
	'0', 'an index is not');
value_is("SELECT string_agg(DISTINCT db, ',') FROM pgdba.last_relation WHERE relation = 'pg_catalog.pg_database'",
	'postgres', 'a catalog that all databases share is listed once, with the home database');
value_is("SELECT round(pct_dead) FROM pgdba.last_relation WHERE db = 'shop' AND relname = 't9'",
	'44', 'four of nine rows are dead');

# A table is in the statistics before anybody else can see its name.
my $open = $node->background_psql('shop');
$open->query_safe('BEGIN; CREATE TABLE late AS SELECT generate_series(1, 5) AS a; ANALYZE late');
ok(more_ticks($node, 3, 'workload'), 'ticks pass over a table whose transaction is open');
$open->query_safe('COMMIT');
$open->quit;
value_is("SELECT n_tup_ins FROM pgdba.last_relation WHERE db = 'shop' AND relname = 'late'",
	'5', 'it has its name after the commit');

# ---- names ----

$node->safe_psql('shop', <<'EOF');
CREATE SCHEMA "Odd.Schema";
CREATE TABLE "Odd.Schema"."we""ird" AS SELECT 1 AS a;
CREATE TABLE "'; DROP TABLE t1; --" AS SELECT 1 AS a;
EOF
value_is(q{SELECT relation FROM pgdba.last_relation WHERE schema = 'Odd.Schema'},
	'"Odd.Schema"."we""ird"', 'a dot or a quote in a name cannot be mistaken for one between names');
value_is(q{SELECT relname FROM pgdba.last_relation WHERE relname LIKE '%DROP%'},
	q{'; DROP TABLE t1; --}, 'a hostile name is only a name');

my $hostile = qq{it's "x", \\ %s\n; DROP};
(my $quoted = $hostile) =~ s/"/""/g;
$node->safe_psql('postgres', qq{CREATE DATABASE "$quoted"});
$node->safe_psql('postgres', "CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
# Made in a LATIN1 database, these two names are not UTF-8 in the catalog that all databases share.
$node->safe_psql('old', $_)
  for q{CREATE DATABASE U&"caf\00e9" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'},
  q{CREATE DATABASE U&"caf\00e8" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'},
  q{CREATE TABLE U&"na\00efve" AS SELECT 1 AS a};
$node->safe_psql($_, 'CREATE TABLE inside AS SELECT generate_series(1, 3) AS a') for $hostile, "caf\xe9", "caf\xe8";

(my $literal = $hostile) =~ s/'/''/g;
value_is(qq{SELECT n_tup_ins FROM pgdba.last_relation WHERE db = '$literal' AND relname = 'inside'},
	'3', 'a hostile database name is only a name');
value_is(q{SELECT relation = U&'public.na\00efve' FROM pgdba.last_relation WHERE db = 'old' AND schema = 'public'},
	't', 'a table name is converted from the encoding of its database');
value_is(
	q{SELECT count(*), count(DISTINCT db), bool_and(db LIKE U&'caf\FFFD (%)') FROM pgdba.last_relation
	  WHERE db LIKE 'caf%' AND relname = 'inside'},
	'2|2|t', 'database names that are not UTF-8 are shown, and two that look alike are told apart');

# ---- renamed, and left out ----

$node->safe_psql('shop', 'ALTER TABLE t1 RENAME TO t1_renamed');
configure($node, 'pgdba.hourly_interval' => '100ms'); # that is how often names are asked for again
value_is("SELECT relname FROM pgdba.last_relation WHERE db = 'shop' AND relname LIKE 't1\\_%' OR relname = 't1' AND db = 'shop'",
	't1_renamed', 'a table that was renamed has its new name');

my $start = log_size($node);
$node->safe_psql('postgres', 'CREATE DATABASE closed');
$node->safe_psql('postgres', 'CREATE DATABASE broken');
$node->safe_psql($_, 'CREATE TABLE inside AS SELECT 1 AS a') for qw(closed broken);
value_is("SELECT count(*) FROM pgdba.last_relation WHERE db IN ('closed', 'broken') AND relname = 'inside'",
	'2', 'two databases that may be visited');
$node->safe_psql('postgres', 'ALTER DATABASE closed ALLOW_CONNECTIONS false');
$node->safe_psql('postgres', "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'");
value_is("SELECT count(*) FROM pgdba.last_relation WHERE db IN ('closed', 'broken')",
	'0', 'closed and invalid, they are left out');
ok(more_ticks($node, 5, 'workload'), 'while all others are visited again and again');
is(count_in_log($node, 'FATAL', $start), 0, 'a database that takes no connection is never tried');
value_is("SELECT count(*) FROM pgdba.last_relation WHERE db LIKE 'template%'", '0', 'nor is a template');
$node->safe_psql('postgres', 'DROP DATABASE broken');

configure($node, 'pgdba.exclude_databases' => 'crm, caf*');
value_is(
	"SELECT count(DISTINCT db) FILTER (WHERE db = 'crm' OR db LIKE 'caf%'), count(DISTINCT db) FILTER (WHERE db = 'shop')
	 FROM pgdba.last_relation",
	'0|1', 'excluded databases are left out');
configure($node, 'pgdba.exclude_databases' => '', 'pgdba.include_databases' => 'postgres');
value_is("SELECT string_agg(DISTINCT db, ',') FROM pgdba.last_relation", 'postgres', 'all but one are left out');
my $visited = q{SELECT coalesce(max(last_visited), 'epoch') FROM pgdba.databases() WHERE database <> 'postgres'};
$node->safe_psql('postgres', "SELECT pgdba.sample_now()");
my $latest = $node->safe_psql('postgres', $visited);
ok(more_ticks($node, 5, 'workload') && more_ticks($node, 5, 'hourly'), 'ticks without other databases');
$node->safe_psql('postgres', "SELECT pgdba.sample_now('storage')");
is($node->safe_psql('postgres', $visited), '1970-01-01 00:00:00+00', 'what is left out is not visited, nor shown as if it were');
configure($node, 'pgdba.include_databases' => '');
ok(wait_until(sub { $node->safe_psql('postgres', "SELECT pgdba.sample_now('storage')", extra_params => [ '-o', '/dev/null' ]);
	$node->safe_psql('postgres', $visited) gt $latest }), 'what is not left out is visited');

# ---- never in the way ----

# A reader that would stay for half a minute in any database whose name begins with "victim". DROP DATABASE looks for 5 s
# whether the others are gone, and fails then: that it succeeds tells that the reader was called back.
$node->safe_psql('postgres', <<'EOF');
SELECT pgdba.define_probe('stay', 'workload',
	$$SELECT current_database()::text AS db,
	  CASE WHEN current_database() LIKE 'victim%' THEN pg_sleep(30)::text END AS slept$$,
	'{db}', '{}', 'database', '{"budget": "60s"}')
EOF

sub reader_is_in {
	my ($database) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$database' AND wait_event = 'PgSleep'");
}

sub is_let_through {
	my ($sql, $name) = @_;
	my $begin = time;
	my $state = sqlstate($node, 'postgres', $sql);
	note sprintf '%s: %.3f s', $name, time - $begin;
	return is($state, '00000', $name);
}

$start = log_size($node);
for my $case (
	[ 'DROP DATABASE victim', 'DROP DATABASE' ],
	[ 'DROP DATABASE victim WITH (FORCE)', 'DROP DATABASE WITH (FORCE)' ],
	[ 'ALTER DATABASE victim RENAME TO renamed', 'ALTER DATABASE RENAME' ],
	[ 'CREATE DATABASE copied TEMPLATE victim', 'CREATE DATABASE TEMPLATE' ],
  ) {
	my ($sql, $name) = @$case;
	$node->safe_psql('postgres', 'CREATE DATABASE victim');
	ok(reader_is_in('victim'), "$name: a reader is in the database");
	is_let_through($sql, "$name with a reader inside");
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS renamed');
}
$node->safe_psql('postgres', "SELECT pgdba.drop_probe('stay')");
$node->safe_psql('postgres', 'DROP DATABASE victim');

# Readers on their way to a database that vanishes: no time to aim, so many times.
for my $round (1 .. 15) {
	$node->safe_psql('postgres', 'CREATE DATABASE brief');
	$node->safe_psql('brief', 'CREATE TABLE t AS SELECT 1 AS a');
	$node->safe_psql('postgres', 'DROP DATABASE brief');
}
ok(more_ticks($node, 3, 'workload'), 'sampling goes on');
unlike(log_since($node, $start), qr/FATAL|PANIC|exited with exit code|pgdba reader/,
	'readers that are sent away leave nothing in the log');
value_is("SELECT count(*) FROM pgdba.last_relation WHERE db IN ('victim', 'brief')",
	'0', 'what was dropped is gone from the samples');

# ---- no free process ----

configure($node, 'pgdba.hourly_interval' => '1h');
$node->safe_psql('postgres', 'CREATE DATABASE waiting');
$node->append_conf('postgresql.conf', 'max_worker_processes = 4'); # launcher, sampler, server, logical replication
$node->restart;
ok(settled($node), 'sampling goes on without a free worker slot');
$start = log_size($node);
value_is("SELECT value > 0 FROM pgdba.ring_usage() WHERE item = 'skipped_visits'",
	't', 'visits that find no free worker slot are counted');
is(count_in_log($node, 'ERROR|FATAL|WARNING', $start), 0, 'and are no error');

$node->stop;
done_testing();
