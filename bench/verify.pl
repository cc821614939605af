#!/usr/bin/perl
# Judges whether the results of a run can be what they claim to be: everything was measured, both sides gave what they should, and
# pgdba kept what it promises whatever the machine. It says nothing about speed.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench qw(wanted);
use Results;

my ($right, @wrong) = (0);

sub must {
	my ($holds, $what, $record) = @_;
	return $right++ if $holds;
	push @wrong, join ' ', $what, 'in', map { "$_=$record->{$_}" } grep { !ref $record->{$_} } sort keys %$record;
}

sub scrapes_and_sampling {
	for my $size (sizes()) {
		my @scrape = all('scrape', tables => $size);
		must(@scrape == 8, 'eight kinds of scrape', { tables => $size, found => scalar @scrape });
		for my $scrape (@scrape) {
			my $ours = $scrape->{who} eq 'pgdba';
			must($scrape->{up}, 'a page that says it is up', $scrape) unless $ours;
			must(!$scrape->{errors}, 'no error of the exporter', $scrape);
			must($scrape->{p50_ms} > 0 && $scrape->{p50_ms} <= $scrape->{p99_ms}, 'a latency', $scrape);
			must($scrape->{cpu_ms} > 0, 'CPU', $scrape);
			must($scrape->{series} > 100, 'series', $scrape);
			must($scrape->{statements} == 0, 'no statement run by a scrape', $scrape) if $scrape->{kind} eq 'repeated';
			must($scrape->{statements} >= 1, 'statements run by a scrape', $scrape) unless $ours;
			must($scrape->{series} > 20 * $size, 'series of each table', $scrape) if $scrape->{who} eq 'exporter';
		}
		my $minute = one('minute', tables => $size);
		must($minute->{ticks}{hot} > 0, 'a tick within the minute', $minute);
		must($minute->{pgdba_ms} >= $minute->{pgdba_scrape_ms} && $minute->{pgdba_scrape_ms} > 0, 'CPU of pgdba', $minute);
		must($minute->{exporter_ms} > 0 && $minute->{exporter_default_ms} > 0, 'CPU of the exporters', $minute);
		must($minute->{pgdba_sampler_memory} > 0 && $minute->{exporter_memory} > 0, 'memory', $minute);
		must($minute->{pgdba_connections} == 0, 'no connection of pgdba', $minute);
		must($minute->{exporter_connections} > 0, 'connections of the exporter', $minute);
	}
	for my $watch (one('watch', state => 'idle'), one('watch', state => '50 active')) {
		must($watch->{percent} > 0 && $watch->{percent} < 50, 'CPU', $watch);
		must($watch->{statements} >= 1000, 'statements in pg_stat_statements', $watch);
		must($watch->{state} eq 'idle' ? $watch->{active} == 0 : $watch->{active} >= 25, 'as many active sessions as it says', $watch);
		must($watch->{ticks}{hot} > 0 && $watch->{wal_bytes} > 0, 'ticks that were written', $watch);
	}
	for my $tick (map { one('tick', loop => $_) } qw(hot workload storage hourly)) {
		must($tick->{cpu_ms} > 0 && $tick->{wall_ms} > 0, 'time', $tick);
		must($tick->{wal_bytes} > 0 && $tick->{first_wal_bytes} > 0, 'WAL', $tick);
		must($tick->{ring_bytes} >= 0, 'a ring that does not shrink', $tick);
	}
	my $dead = one('dead_rows');
	must($dead->{written} > 0 && $dead->{rows} == 0, 'rows written, none dead', $dead);
	must(one('failed')->{probes} eq '', 'no probe that failed', one('failed'));
	must(one('health')->{median_ms} > 0, 'an answer of health()', one('health'));
	must(one('preload_ticks')->{ticks} > 0, 'ticks beside pgbench', one('preload_ticks'));
	for my $kind (qw(connect select write)) {
		my @round = all('preload', kind => $kind);
		must(@round >= ($ENV{BENCH_QUICK} ? 1 : 5), 'rounds', { kind => $kind, rounds => scalar @round });
		for my $round (@round) {
			must($round->{$_} > 0 && $round->{"${_}_cpu"} > 0, "a figure of $_", $round) for qw(plain again pgdba);
		}
	}
}

sub growth {
	my %sizes = (tables => [2, 5], databases => [2, 4], statements => [2, 4], sessions => [2, 3]); # quick, or not
	for my $dimension (sort keys %sizes) {
		my @end = all('size_end', dimension => $dimension);
		must(@end == $sizes{$dimension}[$ENV{BENCH_QUICK} ? 0 : 1], 'all sizes', { dimension => $dimension, found => scalar @end });
		for my $end (@end) {
			must($end->{memory} > 0, 'memory', $end);
			must($end->{errors} eq '', 'no probe that failed', $end);
			for my $tick (map { one('size', dimension => $dimension, size => $end->{size}, loop => $_) } qw(hot workload storage hourly)) {
				must($tick->{$_} > 0, $_, $tick) for qw(cpu_ms wall_ms probes_cpu_ms wal_bytes bytes rows);
			}
		}
	}
	for my $tick (map { all('size', dimension => 'databases', loop => $_) } qw(storage hourly)) {
		must($tick->{visited} >= ($tick->{size} < 100 ? $tick->{size} : 100), 'visited databases', $tick);
	}
	my ($ours, $powa) = map { one('snapshot', who => $_) } qw(pgdba powa);
	for my $side ($ours, $powa) {
		must($side->{$_} > 0, $_, $side) for qw(cpu_ms wall_ms wal_bytes rows);
	}
	must($ours->{dead} == 0, 'no dead row', $ours);
}

# How true is judged in the tests; here, that both have seen what was there.
sub waits {
	my @kind = all('waits_truth');
	must(@kind == 3, 'all kinds of waits', { found => scalar @kind });
	for my $kind (@kind) {
		must($kind->{$_} > 0.5 * $kind->{true_seconds} && $kind->{$_} < 1.5 * $kind->{true_seconds}, $_, $kind) for qw(our_seconds their_seconds);
	}
	for my $cost (map { one('waits_cost', state => $_) } 'idle', '50 active', '1,000 active') {
		must($cost->{$_} > 0, "CPU of $_", $cost) for qw(pgdba pg_wait_sampling);
	}
	must(one('waits_span')->{$_} > 0, "span or size of $_", {}) for qw(pgdba pg_wait_sampling memory);
}

# The estimate is judged by nobody here, but it is of what pgbench ran.
sub percentiles {
	my @kind = all('latency');
	must(@kind == 9, 'all kinds of latencies', { found => scalar @kind });
	for my $kind (@kind) {
		must($kind->{$_} > 0, $_, $kind) for qw(mean_ms p95_ms our_mean_ms our_p95_ms);
		must(abs($kind->{statements} - $kind->{transactions}) < 0.01 * $kind->{transactions} + 10, 'as many statements as transactions', $kind);
	}
}

scrapes_and_sampling() if wanted('');
growth() if wanted('size');
waits() if wanted('waits');
percentiles() if wanted('latency');
print "$right of the results' properties hold, ", scalar(@wrong), " do not\n";
print "not as it must be: $_\n" for @wrong;
exit(@wrong ? 1 : 0);
