# Replication, slots and checkpoints, live: lag of a standby and what it knows of itself, paused replay, a dead receiver, a
# standby that has gone, a slot that nobody uses, checkpoints forced by WAL. Each fires and goes quiet again.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Verdicts are had by sampling, so no loop runs by itself. Small segments make WAL force checkpoints soon.
my $conf = join "\n", map { "pgdba.${_}_interval = '1h'" } qw(hot workload storage hourly);
my $primary = pgdba_node('primary', init => { allows_streaming => 1, extra => ['--wal-segsize=1'] },
	conf => "$conf\nmin_wal_size = '2MB'\nmax_wal_size = '1GB'\ncheckpoint_timeout = '1h'\n");
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION pgdba; CREATE TABLE t AS SELECT 0 AS n;
	SELECT pg_create_physical_replication_slot('one')});
ok(settled_once($primary), 'the primary samples');
$primary->backup('base');
my $standby = pgdba_node('standby', backup => [ $primary, 'base' ], conf => "primary_slot_name = 'one'\n");
$standby->start;
ok(settled_once($standby), 'the standby samples');

# Whether sample_now() works: before that the sampler starts.
sub settled_once {
	my ($node) = @_;
	return wait_until(sub { sqlstate($node, 'postgres', 'SELECT pgdba.sample_now()') eq '00000' });
}

sub sample { $_[0]->safe_psql('postgres', 'SELECT pgdba.sample_now()'); return; }

# verdict NODE, CHECK, OBJECT: severity and message of a finding; of the check when it has none of that object.
sub verdict {
	my ($node, $check, $object) = @_;
	return $node->safe_psql('postgres', sprintf q{SELECT severity || ': ' || message FROM pgdba.verdicts
		WHERE check_id = '%s' AND (object = '%s' OR severity = 'ok') LIMIT 1}, $check, $object // 'cluster');
}

# comes NODE, CHECK, OBJECT, PATTERN, NAME: samples until the verdict is so.
sub comes {
	my ($node, $check, $object, $pattern, $name) = @_;
	my $seen = '';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(wait_until(sub { sample($node); ($seen = verdict($node, $check, $object)) =~ $pattern }), $name)
	  or diag("$check of $object: $seen");
}

sub column {
	my ($node, $probe, $column, $where) = @_;
	return $node->safe_psql('postgres', "SELECT $column FROM pgdba.last_$probe" . ($where ? " WHERE $where" : ''));
}

sub write_wal { $primary->safe_psql('postgres', 'INSERT INTO t SELECT generate_series(1, 1000)'); return; }

# ---- an idle primary ----

write_wal();
$primary->wait_for_catchup($standby);
ok(wait_until(sub { sample($primary); column($primary, 'replication', 'lag_seconds = 0 AND lag_bytes = 0', q{replica = 'standby'}) eq 't' }),
	'the lag is 0 while the primary idles');
is(column($primary, 'replication', 'state, streaming, slot_name, itself', q{replica = 'standby'}), 'streaming|t|one|f', 'the standby is one row');
is(metric($primary, 'pg_replication_lag_seconds', replica => 'standby'), '0', 'and a metric');
ok(wait_until(sub { sample($standby); column($standby, 'replication', 'lag_seconds = 0 AND lag_bytes = 0 AND itself') eq 't' }),
	'it says 0 of itself');
is(metric($standby, 'pg_replication_lag_bytes', replica => 'standby'), '0', 'under the same name');
is(column($standby, 'receiver', 'streaming, wanted, paused, slot_name'), 't|t|f|one', 'the standby knows its receiver');
is(column($primary, 'receiver', 'count(*)'), '0', 'the primary has none');
is(column($_, 'probe_run', 'count(*)', q{last_error <> ''}), '0', 'no probe fails on the ' . $_->name)
  or diag(column($_, 'probe_run', q{string_agg(probe || ': ' || last_error, '; ')}, q{last_error <> ''}))
  for $primary, $standby;
cmp_ok(metric($standby, 'pg_wal_bytes_written_total'), '>', 0, 'the standby counts WAL as well');
for my $node ($primary, $standby) {
	like(verdict($node, $_, 'replica:standby'), qr/^ok/, "$_ is quiet on the " . $node->name)
	  for qw(replication.lag replication.lag_bytes replication.receiver slots.inactive slots.retained checkpoints.requested wal.surge temp.surge);
}

# ---- checkpoints by command are not blamed on WAL ----

my $before = column($primary, 'checkpoint', 'requested');
$primary->safe_psql('postgres', 'CHECKPOINT') for 1 .. 4;
ok(wait_until(sub { sample($primary); column($primary, 'checkpoint', 'requested') >= $before + 4 }), 'four checkpoints by command');
like(verdict($primary, 'checkpoints.requested'), qr/^ok/, 'are not blamed on WAL');

# ---- paused replay: the lag grows on both sides, from the time at which the WAL was seen ----

$_->safe_psql('postgres', q{SELECT pgdba.set_threshold('replication.lag', '%', 0.05, 300);
	SELECT pgdba.set_threshold('replication.lag_bytes', '%', 1, 1e12)}) for $primary;
$primary->wait_for_catchup($standby);
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'});
write_wal();
comes($primary, 'replication.lag', 'replica:standby', qr/^warning: standby standby lags by .*: received, not replayed$/,
	'the primary sees that replay stands still');
comes($primary, 'replication.lag_bytes', 'replica:standby', qr/^warning: standby standby has .* of WAL still to replay/, 'in bytes too');
comes($standby, 'replication.lag', 'replica:standby', qr/^warning: this standby lags by .*: replay is paused$/, 'so does the standby, and why');
comes($standby, 'replication.receiver', 'cluster', qr/^warning: replay is paused on this standby$/, 'paused replay is a finding');
is($standby->safe_psql('postgres', q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'replication.receiver'}),
	q{SELECT pg_wal_replay_resume() WHERE pg_get_wal_replay_pause_state() = 'paused';}, 'with what ends it');
