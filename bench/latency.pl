#!/usr/bin/perl
# How far the estimated 95th percentile of statements (pg_query_latency_seconds_p95) is off: beside pgbench's own log of the same statements.
# `bench/run` calls it, on a cluster whose loops do not tick by themselves.
#
# Every transaction is one statement, so that what pgbench logs is what the server executes, and the way there and back. Of statements that
# sleep the percentile is known beforehand, too: `asked`, in ms. They wake up a little later, on a busy machine more than that.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;

my $home = session('postgres');
my $seconds = quick() ? 1 : 20;

my @kind = (
	{ name => 'fast: reads by primary key', clients => 1, scripts => ["\\set a random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :a;\n"] },
	{ name => 'fast: updates of a row, each with its commit', clients => 1,
		scripts => ["\\set a random(1, 100000)\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :a;\n"] },
	{ name => 'nine of ten by primary key, one counts up to 100,000 rows', clients => 1,
		scripts => ["\\set a random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :a;\n\@9",
			"\\set a random(1, 100000)\nSELECT count(*) FROM pgbench_accounts WHERE aid <= :a;\n\@1"] },
	{ name => 'always 5 ms', asked => 5, clients => 4, scripts => ["SELECT pg_sleep(0.005);\n"] },
	{ name => 'anything from 0 to 20 ms', asked => 19, clients => 4, scripts => ["SELECT pg_sleep(0.02 * random());\n"] },
	{ name => 'exponential, mean 5 ms', asked => 5 * log 20, clients => 4, scripts => ["SELECT pg_sleep(-0.005 * ln(1 - random()));\n"] },
	{ name => 'two statements: 90 % take 1 ms, 10 % 20 ms', asked => 20, clients => 4,
		scripts => ["SELECT pg_sleep(0.001);\n\@9", "SELECT pg_sleep(0.02), 1;\n\@1"] },
	{ name => 'one statement: 90 % take 1 ms, 10 % 20 ms', asked => 20, clients => 4,
		scripts => ["SELECT pg_sleep(CASE WHEN random() < 0.9 THEN 0.001 ELSE 0.02 END);\n"] },
	{ name => 'one statement: 97 % take 1 ms, 3 % 20 ms', asked => 1, clients => 4,
		scripts => ["SELECT pg_sleep(CASE WHEN random() < 0.97 THEN 0.001 ELSE 0.02 END);\n"] },
);

# RETURNS: the microseconds of each transaction.
sub pgbench {
	my ($kind, $time) = @_;
	my (@file, $number);
	for (@{ $kind->{scripts} }) {
		my ($script, $weight) = /\A(.*?)(?:\@(\d+))?\z/s;
		$weight //= 1;
		my $path = "$ENV{BENCH_WORK}/latency." . ++$number . '.sql';
		open my $out, '>', $path or die "could not write $path: $!";
		print $out $script;
		close $out or die "could not write $path: $!";
		push @file, '-f', "$path\@$weight";
	}
	my $prefix = "$ENV{BENCH_WORK}/latency.log";
	unlink glob "$prefix.*";
	my $command = join ' ', qw(pgbench -U bench -n -M prepared -j 1 -c), $kind->{clients}, '-T', $time, '-l', "--log-prefix=$prefix", @file,
	  'latency 2>&1';
	my $output = `$command`;
	$? == 0 or die "$command:\n$output";
	my @log;
	for my $path (glob "$prefix.*") {
		open my $in, '<', $path or die "could not open $path: $!";
		push @log, map { (split)[2] } <$in>;
	}
	return @log;
}

$home->('CREATE DATABASE latency');
{
	local $ENV{PGOPTIONS} = '-c pg_stat_statements.track=none';
	system("pgbench -i -q -s 1 -U bench latency > $ENV{BENCH_WORK}/latency.init 2>&1") == 0 or die "pgbench -i failed\n";
}
for my $kind (@kind) {
	pgbench($kind, 1); # what was not there before has no difference
	$home->(q{SELECT pgdba.sample_now('workload')});
	my @log = pgbench($kind, $seconds);
	$home->(q{SELECT pgdba.sample_now('workload')});
	my %ours;
	@ours{qw(mean p95 statements)} = split /\|/, $home->(q{SELECT 1000 * r.latency_mean_seconds, 1000 * r.latency_p95_seconds, r.qps * h.elapsed
		FROM pgdba.last_workload_rate r JOIN pgdba.hist_database h ON h.db = r.db AND h.sampled_at = r.sampled_at WHERE r.db = 'latency'});
	my $sum = 0;
	$sum += $_ for @log;
	record('latency', kind => $kind->{name}, transactions => scalar @log, statements => $ours{statements} + 0,
		mean_ms => $sum / @log / 1000, p95_ms => percentile(95, @log) / 1000, our_mean_ms => $ours{mean} + 0, our_p95_ms => $ours{p95} + 0,
		exists $kind->{asked} ? (asked_p95_ms => $kind->{asked}) : ());
}
