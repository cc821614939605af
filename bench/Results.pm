# Reads the results of a run, for the scripts that judge and show them.
package Results;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use JSON::PP;

our @EXPORT = qw(all one sizes);

my @record;

sub load {
	open my $file, '<', $ENV{BENCH_RESULTS} or die "could not open $ENV{BENCH_RESULTS}: $!";
	@record = map { decode_json($_) } <$file>;
}

# all MEASURE, KEY => VALUE...: the records that say so. one: the only one.
sub all {
	my ($measure, %key) = @_;
	load() unless @record;
	return grep {
		my $record = $_;
		$record->{measure} eq $measure && !grep { $record->{$_} ne $key{$_} } keys %key;
	} @record;
}

sub one {
	my @found = all(@_);
	@found == 1 or die scalar(@found) . " results instead of one for: @_\n";
	return $found[0];
}

# The numbers of tables that were scraped at.
sub sizes {
	return sort { $a <=> $b } map { $_->{tables} } all('minute');
}

1;
