# What must not stop sampling: no connection left, tables locked and waited for, our own tables locked, many sessions.
# Everything is watched over HTTP, as when no connection is to be had.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @loops = qw(hot workload storage hourly);

# Short intervals: a tick that waits for anything is late at once.
my %interval = (hot => '500ms', workload => '1s', storage => '2s', hourly => '3s');
my $node = pgdba_node('saturation', conf => join("\n", 'max_connections = 12', 'superuser_reserved_connections = 2', 'pgdba.top_relations = 1000',
		map { "pgdba.${_}_interval = '$interval{$_}'" } @loops));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling');
my $sampler = process_pid($node, 'sampler');

sub skipped { my %skipped = map { $_ => metric($node, 'pgdba_ticks_skipped_total', loop => $_) } @loops; return \%skipped; }

# A session that waits for what a query needs.
sub waiting_session {
	my ($database, $query) = @_;
	my $waiting = session($node, $database);
	$waiting->query_until(qr/begun/, "\\echo begun\n$query;\n");
	return $waiting;
}

# Counted while the ticks go on: how often the sampler, or a reader, waits for a lock.
sub waits_during_ticks {
	my ($watch, $count) = @_;
	my ($seen, $last) = (0, ticks($node, 'hourly'));
	my $waits = 0;
	ok(wait_until(sub {
				$waits += $watch->query_safe(q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
					WHERE NOT l.granted AND a.backend_type LIKE 'pgdba%'});
				return ticks($node, 'hourly') - $last >= $count;
			}), "$count ticks of the slowest loop");
	return $waits;
}

# ---- no connection left ----

my @sessions;
wait_until(sub {
		my $more = eval { session($node) };
		push @sessions, $more if $more && $more->{run}->pumpable && eval { $more->query('SELECT 1') eq '1' };
		return @sessions == 12;
	});
is(scalar(@sessions), 12, 'every connection is taken');
like((sqlstate($node, 'postgres', 'SELECT 1'))[1], qr/FATAL: .*too many clients/, 'nobody else gets in, not even a superuser');
my $before = skipped();
ok(more_ticks($node, 3, $_), "ticks of loop $_ go on") for @loops;
is_deeply(skipped(), $before, 'none was left out');
is(healthz($node)->{status}, 'ok', '/healthz answers') or diag(healthz($node)->{why});
is(metric($node, 'pg_connections'), '12', '/metrics shows them');
is($sessions[0]->query_safe('SELECT count(*) FROM pgdba.health()') > 0, 1, 'health() answers in a session that is there');
leave(@sessions);
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM pgdba.ring_hot'), 'samples are in the tables');

# ---- user tables locked, and waited for ----

$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql($_, "CREATE TABLE busy_$_ AS SELECT 1 AS one; CREATE INDEX ON busy_$_ (one)") for qw(postgres other);
my $watch = session($node);
my (@holders, @waiting);
for my $database (qw(postgres other)) {
	my $holder = session($node, $database);
	# Made in the same moment as the lock: its name is wanted while nobody can read the table.
	$holder->query_safe("CREATE TABLE fresh_$database AS SELECT 1 AS one");
	$holder->query_safe("BEGIN; LOCK TABLE busy_$database, fresh_$database IN ACCESS EXCLUSIVE MODE");
	push @holders, $holder;
	push @waiting, waiting_session($database, "SELECT count(*) FROM busy_$database");
	push @waiting, waiting_session($database, "ALTER TABLE fresh_$database SET (fillfactor = 90)");
}
ok(wait_until(sub { $watch->query_safe('SELECT count(*) FROM pg_locks WHERE NOT granted') == 4 }),
	'four sessions wait for locked tables');
$before = skipped();
is(waits_during_ticks($watch, 20), 0, 'no process of ours waits for a lock');
is_deeply(skipped(), $before, 'no tick was left out');
is(metric($node, 'pgdba_loop_late', loop => $_), '0', "loop $_ is not late") for @loops;
is(healthz($node)->{status}, 'ok', '/healthz says ok') or diag(healthz($node)->{why});
ok($node->poll_query_until('postgres',
		q{SELECT count(*) = 2 FROM pgdba.last_relation WHERE relname ~ '^fresh_'}),
	'locked tables have names, also in another database')
  or diag($node->safe_psql('postgres', 'SELECT db, relid, relname FROM pgdba.last_relation'));
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgdba.verdicts
		WHERE check_id = 'locks.blocked' AND evidence::text ~ 'busy_|fresh_|LOCK|SELECT'}), 'who blocks them is known');