$standby->safe_psql('postgres', $standby->safe_psql('postgres', q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'replication.receiver'}));
comes($standby, $_, 'replica:standby', qr/^ok/, "$_ is quiet after it") for qw(replication.receiver replication.lag);
comes($primary, $_, 'replica:standby', qr/^ok/, "$_ on the primary too") for qw(replication.lag replication.lag_bytes);

# ---- a dead receiver: broken, not 0 ----

$primary->stop('immediate');
comes($standby, 'replication.receiver', 'cluster', qr/^critical: this standby has no connection to its primary, the last one streamed/,
	'a dead receiver is critical');
is(column($standby, 'replication', q{lag_seconds IS NULL AND lag_bytes IS NULL, state}), 't|broken', 'its lag is not known, not 0');
like(verdict($standby, 'replication.lag', 'replica:standby'), qr/^unknown/, 'and unknown as a verdict');
is(metric($standby, 'pg_replication_lag_seconds'), undef, 'and no metric');
is(metric($standby, 'pg_wal_receiver_streaming'), '0', 'which another says');
$primary->start;
ok(settled_once($primary), 'the primary is back');
comes($standby, $_, 'replica:standby', qr/^ok/, "$_ is quiet again") for qw(replication.receiver replication.lag);
comes($primary, $_, 'replica:standby', qr/^ok/, "$_ on the primary") for qw(replication.receiver slots.inactive replication.lag);

# ---- a standby that has gone, and its slot ----

sample($primary) for 1 .. 3; # has been here for a while
$primary->safe_psql('postgres', q{SELECT pgdba.set_threshold('slots.inactive', '%', 0.01, NULL);
	SELECT pgdba.set_threshold('slots.retained', '%', 0.0001, 90)});
$standby->stop('fast');
write_wal();
comes($primary, 'replication.receiver', 'replica:standby', qr/^warning: standby standby has gone, it was here .* ago; its slot one keeps /,
	'a standby that has gone is named, with its slot');
comes($primary, 'slots.inactive', 'slot:one', qr/^warning: slot one has not been used for .*, last by standby, and keeps /, 'its slot keeps WAL');
comes($primary, 'slots.retained', 'slot:one', qr/^warning: slot one keeps .* of WAL, without a limit$/, 'and may keep it without a limit');
cmp_ok(metric($primary, 'pgdba_slot_retained_bytes', slot_name => 'one'), '>', 0, 'which is a metric');
is(metric($primary, 'pgdba_slot_active', slot_name => 'one'), '0', 'as is that nobody uses it');

