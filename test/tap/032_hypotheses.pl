# Hypotheses on a live server: each cause is brought about for real, and is confirmed by what was sampled meanwhile; the others are ruled
# out. What others do on this machine is not ours to say, so CPU causes are asked for only where they are brought about.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time);

# Only sample_now() samples the workload loop. A sync that costs something makes commits wait.
my $node = pgdba_node('hypotheses', init => { extra => ['--wal-segsize=1'] }, conf => <<EOF);
fsync = on
wal_sync_method = fsync
wal_level = replica
max_wal_senders = 2
compute_query_id = on
autovacuum = off
max_wal_size = 2GB
pgdba.workload_interval = '1h'
pgdba.storage_interval = '1h'
pgdba.wait_rate = 100
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba; CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE TABLE orders (id int, note text); CREATE TABLE stock (id int PRIMARY KEY, n int); INSERT INTO stock VALUES (1, 0)');
ok(settled($node), 'sampling');
chomp(my $cpus = `getconf _NPROCESSORS_ONLN`);

my $watch = session($node, 'postgres');
$watch->query_safe('SET client_min_messages = error'); # a session that is to be ended may have ended by itself
sub sample { return $watch->query_safe(q{SELECT pgdba.sample_now('workload')}); }

# psql processes in database shop, each with a script of its own to run.
my @clients;
sub clients {
	for my $script (@_) {
		my $file = PostgreSQL::Test::Utils::tempdir() . '/script';
		append_to_file($file, $script);
		push @clients, IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('shop'), '-f', $file ], '<', '/dev/null', '>', '/dev/null', '2>', '/dev/null');
	}
	return;
}

# Begins a time; RETURNS: since when.
sub begin { my $since = sample(); clients(@_); return $since; }

# Looks until these causes are confirmed, and those ruled out.
sub expect {
	my ($since, $confirmed, $not) = @_;
	my %want = ((map { $_ => 'confirmed' } @$confirmed), map { $_ => 'ruled out' } @$not);
	my (%verdict, %proof);
	wait_until(
		sub {
			my $until = sample();
			for (split /\n/, $watch->query_safe("SELECT cause, verdict, proof FROM pgdba.hypotheses('$since', '$until')")) {
				my ($cause, $verdict, $proof) = split /\|/;
				($verdict{$cause}, $proof{$cause}) = ($verdict, $proof);
			}
			return !grep { ($verdict{$_} // '') ne $want{$_} } keys %want;
		});
	is($verdict{$_}, $want{$_}, "$_ is $want{$_}: " . ($proof{$_} // '')) for @$confirmed, @$not;
	return %verdict;
}
sub finish {
	$_->kill_kill(grace => 1) for splice @clients;
	return $watch->query_until(qr/^none$/m, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'shop';\n\\echo none\n");
}
my @all = ('lock', 'one statement', 'I/O', 'temp files', 'commit bound', 'synchronous replication', 'checkpoint', 'dead tuples',
	'horizon', 'autovacuum', 'connections', 'client bound');
sub others { my %not = map { $_ => 1 } @_; return grep { !$not{$_} } @all; }

# ---- nothing ----

my $since = begin();
my %quiet = expect($since, [], [ @all, 'CPU' ]);
is($quiet{'plan change'}, 'unknown', 'what has no data yet');

# ---- clients that think ----

$since = begin(("SELECT 1 \\watch 0.05\n") x 8);
expect($since, ['client bound'], [ others('client bound'), 'CPU' ]);
finish();

# ---- commits row by row ----

SKIP: {
	my $start = time;
	$node->safe_psql('shop', join ";\n", ("INSERT INTO orders VALUES (1, 'x')") x 50);
	skip 'commits cost nothing on this file system', 1 if time - $start < 0.1;
	$since = begin(("INSERT INTO orders VALUES (1, 'x');\n" x 20000) x 3);
	expect($since, [ 'commit bound' ], [ others('commit bound', 'one statement', 'I/O') ]);
	finish();
}

# ---- a standby that does not answer ----

# Commits wait as soon as the checkpointer knows of it: those before that do not.
configure($node, synchronous_standby_names => 'nobody');
$since = begin(("INSERT INTO orders VALUES (1, 'x');\n" x 500) x 3);
expect($since, [ 'synchronous replication' ], [ others('synchronous replication', 'one statement') ]);
$node->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
$node->reload;
finish();

# ---- a queue for a lock ----

my $holder = session($node, 'shop');
$holder->query_safe('BEGIN; UPDATE stock SET n = 1');
$since = begin(("UPDATE stock SET n = 2;\n") x 4);
expect($since, [ 'lock' ], [ others('lock', 'one statement'), 'CPU' ]);
$holder->query_safe('ROLLBACK');
leave($holder);
finish();

# ---- somebody else takes the CPUs ----

SKIP: {
	skip 'too many CPUs to take', 1 if $cpus > 16;
	skip 'the system does not tell who waits for a CPU', 1 unless -r '/proc/self/schedstat';
	my $burn = "SELECT count(*) FROM generate_series(1, 1000000000);\n";
	my @burners;
	for (1 .. 3 * $cpus) {
		my $pid = fork // die "fork: $!";
		if ($pid == 0) { 1 while getppid != 1; POSIX::_exit(0); }
		push @burners, $pid;
	}
	$since = begin(($burn) x 2);
	expect($since, [ 'CPU outside' ], [ 'lock', 'commit bound', 'client bound', 'synchronous replication', $cpus >= 2 ? 'CPU' : () ]);
	kill 'KILL', @burners;
	waitpid $_, 0 for @burners;

	# ---- the server does ----

	$since = begin(($burn) x (2 * $cpus));
	expect($since, [ 'CPU', 'one statement' ], [ 'lock', 'commit bound', 'client bound', 'I/O' ]);
	finish();
}

# ---- temporary files, WAL, dead rows, and a transaction that keeps them ----

configure($node, max_wal_size => '4MB', work_mem => '64kB');
$node->safe_psql('postgres', q{SELECT pgdba.set_threshold('vacuum.horizon', '%', 50, 100)});
$holder = session($node, 'shop');
$holder->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM stock');
$since = begin("INSERT INTO orders SELECT g, repeat('x', 50) FROM generate_series(1, 250000) g; DELETE FROM orders WHERE id % 2 = 0;\n"
	  . ("INSERT INTO stock VALUES (2, 0) ON CONFLICT DO NOTHING;\nDELETE FROM stock WHERE id = 2;\n" x 60)
	  . ("SELECT count(*) FROM (SELECT * FROM orders ORDER BY note, id) o;\n" x 1000));
expect($since, [ 'temp files', 'checkpoint', 'dead tuples', 'horizon' ], [ 'lock', 'commit bound', 'synchronous replication', 'connections', 'client bound' ]);
leave($holder);
finish();

leave($watch);
$node->stop;
done_testing();