$_->query_safe('ROLLBACK') for @holders;
leave(@waiting, @holders);

# ---- our own tables locked ----

my $written = $node->safe_psql('postgres', 'SELECT count(*) FROM pgdba.ring_hot');
$watch->query_safe('BEGIN; LOCK TABLE pgdba.ring_hot IN ACCESS EXCLUSIVE MODE');
ok(more_ticks($node, 5), 'ticks go on while our table is locked');
ok(wait_until(sub { healthz($node)->{why} =~ /"hot" is degraded: its table is locked/ }), 'which is said')
  or diag(healthz($node)->{why});
is(healthz($node)->{code}, 200, 'with 200');
cmp_ok(metric($node, 'pgdba_unwritten_samples_total'), '>', 0, 'and counted');
is($node->safe_psql('postgres',
		q{SELECT count(*) > 0 FROM pgdba.hist_connections WHERE sampled_at > now() - interval '5 s'}),
	't', 'what is in memory can be read');
$watch->query_safe('ROLLBACK');
ok(samples_reach_tables($node), 'samples arrive in the tables after that');
ok(wait_until(sub { healthz($node)->{status} eq 'ok' }), '/healthz says ok') or diag(healthz($node)->{why});

# Definitions that cannot be read while they change.
$watch->query_safe('BEGIN; LOCK TABLE pgdba.probe IN ACCESS EXCLUSIVE MODE');
$node->safe_psql('postgres', q{SELECT pgdba.set_threshold('locks.blocked', '%', 1000, 2000)});
ok(more_ticks($node, 6), 'ticks go on while definitions are locked');
is($node->safe_psql('postgres', q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba sampler'}), $sampler,
	'in the same sampler');
$watch->query_safe('ROLLBACK');
ok(wait_until(sub { healthz($node)->{status} eq 'ok' }), 'all is well after it') or diag(healthz($node)->{why});

# A catalog, as VACUUM FULL does.
$watch->query_safe('BEGIN; LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE');
my ($status) = http_get($node, '/metrics');
is($status, 200, '/metrics answers while a catalog is locked');
ok(wait_until(sub { ticks($node) > 0 && healthz($node)->{code} }), '/healthz too');
$watch->query_safe('ROLLBACK');
ok(settled($node), 'sampling goes on after that');
ok(wait_until(sub { healthz($node)->{status} eq 'ok' }), 'all is well after it') or diag(healthz($node)->{why});
is(process_pid($node, 'sampler'), $sampler, 'it has been one sampler all the time');
leave($watch);
$node->stop;

# ---- many sessions ----

$node->append_conf('postgresql.conf', 'max_connections = 220');
$node->start;
ok(settled($node), 'sampling with room for many');
my $script = PostgreSQL::Test::Utils::tempdir() . '/idle.sql';
append_to_file($script, "BEGIN;\nSELECT pg_sleep(1000);\nEND;\n");
my ($in, $out) = ('', '');
my $crowd = IPC::Run::start(
	[ $node->installed_command('pgbench'), '-n', '-c', '200', '-j', '1', '-t', '1', '-f', $script, '-h', $node->host, '-p',
		$node->port, 'postgres' ], '<', \$in, '>&', \$out);
ok(wait_until(sub { (metric($node, 'pg_connections') // 0) >= 200 }), '200 sessions') or diag($out);
$before = skipped();
ok(more_ticks($node, 10), 'ticks go on');
is_deeply(skipped(), $before, 'none was left out');
is($node->safe_psql('postgres', q{SELECT count(*) >= 200 FROM pgdba.last_activity WHERE state = 'active'}), 't',
	'all of them are in the sample');
is(healthz($node)->{status}, 'ok', '/healthz says ok') or diag(healthz($node)->{why});
$crowd->signal('TERM');
$node->safe_psql('postgres', q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'});
$crowd->finish;

$node->stop;
done_testing();
