# Numbers and rows as the tables show them.
package Format;

use strict;
use warnings FATAL => 'all';

use Bench qw(median);
use Exporter qw(import);
use POSIX ();

our @EXPORT = qw(number bytes amounts ratio ratios row heading range);

sub number { # three significant digits, thousands apart
	my ($value) = @_;
	my $digits = $value == 0 ? 0 : 2 - POSIX::floor(log(abs $value) / log 10);
	my $text = $digits > 0 ? sprintf '%.*f', $digits > 3 ? 3 : $digits, $value : sprintf '%.0f', $value;
	$text =~ s/\.?0+$// if $text =~ /\./;
	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}
sub bytes {
	my ($value) = @_;
	return number($value) . ' B' if $value < 1000;
	return number($value / 1e3) . ' kB' if $value < 1e6;
	return number($value / 1e6) . ' MB';
}
sub ratio { # of pgdba's figure to the other
	my ($ours, $theirs) = @_;
	return '-' unless $ours && $theirs;
	return $ours / $theirs < 0.5 ? '1/' . number($theirs / $ours) : number($ours / $theirs);
}
# amounts UNIT, VALUE...: "1 / 2 ms". Unit `bytes` is scaled.
sub amounts {
	my ($unit, @value) = @_;
	return join ' / ', map { bytes($_) } @value if $unit eq 'bytes';
	return join(' / ', map { number($_) } @value) . ($unit eq '' ? '' : " $unit");
}
sub ratios {
	my ($ours, $theirs) = @_;
	return join ', ', map { ratio($ours->[$_], $theirs->[$_]) } 0 .. $#$ours;
}
sub row { return '| ' . join(' | ', @_) . " |\n"; }
sub heading { return row(@_) . '|' . '---|' x @_ . "\n"; }
sub range { # median (least to most)
	my (@value) = sort { $a <=> $b } @_;
	return sprintf '%.3f (%.3f to %.3f)', median(@value), $value[0], $value[-1];
}

1;
