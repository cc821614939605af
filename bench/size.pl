#!/usr/bin/perl
# What a round of sampling costs as what is sampled grows: size.pl tables|databases|statements|sessions. `bench/run` calls it, on a
# cluster whose loops do not tick by themselves. At each size every loop ticks twice to warm up, then is measured.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Load;
use Process;

my ($dimension) = @ARGV;
my ($postmaster, $home) = ($ENV{BENCH_POSTMASTER}, session('postgres'));
my $most_moved = 1000; # tables that are read between two ticks
my $tables_of_each = 10; # in each of the databases
my $tick_within = '5 min';
my ($shop, $user, $run_statements, $pgbench);
my $databases = 0;

# `make` brings what is sampled to a size, `move` is what users do between two ticks, so that these find other counters.
my %dimension = (
	tables => { sizes => quick() ? [10, 100] : [10, 100, 1000, 10_000, 100_000], make => \&make_tables, move => \&read_tables },
	databases => { sizes => quick() ? [1, 3] : [1, 10, 100, 1000], make => \&make_databases },
	statements => { sizes => quick() ? [10, 100] : [10, 100, 1000, 5000], make => \&make_statements, move => sub { $run_statements->() } },
	sessions => { sizes => quick() ? [10, 50] : [10, 100, 1000], make => \&make_sessions },
);


sub make_tables {
	my ($size) = @_;
	$home->('CREATE DATABASE shop') unless $shop;
	$shop //= session('shop');
	grow($shop, $size);
}
sub read_tables {
	my ($size) = @_;
	touch($shop, $size < $most_moved ? $size : $most_moved, 'SELECT count(*) FROM t_%s');
}

sub make_databases {
	my ($size) = @_;
	if (!$databases) {
		$home->('CREATE DATABASE shop_1');
		# No session stays there: the others are copies of it.
		grow(sub { system(qw(psql -X -q -U bench -o /dev/null -d shop_1 -c), $_[0]) == 0 or die "psql failed\n" }, $tables_of_each);
		$databases = 1;
	}
	$home->("CREATE DATABASE shop_$_ TEMPLATE shop_1 STRATEGY file_copy") for $databases + 1 .. $size;
	$databases = $size;
}

sub make_statements {
	my ($size) = @_;
	$user //= session('postgres');
	$run_statements = statements($user, $size);
	$run_statements->();
}

