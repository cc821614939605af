# Replication: a hot standby and its promotion, a publication of all tables, a synchronous standby that is dead.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub rows_in_tables {
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT sum(n) FROM (' . join(' UNION ALL ',
			map { "SELECT count(*) AS n FROM pgdba.ring_$_" } qw(hot workload storage hourly)) . ') t');
}

# ---- a hot standby ----

my $primary = pgdba_node('primary', init => { allows_streaming => 1 });
$primary->start;
$primary->backup('base');
my $standby = pgdba_node('standby', backup => [ $primary, 'base' ]);
$standby->start;
ok(wait_until(sub { healthz($standby)->{why} =~ /extension pgdba is not created/ }), 'the standby misses the extension');
$primary->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($standby), 'CREATE EXTENSION on the primary is noticed on the standby');
ok(settled($primary), 'and on the primary');

my $sampler = process_pid($standby, 'sampler');
is($standby->safe_psql('postgres', q{SELECT pgdba.health_json() ->> 'in_recovery'}), 'true', 'health_json() on a standby');
like($standby->safe_psql('postgres', 'SELECT pgdba.health()'), qr/standby/, 'health() on a standby');
is(sqlstate($standby, 'postgres', 'SELECT pgdba.sample_now()'), '00000', 'sample_now() on a standby');
is($standby->safe_psql('postgres', q{SELECT sampled_at >= now() FROM (SELECT pgdba.sample_now()) s,
	(SELECT max(sampled_at) AS sampled_at FROM pgdba.last_connections) c}), 't', 'it samples now');
ok($standby->poll_query_until('postgres', 'SELECT count(DISTINCT sampled_at) > 20 FROM pgdba.hist_connections'),
	'history comes from memory');
# The primary's samples name other sessions: those of the standby know of its own walreceiver.
is($standby->safe_psql('postgres', q{SELECT count(*) > 0 FROM pgdba.last_activity WHERE backend_type = 'walreceiver'}), 't',
	'they are its own');
is(healthz($standby)->{code}, 200, '/healthz answers 200') or diag(healthz($standby)->{why});
my ($status, $metrics) = http_get($standby, '/metrics');
is($status, 200, '/metrics answers');
like($metrics, qr/^pg_connections\{cluster="standby"\} /m, 'with its own samples');
is(sqlstate($standby, 'postgres', $_), '00000', $_)
  for ('TABLE pgdba.verdicts', q{SELECT * FROM pgdba.verdicts_at(now() - interval '1 s')}, 'SELECT * FROM pgdba.preflight()',
	'SELECT * FROM pgdba.cost()', 'TABLE pgdba.loops');

# The primary does not write any more: what then appears in the tables would be the standby's.
# Its last samples are committed asynchronously: another commit, which is not, makes sure that they have been sent.
$primary->safe_psql('postgres', q{SELECT pgdba.pause('1 day')});
$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, '', '')});
$primary->wait_for_catchup($standby);
my $rows = rows_in_tables($standby);
my $offset = log_size($standby);
ok(more_ticks($standby, 30), 'the standby samples');
is(rows_in_tables($standby), $rows, 'and writes nothing');
is(log_size($standby), $offset, 'not into the log either') or diag(log_since($standby, $offset));

# ---- promotion ----

$primary->stop;
$standby->promote;
ok(samples_reach_tables($standby), 'after the promotion samples arrive in the tables');
ok(wait_until(sub { $standby->safe_psql('postgres', q{SELECT pgdba.health_json() ->> 'in_recovery'}) eq 'false' }),
	'health_json() says that it is a primary');
is(process_pid($standby, 'sampler'), $sampler, 'the sampler is the same');
unlike($standby->safe_psql('postgres', 'SELECT pgdba.health()'), qr/standby,/, 'health() does not call it a standby');
ok($standby->poll_query_until('postgres',
		q{SELECT count(*) > 0 FROM pgdba.hist_activity WHERE backend_type = 'walreceiver'}),
	'its history of before is still there');
is(count_in_log($standby, qr/(?:ERROR|PANIC): /, $offset), 0, 'nothing went wrong') or diag(log_since($standby, $offset));
$standby->stop;

# ---- a publication of all tables, with a subscriber ----

