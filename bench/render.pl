#!/usr/bin/perl
# Renders the results of a run: as text, or with file names between the marker comments of those files.
#   <!-- bench:begin --> ... <!-- bench:end -->                    the table
#   <!-- bench:details:begin --> ... <!-- bench:details:end -->    what is behind it, where a file has these markers
#   <!-- bench:size:begin --> ... <!-- bench:size:end -->          cost against size, where a file has these markers
#   <!-- bench:peers:begin --> ... <!-- bench:peers:end -->        beside powa, where a file has these markers
#   <!-- bench:waits:begin --> ... <!-- bench:waits:end -->        waits, beside pg_wait_sampling, where a file has these markers
#   <!-- bench:latency:begin --> ... <!-- bench:latency:end -->    the estimated 95th percentile, where a file has these markers
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench qw(median wanted);
use Details;
use Format;
use Growth;
use Results;

my %per_hour = (hot => 240, workload => 60, storage => 6, hourly => 1);
my $checkpoints = 12; # an hour, at the default checkpoint_timeout

sub conditions {
	my ($machine, $end) = (one('machine'), one('end'));
	my $text = "Measured on $machine->{date}: pgdba $machine->{pgdba} ($machine->{probes} probes, $machine->{checks} checks),"
	  . " PostgreSQL $machine->{postgres}, prometheus-postgres-exporter $machine->{exporter}; $machine->{os},"
	  . " $machine->{cores} cores ($machine->{cpu}), $machine->{memory_gb} GB; load $machine->{load} before, $end->{load} at the end.\n\n";
	return $ENV{BENCH_QUICK} ? "A QUICK RUN: it proves that the bench works; these are no figures.\n\n$text" : $text;
}

# A row: pgdba's amounts, the exporter's. And one beside a goal.
sub compare {
	my ($what, $unit, $ours, $theirs) = @_;
	return row($what, amounts($unit, @$ours), amounts($unit, @$theirs), ratios($ours, $theirs));
}
sub goal {
	my ($what, $unit, $ours, $goal) = @_;
	return row($what, amounts($unit, @$ours), 'goal ' . amounts($unit, @$goal), ratios($ours, $goal));
}

# Over a connection that is kept, but where there would be none: pgdba keeps an idle one for less than 15 s.
sub scrape {
	my ($who, $kind, $tables) = @_;
	return one('scrape', who => $who, kind => $kind, tables => $tables, connection => $kind eq 'new sample' ? 'new' : 'kept');
}

sub scrapes {
	my ($size) = @_;
	my ($ours, $theirs) = (scrape('pgdba', 'new sample', $size), scrape('exporter', 'scrape', $size));
	my ($minute, $tables) = (one('minute', tables => $size), number($size) . ' tables');
	my ($mine, $others) = @$minute{qw(pgdba_ms exporter_ms)};
	return compare("$tables: CPU of a scrape", 'ms', [$ours->{cpu_ms}], [$theirs->{cpu_ms}])
	  . compare("$tables: latency of a scrape, p50 / p99", 'ms', [@$ours{qw(p50_ms p99_ms)}], [@$theirs{qw(p50_ms p99_ms)}])
	  # Scraped less often, the sampling stays, the scrapes shrink.
	  . compare("$tables: CPU per minute, all in all, scraped every 15 s / 60 s", 'ms',
		[$mine, $mine - 0.75 * $minute->{pgdba_scrape_ms}], [$others, $others / 4])
	  . compare("$tables: size of a scrape", 'bytes', [$ours->{bytes}], [$theirs->{bytes}])
	  . compare("$tables: series", '', [$ours->{series}], [$theirs->{series}]);
}

