# Locks pile up: one transaction that alters a thousand tables, in the home database and in another one, and others that wait
# behind it; then system catalogs locked as by VACUUM FULL. Nothing of ours waits longer than lock_timeout, nothing queues
# where it would hold up others, and every loop goes on.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @loops = qw(hot workload storage hourly);
my $tables = 1000;
my $node = pgdba_node('pileup', conf => join("\n", 'max_locks_per_transaction = 512', 'autovacuum = off', 'pgdba.top_relations = 10000', 'pgdba.top_indexes = 10000',
		(map { "pgdba.${_}_interval = '1s'" } @loops), q{pgdba.hot_interval = '200ms'}));
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE other; CREATE DATABASE third');
$node->safe_psql($_, <<"EOF") for qw(postgres other);
SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, a int)', g) FROM generate_series(1, $tables) g \\gexec
EOF
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling');

my $watch = session($node, 'third');

# Looks again and again until the condition holds. RETURNS: how long a process of ours waited for a lock at most, in
# milliseconds, and what for.
sub longest_wait {
	my ($condition, $name) = @_;
	my ($longest, $what) = (0, '');
	my $done = wait_until(sub {
			my ($seen, $on) = split /\|/, $watch->query_safe(q{SELECT round(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000),
					concat_ws(' ', a.backend_type, a.datname, l.locktype, l.relation, l.mode)
				FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.backend_type LIKE 'pgdba%'
				ORDER BY l.waitstart LIMIT 1}) || '0|';
			($longest, $what) = ($seen, $on // '') if $seen > $longest;
			return $condition->();
		});
	ok($done, $name);
	return ($longest, $what);
}

# A condition: every loop has ticked that often more.
sub ticks_of_all {
	my ($count) = @_;
	my %until = map { $_ => ticks($node, $_) + $count } @loops;
	return sub { return !grep { ticks($node, $_) < $until{$_} } @loops; };
}

# Median of what the hot loop's ticks took, and of how late they came, since then: a noisy machine moves it little.
sub median {
	my ($column, $since) = @_;
	return $node->safe_psql('postgres', "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY $column) FROM pgdba.hist_heartbeat
		WHERE loop = 'hot' AND sampled_at > '$since'");
}
sub errors { return $node->safe_psql('postgres', q{SELECT coalesce(sum(errors), 0) FROM pgdba.cost()}); }

my $then = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
longest_wait(ticks_of_all(3), 'ticks without locks');
my %quiet = map { $_ => median($_, $then) } qw(duration_seconds lateness_seconds);

# ---- a thousand tables ----

my (@holders, @waiting);
for my $database (qw(postgres other)) {
	my $holder = session($node, $database);
	$holder->query_safe("BEGIN; DO \$\$BEGIN FOR i IN 1 .. $tables LOOP EXECUTE format('ALTER TABLE t%s ADD b int', i); END LOOP; END\$\$");
	push @holders, $holder;
	for my $query ('SELECT count(*) FROM t1', 'ALTER TABLE t1 SET (fillfactor = 90)', 'DROP TABLE t2', 'VACUUM t3', 'CREATE INDEX ON t4 (a)',
		'REINDEX TABLE t5', 'UPDATE t6 SET a = 1', 'LOCK TABLE t7') {
		my $waiting = session($node, $database);
		$waiting->query_until(qr/begun/, "\\echo begun\n" . ($query =~ /^LOCK/ ? "BEGIN; $query" : $query) . ";\n");
		push @waiting, $waiting;
	}
}
ok(wait_until(sub { $watch->query_safe('SELECT count(*) FROM pg_locks WHERE NOT granted') == @waiting }), 'sessions wait for them');
my $errors = errors();
$then = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
my ($longest, $what) = longest_wait(ticks_of_all(3), 'ticks of all loops go on');
is("$longest $what", '0 ', 'no process of ours waited for a lock');
is(errors(), $errors, 'no probe met an error') or diag($node->safe_psql('postgres', 'SELECT probe, last_error FROM pgdba.cost() WHERE errors > 0'));
is(metric($node, 'pgdba_loop_late', loop => $_), '0', "loop $_ is not late") for @loops;
for my $column (sort keys %quiet) {
	my $locked = median($column, $then);
	cmp_ok($locked, '<', $quiet{$column} + 0.1, "median $column of the hot loop: $quiet{$column} without locks, $locked with them");
}
for my $probe (qw(relation table index)) {
	is($node->safe_psql('postgres', "SELECT string_agg(d, ' ' ORDER BY d) FROM (SELECT db || ' ' || count(*) AS d FROM pgdba.last_$probe
			WHERE @{[ $probe eq 'index' ? 'indexname' : 'relname' ]} ~ '^t[0-9]+(_pkey)?\$' GROUP BY db) x"),
		"other $tables postgres $tables", "probe $probe: all of them are in the sample");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.last_table WHERE relname = 't1' AND size_bytes IS NOT NULL}), '2', 'with sizes');
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgdba.verdicts WHERE check_id = 'locks.blocked' AND severity IN ('ok', 'warning')}),
	'who waits is looked at');
$_->query_safe('ROLLBACK') for @holders;
leave(@waiting, @holders);

# ---- system catalogs, as VACUUM FULL locks them ----

# A lock on pg_class stops every new connection to that database, also that of a reader; but it stops no loop. At home
# probes fail one after the other, each after lock_timeout.
my $offset = log_size($node);
for my $catalog (qw(pg_class pg_index pg_statistic)) {
	for my $database (qw(other postgres)) {
		my $holder = session($node, $database);
		$holder->query_safe("BEGIN; LOCK TABLE pg_catalog.$catalog IN ACCESS EXCLUSIVE MODE");
		my $looks = 0;
		my ($longest, $what) = longest_wait($database eq 'other' ? ticks_of_all(2) : sub { return ++$looks > 20; },
			"$catalog of $database is locked: " . ($database eq 'other' ? 'all loops go on' : 'looked at'));
		cmp_ok($longest, '<', 1000, "nothing of ours waits long for it ($what)");
		is(healthz($node)->{code}, 200, '/healthz answers') if $database eq 'other';
		$holder->query_safe('ROLLBACK');
		leave($holder);
	}
}
ok(settled($node), 'sampling');
ok(wait_until(sub { healthz($node)->{status} eq 'ok' }), 'all is well after it') or diag(healthz($node)->{why});
ok($node->poll_query_until('postgres', q{SELECT count(DISTINCT db) = 2 FROM pgdba.last_relation WHERE relname = 't1'
	AND sampled_at > clock_timestamp() - interval '3 s'}), 'and both databases are sampled');
is(count_in_log($node, qr/WARNING|FATAL|PANIC|exited with exit code/, $offset), 0, 'nothing is in the log') or diag(log_since($node, $offset));
leave($watch);
$node->stop;
done_testing();
