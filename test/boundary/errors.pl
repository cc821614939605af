# The wall between C++ and the server, statement by statement, in a server of its own.
# BOUNDARY_BUILD is the folder with the test's two libraries.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('errors');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "dynamic_library_path = '$ENV{BOUNDARY_BUILD}:\$libdir'");
$node->start;
my $postmaster = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
$node->safe_psql('postgres', slurp_file("$ENV{BOUNDARY_SOURCE}/boundary.sql"));

# The fields of the error that a command raises, joined by "|".
sub failure
{
	my ($command) = @_;
	return $node->safe_psql('postgres',
		"SELECT state, message, detail, hint FROM failure(\$command\$$command\$command\$)");
}

# What a session prints that goes on after errors.
sub session
{
	my ($script) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
	is($code, 0, 'the session survives') or diag($err);
	return ($out, $err);
}

# ---- an ERROR of the server leaves no object behind ----

is(failure('SELECT server_error()'), '22012|division by zero|The divisor was zero.|Choose another divisor.',
	'SQLSTATE, message, detail and hint survive the round trip');

my ($out) = session('SELECT server_error(); SELECT server_error(); SELECT live(), clean();');
is($out, '0|t', 'all destructors ran under two errors of the server');
cmp_ok($node->safe_psql('postgres', q{SELECT growth('SELECT server_error()', 3000)}),
	'<', 100_000, 'the heap is flat over errors of the server');

is($node->safe_psql('postgres', q{SELECT state, detail FROM failure($$SELECT execute('SELECT 1/0')$$)}),
	'22012|', 'an error inside SPI comes out as itself');
my $context = $node->safe_psql('postgres', q{SELECT context FROM failure($$SELECT execute('SELECT 1/0')$$)});
my @lines = $context =~ /SQL statement "SELECT 1\/0"/g;
is(scalar(@lines), 1, 'its context is there, once') or diag($context);
@lines = $context =~ /PL\/pgSQL function failure/g;
is(scalar(@lines), 1, 'so is the context of who called us, once') or diag($context);

is( $node->safe_psql('postgres', 'SELECT no_memory_for_copy()'),
	'53200 Failed while copying another error.',
	'an error too large to be copied becomes out of memory');

# ---- an exception becomes an ERROR ----

like(failure(q{SELECT throw('out_of_range')}), qr/^XX000\|.*range_check/, 'std::out_of_range');
like(failure(q{SELECT throw('length_error')}), qr/^XX000\|/, 'an exception thrown by libstdc++ itself');
like(failure(q{SELECT throw('int')}), qr/^XX000\|unknown exception/, 'an exception of no class');
is(failure(q{SELECT throw('bad_alloc')}),
	'53200|out of memory|Failed while allocating memory inside pgdba.|', 'std::bad_alloc');
is(failure(q{SELECT throw('pgdba')}),
	'55000|pgdba is not ready|It has just started.|Wait.', 'an error of our own');

for my $kind (qw(out_of_range huge bad_alloc int pgdba))
{
	($out) = session("SELECT throw('$kind'); SELECT live(), clean();");
	is($out, '0|t', "after $kind no object is alive and no exception in flight");
	cmp_ok($node->safe_psql('postgres', "SELECT growth(\$\$SELECT throw('$kind')\$\$, 3000)"),
		'<', 100_000, "the heap is flat over $kind");
}

# ---- every way out of a guarded call ----

is($node->safe_psql('postgres', 'SELECT nested()'), 't', 'the stacks are restored by every way out of call()');
my $err;
($out, $err) = session('SELECT nested(); SELECT 1/0; SELECT server_error(); SELECT live(), clean();');
is($out, "t\n0|t", 'later errors find a sound stack');
like($err, qr/division by zero/, 'and are reported');

is( $node->safe_psql('postgres', q{
		SELECT octet_length(message) BETWEEN 1000 AND 1023, right(message, 1) = 'é',
			octet_length(detail) BETWEEN 1000 AND 1023, octet_length(hint) BETWEEN 500 AND 511
		FROM failure('SELECT long_message()')}),
	't|t|t|t', 'what is too long is cut between characters');

# ---- destructors ----

($out, $err) = session('SELECT destructor(false); SELECT live(), clean();');
is($out, "t\n0|t", 'a failing destructor fails nothing');
like($err, qr/WARNING:  could not clean up: division by zero/, 'but it is said');
is(failure('SELECT destructor(true)'), '55000|pgdba is not ready||',
	'a failing destructor does not replace the error that unwinds');
is($node->safe_psql('postgres', 'SELECT clean()'), 't', 'nor leaves anything held back');

# ---- a swallowed error is a rolled back one ----

is($node->safe_psql('postgres', q{SELECT sandboxed('SELECT 1/0')}), '22012', 'the sandbox swallows an error');
is( $node->safe_psql('postgres', q{
		BEGIN;
		INSERT INTO half_done VALUES (1);
		SELECT sandboxed('SELECT 1/0'), sandboxed('SELECT 1'), sandboxed('SELECT now(), 1');
		COMMIT;
		DELETE FROM half_done RETURNING value;}),
	"22012|00000|00000\n1", 'and the transaction around it goes on');
session(q{SELECT execute('INSERT INTO half_done VALUES (2)'), execute('SELECT 1/0'); SELECT 1;});
is($node->safe_psql('postgres', 'SELECT count(*) FROM half_done'), '0', 'a half-done insert is not committed');
cmp_ok($node->safe_psql('postgres', q{SELECT growth($$SELECT sandboxed('SELECT 1/0')||1/0$$, 3000)}),
	'<', 100_000, 'the heap is flat over swallowed errors');

# ---- interrupts ----

for my $failing ('locked_copy()', 'server_error()', 'destructor(true)', q{sandboxed('SELECT 1/0')})
{
	($out, $err) = session(qq{
		SET statement_timeout = '200ms';
		SELECT $failing;
		SELECT 'holdoff', holdoff();
		SELECT count(*) FROM generate_series(1, 1000000000);});
	like($out, qr/holdoff\|0$/, "nothing is held back after $failing");
	like($err, qr/canceling statement due to statement timeout/, 'and a statement is cancelled in time');
}

# ---- two libraries with a template of one name ----

is($node->safe_psql('postgres', 'SELECT which_first(), which_second()'), '1|2', 'each library runs its own code');
for my $library (qw(pgdba_boundary pgdba_boundary_second))
{
	my ($symbols) = run_command([ 'nm', '-D', '--defined-only', "$ENV{BOUNDARY_BUILD}/$library.so" ]);
	my @foreign = grep { !/ (Pg_magic_func|pg_finfo_boundary_\w+|boundary_\w+)$/ && !/ [VWu] _ZT?[A-Z]*S/ }
	  split /\n/, $symbols;
	is_deeply(\@foreign, [], "$library exports its entry points only");
}

# ---- all of this in one server, which never went down ----

is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $postmaster, 'the server never restarted');
my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal|PANIC|server process .* was terminated/, 'no process crashed');
unlike($log, qr/leak|still referenced|snapshot .* still active/, 'no snapshot and no reference leaked');

$node->stop;
done_testing();