sub at_one_size {
	my ($size) = @_;
	my ($minute, $tables) = (one('minute', tables => $size), number($size) . ' tables');
	my ($again, $theirs) = (scrape('pgdba', 'repeated', $size), scrape('exporter', 'scrape', $size));
	my ($fresh, $default) = (scrape('pgdba', 'new sample', $size), scrape('exporter_default', 'scrape', $size));
	my $memory = 0;
	$memory += $minute->{"pgdba_${_}_memory"} for qw(sampler server launcher);
	return compare("$tables, the exporter not asked for tables: CPU of a scrape / per minute at 15 s", 'ms',
		[$fresh->{cpu_ms}, $minute->{pgdba_ms}], [$default->{cpu_ms}, $minute->{exporter_default_ms}])
	  . compare("$tables, the same page again within the second: latency, p50 / p99", 'ms', [@$again{qw(p50_ms p99_ms)}], [@$theirs{qw(p50_ms p99_ms)}])
	  . compare("$tables: private memory", 'bytes', [$memory], [$minute->{exporter_memory}])
	  . row('statements run by a scrape', number($again->{statements}), number($theirs->{statements}), '-')
	  . row('connections held', $minute->{pgdba_connections}, $minute->{exporter_connections}, '-');
}

sub sampling {
	my %tick = map { $_ => one('tick', loop => $_) } keys %per_hour;
	my @watch = (one('watch', state => 'idle'), one('watch', state => '50 active'));
	my $hourly = sub { # COLUMN, LOOP...: over the ticks of an hour
		my ($column, @loop) = @_;
		my $sum = 0;
		$sum += $per_hour{$_} * $tick{$_}{$column} for @loop;
		return $sum;
	};
	my $cpu = $hourly->('cpu_ms', 'storage', 'hourly') / 36000; # percent of a core
	my $wal = $hourly->('wal_bytes', 'storage', 'hourly');
	my $full_pages = 0; # which the first tick of a loop after a checkpoint adds
	for my $loop (keys %tick) {
		my $first = $per_hour{$loop} < $checkpoints ? $per_hour{$loop} : $checkpoints;
		$full_pages += $first * ($tick{$loop}{first_wal_bytes} - $tick{$loop}{wal_bytes});
	}
	my $dead = one('dead_rows');
	return goal('CPU of all processes, nobody scrapes, idle / 50 active sessions', '% of a core', [map { $_->{percent} + $cpu } @watch], [0.10, 0.15])
	  . goal('a workload tick, 200 tables, 1,000 statements: its probes / all of it', 'ms', [@{ $tick{workload} }{qw(probes_wall_ms wall_ms)}], [5, 5])
	  . goal('`health()`', 'ms', [one('health')->{median_ms}], [20])
	  . goal('WAL per hour, idle / 50 active sessions', 'bytes', [map { 60 * $_->{wal_bytes} + $wal } @watch], [2.4e6, 2.4e6])
	  . row("the same: full pages after $checkpoints checkpoints an hour, in addition", bytes($full_pages), '-', '-')
	  . row('disk per hour, until retention makes it flat', bytes($hourly->('ring_bytes', keys %tick)), '-', '-')
	  . row('dead rows after ' . number($dead->{written}) . ' samples', $dead->{rows}, 'goal 0', '-');
}

sub preload {
	my ($kind, $what, $unit) = @_;
	my @round = all('preload', kind => $kind);
	my $line = sub { # LABEL, UNIT, SUFFIX of the column
		my ($label, $of, $suffix) = @_;
		my %median = map { my $name = $_ . $suffix; $_ => median(map { $_->{$name} } @round) } qw(pgdba plain);
		my %range = map { my $name = $_ . $suffix; $_ => range(map { $_->{$name} / $_->{"plain$suffix"} } @round) } qw(pgdba again);
		return row($label, amounts($of, $median{pgdba}), 'without: ' . amounts($of, $median{plain}), "$range{pgdba}; noise $range{again}");
	};
	return $line->($what, $unit, '') . $line->("$what: the server's CPU", 'us', '_cpu');
}