sub make_sessions {
	my ($size) = @_;
	stop($pgbench) if $pgbench;
	wait_for($home, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'});
	$pgbench = sessions($size, 'postgres', "SELECT 1;\n\\sleep 10000 s\n");
	wait_for($home, "SELECT count(*) = $size FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'idle'");
}

sub wal { return $home->("SELECT pg_current_wal_insert_lsn() - '0/0'"); }

# What the probes of a loop have cost so far. `rows` alone is of the last run.
sub cost {
	my ($loop) = @_;
	tick($loop eq 'hot' ? 'workload' : 'hot'); # what a tick put into rings is written down by the next one
	my @column = qw(cpu_seconds wall_seconds bytes late skipped errors rows);
	my %cost;
	@cost{@column} = split /\|/, $home->('SELECT ' . join(', ', map { "coalesce(sum($_), 0)" } @column) . " FROM pgdba.cost() WHERE loop = '$loop'");
	return \%cost;
}

# Bytes that are the sampler's alone and no file's.
sub sampler_memory {
	my $pid = $home->(q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba sampler'});
	open my $file, '<', "/proc/$pid/status" or die "could not open /proc/$pid/status: $!";
	my ($kilobytes) = do { local $/; <$file> } =~ /^RssAnon:\s+(\d+) kB/m;
	return 1024 * $kilobytes;
}

# Transactions so far, by database: where a reader has been there is one more.
sub visits {
	return { map { split /\|/ } $home->('SELECT datname, xact_commit + xact_rollback FROM pg_stat_database WHERE datname IS NOT NULL') };
}

sub move {
	my ($size) = @_;
	my $move = $dimension{$dimension}{move};
	$move->($size) if $move;
}
sub tick {
	my ($loop) = @_;
	$home->("SELECT pgdba.sample_now('$loop', '$tick_within')");
}

# How late the hot loop is at most while another loop is at work: it goes on in between, here ten times a second.
sub hot_beside {
	my ($loop) = @_;
	my $from = $home->('SELECT clock_timestamp()');
	interval_of_hot('100 ms');
	tick($loop);
	interval_of_hot('1 d');
	return $home->("SELECT coalesce(max(lateness_seconds), 0) FROM pgdba.hist_heartbeat WHERE loop = 'hot' AND sampled_at > '$from'");
}
sub interval_of_hot {
	my ($interval) = @_;
	$home->("ALTER SYSTEM SET pgdba.hot_interval = '$interval'");
	$home->('SELECT pg_reload_conf()');
	do { tick('hot') } until $home->("SELECT interval_seconds = extract(epoch FROM interval '$interval') FROM pgdba.loops WHERE loop = 'hot'") eq 't';
}

$home->('SELECT pg_stat_statements_reset()');
# A sampler that remembers nothing of what was measured before. One that lived for less than a minute would be made to wait.
if (!quick()) {
	$home->(q{SELECT pgdba.pause('10 min')});
	$home->('SELECT pgdba.resume()');
	wait_for($home, q{SELECT count(*) = 1 FROM pgdba.processes WHERE name = 'pgdba sampler' AND pid IS NOT NULL}, 120);
}

for my $size (@{ $dimension{$dimension}{sizes} }) {
	$dimension{$dimension}{make}->($size);
	$home->('CHECKPOINT');
	my %long; # loops whose ticks are so long that one is enough of each kind
	for my $round (1 .. (quick() ? 1 : 2)) {
		move($size);
		for my $loop (grep { !$long{$_} } qw(hot workload storage hourly)) {
			my $began = now();
			tick($loop);
			$long{$loop} = now() - $began > 20;
		}
	}
	for my $loop (qw(hot workload storage hourly)) {
		my (@cpu, @wall, @wal, @visited);
		my $cost = cost($loop);
		my $runs = quick() || $long{$loop} ? 1 : 3;
		while (@cpu < $runs) {
			move($size);
			my ($visits, $wal, $before, $began) = (visits(), wal(), cluster_cpu($postmaster), now());
			tick($loop);
			push @wall, now() - $began;
			push @cpu, pgdba_cpu(spent($before, cluster_cpu($postmaster)));
			push @wal, wal() - $wal;
			my $visited = spent($visits, visits());
			push @visited, scalar grep { $visited->{$_} > 0 } grep { /^shop/ } keys %$visited;
		}
		my $after = cost($loop);
		my %spent = map { $_ => $after->{$_} - $cost->{$_} } keys %$cost;
		record('size', dimension => $dimension, size => $size, loop => $loop, runs => $runs, cpu_ms => 1000 * median(@cpu),
			wall_ms => 1000 * median(@wall), wal_bytes => median(@wal), visited => median(@visited), rows => $after->{rows} + 0,
			probes_cpu_ms => 1000 * $spent{cpu_seconds} / $runs, probes_wall_ms => 1000 * $spent{wall_seconds} / $runs,
			bytes => $spent{bytes} / $runs, map { ($_ => $spent{$_} / $runs) } qw(late skipped errors));
	}
	record('size_end', dimension => $dimension, size => $size, memory => sampler_memory(),
		hot_late_ms => 1000 * percentile(100, map { hot_beside($_) } qw(workload storage)), errors => join '; ', $home->("SELECT probe || ': ' || last_error FROM pgdba.cost() WHERE last_error IS NOT NULL"));
}
stop($pgbench) if $pgbench;
