# The tables of cost against size, and of powa.
package Growth;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use Format;
use Results;

our @EXPORT = qw(against_size beside_peers);

my @loops = qw(hot workload storage hourly);

# CPU of all ticks of an hour at the default intervals, in percent of a core.
sub percent {
	my ($per_hour, @tick) = @_;
	my $sum = 0;
	$sum += $_->{cpu_ms} * $per_hour->{ $_->{loop} } for @tick;
	return $sum / 36000;
}

sub dimension {
	my ($per_hour, $dimension) = @_;
	my $visits = $dimension eq 'databases';
	my $text = "\n" . heading($dimension, 'all loops', (map { "$_: CPU / wall" } @loops), 'rows', 'into rings', 'WAL',
		'sampler\'s memory', 'hot loop late by', $visits ? 'visited by storage / hourly' : ());
	for my $end (all('size_end', dimension => $dimension)) {
		my @tick = map { one('size', dimension => $dimension, size => $end->{size}, loop => $_) } @loops;
		my %sum;
		for my $tick (@tick) {
			$sum{$_} += $tick->{$_} for qw(rows bytes wal_bytes);
		}
		$text .= row(number($end->{size}), number(percent($per_hour, @tick)) . ' %',
			(map { amounts('ms', @$_{qw(cpu_ms wall_ms)}) } @tick), number($sum{rows}), bytes($sum{bytes}), bytes($sum{wal_bytes}),
			bytes($end->{memory}), amounts('ms', $end->{hot_late_ms}), $visits ? join ' / ', map { number($_->{visited}) } @tick[2, 3] : ());
	}
	return $text;
}

sub against_size {
	my ($per_hour) = @_;
	return join '', map { dimension($per_hour, $_) } qw(tables databases statements sessions);
}

# A row: pgdba's amount beside that of somebody else.
sub compare {
	my ($what, $unit, $ours, $theirs) = @_;
	return row($what, amounts($unit, $ours), amounts($unit, $theirs), ratio($ours, $theirs));
}

sub beside_peers {
	my ($ours, $powa, $version) = ((map { one('snapshot', who => $_) } qw(pgdba powa)), one('peers'));
	my ($ticks, $snapshots) = (60, 12); # of an hour, at what each has as default
	return "powa $version->{powa}.\n\n"
	  . heading('measured', 'pgdba, a workload tick', 'powa, a snapshot', 'ratio')
	  . compare('CPU', 'ms', $ours->{cpu_ms}, $powa->{cpu_ms}) . compare('wall', 'ms', $ours->{wall_ms}, $powa->{wall_ms})
	  . compare('WAL', 'bytes', $ours->{wal_bytes}, $powa->{wal_bytes}) . compare('disk', 'bytes', $ours->{disk_bytes}, $powa->{disk_bytes})
	  . row('rows sampled / inserted', join(' / ', map { number($_) } one('snapshot_rows')->{rows}, $ours->{rows}), '- / ' . number($powa->{rows}), '-')
	  . row("dead rows after $powa->{snapshots}", map { number($_) } $ours->{dead}, $powa->{dead}) =~ s/ \|$/ | - |/r
	  . compare("an hour: $ticks ticks, $snapshots snapshots: CPU", 'ms', $ticks * $ours->{cpu_ms}, $snapshots * $powa->{cpu_ms})
	  . compare("an hour: $ticks ticks, $snapshots snapshots: WAL", 'bytes', $ticks * $ours->{wal_bytes}, $snapshots * $powa->{wal_bytes});
}

1;
