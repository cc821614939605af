# What users do while pgdba is measured: statements of many kinds, sessions. And to wait until it is so.
package Load;

use strict;
use warnings FATAL => 'all';

use Bench;
use Exporter qw(import);
use Time::HiRes qw(sleep);

our @EXPORT = qw(statements sessions wait_for);

# statements SESSION, NUMBER: runs that many statements in it each time it is called, each with an entry of its own in
# pg_stat_statements. They tell themselves apart by the types of their constants: a bit of a number each.
sub statements {
	my ($sql, $number) = @_;
	my $path = "$ENV{BENCH_WORK}/statements.sql";
	open my $script, '>', $path or die "could not write $path: $!";
	for my $bits (1 .. $number) {
		print $script 'SELECT ', join(', ', map { $bits >> $_ & 1 ? q{'a'} : 1 } 0 .. 12), ";\n";
	}
	close $script or die "could not write $path: $!";
	$sql->(q{SET pg_stat_statements.track = 'top'});
	return sub { $sql->("\\i $path") };
}

# sessions NUMBER, DATABASE, SCRIPT: that many sessions that run it over and over, in one pgbench, whose pid it is.
sub sessions {
	my ($number, $database, $text) = @_;
	my $path = "$ENV{BENCH_WORK}/sessions.sql";
	open my $script, '>', $path or die "could not write $path: $!";
	print $script $text;
	close $script or die "could not write $path: $!";
	return background("$ENV{BENCH_WORK}/sessions.log", qw(pgbench -U bench -n -j 1 -T 10000 -c), $number, '-f', $path, $database);
}

# wait_for SESSION, QUERY, [SECONDS]: until it gives true.
sub wait_for {
	my ($sql, $query, $seconds) = @_;
	my $end = now() + ($seconds // 60);
	until ($sql->($query) eq 't') {
		die "not true in time: $query\n" if now() > $end;
		sleep 0.05;
	}
}

1;
