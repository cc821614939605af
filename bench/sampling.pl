#!/usr/bin/perl
# What pgdba costs a server where nobody asks it anything: CPU idle and with 50 active sessions, WAL, disk, time of a tick. With
# 200 tables and some 1,000 statements. `bench/run` calls it.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Process;
use Time::HiRes qw(sleep);

my $tables = 200;
my ($postmaster, $home, $shop) = ($ENV{BENCH_POSTMASTER}, session('postgres'), session('shop'));

sub wal { return $home->("SELECT pg_current_wal_insert_lsn() - '0/0'"); }
sub ring { # bytes of the tables on disk, TOAST and all
	return $home->(q{SELECT sum(pg_total_relation_size(relid)) FROM (VALUES ('hot'), ('workload'), ('storage'), ('hourly')) AS v (loop),
		pg_partition_tree(('pgdba.ring_' || loop)::regclass) WHERE isleaf});
}
# Seconds that the probes of a loop say they took: "wall|cpu".
sub probes {
	my ($loop) = @_;
	return split /\|/, $home->("SELECT coalesce(sum(wall_seconds), 0), coalesce(sum(cpu_seconds), 0) FROM pgdba.cost() WHERE loop = '$loop'");
}
sub dead_rows {
	return $home->(q{SELECT sum(pg_stat_get_dead_tuples(c.oid) + pg_stat_get_dead_tuples(c.reltoastrelid))
		FROM pg_class c WHERE relnamespace = 'pgdba'::regnamespace AND relkind = 'r'});
}
my $dead = dead_rows(); # CREATE EXTENSION may leave some

grow($shop, $tables);
{ # statements, each with an id of its own
	local $ENV{PGOPTIONS};
	my @target = ('id', 'v', 'id, v', 'count(*)', 'max(v)');
	my $file = "$ENV{BENCH_WORK}/statements.sql";
	open my $script, '>', $file or die "could not write $file: $!";
	for my $table (1 .. $tables) {
		print $script "SELECT $_ FROM t_$table;\n" for @target;
	}
	close $script;
	system('psql', '-X', '-q', '-U', 'bench', '-d', 'shop', '-o', '/dev/null', '-f', $file) == 0 or die "psql failed\n";
}

# A minute or two at the intervals that are the default, with no one watching.
sub watch {
	my ($state, $minutes) = @_;
	$home->('SELECT pgdba.sample_now()') for 1 .. 2;
	my ($wal, $ring, $ticks, $before) = (wal(), ring(), ticks($home), cluster_cpu($postmaster));
	my $began = now();
	sleep_until($began + $minutes * minute());
	my $spent = spent($before, cluster_cpu($postmaster));
	record('watch', state => $state, minutes => $minutes, percent => 100 * pgdba_cpu($spent) / ($minutes * minute()), by_kind => $spent,
		wal_bytes => (wal() - $wal) / $minutes, ring_bytes => (ring() - $ring) / $minutes, ticks => spent($ticks, ticks($home)),
		statements => 0 + $home->('SELECT count(*) FROM pg_stat_statements'),
		active => 0 + $home->("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'active'"));
}
my $minutes = quick() ? 1 : 2;
watch('idle', $minutes);

my $file = "$ENV{BENCH_WORK}/active.sql";
open my $script, '>', $file or die "could not write $file: $!";
print $script "\\set n random(1, $tables)\nSELECT count(*) FROM t_:n;\nSELECT pg_sleep(0.2);\n";
close $script;
my $load = background("$ENV{BENCH_WORK}/active.log", qw(pgbench -U bench -n -c 50 -j 1 -T 1000 -f), $file, 'shop');
my $end = now() + 30;
until ($home->("SELECT count(*) >= 45 FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'active'") eq 't') {
	die "50 sessions did not become active\n" if now() > $end;
	sleep 0.1;
}
watch('50 active', $minutes);

# Ticks one after the other, with the sessions at work. Before each, every table's counters move and every session has gone on to
# another statement, so that a tick finds no less changed than at its own interval.
my %runs = quick() ? (hot => 5, workload => 5, storage => 3, hourly => 3) : (hot => 40, workload => 40, storage => 12, hourly => 12);
for my $loop (qw(hot workload storage hourly)) {
	my (@wal, @wall, @first, %sum);
	my ($ring, @probes) = (ring(), probes($loop));
	for (1 .. $runs{$loop}) {
		touch($shop, $tables, 'SELECT count(*) FROM t_%s');
		sleep 0.3;
		my ($wal, $before, $began) = (wal(), cluster_cpu($postmaster), now());
		$home->("SELECT pgdba.sample_now('$loop')");
		push @wall, now() - $began;
		$sum{cpu} += pgdba_cpu(spent($before, cluster_cpu($postmaster)));
		push @wal, wal() - $wal;
	}
	$ring = ring() - $ring;
	my @after = probes($loop);
	for (1 .. (quick() ? 2 : 5)) {
		touch($shop, $tables, 'SELECT count(*) FROM t_%s');
		$home->('CHECKPOINT');
		my $wal = wal();
		$home->("SELECT pgdba.sample_now('$loop')");
		push @first, wal() - $wal;
	}
	record('tick', loop => $loop, runs => $runs{$loop}, cpu_ms => 1000 * $sum{cpu} / $runs{$loop}, wall_ms => 1000 * median(@wall),
		probes_cpu_ms => 1000 * ($after[1] - $probes[1]) / $runs{$loop}, probes_wall_ms => 1000 * ($after[0] - $probes[0]) / $runs{$loop},
		wal_bytes => median(@wal), wal_most => percentile(100, @wal), first_wal_bytes => median(@first),
		ring_bytes => $ring / $runs{$loop});
}
stop($load);

my @health;
for (1 .. (quick() ? 5 : 30)) {
	my $began = now();
	$home->('SELECT count(*) FROM pgdba.health()');
	push @health, 1000 * (now() - $began);
}
record('health', median_ms => median(@health), most_ms => percentile(100, @health));
record('dead_rows', rows => dead_rows() - $dead, written => 0 + $home->(q{SELECT sum(pg_stat_get_tuples_inserted(c.oid)) FROM pg_class c
	WHERE relnamespace = 'pgdba'::regnamespace AND relkind = 'r' AND relname LIKE 'ring%'}));
# What failed has cost too little. A budget or a lock may run out on a busy machine.
record('failed', probes => join '; ', $home->(q{SELECT probe || ': ' || last_error FROM pgdba.cost()
	WHERE errors > 0 AND last_error !~ '57014|55P03'}));
