# A background worker that fails thousands of times keeps its size, its counts and its ears for SIGTERM.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init;
$node->append_conf('postgresql.conf', qq{
dynamic_library_path = '$ENV{BOUNDARY_BUILD}:\$libdir'
max_worker_processes = 4
});
$node->start;
my $postmaster = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
$node->safe_psql('postgres', slurp_file("$ENV{BOUNDARY_SOURCE}/boundary.sql"));

my $activity = q{FROM pg_stat_activity WHERE backend_type = 'pgdba boundary'};

# Waits until the worker has failed that often. RETURNS its private kilobytes (shared buffers that it touches do not count).
sub private_after
{
	my ($failures, $pid) = @_;
	$node->poll_query_until('postgres', "SELECT split_part(query, ' ', 2)::int >= $failures $activity")
	  or die "the worker did not fail $failures times";
	my ($kilobytes) = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;
	return $kilobytes;
}

my $pid = $node->safe_psql('postgres', q{SELECT start_worker('boundary_worker_main')});
my $warm = private_after(2_000, $pid);
my $later = private_after(20_000, $pid);
cmp_ok($later - $warm, '<', 512, "memory is flat: $warm kB after 2,000 failures, $later kB after 20,000");
like($node->safe_psql('postgres', "SELECT query $activity"), qr/^failed \d+ live 0 holdoff 0$/,
	'no object is alive and no interrupt held back between failures');
is($node->safe_psql('postgres', 'SELECT count(*) FROM half_done'), '0', 'no half-done insert was committed');

my $asked = time();
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"), 't', 'SIGTERM is sent');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 $activity"), 'the worker exits');
cmp_ok(time() - $asked, '<', 5, 'within seconds');

$node->psql('postgres', q{SELECT start_worker('boundary_throwing_main')});
ok($node->wait_for_log(qr/ERROR:  thrown out of a worker/), 'an exception out of a worker is an ERROR');
ok($node->wait_for_log(qr/background worker "pgdba boundary" .* exited with exit code 1/),
	'which ends that worker');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $postmaster, 'the server never restarted');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|leak|still active/,
	'nothing crashed and nothing leaked');

$node->stop;
done_testing();
