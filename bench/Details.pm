# The tables behind the table: every scrape, every loop, every round.
package Details;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use Format;
use Results;

our @EXPORT = qw(details);

sub scrapes {
	my $text = "Scrapes, in milliseconds. CPU: of the process + of its backends. `new sample` is what one gets who scrapes every 15 s.\n\n"
	  . heading('tables', 'who', 'connection', 'scrapes', 'CPU', 'p50', 'p99', 'series', 'statements');
	for my $scrape (map { all('scrape', tables => $_) } sizes()) {
		my $who = $scrape->{who} eq 'pgdba' ? "pgdba, $scrape->{kind}" : $scrape->{who} eq 'exporter' ? 'exporter' : 'exporter, not asked for tables';
		my $cpu = join ' + ', map { number($_) } @$scrape{qw(own_cpu_ms server_cpu_ms)};
		my $statements = defined $scrape->{statements} ? number($scrape->{statements}) : '-';
		$text .= row(number($scrape->{tables}), $who, @$scrape{qw(connection scrapes)}, $cpu,
			(map { number($scrape->{$_}) } qw(p50_ms p99_ms series)), $statements);
	}
	return $text;
}

sub minutes {
	my $text = "A minute of pgdba by process, milliseconds of CPU, and private memory. `ended` are readers, which come and go.\n\n"
	  . heading('tables', 'sampler', 'server, 4 scrapes', 'launcher', 'ended', 'postmaster',
		'a storage tick', 'an hourly tick', 'memory: sampler / server / launcher');
	for my $minute (map { one('minute', tables => $_) } sizes()) {
		my @cpu = map { number(1000 * ($minute->{by_kind}{$_} // 0)) }
		  'pgdba sampler', 'pgdba server', 'pgdba launcher', qw(ended postmaster storage hourly);
		$text .= row(number($minute->{tables}), @cpu, amounts('bytes', map { $minute->{"pgdba_${_}_memory"} } qw(sampler server launcher)));
	}
	return $text;
}

sub ticks {
	my ($per_hour) = @_;
	my $text = "A tick of each loop, with 50 active sessions, 200 tables, 1,000 statements.\n\n"
	  . heading('loop', 'ticks per hour', 'CPU', 'of which probes', 'wall', 'WAL, median', 'WAL, first after a checkpoint', 'disk');
	for my $tick (map { one('tick', loop => $_) } qw(hot workload storage hourly)) {
		$text .= row($tick->{loop}, $per_hour->{ $tick->{loop} }, (map { amounts('ms', $tick->{$_}) } qw(cpu_ms probes_cpu_ms wall_ms)),
			map { bytes($tick->{$_}) } qw(wal_bytes first_wal_bytes ring_bytes));
	}
	return $text;
}

sub rounds {
	my $text = "Rounds with and without pgdba: ms to connect or tps, and the server's CPU for one in us. `again` is the second cluster without.\n\n"
	  . heading('kind', 'round', 'without', 'again', 'with pgdba');
	for my $round (all('preload')) {
		$text .= row(@$round{qw(kind round)}, map { number($round->{$_}) . ', ' . number($round->{"${_}_cpu"}) } qw(plain again pgdba));
	}
	return $text;
}

sub details {
	my ($per_hour) = @_;
	return join "\n", scrapes(), minutes(), ticks($per_hour), rounds();
}

1;