sub table {
	my ($middle) = grep { $_ >= 250 } sizes();
	return join '', conditions(), heading('measured', 'pgdba', 'compared with', 'ratio'),
	  (map { scrapes($_) } sizes()), at_one_size($middle), sampling(),
	  preload('connect', 'with the library: a connection', 'ms'), preload('select', 'with the library: select-only, 4 clients', 'tps'),
	  preload('write', 'with the library: TPC-B-like, 4 clients', 'tps');
}

sub percentiles {
	my $text = conditions() . heading('statements', 'p95 of the sleep', 'pgbench: mean / p95', 'pgdba: mean / p95',
		'ratio of the means', 'ratio of p95', 'ratio of p95 to that of the sleep');
	for my $kind (all('latency')) {
		my ($theirs, $ours, $asked) = ([@$kind{qw(mean_ms p95_ms)}], [@$kind{qw(our_mean_ms our_p95_ms)}], $kind->{asked_p95_ms});
		$text .= row($kind->{kind}, $asked ? amounts('ms', $asked) : '-', amounts('ms', @$theirs), amounts('ms', @$ours),
			(map { number($ours->[$_] / $theirs->[$_]) } 0, 1), $asked ? number($ours->[1] / $asked) : '-');
	}
	return $text;
}

sub waits {
	my $text = conditions() . 'pg_wait_sampling ' . one('waits_peer')->{version} . ".\n\n"
	  . heading('measured', 'pgdba', 'pg_wait_sampling', 'ratio', 'goal');
	my %goal = (idle => 0.1, '50 active' => 0.15, '1,000 active' => 1);
	for my $cost (all('waits_cost')) {
		my @percent = @$cost{qw(pgdba pg_wait_sampling)};
		$text .= row("CPU, $cost->{state}", (map { amounts('% of a core', $_) } @percent), ratio(@percent), amounts('%', $goal{ $cost->{state} }));
	}
	for my $kind (all('waits_truth')) {
		$text .= row("seconds of $kind->{kind}: " . number($kind->{true_seconds}) . ', seen',
			(map { sprintf '%s (%+.2f %%)', number($_), 100 * ($_ / $kind->{true_seconds} - 1) } @$kind{qw(our_seconds their_seconds)}), '-', '2 %');
	}
	my $span = one('waits_span');
	return $text
	  . row("single looks reach back, $span->{processes} processes, 50 of them change 10 times a second",
		(map { amounts('s', $_) } @$span{qw(pgdba pg_wait_sampling)}), ratio(@$span{qw(pgdba pg_wait_sampling)}), '-')
	  . row('shared memory for that', amounts('bytes', $span->{memory}), '-', '-', '8 MB');
}

sub place { # between the markers; says whether there were any
	my ($page, $name, $text) = @_;
	return $$page =~ s/(<!-- bench:${name}begin -->\n).*?(<!-- bench:${name}end -->)/$1\n$text\n$2/s;
}

# What was measured, by the names of its markers.
my %text = (
	wanted('size') ? ('size:' => conditions() . against_size(\%per_hour), 'peers:' => beside_peers()) : (),
	wanted('waits') ? ('waits:' => waits()) : (),
	wanted('latency') ? ('latency:' => percentiles()) : (),
	!wanted('') ? () : ('' => table(), 'details:' => details(\%per_hour)),
);

print join "\n", map { $text{$_} } sort keys %text unless @ARGV;
for my $path (@ARGV) {
	open my $in, '<', $path or die "could not open $path: $!\n";
	my $page = do { local $/; <$in> };
	for my $name (sort keys %text) {
		place(\$page, $name, $text{$name}) or $name ne '' or die "$path has no line <!-- bench:begin --> before a line <!-- bench:end -->\n";
	}
	# Into the file that is there, so that its owner and mode stay.
	open my $out, '>', $path or die "could not open $path: $!\n";
	print $out $page;
	close $out or die "could not write $path: $!\n";
}
