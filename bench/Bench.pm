# What the measuring scripts share: a record of a result, a psql session that stays, processes in the background, a scrape.
package Bench;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use IO::Socket::INET;
use IPC::Open2;
use JSON::PP;
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

our @EXPORT = qw(quick wanted minute record now sleep_until median percentile session background stop grow touch ticks connect_to get);

my @children;
$SIG{INT} = $SIG{TERM} = sub { exit 130 };
END { my $status = $?; stop($_) for @children; $? = $status; }

# A quick run proves that everything works. Its minute lasts four seconds, and the loops run as much faster.
sub quick { return $ENV{BENCH_QUICK}; }
# Whether this run measures it: what it is asked to measure alone, or everything, as which '' is known.
sub wanted { return $ENV{BENCH_ONLY} eq '' || $ENV{BENCH_ONLY} eq $_[0]; }
sub minute { return quick() ? 4 : 60; }

# record MEASURE, KEY => VALUE...: a line of the results.
sub record {
	my ($measure, %value) = @_;
	open my $file, '>>', $ENV{BENCH_RESULTS} or die "could not open $ENV{BENCH_RESULTS}: $!";
	print $file JSON::PP->new->canonical->encode({ measure => $measure, %value }), "\n";
	close $file or die "could not write $ENV{BENCH_RESULTS}: $!";
}

sub now { return clock_gettime(CLOCK_MONOTONIC); }

sub sleep_until {
	my ($time) = @_;
	my $left = $time - now();
	sleep $left if $left > 0;
}

# ---- statistics ----

sub percentile {
	my ($share, @value) = @_;
	@value = sort { $a <=> $b } @value;
	my $rank = int($share / 100 * @value + 0.999999);
	return $value[$rank < 1 ? 0 : $rank - 1];
}
sub median {
	my @value = sort { $a <=> $b } @_;
	return ($value[$#value / 2] + $value[@value / 2]) / 2;
}

# ---- SQL ----

# session DATABASE: a psql that stays; call it with a statement, it returns the rows as text. It stays out of the statistics
# of statements, and its role is its own, so that whatever else ran statements can be told from it.
sub session {
	my ($database) = @_;
	local $ENV{PGOPTIONS} = '-c pg_stat_statements.track=none -c client_min_messages=warning';
	my @command = (qw(psql -X -A -t -q -v ON_ERROR_STOP=1 -U bench -d), $database);
	my $pid = open2(my $out, my $in, @command);
	push @children, $pid;
	return sub {
		my ($statement) = @_;
		print $in "$statement;\n\\echo <done>\n";
		$in->flush;
		my @row;
		while (defined(my $line = <$out>)) {
			chomp $line;
			return wantarray ? @row : $row[0] if $line eq '<done>';
			push @row, $line;
		}
		die "psql ended at: $statement\n";
	};
}

# background COMMAND...: its pid. stop PID: ends it and waits for it.
sub background {
	my ($output, @command) = @_;
	my $pid = fork() // die "could not fork: $!";
	if (!$pid) {
		open STDOUT, '>', $output or die;
		open STDERR, '>&', \*STDOUT or die;
		exec @command or die "could not run $command[0]: $!";
	}
	push @children, $pid;
	return $pid;
}

sub stop {
	my ($pid) = @_;
	return unless grep { $_ == $pid } @children;
	@children = grep { $_ != $pid } @children;
	kill TERM => $pid;
	waitpid $pid, 0;
}

# The tables t_1 to t_N, each with an index and a row; those that are missing are made.
sub grow {
	my ($sql, $tables) = @_;
	$sql->("DO \$\$ BEGIN FOR i IN 1 .. $tables LOOP
		IF to_regclass('t_' || i) IS NULL THEN
			EXECUTE format('CREATE TABLE t_%s (id int PRIMARY KEY, v int)', i);
			EXECUTE format('INSERT INTO t_%s VALUES (1, 1)', i);
		END IF;
		IF i % 200 = 0 THEN COMMIT; END IF;
	END LOOP; END \$\$");
	$sql->('SELECT pg_stat_force_next_flush()');
}

# Moves the counters of every table, as the users of a busy server would between two ticks: reads, or updates as well.
sub touch {
	my ($sql, $tables, $statement) = @_;
	$sql->("DO \$\$ BEGIN FOR i IN 1 .. $tables LOOP
		EXECUTE format('$statement', i);
		IF i % 200 = 0 THEN COMMIT; END IF;
	END LOOP; END \$\$");
	$sql->('SELECT pg_stat_force_next_flush()');
}

# Ticks so far, by loop.
sub ticks {
	my ($home) = @_;
	return { map { split /\|/ } $home->('SELECT loop, ticks FROM pgdba.loops') };
}

# ---- HTTP ----

sub connect_to {
	my ($port) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp')
	  // die "nobody listens on port $port: $!\n";
}

# get SOCKET, [PATH]: the body. Uncompressed, over a connection that stays open. Chunks are told apart only after the clock was
# stopped: text has no CR in it, so the last chunk cannot be mistaken. RETURNS: seconds, body.
sub get {
	my ($socket, $path) = @_;
	my ($answer, $length) = ('');
	my $began = now();
	my $request = 'GET ' . ($path // '/metrics') . " HTTP/1.1\r\nHost: localhost\r\n\r\n";
	syswrite($socket, $request) == length $request or die "could not send a request: $!";
	my $head;
	while (1) {
		sysread($socket, $answer, 1 << 20, length $answer) or die "the answer ended early\n";
		if (!defined $head) {
			my $end = index $answer, "\r\n\r\n";
			next if $end < 0;
			$head = substr $answer, 0, $end + 4;
			$length = $1 if $head =~ /^Content-Length: (\d+)/mi;
		}
		last if defined $length
		  ? length($answer) >= length($head) + $length
		  : substr($answer, -7) eq "\r\n0\r\n\r\n";
	}
	my $seconds = now() - $began;
	$head =~ m{^HTTP/1\.1 200 } or die "answered with: $head";
	my $body = substr $answer, length $head;
	$body =~ s/\G([0-9a-f]+)\r\n(.*?)\r\n/$2/gs unless defined $length;
	return ($seconds, $body);
}

1;
