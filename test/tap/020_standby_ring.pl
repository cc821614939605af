# A standby keeps its history: over a crash, a restart, a smaller ring, a damaged file and a full disk, from the copy of
# the memory ring; until it is promoted.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# The copy is brought up to date with every fourth tick of the hot loop: here more than twice a second.
my $primary = pgdba_node('primary', init => { allows_streaming => 1 }, conf => "pgdba.workload_interval = '200ms'\n");
$primary->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($primary) && samples_reach_tables($primary), 'the primary samples');
$primary->backup('base');
my $standby = pgdba_node('standby', backup => [ $primary, 'base' ]);
my $copy = $standby->data_dir . '/pg_stat_tmp/pgdba.ring';
my $before_all = $primary->safe_psql('postgres', 'SELECT clock_timestamp()');
$standby->start;
ok(settled($standby), 'the standby samples');

# How many samples of a probe there are, up to a time.
sub kept {
	my ($until, $probe) = @_;
	return $standby->safe_psql('postgres', sprintf q{SELECT count(DISTINCT sampled_at) FROM pgdba.hist_%s
		WHERE sampled_at <= '%s'}, $probe // 'connections', $until // 'infinity');
}

sub newest { return $standby->safe_psql('postgres', "SELECT max(sampled_at) FROM pgdba.hist_$_[0]"); }

# Whether the copy holds everything up to now.
sub copied {
	my $now = time;
	return wait_until(sub { (metric($standby, 'pgdba_ring_copy_timestamp_seconds') // 0) > $now });
}

sub verdict {
	my ($check) = @_;
	return $standby->safe_psql('postgres', "SELECT severity || ': ' || message FROM pgdba.verdicts WHERE check_id = '$check'");
}

# Since when the receiver has been dead.
sub since { return $standby->safe_psql('postgres', q{SELECT since FROM pgdba.verdicts WHERE check_id = 'replication.receiver' AND severity = 'critical'}); }

# Samples once. RETURNS how many samples there are then; $time is that of the newest.
my $time;

sub sample {
	$standby->safe_psql('postgres', 'SELECT pgdba.sample_now()');
	$time = newest('connections');
	return kept($time);
}

# Whether a sampler that has been started since then has read what there was, and sampled.
sub sampled_anew { return wait_until(sub { healthz($standby)->{code} == 200 && newest('connections') gt $time }); }

# ---- everything works there, from memory ----

ok(more_ticks($standby, 5, 'workload'), 'the workload loop runs');
is($standby->safe_psql('postgres', 'SELECT pgdba.sample_now() IS NOT NULL'), 't', 'all loops run');
is($standby->safe_psql('postgres', q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE last_error <> ''}), '',
	'no probe fails');
is($standby->safe_psql('postgres', q{SELECT string_agg(p.name, ', ') FROM pgdba.probe p
	LEFT JOIN pgdba.cost() c ON c.probe = p.name
	WHERE p.scope <> 'native' AND c.runs IS NULL AND p.options ->> 'needs_extension' IS NULL}), '', 'every one runs');
my @views = split /\n/, $standby->safe_psql('postgres', q{SELECT c.relname FROM pg_class c
	WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relname ~ '^(last|hist)_' ORDER BY 1});
cmp_ok(scalar(@views), '>', 50, 'there are views');
is(sqlstate($standby, 'postgres', join '; ', map { "SELECT count(*) FROM pgdba.$_" } @views), '00000', 'all of which can be read');
is(sqlstate($standby, 'postgres', $_), '00000', $_)
  for ('SELECT pgdba.health()', 'SELECT pgdba.health_json()', 'TABLE pgdba.verdicts', 'TABLE pgdba.loops', 'SELECT * FROM pgdba.cost()',
	'SELECT * FROM pgdba.databases()', 'SELECT * FROM pgdba.ring_usage()',
	q{SELECT * FROM pgdba.coverage(now() - interval '1 h', now())}, q{SELECT * FROM pgdba.verdicts_at(now() - interval '1 s')});
is(healthz($standby)->{status}, 'ok', '/healthz says ok') or diag(healthz($standby)->{why});
like((http_get($standby, '/metrics'))[1], qr/^pg_wal_receiver_streaming\{[^}]*\} 1$/m, '/metrics has its samples');

# The tables hold what the primary sampled: that is not the standby's.
my $ticks = q{SELECT coalesce(sum(ticks), 0) FROM pgdba.coverage('%s'::timestamptz - interval '1 h', '%s')};
cmp_ok($primary->safe_psql('postgres', sprintf $ticks, $before_all, $before_all), '>', 0, 'the primary has sampled before');
cmp_ok($standby->safe_psql('postgres', 'SELECT count(*) FROM pgdba.ring_hot'), '>', 0, 'the standby has those tables');
is($standby->safe_psql('postgres', sprintf $ticks, $before_all, $before_all), '0', 'and claims nothing of that time');

# ---- the lag on an idle primary ----

# Its last samples are committed asynchronously: another commit, which is not, makes sure that they have been sent.
$primary->safe_psql('postgres', q{SELECT pgdba.pause('1 day')});
$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, '', '')});
$primary->wait_for_catchup($standby);
my $idle = $standby->safe_psql('postgres', 'SELECT clock_timestamp()');
ok(more_ticks($standby, 10, 'workload'), 'the primary idles');
is($standby->safe_psql('postgres', qq{SELECT count(*) > 5, min(lag_seconds), max(lag_seconds), max(lag_bytes) FROM pgdba.hist_replication
	WHERE itself AND sampled_at > '$idle'}), 't|0|0|0', 'the lag is 0 and stays so');
