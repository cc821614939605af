#!/usr/bin/perl
# Plots CPU of a tick against size, with gnuplot: plot.pl FILE. A panel for each kind of size, a line for each loop.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Results;

my ($path) = @ARGV;
my @loops = qw(hot workload storage hourly);
my @colors = ('#4a1486', '#1b7837', '#d95f0e', '#2b8cbe');

my $script = qq{set terminal svg size 960, 720 font 'sans-serif, 14' background '#ffffff'
set output '$path'
set multiplot layout 2, 2
set logscale xy
set grid
set key top left
set format x '10^{%L}'
set format y '10^{%L}'
set ylabel 'CPU of a tick, ms'
};
for my $dimension (qw(tables databases statements sessions)) {
	my @size = map { $_->{size} } all('size_end', dimension => $dimension);
	$script .= "set xlabel '$dimension'\n\$data << end\n";
	for my $size (@size) {
		$script .= join(' ', $size, map { one('size', dimension => $dimension, size => $size, loop => $_)->{cpu_ms} } @loops) . "\n";
	}
	my @line = map { "\$data using 1:" . ($_ + 2) . " with linespoints linewidth 2 pointtype 7 pointsize 0.6 linecolor '$colors[$_]' title '$loops[$_]'" } 0 .. $#loops;
	$script .= "end\nplot [][1:100000] " . join(', ', @line) . "\n";
}

# Where it is not installed it was unpacked.
if (my ($libraries) = glob "$ENV{BENCH_TOOLS}/usr/lib/*-linux-gnu*") {
	$ENV{LD_LIBRARY_PATH} = $libraries;
	$ENV{GNUPLOT_LIB} = "$ENV{BENCH_TOOLS}/usr/share/gnuplot";
	$ENV{PATH} = "$ENV{BENCH_TOOLS}/usr/bin:$ENV{PATH}";
}
my ($program) = grep { -x } map { ("$_/gnuplot", "$_/gnuplot-nox") } split /:/, $ENV{PATH};
open my $gnuplot, '|-', $program // die "there is no gnuplot\n" or die "could not run $program: $!\n";
print $gnuplot $script;
close $gnuplot or die "gnuplot failed\n";
