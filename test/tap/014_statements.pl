# Statements: found in whatever schema and version pg_stat_statements is, kept by rank, shown without passwords, counted
# right, and no trouble when the extension is missing, reset, not preloaded or not readable. And the checks of databases.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Only sample_now() samples statements: what lies between two samples is known to the call.
my $node = pgdba_node('statements',
	init => { extra => [ '--encoding=UTF8', '--locale=C' ] },
	conf => <<EOF);
shared_preload_libraries = 'pg_stat_statements,pgdba'
autovacuum = off
deadlock_timeout = '10ms'
pgdba.workload_interval = '1h'
pgdba.storage_interval = '1h'
pgdba.top_queries = 5
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling goes on');

sub value { return $node->safe_psql('postgres', $_[0]); }
sub sample { return value("SELECT pgdba.sample_now('" . ($_[0] // 'workload') . "')"); }

sub verdict {
	my ($check) = @_;
	return value("SELECT concat_ws('|', severity, object, message, sql) FROM pgdba.verdicts WHERE check_id = '$check'");
}

# Samples until a probe has one that is newer than now; after a failure it rests for some ticks.
sub sampled {
	my ($probe) = @_;
	my $now = value('SELECT clock_timestamp()');
	return wait_until(
		sub {
			sample();
			return value("SELECT count(*) FROM pgdba.last_$probe WHERE sampled_at > '$now'") > 0;
		});
}

# Runs statements in database shop, and returns when the server has counted them.
sub work {
	my ($sql) = @_;
	$node->safe_psql('shop', $sql);
	return $node->poll_query_until('postgres', "SELECT numbackends = 0 FROM pg_stat_database WHERE datname = 'shop'");
}

# ---- without the extension ----

sample('all') for 1, 2;
is(verdict('setup.statements'), 'info|setting:pg_stat_statements extension|pg_stat_statements is not created in this database: '
	  . 'its statistics cannot be read|CREATE EXTENSION pg_stat_statements;', 'missing: a verdict says what to run');
like(verdict('statements.evictions'), qr/^ok\|/, 'missing: that is said once');
like(metric($node, 'pg_tps', db => 'postgres'), qr/^[\d.]+$/, 'missing: transactions are counted all the same');
is(metric($node, 'pg_qps', db => 'postgres'), undef, 'missing: statements are not');
is(value(q{SELECT count(*) FROM pgdba.cost() WHERE errors > 0}), '0', 'missing: nothing fails');

# ---- any schema, any version ----

# Not the extension's: nobody may call it.
$node->safe_psql('postgres', q{CREATE FUNCTION public.pg_stat_statements(bool) RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE 'a trap'; END$$});
my $schema = q{"we"".""ird %s $1 '; --"};
$node->safe_psql('postgres', "CREATE SCHEMA $schema; CREATE EXTENSION pg_stat_statements VERSION '1.4' SCHEMA $schema");
sample();
my $denied = value(q{SELECT last_error FROM pgdba.last_probe_run WHERE probe = 'statement'});
my ($grant) = $denied =~ /(GRANT .*;)/;
is($grant, "GRANT USAGE ON SCHEMA $schema TO pgdba_sampler;", 'a schema that may not be used: the error says what to grant');
$node->safe_psql('postgres', $grant);
ok(sampled('statement_info'), 'granted: it works');
sample('all');
like(verdict('statements.evictions'), qr/^unknown\|.*version 1\.4 of extension pg_stat_statements/, 'an old version: said');

for my $version ('1.4', '1.7', '1.8', '1.9', '') {
	$node->safe_psql('postgres', 'ALTER EXTENSION pg_stat_statements UPDATE' . ($version && " TO '$version'"));
	my $name = $version || 'default';
	work('SELECT 1');
	ok(sampled('statement'), "version $name: sampled");
	is(value(q{SELECT count(*) > 0 AND bool_and(calls >= 0 AND exec_seconds > 0 AND exec_seconds_squared > 0 AND rows IS NOT NULL
			AND blk_read_seconds >= 0) FROM pgdba.last_statement WHERE calls > 0}), 't', "version $name: with numbers");
	is(value(q{SELECT bool_and(wal_bytes IS NOT NULL AND plan_seconds IS NOT NULL)::text || bool_and(stats_reset IS NOT NULL)::text
			FROM pgdba.last_statement}),
		{ '1.4' => 'falsefalse', '1.7' => 'falsefalse', '1.8' => 'truefalse' }->{$name} // 'truetrue',
		"version $name: what it does not know is NULL");
}
sample('all');
like(verdict('statements.evictions'), qr/^ok\|/, 'the newest version counts evictions');
is(value('SELECT evictions FROM pgdba.last_statement_info'), '0', 'and there were none');
like(verdict('setup.statements'), qr/^ok\|/, 'nothing is left to set up');
like(verdict('pgdba.samples'), qr/^ok\|/, 'nothing fails any more');

# ---- the top N, and their texts ----

$node->safe_psql('shop', 'CREATE TABLE item (' . join(', ', map { "c$_ int" } 0 .. 40) . ')');
my $password = q{ALTER ROLE clerk PassWord 'sEcret'};
$node->safe_psql('shop', 'CREATE ROLE clerk');
my $long = 'SELECT /* long */ ' . join(', ', ('c40 + c39 + c38') x 200) . ' FROM item';
work(join ';', (map { "SELECT c$_ FROM item" } 0 .. 40), ("SELECT c1 + 77 FROM item") x 60, ($password) x 50, ($long) x 40);
sample('all');
cmp_ok(value('SELECT entries FROM pgdba.last_statement_info'), '>', 40, 'all statements are seen');
cmp_ok(value('SELECT count(*) FROM pgdba.last_statement'), '<=', 20, 'the first of each ranking are kept');
is(value(q{SELECT calls FROM pgdba.last_statement s JOIN pgdba.last_statement_text t USING (db, queryid)
		WHERE query = 'SELECT c1 + $1 FROM item'}), '60', 'with text and calls');
my $queryid = value(qq{SELECT s.queryid FROM $schema.pg_stat_statements s WHERE s.query LIKE 'ALTER ROLE clerk%'});
is(value("SELECT calls || coalesce(query, ' no text') FROM pgdba.last_statement JOIN pgdba.last_statement_text USING (db, queryid)
		WHERE queryid = $queryid"), '50 no text', 'a text with a password is not shown');
is(value(q{SELECT count(*) FROM pgdba.hist_statement_text WHERE query ILIKE '%sEcret%'}), '0', 'nor is any other that has it');
is(value(q{SELECT max(length(query)) FROM pgdba.last_statement_text WHERE query LIKE '%/* long */%'}), '2000', 'a text is cut');
is(value('SELECT count(*) > 0 FROM pgdba.last_statement_text WHERE length(query) > 2000'), 'f', 'every text is');
is(metric($node, 'pg_stmt_calls_total', db => 'shop', queryid => $queryid), '50', 'a statement is a metric by its identifier');
my (undef, $metrics) = http_get($node, '/metrics');
unlike($metrics, qr/FROM item|sEcret|ALTER ROLE/, 'no text is in /metrics');

# ---- rates ----

sample();
my $counted = q{SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'shop'};
my $spent = qq{SELECT sum(total_exec_time) FROM $schema.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = 'shop'};
my ($transactions, $milliseconds) = (value($counted), value($spent));
work(join ';', ('SELECT c1 + 5 FROM item') x 200, ('SELECT c2 FROM item') x 50, 'BEGIN', 'ROLLBACK');
my $warm = value($spent) - $milliseconds;
sample(); # BEGIN and ROLLBACK were new in it
($transactions, $milliseconds) = (value($counted), value($spent));
work(join ';', ('SELECT c1 + 5 FROM item') x 200, ('SELECT c2 FROM item') x 50, 'BEGIN', 'ROLLBACK');
my $done = value($counted) - $transactions;
my $mean = (value($spent) - $milliseconds) / 252 / 1000;
sample();
my $elapsed = value('SELECT elapsed FROM pgdba.hist_workload_rate ORDER BY sampled_at DESC LIMIT 1');
cmp_ok($done, '>=', 251, 'transactions were counted');
is(sprintf('%.3f', metric($node, 'pg_tps', db => 'shop') * $elapsed), sprintf('%.3f', $done), 'pg_tps is what was counted');
is(sprintf('%.3f', metric($node, 'pg_qps', db => 'shop') * $elapsed), '252.000', 'pg_qps is what was executed');
is(sprintf('%.9f', metric($node, 'pg_query_latency_seconds_mean', db => 'shop')), sprintf('%.9f', $mean),
	'the mean latency is what was spent');
cmp_ok(metric($node, 'pg_query_latency_seconds_p95', db => 'shop'), '>', 0, 'and there is an estimate of the 95th percentile');
is(metric($node, 'pg_query_latency_p95_coverage_percent', db => 'shop'), '100', 'which stands on all');

# ---- what may not be seen ----

$node->safe_psql('postgres', 'REVOKE pg_read_all_stats FROM pg_monitor');
sample();
work('SELECT c2 FROM item');
sample();
is(value(q{SELECT string_agg(coalesce(queryid::text, 'hidden'), ' ') FROM pgdba.last_statement WHERE db = 'shop'}), 'hidden',
	'statements that may not be seen are one');
is(sprintf('%.3f', metric($node, 'pg_qps', db => 'shop') * value('SELECT elapsed FROM pgdba.hist_workload_rate ORDER BY sampled_at DESC LIMIT 1')),
	'1.000', 'and are counted');
$node->safe_psql('postgres', 'GRANT pg_read_all_stats TO pg_monitor');
sample() for 1, 2;

# ---- resets, and databases that go ----

work('SELECT c2 FROM item');
$node->safe_psql('postgres', "SELECT $schema.pg_stat_statements_reset()");
work('SELECT c2 FROM item');
sample();
is(value(q{SELECT bool_or(reset)::text || count(calls) FROM pgdba.hist_statement
		WHERE sampled_at = (SELECT max(sampled_at) FROM pgdba.last_statement)}), 'true0', 'a reset is shown as one');
is(metric($node, 'pg_qps', db => 'shop'), undef, 'after it the rate is not known');
like(metric($node, 'pg_tps', db => 'shop'), qr/^[\d.e+-]+$/, 'that of transactions is');
work('SELECT c2 FROM item');
sample();
cmp_ok(metric($node, 'pg_qps', db => 'shop'), '>', 0, 'then it goes on');
is(value('SELECT count(*) FROM pgdba.hist_statement WHERE calls < 0 OR exec_seconds < 0 OR rows < 0 OR shared_blks_hit < 0'), '0',
	'nothing was ever negative');
is(value(q{SELECT count(*) FROM pgdba.hist_workload_rate WHERE tps < 0 OR qps < 0}), '0', 'nor any rate');
# ---- checks of databases ----

like(verdict("databases.$_"), qr/^ok\|/, "databases.$_ is quiet") for qw(deadlocks rollbacks checksum_failures invalid);
my ($one, $other) = map { session($node, 'shop', on_error_stop => 0) } 1, 2;
$one->query_safe('BEGIN');
$other->query_safe('BEGIN');
$one->query_safe('SELECT pg_advisory_xact_lock(1)');
$other->query_safe('SELECT pg_advisory_xact_lock(2)');
$one->query_until(qr/waits/, "\\echo waits\nSELECT pg_advisory_xact_lock(2);\n");
$other->query('SELECT pg_advisory_xact_lock(1)');
leave($one, $other);
work(join ';', ('BEGIN', 'ROLLBACK') x 1100);
sample();
like(verdict('databases.deadlocks'), qr/^(warning|critical)\|database:shop\|1 deadlock in shop within 5 minutes$/, 'a deadlock is found');
like(verdict('databases.rollbacks'), qr/^warning\|database:shop\|\d\d\.?\d* % of the transactions in shop were rolled back .*1 by deadlocks\)$/,
	'so are transactions that are rolled back');

# As an interrupted DROP DATABASE leaves it.
$node->safe_psql('postgres', q{UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'shop'});
sample();
like(verdict('databases.invalid'), qr/^ok\|/, 'what may still be dropped is not invalid yet');
sample();
like(verdict('databases.invalid'), qr/^warning\|database:shop\|database shop is invalid.*\|DROP DATABASE shop;$/, 'then it is');
$node->safe_psql('postgres', value(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'databases.invalid'}));
sample();
like(verdict('databases.invalid'), qr/^ok\|/, 'its SQL repairs it');
is(value(q{SELECT count(*) FROM pgdba.last_statement WHERE db = 'shop' OR db IS NULL}), '0', 'a dropped database has no statements');

# ---- too many statements ----

$node->append_conf('postgresql.conf', 'pg_stat_statements.max = 100');
$node->restart;
ok(settled($node), 'it runs with little room');
$node->safe_psql('postgres', 'CREATE TABLE wide (' . join(', ', map { "c$_ int" } 0 .. 400) . ')');
sample('all');
$node->safe_psql('postgres', join ';', map { "SELECT c$_ FROM wide" } 0 .. 400);
sample('all');
like(verdict('statements.evictions'),
	qr/^warning\|cluster\|pg_stat_statements was full \d\d times .* 100 statements\|ALTER SYSTEM SET pg_stat_statements\.max = 200;$/,
	'evictions are found');
$node->safe_psql('postgres', value(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'statements.evictions'}));
$node->restart;
ok(settled($node), 'it runs with more room');
sample('all') for 1, 2;
like(verdict('statements.evictions'), qr/^ok\|/, 'with it there are none');
is(value('SELECT max_entries FROM pgdba.last_statement_info'), '200', 'as the SQL said');

# ---- created, but not preloaded ----

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pgdba'\n");
$node->restart;
ok(settled($node), 'it runs without the library');
sample('all') for 1, 2;
like(verdict('setup.statements'), qr/^info\|setting:pg_stat_statements\|pg_stat_statements is not preloaded/, 'a verdict says what is missing');
like(verdict('statements.evictions'), qr/^unknown\|.*pg_stat_statements is not preloaded/, 'what needs it is unknown');
is(metric($node, 'pg_qps', db => 'postgres'), undef, 'there is no rate of statements');
like(metric($node, 'pg_tps', db => 'postgres'), qr/^[\d.]+$/, 'that of transactions is there');
is(value(q{SELECT count(*) FROM pgdba.cost() WHERE errors > 0}), '0', 'and nothing fails');

$node->stop;
done_testing();
