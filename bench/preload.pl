#!/usr/bin/perl
# What the preloaded library does to those who use the server: time to connect, transactions per second, with and without it.
# `bench/run` calls it, with clusters `plain`, `again` (the same again: what differs between these two is noise) and `pgdba` at
# work. The clusters take turns, each round in another order, the servers on one core and pgbench on another.
#
# Beside what a client sees there is the CPU that the server used for a transaction: neighbours on the machine disturb it less.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Process;
use Time::HiRes qw(sleep);

my @cluster = qw(plain again pgdba);
my $rounds = quick() ? 1 : 6;
my @pin = $ENV{BENCH_CLIENT_CORE} ne '' ? (qw(taskset -c), $ENV{BENCH_CLIENT_CORE}) : ();
my @kind = (
	{ name => 'connect', seconds => 3, option => [qw(-C -S -c 1)], figure => qr/^average connection time = ([\d.]+) ms/m },
	{ name => 'select', seconds => 4, option => [qw(-S -M prepared -c 4 -j 1)], figure => qr/^tps = ([\d.]+)/m },
	{ name => 'write', seconds => 5, option => [qw(-c 4 -j 1)], figure => qr/^tps = ([\d.]+)/m },
);

# RETURNS: the figure, and microseconds of CPU of backends and postmaster per transaction. pgbench's backends are gone when it
# ends, so what the postmaster has reaped is theirs.
sub pgbench {
	my ($cluster, $kind, $seconds) = @_;
	local $ENV{PGHOST} = "$ENV{BENCH_WORK}/$cluster";
	my $command = join ' ', @pin, qw(pgbench -U postgres -n -T), $seconds, @{ $kind->{option} }, 'postgres 2>&1';
	open my $file, '<', "$ENV{PGHOST}/data/postmaster.pid" or die "could not open postmaster.pid: $!";
	my $postmaster = <$file> + 0;
	my $before = cluster_cpu($postmaster);
	my $output = `$command`;
	$? == 0 && $output =~ $kind->{figure} or die "$command:\n$output";
	my $figure = $1 + 0;
	my ($transactions) = $output =~ /^number of transactions actually processed: (\d+)/m;
	sleep 0.1; # backends end a moment after their clients
	my $spent = spent($before, cluster_cpu($postmaster));
	return ($figure, 1e6 * ($spent->{ended} + $spent->{postmaster}) / $transactions);
}

if (!quick()) { # caches
	pgbench($_, $kind[1], 1) for @cluster;
}
for my $round (1 .. $rounds) {
	for my $kind (@kind) {
		my %value;
		@value{$_, "${_}_cpu"} = pgbench($_, $kind, quick() ? 1 : $kind->{seconds}) for @cluster;
		record('preload', kind => $kind->{name}, round => $round, %value);
	}
	push @cluster, shift @cluster;
}

# That it was at work.
$ENV{PGHOST} = "$ENV{BENCH_WORK}/pgdba";
my $ticks = `psql -X -A -t -U postgres -c 'SELECT sum(ticks) FROM pgdba.loops'`;
$? == 0 or die "psql failed\n";
record('preload_ticks', ticks => $ticks + 0);
