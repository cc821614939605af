# Processes that die: each of ours by SIGKILL and by SIGTERM, the log collector in the way, and a shutdown while clients
# of the HTTP port are connected.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# How many processes of a name there are, one without a connection too.
sub running {
	my ($node, $name) = @_;
	my $postmaster = $node->{_pid};
	return scalar(grep { /^\s*$postmaster\s+postgres: .*pgdba $name\b/ } split /\n/, qx(ps -A -o ppid=,args=));
}

sub postmaster_pid { return (split /\n/, slurp_file($_[0]->data_dir . '/postmaster.pid'))[0]; }

# The answer of a query, empty while the server recovers.
sub ask {
	my ($node, $query) = @_;
	# While the server recovers psql may be gone before it has read anything.
	my ($code, $out) = eval { $node->psql('postgres', $query) };
	return defined $code && $code == 0 ? $out : '';
}

my $node = pgdba_node('crash', conf => "pgdba.workload_interval = '200ms'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling');

# ---- SIGKILL ----

# The server restarts as a whole and wipes shared memory: what is known of the time before comes from tables.
my $postmaster = postmaster_pid($node);
for my $name (qw(launcher sampler server)) {
	ok(samples_reach_tables($node), 'there is history');
	my $pid = process_pid($node, $name);
	my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
	kill 'KILL', $pid;
	ok(wait_until(sub { (ask($node, "SELECT pid FROM pgdba.processes WHERE name = 'pgdba $name'") || $pid) != $pid }),
		"kill -9 of the $name: the server recovers, and it is back");
	ok(settled($node), 'sampling goes on');
	my ($status) = http_get($node, '/metrics');
	is($status, 200, '/metrics answers');
	for my $probe (qw(connections verdict)) {
		my $found = $node->safe_psql('postgres',
			"SELECT count(*) > 0 FROM pgdba.hist_$probe WHERE sampled_at < '$before'");
		is($found, 't', "history of $probe is there");
	}
	ok(samples_reach_tables($node), 'and is written');
	is(running($node, $_), 1, "there is one $_") for qw(launcher sampler server);
}
is(postmaster_pid($node), $postmaster, 'all under the same postmaster');

# ---- SIGTERM ----

my $session = session($node);
for my $name (qw(sampler launcher server)) {
	my $pid = process_pid($node, $name);
	my $sampler = process_pid($node, 'sampler');
	if ($name eq 'server') { # without a connection: pg_terminate_backend() does not know it
		kill 'TERM', $pid;
	} else {
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	}
	ok(wait_until(sub { my $now = process_pid($node, $name); $now ne '' && $now != $pid }),
		"the $name comes back after it was terminated");
	ok(settled($node), 'sampling goes on');
	ok(wait_until(sub { running($node, 'sampler') == 1 }), 'there is one sampler')
	  or diag(qx(ps -A -o pid,ppid,args | grep pgdba));
	is(running($node, $name), 1, "there is one $name");
	is(metric($node, 'pgdba_process_running', process => "pgdba $_"), '1', "the $_ is known to run")
	  for qw(launcher sampler server);
}
is($session->query_safe('SELECT 1'), '1', 'no session noticed');
leave($session);

# The launcher that came back is in charge of the sampler that it found.
my $sampler = process_pid($node, 'sampler');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($sampler)");
ok(wait_until(sub { my $now = process_pid($node, 'sampler'); $now ne '' && $now != $sampler }),
	'the sampler comes back under the new launcher');
is($node->safe_psql('postgres', q{SELECT pgdba.pause('1 hour') IS NOT NULL}), 't', 'which can pause it');
is(running($node, 'sampler'), 0, 'there is no sampler then');
$node->safe_psql('postgres', 'SELECT pgdba.resume()');
ok(settled($node), 'and resume');

# ---- SIGTERM on the way into another database ----

# The lock that keeps this database from being dropped meanwhile must end with the sampler: left behind, it would keep
# the database for ever, and stop whoever gets the same place in the table of processes. While the postmaster is stopped
# no reader starts, so that the sampler stays on its way.
$node->safe_psql('postgres', 'CREATE DATABASE other');
ok(settled($node), 'sampling, with another database');
my ($watch, $there) = (session($node), session($node, 'other'));
my $lock = q{SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
	WHERE l.classid = 'pg_database'::regclass AND l.mode = 'RowExclusiveLock' AND d.datname = 'other'};
$sampler = process_pid($node, 'sampler');
kill 'STOP', $postmaster;
my ($held, $gone, $left) = eval {
	$there->query_safe('CREATE TABLE unnamed AS SELECT 1 AS one; SELECT pg_stat_force_next_flush()');
	my $held = wait_until(sub { $watch->query_safe($lock) == 1 });
	kill 'TERM', $sampler;
	my $gone = wait_until(sub {
			$watch->query_safe(q{SELECT count(*) FROM pgdba.processes WHERE name = 'pgdba sampler' AND pid IS NOT NULL}) == 0 });
	($held, $gone, $watch->query_safe($lock));
};
my $trouble = $@;
kill 'CONT', $postmaster;
is($trouble, '', 'a sampler that is about to visit a database');
ok($held, 'holds its lock');
ok($gone, 'is terminated');
is($left, '0', 'and leaves no lock behind');
leave($watch, $there);
ok(settled($node), 'sampling goes on');
is(sqlstate($node, 'postgres', 'DROP DATABASE other'), '00000', 'the database can be dropped');

# ---- the end, with clients on the HTTP port ----

my @idle = map { dial($node) } 1 .. 5;
is(scalar(grep { defined } @idle), 5, 'five connections are open');
syswrite $idle[0], "GET /metrics HTTP/1.1\r\nHost: localhost\r\n";
syswrite $idle[1], "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
my $begun = time;
$node->stop('fast');
# A second on an idle machine. A server that waited for its clients would wait for the minute that pg_ctl gives it.
cmp_ok(time - $begun, '<', 20, 'a fast shutdown does not wait for them');
$node->start;
ok(settled($node), 'and the next start finds all in order');
$node->stop('immediate');
$node->start;
ok(settled($node), 'also after an immediate one');

# ---- the log collector and a log of everything, when a process is killed ----

# Code that runs in the postmaster or in the collector and touches shared memory shows here.
configure($node, log_min_messages => 'debug5');
$node->append_conf('postgresql.conf', "logging_collector = on\nlog_directory = 'log'");
$node->restart;
ok(settled($node), 'sampling with a log collector and a log of everything');
$postmaster = postmaster_pid($node);
my $collector = sub { (grep { /^\s*\d+\s+$postmaster\s+postgres: .*logger/ } split /\n/, qx(ps -A -o pid=,ppid=,args=))[0] };
my $logger = $collector->();
ok($logger, 'the collector runs');
for my $name (qw(server sampler)) {
	my $pid = process_pid($node, $name);
	kill 'KILL', $pid;
	ok(wait_until(sub { (ask($node, "SELECT pid FROM pgdba.processes WHERE name = 'pgdba $name'") || $pid) != $pid }),
		"kill -9 of the $name: it is back");
	ok(settled($node), 'sampling goes on');
}
my $client = session($node);
my $backend = $client->query_safe('SELECT pg_backend_pid()');
my $restarted = process_pid($node, 'server');
kill 'KILL', $backend;
ok(wait_until(sub { (ask($node, "SELECT pid FROM pgdba.processes WHERE name = 'pgdba server'") || $restarted) != $restarted }),
	'kill -9 of a session: the server recovers');
ok(settled($node), 'sampling goes on');
eval { leave($client) };
is(postmaster_pid($node), $postmaster, 'the postmaster lives');
is($collector->(), $logger, 'so does the collector');

$node->stop;
done_testing();
