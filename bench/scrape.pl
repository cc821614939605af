#!/usr/bin/perl
# Scrapes pgdba and postgres_exporter at a number of tables: `bench/run` calls it, with everything it needs in BENCH_*.
#
# pgdba renders its text anew when a sample or the second has changed. Whoever scrapes every 15 s always meets a new sample, so
# `new sample` is what a scrape costs; `repeated` is the same text again. What sampling costs is added in the minute.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use Process;

my ($tables) = @ARGV;
my ($postmaster, $home, $shop) = ($ENV{BENCH_POSTMASTER}, session('postgres'), session('shop'));
my %port = (pgdba => $ENV{BENCH_PGDBA_PORT}, exporter => $ENV{BENCH_EXPORTER_PORT}, exporter_default => $ENV{BENCH_DEFAULT_PORT});
my %exporter = (exporter => $ENV{BENCH_EXPORTER_PID}, exporter_default => $ENV{BENCH_DEFAULT_PID});

# Statements run so far by a role, or by all but this script.
sub statements {
	my ($role) = @_;
	my $who = $role ? "= '$role'" : "<> 'bench'";
	return $home->("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE rolname $who");
}

# Own and servers' CPU, in seconds.
sub used {
	my ($who) = @_;
	my $used = cluster_cpu($postmaster);
	return ($used->{'pgdba server'}, 0) if $who eq 'pgdba';
	return (cpu($exporter{$who}), $used->{$who} // 0);
}

# scrapes WHO, KIND, keep => is the connection kept, most => N, seconds => when to stop, before => what to do before each.
sub scrapes {
	my ($who, $kind, %option) = @_;
	my ($most, $limit, $before) = (@option{qw(most seconds)}, $option{before} // sub { });
	my (@seconds, @cpu, $body);
	my $socket = connect_to($port{$who});
	get($socket);
	my ($own, $servers) = (0, 0);
	my $calls = statements($who eq 'pgdba' ? undef : $who);
	my $end = now() + $limit;
	my @start = used($who);
	while (@seconds < 5 || (@seconds < $most && now() < $end)) {
		if ($option{before}) {
			$before->();
			@start = used($who);
		}
		my $began = now();
		$socket = connect_to($port{$who}) unless $option{keep};
		my $connected = now() - $began;
		(my $second, $body) = get($socket);
		push @seconds, $connected + $second;
		if ($option{before}) {
			my @stop = used($who);
			$own += $stop[0] - $start[0];
		}
	}
	if (!$option{before}) {
		my @stop = used($who);
		($own, $servers) = ($stop[0] - $start[0], $stop[1] - $start[1]);
	}
	$calls = statements($who eq 'pgdba' ? undef : $who) - $calls;
	return {
		who => $who, kind => $kind, tables => $tables + 0, connection => $option{keep} ? 'kept' : 'new', scrapes => scalar @seconds,
		p50_ms => 1000 * median(@seconds), p99_ms => 1000 * percentile(99, @seconds), cpu_ms => 1000 * ($own + $servers) / @seconds,
		own_cpu_ms => 1000 * $own / @seconds, server_cpu_ms => 1000 * $servers / @seconds, bytes => length $body,
		series => scalar(() = $body =~ /^[^#\n]/mg), $option{before} ? () : (statements => $calls / @seconds),
		up => $body =~ /^(?:pg_up|pgdba_up)\S* 1$/m ? 1 : 0, errors => $body =~ /^pg_exporter_last_scrape_error\S* 1$/m ? 1 : 0,
	};
}

# Statements are counted while no loop ticks.
sub quiet_scrapes {
	my @arguments = @_;
	for (1 .. 20) {
		my $before = join ' ', $home->('SELECT ticks FROM pgdba.loops ORDER BY loop');
		my $result = scrapes(@arguments);
		return $result if $before eq join ' ', $home->('SELECT ticks FROM pgdba.loops ORDER BY loop');
	}
	die "a loop ticked in each of 20 series of scrapes\n";
}

grow($shop, $tables);
$home->("SELECT pgdba.sample_now()") for 1 .. 2;
my $seconds = quick() ? 0.3 : 4;
for my $keep (1, 0) {
	record('scrape', %{ scrapes('pgdba', 'new sample', keep => $keep, most => quick() ? 5 : 200, seconds => $seconds,
		before => sub { $home->("SELECT pgdba.sample_now('hot')") }) });
	record('scrape', %{ quiet_scrapes('pgdba', 'repeated', keep => $keep, most => 2000, seconds => $seconds) });
	for my $who (sort keys %exporter) {
		record('scrape', %{ scrapes($who, 'scrape', keep => $keep, most => 500, seconds => $seconds) });
	}
}

# What the slow loops cost, when every table has changed since their last tick: the minute below has none of them.
my %slow;
for my $loop (qw(storage hourly)) {
	my ($runs, $sum) = (3, 0);
	for (1 .. $runs) {
		touch($shop, $tables, 'UPDATE t_%s SET v = v + 1');
		my $before = cluster_cpu($postmaster);
		$home->("SELECT pgdba.sample_now('$loop')");
		$sum += pgdba_cpu(spent($before, cluster_cpu($postmaster)));
	}
	$slow{$loop} = $sum / $runs;
}

# A minute as it is: each is scraped four times, the loops tick by themselves, and 50 updates a second go to tables all over.
open my $script, '>', "$ENV{BENCH_WORK}/update.sql" or die "could not write: $!";
print $script "\\set n random(1, $tables)\nUPDATE t_:n SET v = v + 1;\n";
close $script;
$ENV{PGOPTIONS} = '-c pg_stat_statements.track=none';
my $load = background("$ENV{BENCH_WORK}/update.log", qw(pgbench -U bench -n -c 1 -R 50 -T 1000 -f), "$ENV{BENCH_WORK}/update.sql", 'shop');
$home->("SELECT pgdba.sample_now()");
get(connect_to($port{$_})) for keys %port;
my $ticks = ticks($home);
my ($before, %own) = (cluster_cpu($postmaster), map { $_ => -cpu($exporter{$_}) } keys %exporter);
my $began = now();
for my $quarter (0 .. 3) {
	sleep_until($began + ($quarter + 0.5) * minute() / 4);
	get(connect_to($port{$_})) for sort keys %port; # pgdba does not keep a connection that idles for so long
}
sleep_until($began + minute());
my $spent = spent($before, cluster_cpu($postmaster));
$own{$_} += cpu($exporter{$_}) for keys %exporter;
$ticks = spent($ticks, ticks($home));
stop($load);

record('minute', tables => $tables + 0, ticks => $ticks,
	pgdba_ms => 1000 * (pgdba_cpu($spent) + $slow{storage} / 10 + $slow{hourly} / 60), by_kind => { %$spent, %slow },
	pgdba_scrape_ms => 1000 * $spent->{'pgdba server'},
	(map { ("${_}_ms" => 1000 * ($own{$_} + $spent->{$_})) } keys %exporter),
	(map { ("pgdba_${_}_memory" => private_memory($postmaster, "^pgdba $_\$")) } qw(sampler server launcher)), pgdba_connections => 0 + $home->(
		"SELECT count(*) FROM pgdba.processes JOIN pg_stat_activity USING (pid) WHERE backend_type = 'client backend'"),
	exporter_memory => private_memory($postmaster, $exporter{exporter}) + private_memory($postmaster, '^exporter$'),
	exporter_connections => 0 + $home->("SELECT count(*) FROM pg_stat_activity WHERE usename = 'exporter'"));
