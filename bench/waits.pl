#!/usr/bin/perl
# What looking at waits costs and how true it is: pgdba's launcher beside Debian's pg_wait_sampling, both at their defaults, in the same server
# at the same time. `bench/run` calls it, on a cluster whose loops do not tick by themselves: what the launcher uses is for waits.
#
# True is what pgbench says of the statements: how long all of them took together, from outside.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Load;
use Process;

my $home = session('postgres');
$home->('CREATE DATABASE waits');
my ($user, $theirs) = (session('waits'), session('waits'));
$theirs->('CREATE EXTENSION pg_wait_sampling');
$user->('CREATE TABLE account (id int PRIMARY KEY, amount int); INSERT INTO account VALUES (1, 0)');
record('waits_peer', version => scalar $theirs->(q{SELECT extversion FROM pg_extension WHERE extname = 'pg_wait_sampling'}));
my $period = $theirs->(q{SELECT setting FROM pg_settings WHERE name = 'pg_wait_sampling.profile_period'}) / 1000;

# ---- how true ----

my $long = quick() ? 2 : 10;
my @kind = (
	{ name => "20 sessions that sleep for $long s", event => 'PgSleep', clients => 20, transactions => 1, script => "SELECT pg_sleep($long);\n" },
	{ name => '20 sessions that sleep for 0.2 s again and again', event => 'PgSleep', clients => 20, transactions => 5 * $long,
		script => "SELECT pg_sleep(0.2);\n" },
	{ name => "20 sessions that wait for a row for $long s", event => 'transactionid,tuple', clients => 20, transactions => 1, holds => $long,
		script => "UPDATE account SET amount = amount + 1 WHERE id = 1;\n" },
);
for my $kind (@kind) {
	my $path = "$ENV{BENCH_WORK}/waits.sql";
	open my $script, '>', $path or die "could not write $path: $!";
	print $script $kind->{script};
	close $script or die "could not write $path: $!";
	$theirs->('SELECT pg_wait_sampling_reset_profile()');
	my $since = $home->('SELECT clock_timestamp()');
	my $prefix = "$ENV{BENCH_WORK}/waits.log";
	unlink glob "$prefix.*";
	$user->('BEGIN; UPDATE account SET amount = 0') if $kind->{holds};
	my $bench = background("$ENV{BENCH_WORK}/waits.out", qw(pgbench -U bench -n -j 1 -l), "--log-prefix=$prefix", '-c', $kind->{clients},
		'-t', $kind->{transactions}, '-f', $path, 'waits');
	if ($kind->{holds}) {
		sleep $kind->{holds};
		$user->('COMMIT');
	}
	waitpid $bench, 0;
	$? == 0 or die "pgbench failed: see $ENV{BENCH_WORK}/waits.out\n";
	my $true = 0;
	for my $log (glob "$prefix.*") {
		open my $in, '<', $log or die "could not open $log: $!";
		$true += (split)[2] / 1e6 while <$in>;
	}
	sleep 1; # their collector's last look
	my ($ours, $profile) = ($home->("SELECT coalesce(sum(seconds), 0) FROM pgdba.wait_runs('$since', NULL)
			WHERE event = ANY (string_to_array('$kind->{event}', ',')) AND db = 'waits'"),
		$theirs->("SELECT coalesce(sum(count), 0) FROM pg_wait_sampling_profile WHERE event = ANY (string_to_array('$kind->{event}', ','))"));
	record('waits_truth', kind => $kind->{name}, true_seconds => $true, our_seconds => $ours + 0, their_seconds => $profile * $period);
}

# ---- what it costs, and how far back single looks reach ----

my %pid = (
	pgdba => scalar $home->(q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba launcher'}),
	pg_wait_sampling => scalar $home->(q{SELECT pid FROM pg_stat_activity WHERE backend_type LIKE '%wait_sampling%'}));
my $seconds = quick() ? 2 : 60;
sub costs {
	my ($state) = @_;
	my ($began, %before) = (now(), map { ($_ => cpu($pid{$_})) } keys %pid);
	sleep_until($began + $seconds);
	record('waits_cost', state => $state, map { ($_ => 100 * (cpu($pid{$_}) - $before{$_}) / (now() - $began)) } keys %pid);
}
costs('idle');
my $sleepers = sessions(50, 'waits', "SELECT pg_sleep(0.2);\n");
wait_for($home, q{SELECT count(*) >= 45 FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'active'});
costs('50 active');
record('waits_span', pgdba => 0 + $home->('SELECT extract(epoch FROM clock_timestamp() - pgdba.wait_runs_since())'),
	pg_wait_sampling => 0 + $theirs->('SELECT extract(epoch FROM max(ts) - min(ts)) FROM pg_wait_sampling_history'),
	processes => 0 + $home->('SELECT count(*) FROM pg_stat_activity'),
	memory => 0 + $home->(q{SELECT allocated_size FROM pg_shmem_allocations WHERE name = 'pgdba_waits'}));
stop($sleepers);
my $many = quick() ? 100 : 1000;
$sleepers = sessions($many, 'waits', "SELECT pg_sleep(1000);\n");
wait_for($home, "SELECT count(*) = $many FROM pg_stat_activity WHERE application_name = 'pgbench' AND wait_event = 'PgSleep'");
costs('1,000 active');
stop($sleepers);