# ---- checkpoints forced by WAL, and a slot that loses its WAL ----

configure($primary, max_wal_size => '2MB', max_slot_wal_keep_size => '2MB', checkpoint_timeout => '30min');
ok($primary->poll_query_until('postgres', q{SELECT current_setting('max_wal_size') = '2MB'}), 'little WAL is allowed');
# A switch of segments is WAL as well. Each round waits for the checkpoint that it forces.
for my $round (1 .. 4) {
	my $requested = column($primary, 'checkpoint', 'requested');
	ok(wait_until(sub {
		$primary->safe_psql('postgres', 'INSERT INTO t SELECT generate_series(1, 30000)');
		sample($primary);
		column($primary, 'checkpoint', 'requested') > $requested }), "WAL forces a checkpoint, $round");
}
comes($primary, 'checkpoints.requested', 'cluster', qr/^warning: WAL forced \d+ checkpoints in the last hour, .*: max_wal_size is 2 MB/,
	'checkpoints forced by WAL are a finding');
my $remedy = $primary->safe_psql('postgres', q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'checkpoints.requested'});
like($remedy, qr/^ALTER SYSTEM SET max_wal_size = '32MB';\nSELECT pg_reload_conf\(\);$/, 'with what helps');
comes($primary, 'slots.retained', 'slot:one', qr/^critical: slot one has lost its WAL(?: \(wal_removed\))?: its consumer cannot go on$/, 'a slot that has lost its WAL is critical');
$primary->safe_psql('postgres', $primary->safe_psql('postgres', q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'slots.retained' AND severity = 'critical'}));
$primary->safe_psql('postgres', $remedy);
comes($primary, 'checkpoints.requested', 'cluster', qr/^ok/, 'which does help');
comes($primary, $_, 'slot:one', qr/^ok/, "without the slot $_ is quiet") for qw(slots.retained slots.inactive);

# A standby whose slot is not there never gets a receiver.
$standby->start;
ok(settled_once($standby), 'the standby starts all the same');
comes($standby, 'replication.receiver', 'cluster', qr/^critical: this standby has no connection to its primary/, 'a receiver that never came is critical');

# ---- what is a replica, and what not ----

# A base backup that takes long (its checkpoint must leave the WAL that the others begin with), two of one name, and one that takes from the standby, which itself stays broken.
sub started { return IPC::Run::start([ @_ ], '>', \my $out, '2>', \my $err); }
sub receive_wal {
	my ($node) = @_;
	delete local $ENV{PGAPPNAME};
	return started('pg_receivewal', '-n', '-s', 1, '-d', $node->connstr, '-D', PostgreSQL::Test::Utils::tempdir);
}
configure($primary, wal_keep_size => '128MB');
$primary->poll_query_until('postgres', q{SELECT current_setting('wal_keep_size') = '128MB'});
my @clients = (receive_wal($primary), receive_wal($primary), receive_wal($standby),
	started('pg_basebackup', '-r', 32, '-c', 'fast', '-d', $primary->connstr, '-D', PostgreSQL::Test::Utils::tempdir . '/b'));
$primary->poll_query_until('postgres', q{SELECT count(DISTINCT state) = 2 AND count(*) = 4 FROM pg_stat_replication
	WHERE state IN ('backup', 'streaming')}) or diag($primary->safe_psql('postgres', 'TABLE pg_stat_replication'));
write_wal();
ok(wait_until(sub { sample($primary); column($primary, 'replication',
		q{string_agg(replica || ' ' || kind || ' ' || lag_seconds, ', ' ORDER BY replica)}) eq
		'pg_receivewal@local physical 0, pg_receivewal@local#2 physical 0' }),
	'those of one name are told apart, a base backup is none') or diag(column($primary, 'replication', '*'));
ok(wait_until(sub { sample($standby); column($standby, 'replication',
		q{string_agg(concat_ws(' ', replica, itself, lag_seconds), ', ' ORDER BY replica)}) eq
		'pg_receivewal f 0, standby t' }), 'what a standby sends on is a replica of it') or diag(column($standby, 'replication', '*'));
$_->kill_kill for @clients;

$_->stop('immediate') for $standby, $primary;
done_testing();
