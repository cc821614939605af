# From CREATE EXTENSION to DROP EXTENSION, and what lies between: restart, reload, pause, a home database that is
# missing, a server that does not preload the library, errors of the functions, who may read.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = pgdba_node('lifecycle');
$node->start;

# ---- CREATE EXTENSION is noticed ----

ok(wait_until(sub { healthz($node)->{why} =~ /extension pgdba is not created in database "postgres"/ }),
	'/healthz says that the extension is missing');
is(healthz($node)->{code}, 503, 'with 503');
is(ticks($node), 0, 'nothing is sampled before');
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
my $created = time;
ok(wait_until(sub { ticks($node) > 0 }), 'CREATE EXTENSION is noticed without a restart');
note sprintf 'after %.1f s', time - $created; # promised are 2 s
ok(settled($node), 'sampling goes on');

# ---- DROP EXTENSION while sampling, and CREATE again ----

my $sampler = process_pid($node, 'sampler');
my $offset = log_size($node);
for my $round (1 .. 4) {
	is(sqlstate($node, 'postgres', 'DROP EXTENSION pgdba'), '00000', "DROP EXTENSION while sampling, round $round");
	# In the odd rounds it is back before anybody noticed.
	ok(wait_until(sub { healthz($node)->{why} =~ /extension pgdba is not created/ }), 'which /healthz says')
	  if $round % 2 == 0;
	is(sqlstate($node, 'postgres', 'CREATE EXTENSION pgdba'), '00000', 'CREATE EXTENSION again');
	ok(wait_until(sub { healthz($node)->{code} == 200 }), 'which /healthz says');
	ok(samples_reach_tables($node), 'samples arrive in the new tables');
}
$node->safe_psql('postgres', 'BEGIN; DROP EXTENSION pgdba; ROLLBACK');
{
	# Nothing of ours can be read, and then it is as if nothing had been.
	my $session = session($node);
	$session->query_safe('BEGIN; DROP EXTENSION pgdba');
	ok(more_ticks($node, 3), 'ticks go on while a DROP EXTENSION is not committed');
	$session->query_safe('ROLLBACK');
	leave($session);
	# The next tick of the workload loop would be a minute away.
	ok(wait_until(sub { sqlstate($node, 'postgres', 'SELECT pgdba.sample_now()'); healthz($node)->{status} eq 'ok' }), 'all is well after its ROLLBACK')
	  or diag(healthz($node)->{why});
}
ok(samples_reach_tables($node), 'and samples arrive in the tables');
is(process_pid($node, 'sampler'), $sampler, 'all this did not end the sampler');
is(count_in_log($node, qr/(?:ERROR|FATAL|PANIC|WARNING|LOG):/, $offset), 0, 'and left nothing in the log')
  or diag(log_since($node, $offset));
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^pgdba_'}), '2',
	'the roles outlive the extension');

# ---- a reload ----

