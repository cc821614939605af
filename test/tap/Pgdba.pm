# What the tests beside it share: a node with pgdba, its pages, its processes, its log.
#
# Nothing here sleeps for a time: wait_until() looks until a condition holds, with the limit that PostgreSQL's own tests
# have (PG_TEST_TIMEOUT_DEFAULT). What watches sampling reads /metrics, so that watching needs no connection.
package Pgdba;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(pgdba_node configure wait_until http_port dial http_get healthz metric ticks more_ticks
  samples_reach_tables process_pid settled session leave sqlstate log_size log_since count_in_log);

my %port_of; # HTTP port, by the name of a node

# pgdba_node NAME, OPTION => VALUE...: a node that preloads pgdba and samples ten times a second; not started.
#   init: arguments of init(); conf: lines for postgresql.conf; backup: [NODE, NAME] for a standby of it; install_path: of
#   another server.
sub pgdba_node {
	my ($name, %option) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, map { $_ => $option{$_} } grep { $option{$_} } 'install_path');
	$port_of{$name} = PostgreSQL::Test::Cluster::get_free_port();
	if (my $backup = $option{backup}) {
		$node->init_from_backup(@$backup, has_streaming => 1);
	} else {
		$node->init(%{ $option{init} // {} });
		# What the server itself logs about statements, checkpoints and vacuum would drown what we log.
		$node->append_conf('postgresql.conf', <<EOF);
shared_preload_libraries = 'pgdba'
max_worker_processes = 16
restart_after_crash = on
log_statement = none
log_replication_commands = off
log_checkpoints = off
log_autovacuum_min_duration = -1
pgdba.hot_interval = '100ms'
EOF
	}
	$node->append_conf('postgresql.conf', <<EOF);
cluster_name = '$name'
pgdba.listen = '127.0.0.1:$port_of{$name}'
EOF
	$node->append_conf('postgresql.conf', $option{conf}) if defined $option{conf};
	return $node;
}

# configure NODE, SETTING => VALUE...: as a superuser would, with a reload.
sub configure {
	my ($node, %setting) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $_ = '$setting{$_}'") for sort keys %setting;
	$node->reload;
}

# RETURNS: what the condition returned last.
sub wait_until {
	my ($condition) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;
	my $met;
	until (($met = $condition->()) || time > $end) {
		usleep(20_000);
	}
	return $met;
}

# ---- pages ----

sub http_port { return $port_of{ $_[0]->name }; }

# A connection to the HTTP port, undef when nobody listens.
sub dial {
	my ($node) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => http_port($node), Proto => 'tcp');
}

# RETURNS: status (0 without an answer) and body.
sub http_get {
	my ($node, $path) = @_;
	my $socket = dial($node) or return (0, '');
	local $SIG{PIPE} = 'IGNORE';
	syswrite $socket, "GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	my ($text, $bytes) = ('', '');
	my $select = IO::Select->new($socket);
	while ($select->can_read($PostgreSQL::Test::Utils::timeout_default) && sysread $socket, $bytes, 65536) {
		$text .= $bytes;
	}
	my ($status) = $text =~ m{^HTTP/1\.1 (\d+)};
	my (undef, $body) = split /\r\n\r\n/, $text, 2;
	return ($status // 0, $body // '');
}

# RETURNS: the document of /healthz, its HTTP status as "code", all its reasons as "why".
sub healthz {
	my ($node) = @_;
	my ($code, $body) = http_get($node, '/healthz');
	my $health = eval { decode_json($body) } // {};
	my $why = join '; ', @{ $health->{reasons} // [] };
	return { status => '', loops => {}, %$health, code => $code, why => $why };
}

# metric NODE, NAME, LABEL => VALUE...: undef when there is no such series.
sub metric {
	my ($node, $name, %label) = @_;
	my (undef, $body) = http_get($node, '/metrics');
	while ($body =~ /^\Q$name\E\{([^}]*)\} (\S+)$/mg) {
		my ($labels, $value) = ($1, $2);
		return $value unless grep { $labels !~ /(?:^|,)$_="\Q$label{$_}\E"/ } keys %label;
	}
	return undef;
}

# ---- sampling ----

sub ticks { return metric($_[0], 'pgdba_ticks_total', loop => $_[1] // 'hot') // 0; }

# Waits for that many more ticks of a loop. A new sampler counts from the beginning.
sub more_ticks {
	my ($node, $count, $loop) = @_;
	my ($seen, $last) = (0, ticks($node, $loop));
	return wait_until(
		sub {
			my $now = ticks($node, $loop);
			$seen += $now >= $last ? $now - $last : $now;
			$last = $now;
			return $seen >= $count;
		});
}

# Whether samples that are taken from now on arrive in the tables.
sub samples_reach_tables {
	my ($node, $database) = @_;
	$database //= 'postgres';
	my $now = $node->safe_psql($database, 'SELECT clock_timestamp()');
	return $node->poll_query_until($database,
		"SELECT count(*) > 0 FROM pgdba.ring_hot WHERE sampled_at > '$now'");
}

sub process_pid {
	my ($node, $name, $database) = @_;
	return $node->safe_psql($database // 'postgres',
		"SELECT pid FROM pgdba.processes WHERE name = 'pgdba $name'");
}

# Whether everything runs: /healthz says so, and ticks go on.
sub settled {
	my ($node) = @_;
	return wait_until(sub { healthz($node)->{code} == 200 }) && more_ticks($node, 3);
}

# ---- sessions, errors and log ----

# A session in the background; the limit holds for each of its queries. Options are those of background_psql().
sub session {
	my ($node, $database, %option) = @_;
	my $session = $node->background_psql($database // 'postgres', %option);
	$session->set_query_timer_restart(1);
	return $session;
}

# Ends sessions, which may have waited longer than the limit of a query.
sub leave {
	for my $session (@_) {
		$session->{timeout}->start;
		$session->quit;
	}
	return;
}

# sqlstate NODE, DATABASE, SQL, OPTION => VALUE...: the SQLSTATE, "00000" without an error; in a list also what was
# printed. Options are those of psql().
sub sqlstate {
	my ($node, $database, $sql, %option) = @_;
	my ($code, $out, $err) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", %option);
	my ($state) = $err =~ /(?:ERROR|FATAL):\s+(\w{5}):/;
	return wantarray ? ($state // '00000', $err) : $state // '00000';
}

sub log_size { return -s $_[0]->logfile; }

sub log_since {
	my ($node, $offset) = @_;
	return substr(slurp_file($node->logfile), $offset // 0);
}

sub count_in_log {
	my ($node, $pattern, $offset) = @_;
	return scalar(() = log_since($node, $offset) =~ /$pattern/mg);
}

1;
