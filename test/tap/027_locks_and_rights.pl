# How full the lock table is, and what in a database decides who may do what: the numbers that the server itself gives.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('rights', conf => "max_locks_per_transaction = 100\nmax_connections = 30\nmax_prepared_transactions = 5");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling');

sub sampled {
	my ($loop, $sql) = @_;
	return $node->safe_psql('postgres', "SELECT pgdba.sample_now('$loop')", extra_params => [ '-o', '/dev/null' ]) . $node->safe_psql('postgres', $sql);
}

# ---- the lock table ----

is(sampled('workload', 'SELECT room FROM pgdba.last_lock_table'), 100 * 35, 'room for so many for each session and prepared transaction');
my $holder = session($node, 'shop');
$holder->query_safe('CREATE TABLE a (); CREATE TABLE b (); BEGIN; LOCK TABLE a, b IN ACCESS EXCLUSIVE MODE;
	SELECT pg_advisory_lock(g) FROM generate_series(1, 70) g');
is(sampled('workload', 'SELECT access_exclusive, advisory, waiting FROM pgdba.last_lock_table'), '2|70|0', 'locks by kind');
is(sampled('workload', 'SELECT shared_locks >= 72 AND shared_locks <= locks AND round(pct_used) = round(100.0 * shared_locks / room) FROM pgdba.last_lock_table'),
	't', 'and how much of the room they take');
my $waiter = session($node, 'shop');
$waiter->query_until(qr/begun/, "\\echo begun\nSELECT FROM a;\n");
ok(wait_until(sub { sampled('workload', 'SELECT waiting FROM pgdba.last_lock_table') eq '1' }), 'one that is waited for');
is(metric($node, 'pg_locks_advisory'), '70', 'a metric');
$holder->query_safe('COMMIT; SELECT pg_advisory_unlock_all()');
ok(wait_until(sub { sampled('workload', 'SELECT advisory + waiting FROM pgdba.last_lock_table') eq '0' }), 'they are gone');
leave($waiter, $holder);

# ---- rights ----

my $counts = join ', ', qw(security_definer security_definer_open untrusted_functions untrusted_languages row_security_tables row_security_empty
  policies_without_effect public_create_schemas public_default_grants dropped_columns);
sub facts { return sampled('hourly', "SELECT $counts FROM pgdba.last_security_fact WHERE db = 'shop'"); }
$node->safe_psql('shop', 'REVOKE CREATE ON SCHEMA public FROM PUBLIC');
is(facts(), join('|', (0) x 10), 'a database in which nothing is open');
$node->safe_psql('shop', q{
	CREATE FUNCTION open() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';
	CREATE FUNCTION fixed() RETURNS int SECURITY DEFINER SET search_path = pg_catalog LANGUAGE sql AS 'SELECT 1';
	CREATE FUNCTION inner_one(text) RETURNS text LANGUAGE internal AS 'textin';
	CREATE TABLE secret (owner name, gone int); ALTER TABLE secret DROP gone;
	ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE TABLE half (owner name); CREATE POLICY mine ON half USING (owner = current_user);
	CREATE TABLE whole (owner name); CREATE POLICY mine ON whole USING (owner = current_user); ALTER TABLE whole ENABLE ROW LEVEL SECURITY;
	GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC;
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC});
is(facts(), '2|1|1|0|2|1|1|1|1|1', 'each of them is counted');
is(sampled('hourly', q{SELECT string_agg(db, ' ' ORDER BY db) FROM pgdba.last_security_fact}), 'postgres shop', 'in every database');
is(sampled('hourly', q{SELECT encoding = (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'shop') FROM pgdba.last_security_fact
	WHERE db = 'shop'}), 't', 'and its encoding');
$node->stop;
done_testing();