like(verdict('replication.lag'), qr/^ok/, 'no lag is found');

# ---- a standing verdict: the receiver is dead ----

$primary->stop('immediate');
ok(wait_until(sub { since() ne '' }), 'a dead receiver is critical') or diag(verdict('replication.receiver'));
like(verdict('replication.lag'), qr/^unknown/, 'the lag is unknown then, not 0');
my $since = since();

# ---- the copy ----

ok(copied(), 'the copy is brought up to date');
is((stat $copy)[2] & 07777, 0600, 'nobody else can read it');
my ($inode, $size) = (stat $copy)[1, 7];
ok(copied() && more_ticks($standby, 10) && copied(), 'time passes');
is((stat $copy)[1], $inode, 'it is the same file');
cmp_ok(-s $copy, '>', $size, 'which grows by what was sampled');
ok(!-e $primary->data_dir . '/pg_stat_tmp/pgdba.ring', 'the primary, which has tables, keeps none');
is(metric($standby, 'pgdba_ring_copy_errors_total'), '0', 'it was always written');
$standby->backup('taken');
ok(-d $standby->backup_dir . '/taken/pg_stat_tmp' && !-e $standby->backup_dir . '/taken/pg_stat_tmp/pgdba.ring',
	'a base backup leaves it out');

# ---- a crash, which wipes shared memory ----

ok(copied(), 'a last copy');
$time = newest('connections');
ok(copied(), 'has the newest sample');
my ($connections, $receivers) = (kept($time), kept($time, 'receiver'));
my $offset = log_size($standby);
my $sampler = process_pid($standby, 'sampler');
my $session = session($standby);
my $victim = $session->query_safe('SELECT pg_backend_pid()');
kill 'STOP', $sampler; # a quick restart would miss no tick: this one waits 5 s for a process that does not end
kill 'KILL', $victim;
ok(wait_until(sub { count_in_log($standby, qr/all server processes terminated; reinitializing/, $offset) }), 'the server restarts after a crash');
$session->{run}->finish;
ok($standby->poll_query_until('postgres', 'SELECT true') && settled($standby), 'the standby is back');
cmp_ok(process_pid($standby, 'sampler'), '!=', $sampler, 'with another sampler');
is(kept($time), $connections, 'the history of before is there');
is(kept($time, 'receiver'), $receivers, 'of each probe');
ok(more_ticks($standby, 5, 'workload'), 'and goes on');
is(since(), $since, 'a standing verdict began when it began');
is($standby->safe_psql('postgres', qq{SELECT gap FROM pgdba.hist_heartbeat WHERE loop = 'hot' AND sampled_at > '$time' AND tick IS NULL
	ORDER BY sampled_at LIMIT 1}), 't', 'the time in between is a gap');
