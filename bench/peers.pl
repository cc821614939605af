#!/usr/bin/perl
# What Debian's powa costs, beside pgdba on the same server, with 200 tables and 1,000 statements. `bench/run` calls
# it, on a cluster whose loops do not tick by themselves and where powa takes no snapshot unasked.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Load;
use Process;

my ($postmaster, $home) = ($ENV{BENCH_POSTMASTER}, session('postgres'));
$home->("CREATE DATABASE $_") for qw(shop powa);
my ($shop, $powa, $user) = (session('shop'), session('powa'), session('shop'));
$powa->('CREATE EXTENSION powa CASCADE');
my $backend = $powa->('SELECT pg_backend_pid()');
grow($shop, 200);
my $run_statements = statements($user, quick() ? 100 : 1000);

sub wal { return $home->("SELECT pg_current_wal_insert_lsn() - '0/0'"); }

# Rows inserted so far, dead rows now, bytes on disk: of the tables of one kind, TOAST and all.
sub tables {
	my ($sql, $which) = @_;
	$sql->('SELECT pg_stat_force_next_flush()');
	my %tables;
	@tables{qw(inserted dead bytes)} = split /\|/, $sql->("SELECT sum(pg_stat_get_tuples_inserted(c.oid)),
			sum(pg_stat_get_dead_tuples(c.oid) + coalesce(pg_stat_get_dead_tuples(c.reltoastrelid), 0)), sum(pg_total_relation_size(c.oid))
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND $which");
	return \%tables;
}

# The sides take turns. What a snapshot of powa uses is its session's, what a tick uses is pgdba's processes'.
my %side = (
	powa => {
		take => sub { $powa->('SELECT powa_take_snapshot()') },
		cpu => sub { cpu($backend) },
		tables => sub { tables($powa, q{n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'}) },
	},
	pgdba => {
		take => sub { $home->(q{SELECT pgdba.sample_now('workload')}) },
		cpu => sub { pgdba_cpu(cluster_cpu($postmaster)) },
		tables => sub { tables($home, q{c.relname LIKE 'ring\_%'}) },
	},
);
my $snapshots = quick() ? 2 : 20;
for my $side (values %side) {
	for (1 .. 2) {
		$run_statements->();
		$side->{take}->();
	}
	$side->{before} = $side->{tables}->();
}
for (1 .. $snapshots) {
	for my $side (@side{qw(powa pgdba)}) {
		touch($shop, 200, 'SELECT count(*) FROM t_%s');
		$run_statements->();
		my ($wal, $cpu, $began) = (wal(), $side->{cpu}->(), now());
		$side->{take}->();
		push @{ $side->{wall} }, now() - $began;
		push @{ $side->{cpus} }, $side->{cpu}->() - $cpu;
		push @{ $side->{wals} }, wal() - $wal;
	}
}
for my $who (sort keys %side) {
	my $side = $side{$who};
	my $grown = spent($side->{before}, $side->{tables}->());
	record('snapshot', who => $who, snapshots => $snapshots, cpu_ms => 1000 * median(@{ $side->{cpus} }),
		wall_ms => 1000 * median(@{ $side->{wall} }), wal_bytes => median(@{ $side->{wals} }), rows => $grown->{inserted} / $snapshots,
		disk_bytes => $grown->{bytes} / $snapshots, dead => $grown->{dead});
}
record('snapshot_rows', rows => 0 + $home->(q{SELECT sum(rows) FROM pgdba.cost() WHERE loop = 'workload'}));
record('peers', powa => scalar $powa->(q{SELECT extversion FROM pg_extension WHERE extname = 'powa'}));
