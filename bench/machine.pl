#!/usr/bin/perl
# Records where and when a run took place: machine.pl start|stop EXPORTER. Load is noted at both ends, because neighbours on a shared
# machine are the largest error of all.
use strict;
use warnings FATAL => 'all';

use FindBin qw($RealBin);
use lib $RealBin;
use Bench;
use POSIX qw(strftime);

my ($when, $exporter) = @ARGV;

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return <$file> // '';
}
my ($load) = slurp('/proc/loadavg') =~ /^(\S+)/;

if ($when eq 'start') {
	my $cpuinfo = slurp('/proc/cpuinfo');
	my ($os) = slurp('/etc/os-release') =~ /^PRETTY_NAME="(.*)"/m;
	my $cores = `nproc`;
	my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
	my ($version) = `$exporter --version 2>&1` =~ /version ([\d.]+)/;
	my $home = session('postgres');
	record('machine', date => strftime('%Y-%m-%d', gmtime), cores => $cores + 0, memory_gb => int($memory / 1048576 + 0.5), os => $os,
		cpu => ($cpuinfo =~ /^model name\s*:\s*(.*)/m ? $1 : (POSIX::uname())[4]), kernel => (POSIX::uname())[2], load => $load + 0,
		postgres => scalar $home->(q{SELECT split_part(current_setting('server_version'), ' ', 1)}), exporter => $version,
		pgdba => scalar $home->(q{SELECT extversion FROM pg_extension WHERE extname = 'pgdba'}),
		probes => 0 + $home->('SELECT count(*) FROM pgdba.probe'), checks => 0 + $home->('SELECT count(*) FROM pgdba.checks'));
} else {
	record('end', load => $load + 0);
}
