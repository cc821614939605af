# CPU time and memory of the processes that are measured.
#
# CPU time is read from the kernel's clock of a process: nanoseconds, all threads, also those that have ended. (schedstat
# of each task says the same, but forgets the tasks that are gone.)
package Process;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use Time::HiRes qw(clock_gettime);

our @EXPORT = qw(cpu cluster_cpu spent pgdba_cpu private_memory);

# Seconds that a process has used; undef when there is none. The clock's number is the kernel's MAKE_PROCESS_CPUCLOCK.
sub cpu {
	my ($pid) = @_;
	my $seconds = clock_gettime(-8 * ($pid + 1) + 2);
	return $seconds < 0 ? undef : $seconds;
}

sub stat_fields { # of /proc/PID/stat, from the third on: the second, the name, may hold anything
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or return;
	my $line = <$file> // return;
	return split ' ', substr $line, rindex($line, ')') + 2;
}

# The servers' processes that count here, by what they are: [pid, ...]. Backends are known by their role.
sub processes {
	my ($postmaster) = @_;
	my %pids = (postmaster => [$postmaster]);
	for my $folder (glob '/proc/[0-9]*') {
		my ($pid) = $folder =~ /(\d+)$/;
		my (undef, $parent) = stat_fields($pid) or next;
		next unless $parent == $postmaster;
		open my $file, '<', "$folder/cmdline" or next;
		my $title = <$file> // next;
		push @{ $pids{$1} }, $pid if $title =~ /^postgres: (pgdba \w+|exporter\w*) /;
	}
	return \%pids;
}

# Seconds used so far, by kind of process. `ended` is what processes that are gone have used: transient readers of pgdba, as
# long as nobody else comes and goes. The kernel gives that in hundredths of a second.
sub cluster_cpu {
	my ($postmaster) = @_;
	my $pids = processes($postmaster);
	my %used;
	for my $kind (keys %$pids) {
		$used{$kind} += cpu($_) // 0 for @{ $pids->{$kind} };
	}
	my @stat = stat_fields($postmaster);
	$used{ended} = ($stat[13] + $stat[14]) / 100;
	return \%used;
}

# spent BEFORE, AFTER: the difference by kind.
sub spent {
	my ($before, $after) = @_;
	return { map { $_ => $after->{$_} - ($before->{$_} // 0) } keys %$after };
}

# Of what spent() says, the part that is pgdba's: its processes, its readers, and the postmaster who starts them.
sub pgdba_cpu {
	my ($spent) = @_;
	my $sum = 0;
	$sum += $spent->{$_} for grep { /^pgdba / || $_ eq 'postmaster' || $_ eq 'ended' } keys %$spent;
	return $sum;
}

# Bytes that belong to these processes alone, without the server's shared memory, of which the kernel calls private what only one
# process has touched so far. The kind is a pattern for the kinds of processes(), or a pid.
sub private_memory {
	my ($postmaster, $kind) = @_;
	my $pids = processes($postmaster);
	my $bytes = 0;
	for my $pid ($kind =~ /^\d+$/ ? $kind : map { @{ $pids->{$_} } } grep { /$kind/ } keys %$pids) {
		open my $file, '<', "/proc/$pid/smaps" or next;
		my $shared = 0;
		while (my $line = <$file>) {
			$shared = $1 eq 's' if $line =~ /^[0-9a-f]+-[0-9a-f]+ ...(.) /;
			$bytes += $1 * 1024 if !$shared && $line =~ /^Private_\w+:\s+(\d+) kB/;
		}
	}
	return $bytes;
}

1;