my $publisher = pgdba_node('publisher', init => { allows_streaming => 'logical' });
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->start;
$_->safe_psql('postgres', 'CREATE TABLE orders (id int PRIMARY KEY)') for $publisher, $subscriber;
$publisher->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
$subscriber->safe_psql('postgres', sprintf q{CREATE SUBSCRIPTION copy CONNECTION '%s' PUBLICATION everything},
	$publisher->connstr('postgres') =~ s/'/''/gr);
$subscriber->wait_for_subscription_sync($publisher, 'copy');

# Whether a row that is inserted now arrives.
my $order = 0;
sub rows_arrive {
	++$order;
	$publisher->safe_psql('postgres', "INSERT INTO orders VALUES ($order)");
	return $subscriber->poll_query_until('postgres', "SELECT count(*) = 1 FROM orders WHERE id = $order");
}
ok(rows_arrive(), 'a subscriber receives rows');
my (undef, undef, $warning) = $publisher->psql('postgres', 'CREATE EXTENSION pgdba');
like($warning, qr/WARNING:  publication "everything" would send the tables of pgdba to its subscribers/,
	'CREATE EXTENSION warns');
ok(rows_arrive(), 'it receives rows after CREATE EXTENSION');
ok(more_ticks($publisher, 10), 'sampling goes on');
ok(wait_until(sub { healthz($publisher)->{why} =~ /published/ }), '/healthz says why it is degraded')
  or diag(healthz($publisher)->{why});
is(healthz($publisher)->{code}, 200, 'with 200');
like($publisher->safe_psql('postgres', q{SELECT reason FROM pgdba.loops WHERE loop = 'hot'}),
	qr/^published: .*"everything"/, 'pgdba.loops names the publication');
is($publisher->safe_psql('postgres', q{SELECT ok FROM pgdba.preflight() WHERE item = 'publication'}), 'f',
	'so does preflight()');
is(sqlstate($publisher, 'postgres', $_), '55000', "refused: $_")
  for (q{SELECT pgdba.set_threshold('locks.blocked', '%', 1, 2)},
	q{SELECT pgdba.define_probe('mine', 'hot', 'SELECT 1 AS one', '{}', '{}')}, q{UPDATE pgdba.probe SET loop = loop});
is(rows_in_tables($publisher), '0', 'nothing is written to the tables');
cmp_ok(metric($publisher, 'pgdba_unwritten_samples_total'), '>', 0, 'which is counted');
ok($publisher->poll_query_until('postgres', 'SELECT count(DISTINCT sampled_at) > 5 FROM pgdba.hist_connections'),
	'history is in memory');
ok(rows_arrive(), 'the subscriber goes on');
is(count_in_log($subscriber, qr/ERROR: /), 0, 'and met no error') or diag(log_since($subscriber));

my $history = q{SELECT count(DISTINCT sampled_at) FROM pgdba.hist_connections WHERE sampled_at <= '%s'};
my $time = $publisher->safe_psql('postgres', 'SELECT max(sampled_at) FROM pgdba.hist_connections');
my $samples = $publisher->safe_psql('postgres', sprintf $history, $time);
$publisher->restart;
ok(settled($publisher), 'after a restart');
is($publisher->safe_psql('postgres', sprintf $history, $time), $samples, 'it is back from its copy');

$publisher->safe_psql('postgres', 'DROP PUBLICATION everything; CREATE PUBLICATION everything FOR TABLE orders');
ok(samples_reach_tables($publisher), 'without the publication samples arrive in the tables');
ok(wait_until(sub { !-e $publisher->data_dir . '/pg_stat_tmp/pgdba.ring' }), 'and no copy is kept');
ok(wait_until(sub { healthz($publisher)->{status} eq 'ok' }), 'and /healthz says ok') or diag(healthz($publisher)->{why});

# The same by way of the schema, and of a single table.
for my $what ('TABLES IN SCHEMA pgdba', 'TABLE pgdba.ring_hot') {
	$publisher->safe_psql('postgres', "CREATE PUBLICATION ours FOR $what");
	ok(wait_until(sub { healthz($publisher)->{why} =~ /published: publication "ours"/ }), "FOR $what is noticed as well");
	my $written = rows_in_tables($publisher);
	ok(more_ticks($publisher, 5), 'sampling goes on');
	is(rows_in_tables($publisher), $written, 'nothing is written');
	$publisher->safe_psql('postgres', 'DROP PUBLICATION ours');
	ok(samples_reach_tables($publisher), 'writing goes on after it');
}
$subscriber->stop;

# ---- a synchronous standby that is dead ----

configure($publisher, synchronous_standby_names => 'nobody');
# A commit of a user waits now: without that the rest would prove nothing.
my $waiting = session($publisher);
$waiting->query_until(qr/begun/, "\\echo begun\nINSERT INTO orders VALUES (-1);\n");
ok($publisher->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'}),
	'a commit waits for the standby');
ok(samples_reach_tables($publisher), 'samples arrive in the tables all the same');
ok(more_ticks($publisher, 20), 'sampling goes on');
is(metric($publisher, 'pgdba_loop_late', loop => 'hot'), '0', 'and is not late');
is($publisher->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pgdba%'
	AND wait_event = 'SyncRep'}), '0', 'no process of ours waits');
is(healthz($publisher)->{status}, 'ok', '/healthz says ok') or diag(healthz($publisher)->{why});
configure($publisher, synchronous_standby_names => '');
leave($waiting);

$publisher->stop;
done_testing();