is($standby->safe_psql('postgres', qq{SELECT gaps > 0 FROM pgdba.coverage('$time', now()) WHERE loop = 'hot'}), 't', 'coverage() says so');
is($standby->safe_psql('postgres', qq{SELECT reset, records IS NULL FROM pgdba.hist_wal WHERE sampled_at > '$time' AND reset}), 't|t',
	'counters began again, once');
is($standby->safe_psql('postgres', qq{SELECT count(*) FROM pgdba.hist_connections WHERE sampled_at > '$time' AND reset}), '1',
	'which is known of those too that do not tell, though the postmaster is the same');
is(count_in_log($standby, qr/copy of the memory ring/, $offset), 0, 'nothing is to be said of it');

# ---- a restart: nothing is lost at all ----

# Samples are had one by one from here on. So the copy cannot have the last one but by an orderly end.
configure($standby, 'pgdba.hot_interval' => '1h', 'pgdba.workload_interval' => '1h');
my $old = sub { (metric($standby, 'pgdba_ring_copy_timestamp_seconds') // 0) < time - 2 };
ok(wait_until($old), 'the copy is old');
my $total = sample();
ok($old->(), 'and still is after a sample');
$standby->restart;
ok(sampled_anew(), 'after a restart');
is(kept($time), $total, 'the last sample before it is there');
is(since(), $since, 'the verdict stands');

# ---- a smaller ring, and a larger one ----

$total = sample();
$standby->append_conf('postgresql.conf', "pgdba.shared_memory = '1MB'");
$standby->restart;
ok(sampled_anew(), 'with a smaller ring');
my $fewer = kept($time);
cmp_ok($fewer, '<', $total, 'not all comes back');
cmp_ok($fewer, '>', 1, 'but what has room, the newest');
is(since(), $since, 'the verdict stands');
$total = sample();
$standby->append_conf('postgresql.conf', "pgdba.shared_memory = '8MB'");
$standby->restart;
ok(sampled_anew(), 'with a larger one');
cmp_ok(kept($time), '>=', $total, 'all comes back');

# ---- a copy that is damaged, and a file that is none ----

# restart_with BYTES, TROUBLE, NAME: the standby with other bytes in its place.
sub restart_with {
	my ($bytes, $trouble, $name) = @_;
	$standby->stop;
	my $offset = log_size($standby);
	open my $file, '>:raw', $copy or die "$copy: $!";
	print $file $bytes;
	close $file or die "$copy: $!";
	$standby->start;
	ok(sampled_anew(), "$name: the standby samples");
	my $said = "copy of the memory ring (pg_stat_tmp/pgdba.ring): $trouble";
	is($standby->safe_psql('postgres', q{SELECT last_error FROM pgdba.processes WHERE name = 'pgdba sampler'}), $said, 'it is said');
	is(count_in_log($standby, qr/LOG:  \Q$said\E$/m, $offset), 1, 'in the log too, once');
	ok(wait_until(sub { healthz($standby)->{status} eq 'ok' }), 'all is well') or diag(healthz($standby)->{why});
	return;
}
sample() for 1 .. 3;
$standby->stop;
my $good = slurp_file($copy);
$standby->start;
ok(sampled_anew(), 'a good copy');
my $before = $time;
restart_with(substr($good, 0, length($good) - 1), 'it is cut short', 'one byte less');
cmp_ok(kept($before), '>', 0, 'what precedes the fault is there');
my $flipped = $good;
substr($flipped, 100, 1) ^= "\x10";
for ([ $flipped, 'it is damaged', 'a flipped bit' ], [ 'nonsense' x 1000, 'it is no copy of the memory ring', 'another file' ],
	[ '', 'it is no copy of the memory ring', 'an empty file' ])
{
	restart_with(@$_);
	is(kept($before), '0', 'nothing of it is shown');
}
$total = sample();
$standby->restart;
ok(sampled_anew(), 'the next copy is good again');
is(kept($time), $total, 'and brings all back');

# ---- a full disk ----

configure($standby, 'pgdba.hot_interval' => '100ms');
ok(copied(), 'a copy in time');
is(metric($standby, 'pgdba_ring_copy_errors_total'), '0', 'without an error');
# To the sampler a limit of file sizes is as good.
$sampler = process_pid($standby, 'sampler');
my $limit = (-s $copy) + 100;
system_or_bail('prlimit', '--pid', $sampler, "--fsize=$limit:");
ok(wait_until(sub { metric($standby, 'pgdba_ring_copy_errors_total') > 2 }), 'what cannot be written is tried again, and counted');
isnt(-s $copy, $limit, 'a part that was written is taken back');
$size = -s $copy;
like($standby->safe_psql('postgres', q{SELECT last_error FROM pgdba.processes WHERE name = 'pgdba sampler'}),
	qr/^copy of the memory ring \(.*\): File too large$/, 'and said');
ok(more_ticks($standby, 5), 'sampling goes on');
is(-s $copy, $size, 'the copy stays good as it is');
is(healthz($standby)->{status}, 'ok', 'all is well');
system_or_bail('prlimit', '--pid', $sampler, '--fsize=unlimited:');
ok(copied(), 'with room again it is written');
is($standby->safe_psql('postgres', q{SELECT last_error FROM pgdba.processes WHERE name = 'pgdba sampler'}), '', 'and nothing is said any more');
$time = newest('connections');
$total = kept($time);
ok(copied(), 'a last copy');
$standby->stop('immediate');
$standby->start;
ok(sampled_anew(), 'after an immediate stop');
is(kept($time), $total, 'nothing is lost');

# ---- promotion ----

ok(copied(), 'a copy of the standby');
$good = slurp_file($copy);
$standby->promote;
my $promoted = $standby->safe_psql('postgres', 'SELECT clock_timestamp()');
my $last = $standby->safe_psql('postgres', qq{SET pgdba.as_of = '$promoted'; SELECT tick FROM pgdba.last_heartbeat WHERE loop = 'hot'});
ok(samples_reach_tables($standby), 'after the promotion samples arrive in the tables');
my $first = $standby->safe_psql('postgres', qq{SELECT min(tick) FROM pgdba.ring_hot WHERE probe = 'connections' AND sampled_at > '$promoted'});
cmp_ok($first, '<=', $last + 2, 'within two ticks');
cmp_ok(kept($time), '>=', $total, 'what the standby knew is still there');
ok(wait_until(sub { !-e $copy }), 'there is no copy any more');
is(metric($standby, 'pgdba_ring_copy_timestamp_seconds'), undef, 'nor a metric of one');
# A file that was left behind is older than what the tables hold: it must not hide that.
$standby->stop;
append_to_file($copy, $good);
$standby->start;
ok(samples_reach_tables($standby), 'after a restart');
cmp_ok($standby->safe_psql('postgres', qq{SELECT count(*) FROM pgdba.hist_connections WHERE sampled_at > '$promoted'}), '>', 0,
	'history comes from tables');
is(kept($promoted, 'receiver'), '0', 'not from a file that was left behind');
ok(wait_until(sub { !-e $copy }), 'which is removed');
$standby->stop;

done_testing();