is(metric($node, 'pgdba_interval_seconds', loop => 'hot'), '0.1', 'the interval is a metric');
configure($node, 'pgdba.hot_interval' => '700ms', 'pgdba.workload_interval' => '100ms');
ok(wait_until(sub { (metric($node, 'pgdba_interval_seconds', loop => 'hot') // 0) == 0.7 }),
	'a new interval takes effect with a reload');
ok(more_ticks($node, 5, 'workload'), 'a loop that slept for a minute wakes up');
is(process_pid($node, 'sampler'), $sampler, 'without a new sampler');
configure($node, 'pgdba.hot_interval' => '100ms', 'pgdba.workload_interval' => '1min');
ok(wait_until(sub { metric($node, 'pgdba_interval_seconds', loop => 'hot') == 0.1 }), 'and back');

# ---- the steady state ----

$offset = log_size($node);
ok(more_ticks($node, 60), 'sixty ticks');
is(log_size($node), $offset, 'leave nothing in the log') or diag(log_since($node, $offset));

# ---- pause and resume ----

my $copy = 'CREATE DATABASE copy TEMPLATE postgres';
is(sqlstate($node, 'postgres', q{SELECT pgdba.pause('1 hour')}), '00000', 'pause()');
ok(wait_until(sub { metric($node, 'pgdba_paused') == 1 }), 'a pause is a metric');
like($node->safe_psql('postgres', 'SELECT pgdba.health()'), qr/paused until/, 'health() says so');
is(process_pid($node, 'sampler'), '', 'the sampler is gone');
is(sqlstate($node, 'postgres', q{SELECT pgdba.sample_now()}), '55000', 'sample_now() has no sampler');
is(sqlstate($node, 'template1', $copy), '00000', 'the home database can be copied');
is(sqlstate($node, 'postgres', q{SELECT pgdba.resume()}), '00000', 'resume()');
ok(settled($node), 'sampling goes on');
ok(wait_until(sub { metric($node, 'pgdba_paused') == 0 }), 'the metric says so');
is(sqlstate($node, 'postgres', q{SELECT pgdba.pause('0')}), '22023', 'a pause without length is refused');
is(sqlstate($node, 'postgres', q{SELECT pgdba.pause('300 ms')}), '00000', 'a short pause');
ok(settled($node), 'ends by itself');
# Two libraries of one home: the copy has the extension as well, and no sampler.
is($node->safe_psql('copy', q{SELECT ok FROM pgdba.preflight() WHERE item = 'pgdba.database'}), 'f',
	'preflight() in the copy says that it is not the home database');
$node->safe_psql('postgres', 'DROP DATABASE copy');

# ---- errors of sample_now() ----

is(sqlstate($node, 'postgres', q{SELECT pgdba.sample_now('hot')}), '00000', 'sample_now() of a loop');
is($node->safe_psql('postgres', q{SELECT sampled_at >= now() FROM (SELECT pgdba.sample_now()) s,
	(SELECT max(sampled_at) AS sampled_at FROM pgdba.last_activity) a}), 't', 'sample_now() samples now');
is(sqlstate($node, 'postgres', q{SELECT pgdba.sample_now('weekly')}), '22023', 'sample_now() of an unknown loop');
$sampler = process_pid($node, 'sampler');
kill 'STOP', $sampler;
is(sqlstate($node, 'postgres', q{SELECT pgdba.sample_now('hot', '300 ms')}), '57014', 'sample_now() has a time-out');
is(sqlstate($node, 'postgres', q{SET statement_timeout = '300ms'; SELECT pgdba.sample_now('hot')}), '57014',
	'and can be cancelled');
my $stopped = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok(wait_until(sub { $node->safe_psql('postgres', "SELECT clock_timestamp() > '$stopped'::timestamptz + interval '1 s'") eq 't' }), 'a second without samples');
kill 'CONT', $sampler;
ok(settled($node), 'sampling goes on');
is($node->safe_psql('postgres', qq{SELECT gaps > 0 AND longest_gap >= 1 AND longest_gap_since <= '$stopped'::timestamptz
	FROM pgdba.coverage('$stopped'::timestamptz - interval '1 min', clock_timestamp()) WHERE loop = 'hot'}), 't', 'coverage() tells of the gap');

# ---- settings ----

is( $node->safe_psql('postgres', q{SELECT string_agg(format('%s %s %s', name, unit, min_val), E'\n' ORDER BY name)
	FROM pg_settings WHERE name ~ '^pgdba\..*_interval$' AND context = 'sighup'}),
	join("\n", map { "pgdba.${_}_interval ms 100" } qw(hot hourly storage workload)),
	'intervals have a unit, a least value, and take effect by a reload');
is(sqlstate($node, 'postgres', qq{ALTER SYSTEM SET $_}), '22023', "$_ is refused")
  for (q{pgdba.hot_interval = '99ms'}, q{pgdba.hot_budget = '1ms'}, q{pgdba.hot_retention = '1s'},
	q{pgdba.lock_timeout = 0}, q{pgdba.top_relations = 0}, q{pgdba.max_series = 0}, q{pgdba.shared_memory = '0'});
is(sqlstate($node, 'postgres', q{SET pgdba.as_of = 'some day'}), '22023', 'pgdba.as_of is a time');
is(sqlstate($node, 'postgres', q{SET pgdba.as_of = '2026-11-20 03:15:00+00'}), '00000', 'such as this one');
is(sqlstate($node, 'postgres', q{SET pgdba.hot_intervall = '1s'}), '42602', 'a misspelt setting is refused');
is(sqlstate($node, 'postgres', q{SET pgdba.hot_interval = '1s'}), '55P02', 'a session cannot change the sampling');

# ---- who may read ----

$node->safe_psql('postgres', 'CREATE ROLE passer_by LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor;'
	. 'CREATE ROLE steward LOGIN IN ROLE pgdba_admin');
for my $query ('SELECT pgdba.health()', 'TABLE pgdba.verdicts', 'TABLE pgdba.last_activity', 'TABLE pgdba.hist_activity',
	'TABLE pgdba.ring_hot', 'TABLE pgdba.ring_last_activity', 'TABLE pgdba.processes', 'TABLE pgdba.probe',
	'SELECT pgdba.sample_now()') {
	is(sqlstate($node, 'postgres', $query, extra_params => [ '-U', 'passer_by' ]), '42501', "not for everybody: $query");
}
for my $query ('SELECT pgdba.health()', 'TABLE pgdba.verdicts', 'TABLE pgdba.last_activity', 'TABLE pgdba.hist_activity',
	'TABLE pgdba.processes', 'TABLE pgdba.probe', 'SELECT * FROM pgdba.cost()', 'SELECT * FROM pgdba.preflight()',
	'SELECT * FROM pgdba.verdicts_at(now())') {
	my ($state, $output) = sqlstate($node, 'postgres', $query, extra_params => [ '-U', 'watcher' ]);
	is($state, '00000', "for a member of pg_monitor: $query") or diag($output);
}
is(sqlstate($node, 'postgres', $_, extra_params => [ '-U', 'watcher' ]), '42501', "not for a member of pg_monitor: $_")
  for (q{SELECT pgdba.sample_now()}, q{SELECT pgdba.pause('1 s')},
	q{SELECT pgdba.define_probe('mine', 'hot', 'SELECT 1 AS one', '{}', '{}')},
	q{SELECT pgdba.inject_sample('activity', now(), '[]')}, q{DELETE FROM pgdba.probe}, q{TABLE pgdba.ring_hot});
is(sqlstate($node, 'postgres', $_, extra_params => [ '-U', 'steward' ]), '00000', "for a member of pgdba_admin: $_")
  for (q{SELECT pgdba.sample_now()}, q{SELECT pgdba.resume()});

# ---- a restart ----

ok(samples_reach_tables($node), 'there is history');
my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
$node->restart;
ok(settled($node), 'sampling goes on after a restart');
my $reach = "SELECT count(*) > 10 FROM pgdba.hist_%s WHERE sampled_at < '$before'";
for my $probe (qw(connections activity heartbeat verdict)) {
	ok($node->poll_query_until('postgres', sprintf $reach, $probe), "hist_$probe reaches back behind the restart");
}
ok(samples_reach_tables($node), 'and goes on');

# ---- a home database that is missing ----

my $lost = pgdba_node('lost', conf => "pgdba.database = 'home'");
$lost->start;
my $missing = qr/database "home" \(pgdba\.database\) does not exist/;
ok(wait_until(sub { healthz($lost)->{why} =~ $missing }), '/healthz says that the home database is missing');
is(healthz($lost)->{code}, 503, 'with 503');
is(metric($lost, 'pgdba_up'), '0', '/metrics answers');
is(sqlstate($lost, 'postgres', 'CREATE TABLE unharmed AS SELECT 1; DROP TABLE unharmed'), '00000',
	'the server works as ever');
is($lost->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgdba launcher'}), '1',
	'the launcher waits');
$lost->safe_psql('postgres', 'CREATE EXTENSION pgdba');
is(sqlstate($lost, 'postgres', 'SELECT pgdba.sample_now()'), '55000', 'sample_now() elsewhere: no sampler');
like($lost->safe_psql('postgres', 'SELECT pgdba.health()'), $missing, 'health() elsewhere says why');
$lost->safe_psql('postgres', 'CREATE DATABASE home');
ok(wait_until(sub { healthz($lost)->{why} =~ /extension pgdba is not created in database "home"/ }),
	'a home database that comes is noticed');
is(count_in_log($lost, qr/LOG: .*$missing/), 1, 'the missing one was said in the log once');
$lost->safe_psql('home', 'CREATE EXTENSION pgdba');
ok(settled($lost), 'and is sampled once the extension is there');
is(healthz($lost)->{database}, 'home', '/healthz names it');
$lost->safe_psql('postgres', 'ALTER DATABASE home ALLOW_CONNECTIONS false');
$lost->restart;
ok(wait_until(sub { healthz($lost)->{why} =~ /database "home" .* does not allow connections/ }),
	'a home database that allows no connections is said as well');
$lost->safe_psql('postgres', 'ALTER DATABASE home ALLOW_CONNECTIONS true');
ok(settled($lost), 'and used as soon as it does');
is(count_in_log($lost, qr/(?:FATAL|PANIC): (?!.*due to administrator command)/), 0, 'no process was started in vain');
$lost->stop;

# ---- a server that does not preload the library ----

my $bare = pgdba_node('bare');
$bare->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$bare->adjust_conf('postgresql.conf', 'pgdba.hot_interval', undef);
$bare->adjust_conf('postgresql.conf', 'pgdba.listen', undef);
$bare->start;
$bare->safe_psql('postgres', 'CREATE EXTENSION pgdba');
is($bare->safe_psql('postgres', 'SELECT pgdba.loaded()'), 'f', 'loaded() tells');
is( $bare->safe_psql('postgres',
		q{SELECT ok, severity, line_to_add FROM pgdba.preflight() WHERE item = 'shared_preload_libraries'}),
	q{f|critical|shared_preload_libraries = pgdba}, 'preflight() has the line to add');
# What people call: what pg_monitor or pgdba_admin may execute, and views. Helpers of texts and of these answer anyway.
my @calls = split /\n/, $bare->safe_psql('postgres', <<'EOF');
SELECT format('SELECT * FROM %s(%s)', p.oid::regproc, (SELECT string_agg(CASE
	WHEN a.type = 'interval'::regtype THEN '''1 s''' WHEN a.type = 'timestamptz'::regtype THEN format('(now() + interval ''%s s'')', a.n)
	WHEN a.type = 'jsonb'::regtype THEN '''[]''' WHEN a.type IN ('int4'::regtype, 'int8'::regtype) THEN '''1''' ELSE '''hot''' END || '::' || a.type::regtype, ', ' ORDER BY a.n)
	FROM unnest(p.proargtypes) WITH ORDINALITY a (type, n)))
FROM pg_proc p
WHERE p.pronamespace = 'pgdba'::regnamespace AND p.provolatile <> 'i'
	AND p.proname IN ('health', 'health_json', 'verdicts_at', 'sample_now', 'inject_sample', 'process_rows', 'loop_rows',
		'ring_usage', 'pause', 'resume', 'require_preload', 'cost', 'coverage', 'databases', 'load', 'waits', 'top_load', 'session_history',
		'wait_runs', 'wait_runs_since', 'wait_now', 'lock_tree', 'lock_waits', 'slow_sessions', 'incident', 'hypotheses')
UNION ALL
SELECT 'TABLE ' || c.oid::regclass FROM pg_class c
WHERE c.relnamespace = 'pgdba'::regnamespace AND c.relkind = 'v' AND c.relname NOT IN ('checks', 'thresholds', 'causes')
ORDER BY 1
EOF
cmp_ok(scalar(@calls), '>', 25, 'there are functions and views to try');
for my $call (@calls) {
	my ($state, $output) = sqlstate($bare, 'postgres', $call);
	is($state, '55000', "without the preload: $call") or diag($output);
	like($output, qr/Add "shared_preload_libraries = /, 'with the line to add');
}
is(sqlstate($bare, 'postgres', q{SELECT pgdba.define_probe('mine', 'hot', 'SELECT 1 AS one', '{}', '{}')}), '00000',
	'defining does not need it');
is(sqlstate($bare, 'postgres', 'DROP EXTENSION pgdba'), '00000', 'nor does DROP EXTENSION');
$bare->stop;

$node->stop;
done_testing();
