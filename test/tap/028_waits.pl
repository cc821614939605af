# What the sampler of waits says, against what sessions did: sessions of known behaviour for known seconds, a sampler that was
# stopped, more names than there is memory for, names that nobody expects, a pause, a standby and its promotion.
use strict;
use warnings FATAL => 'all';

use IPC::Run ();
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Samples of waits are taken when the test says so. Durable commits wait; memory is short.
my $node = pgdba_node('waits', conf => <<EOF, init => { allows_streaming => 1 });
max_connections = 60
fsync = on
compute_query_id = on
pgdba.workload_interval = '1h'
pgdba.wait_memory = '1MB'
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba; CREATE TABLE queue (); CREATE TABLE written ();
	CREATE UNLOGGED TABLE truth (who text, began timestamptz, ended timestamptz)');
ok(settled($node), 'sampling');

sub ask { return $node->safe_psql('postgres', $_[0]); }
sub sample { return ask(q{SELECT pgdba.sample_now('workload')}); }

# A client of that name in the background.
my $clients = 0;
sub client {
	my ($name, $sql, %at) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/' . ++$clients . '.sql';
	append_to_file($file, $sql);
	my $connection = $node->connstr($at{db} // 'postgres') . " application_name='" . $name =~ s/([\\'])/\\$1/gr . "'"
	  . (defined $at{role} ? " user='$at{role}'" : '');
	return IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', $file ], '>', '/dev/null');
}

sub all_end { $_->finish or fail("a client failed: " . $_->result) for @_; return; }

# What sessions that wrote down when they began and ended did, by themselves, by the runs and by the sample.
sub behaved {
	my ($who, $sessions, $condition) = @_;
	my ($truth, $runs, $sampled) = split /\|/, ask(<<"EOF");
SELECT (SELECT sum(extract(epoch FROM ended - began)) FROM truth WHERE who = '$who'),
	(SELECT coalesce(sum(seconds), 0) FROM pgdba.wait_runs(NULL, NULL) WHERE application_name = '$who' AND state = 'active' AND $condition),
	(SELECT coalesce(sum(seconds), 0) FROM pgdba.last_wait WHERE application_name = '$who' AND state = 'active' AND $condition)
EOF
	# Where the machine left no time to look, it is said how long.
	my $gap = ask('SELECT gap_seconds FROM pgdba.last_wait_tick');
	cmp_ok(abs($runs - $truth), '<=', 0.02 * $truth + $sessions * $gap, "$who: $truth seconds, by the runs $runs (gap $gap)");
	cmp_ok(abs($runs - $sampled), '<', 1e-4, "$who: the same by the sample");
	return;
}

# ---- known behaviour for known seconds ----

my $seconds = 7;
my $noted = 'INSERT INTO truth SELECT current_setting($s$application_name$s$), s, clock_timestamp()';
sample();
my @busy = client('holder', "BEGIN; LOCK TABLE queue; SELECT pg_sleep($seconds); COMMIT");
ok(wait_until(sub { ask('SELECT count(*) FROM pg_locks WHERE relation = $$queue$$::regclass') == 1 }), 'a lock is held');
my $do = 'DO $do$ DECLARE s timestamptz := clock_timestamp(); BEGIN';
push @busy, client('sleeper', "$do PERFORM pg_sleep($seconds); $noted; END \$do\$") for 1 .. 3;
push @busy, client('waiter', "$do LOCK TABLE queue; $noted; END \$do\$") for 1 .. 3;
push @busy, client('burner', "$do WHILE clock_timestamp() < s + interval '$seconds s' LOOP END LOOP; $noted; END \$do\$") for 1 .. 3;
push @busy, client('writer',
	"$do WHILE clock_timestamp() < s + interval '$seconds s' LOOP INSERT INTO written DEFAULT VALUES; COMMIT; END LOOP; $noted; END \$do\$")
  for 1 .. 3;
all_end(@busy);
my $now = ask(q{SELECT coalesce(sum(seconds), 0) FROM pgdba.wait_now() WHERE application_name = 'sleeper' AND event = 'PgSleep'});
sample();
behaved('sleeper', 3, q{event_type = 'Timeout' AND event = 'PgSleep' AND class = 'Timeout'});
behaved('waiter', 3, q{event_type = 'Lock' AND event = 'relation' AND class = 'Lock'});
behaved('burner', 3, q{event_type = 'CPU' AND event = 'CPU' AND class = 'CPU'});
behaved('writer', 3, q{class IN ('IO', 'LWLock', 'CPU', 'IPC')});
is(ask(q{SELECT sum(seconds) FROM pgdba.last_wait WHERE application_name = 'sleeper' AND event = 'PgSleep'}), $now, 'wait_now() said so before');
is(ask(q{SELECT count(*) > 0 FROM pgdba.last_wait WHERE application_name = 'writer' AND event_type = 'IO' AND event = 'WalSync'}), 't',
	'who writes the log to disk waits for IO:WalSync, on every version');
is(ask(q{SELECT count(*) FROM pgdba.last_wait WHERE blocked_seconds <> CASE class WHEN 'Lock' THEN seconds ELSE 0 END}), '0', 'blocked is who waits for a lock');
is(ask(q{SELECT count(*) FROM pgdba.last_wait WHERE query_id = 0
	OR application_name IN ('sleeper', 'waiter') AND event_type IN ('Timeout', 'Lock') AND (query_id IS NULL OR role IS NULL OR db <> 'postgres')}), '0', 'names and queries');
is(ask(q{SELECT count(*) FROM pgdba.wait_runs(NULL, NULL) WHERE pid IN (SELECT pid FROM pgdba.processes)}), '0', 'nothing of pgdba itself');
is(ask(q{SELECT count(*) FROM pgdba.wait_runs(NULL, NULL) a JOIN pgdba.wait_runs(NULL, NULL) b ON a.pid = b.pid AND a.began < b.ended AND b.began < a.ended
	AND (a.began, a.ended) <> (b.began, b.ended)}), '0', 'no session did two things at once');
my ($on_cpu, $ready) = split /\|/, ask('SELECT cpu_seconds, runnable_seconds FROM pgdba.last_wait_tick');
SKIP: {
	skip 'the system does not tell', 1 unless -e '/proc/self/schedstat';
	my $in_class = ask(q{SELECT sum(seconds) FROM pgdba.last_wait WHERE class = 'CPU' AND state = 'active'});
	ok($on_cpu > 0 && $on_cpu + $ready <= $in_class + 1e-3, "of $in_class seconds $on_cpu with a CPU, $ready ready for one");
}
my ($window) = ask(q{SELECT sum(seconds) || ' ' || min(began) || ' ' || max(ended) FROM
	(SELECT min(began) + interval '1 s' AS since FROM pgdba.wait_runs(NULL, NULL) WHERE application_name = 'holder' AND event = 'PgSleep') h
	CROSS JOIN LATERAL pgdba.wait_runs(h.since, h.since + interval '500 ms') WHERE application_name = 'holder'}) =~ /^(\S+) /;
is($window, '0.5', 'runs are clipped to the time asked for');

# ---- stopped ----

sample();
my $launcher = process_pid($node, 'launcher');
kill STOP => $launcher;
ask(q{SET application_name = unseen; SELECT pg_sleep(2)});
kill CONT => $launcher;
ok(wait_until(sub { ask(q{SELECT count(*) FROM pgdba.wait_runs(now() - interval '300 ms', NULL)}) > 0 }), 'looking goes on');
sample();
my ($gap, $missed) = split /\|/, ask('SELECT gap_seconds, missed_ticks FROM pgdba.last_wait_tick');
cmp_ok($gap, '>', 1.5, 'a gap is said');
cmp_ok($missed, '>', 15, 'ticks that were missed are counted');
cmp_ok(ask(q{SELECT coalesce(sum(seconds), 0) FROM pgdba.last_wait WHERE application_name = 'unseen'}), '<', 0.5, 'and is nobody\'s time');

# ---- a higher rate, strange names, more names than memory ----

configure($node, 'pgdba.wait_rate' => 100);
ok(wait_until(sub { sample(); ask('SELECT rate = 100 AND ticks > 1.5 * 10 * span_seconds FROM pgdba.last_wait_tick') eq 't' }), 'a reload changes the rate');
my $role = "r\x{c3}\x{b4}le \"x\"";
my $db = "d\x{c3}\x{a9}'b\\\"";
ask(sprintf 'CREATE ROLE %s LOGIN SUPERUSER', '"' . $role =~ s/"/""/gr . '"');
$node->safe_psql('postgres', sprintf 'CREATE DATABASE %s', '"' . $db =~ s/"/""/gr . '"');
all_end(client(q{a "b' \\ c}, 'SELECT pg_sleep(0.3)', db => $db, role => $role));
sample();
is(ask(q{SELECT db || '|' || role || '|' || application_name FROM pgdba.last_wait WHERE event = 'PgSleep' AND db <> 'postgres'}),
	qq{$db|$role|a "b' \\ c}, 'names as they are');

my $since = ask('SELECT clock_timestamp()');
sample();
all_end(map {
	my $name = $_;
	client('many', join '', map { "SET application_name = 'many $name.$_'; SELECT pg_sleep(0.04);\n" } 1 .. 80);
} 1 .. 20);
my $seen = q{SELECT sum(round((seconds * 1e6)::numeric)) || ' ' || sum(samples)};
sample();
my ($dropped) = ask('SELECT dropped FROM pgdba.last_wait_tick');
cmp_ok($dropped, '>', 0, 'without memory for more rows the rest is counted');
is(ask('SELECT count(*) FROM pgdba.last_wait WHERE NOT folded'), '100', 'the largest hundred rows');
is(ask(q{SELECT count(*) FROM pgdba.last_wait WHERE folded AND (event <> 'other' OR event_type <> class OR coalesce(db, role, application_name) IS NOT NULL)}),
	'0', 'and the rest, by state and class');
cmp_ok(ask('SELECT whole FROM (SELECT pgdba.wait_runs_since() AS whole) w') lt $since ? 1 : 0, '==', 1, 'the runs of that time are all there');
is(ask("$seen FROM pgdba.last_wait WHERE class = 'Timeout' AND state = 'active'"),
	ask("$seen FROM pgdba.wait_runs('$since', NULL) WHERE class = 'Timeout' AND state = 'active'"), 'together they are all that was seen, to the microsecond');
is(ask('SELECT count(DISTINCT (db, role, application_name, query_id, state, event_type, event)) = count(*) FROM pgdba.last_wait'), 't', 'no two rows of one name');
is(ask(q{SELECT count(DISTINCT span_seconds) FROM pgdba.last_wait}), '1', 'one span for all');
configure($node, 'pgdba.wait_rate' => 10);

# ---- without a sampler ----

ask(q{SELECT pgdba.pause('1 hour')});
ok(wait_until(sub { process_pid($node, 'sampler') eq '' }), 'paused');
ask(q{SET application_name = 'in the pause'; SELECT pg_sleep(0.5)});
cmp_ok(ask(q{SELECT sum(seconds) FROM pgdba.wait_now() WHERE application_name = 'in the pause' AND event = 'PgSleep'}), '>', 0.2, 'looking goes on in a pause');
ask('SELECT pgdba.resume()');
ok(wait_until(sub { ask(q{SELECT count(*) > 0 FROM pgdba.hist_wait WHERE application_name = 'in the pause'}) eq 't' }), 'and the first sample after it has that');
my $process = ask(q{SELECT pg_terminate_backend(pid), pid FROM pgdba.processes WHERE name = 'pgdba launcher'});
ok(wait_until(sub { my $pid = process_pid($node, 'launcher'); $pid ne '' && "t|$pid" ne $process }), 'another launcher');
ok(settled($node), 'with its sampler');
sample();
is(ask(q{SELECT all_gap_seconds > 2 AND all_ticks > 100 FROM pgdba.last_wait_tick}), 't', 'goes on counting');

# ---- a standby ----

$node->backup('copy');
my $standby = pgdba_node('waits_standby', backup => [ $node, 'copy' ]);
$standby->start;
my $sleeps = q{SELECT coalesce(round(sum(seconds)), 0) FROM pgdba.wait_runs(NULL, NULL) WHERE event = 'PgSleep'};
$standby->poll_query_until('postgres', 'SELECT pgdba.wait_runs_since() IS NOT NULL');
$standby->safe_psql('postgres', 'SELECT pg_sleep(1)');
is($standby->safe_psql('postgres', $sleeps), '1', 'a standby tells what its sessions wait for');
$standby->promote;
$standby->safe_psql('postgres', 'SELECT pg_sleep(1)');
is($standby->safe_psql('postgres', $sleeps), '2', 'and so it does when it is promoted');

is(count_in_log($node, 'PANIC|signal 11|TRAP'), 0, 'nothing crashed');
$standby->stop;
$node->stop;
done_testing();
