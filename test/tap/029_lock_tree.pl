# Who waits for a lock: in every shape the same as pg_blocking_pids() says, as a tree, now and in the past.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('locks',
	conf => "max_connections = 60\nmax_prepared_transactions = 5\ndeadlock_timeout = '1h'\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE TABLE stock (id int PRIMARY KEY, n int); INSERT INTO stock SELECT g, 0 FROM generate_series(1, 1000) g;
	CREATE TABLE other (id int);
	CREATE FUNCTION look() RETURNS bool PARALLEL SAFE LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM other; RETURN true; END $$});
ok(settled($node), 'sampling');

sub sql { return $node->safe_psql('postgres', $_[0]); }

# A session that has begun to run SQL, which may wait.
sub running {
	my ($sql) = @_;
	my $session = session($node, 'shop');
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_until(qr/begun/, "\\echo begun\n$sql;\n");
	return wantarray ? ($session, $pid) : $session;
}

# Ends all sessions, also those that wait.
sub finish {
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'");
	ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop'") eq '0' }), 'all gone');
	local $SIG{PIPE} = 'IGNORE'; # those that waited are gone already
	eval { leave($_) } for @_;
	return;
}

# So many processes wait, for whom the server says; and the few blockers that are kept are among those.
sub agrees {
	my ($waiting, $name) = @_;
	subtest $name => sub {
		ok(wait_until(sub { sql('SELECT count(*) FROM pg_locks WHERE NOT granted') eq $waiting }), "$waiting wait");
		my $theirs = '(SELECT jsonb_agg(DISTINCT b ORDER BY b) FROM unnest(pg_blocking_pids(l.pid::int)) b)';
		is(sql("SELECT count(*), count(*) FILTER (WHERE l.blocked_by::jsonb = $theirs) FROM pgdba.lock_sessions(NULL) l
			WHERE l.lock_type IS NOT NULL"), "$waiting|$waiting", 'the same blockers');
		is(sql("SELECT count(*) FROM pgdba.lock_sessions() l WHERE l.lock_type IS NOT NULL
			AND l.blocked_by::jsonb <@ $theirs AND l.blocked_by <> '[]'"), $waiting, 'and no others where few are kept');
		is(sql("SELECT count(*) FROM pgdba.lock_sessions(NULL) l WHERE l.depth > 0
			AND NOT l.blocked_by::jsonb @> (l.path::jsonb -> (l.depth - 1)::int)"), '0', 'whoever stands above is one of them');
		is(sql("SELECT count(*) FROM pgdba.lock_sessions(NULL) l WHERE NOT l.circle AND l.blocked <> (WITH RECURSIVE behind AS (
			SELECT l.pid UNION SELECT s.pid FROM behind b JOIN pgdba.lock_sessions(NULL) s ON s.blocked_by::jsonb @> to_jsonb(b.pid))
			SELECT count(*) - 1 FROM behind) AND l.pid <> 0"), '0', 'as many are behind each as can be counted');
	};
	return;
}

is(sql('SELECT count(*) FROM pgdba.lock_tree()'), '0', 'nobody waits, no tree');

# ---- the queue behind a DDL that waits for a long SELECT ----

my ($reader, $reader_pid) = running('BEGIN; SELECT FROM stock WHERE id = 1');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_locks WHERE pid = $reader_pid AND fastpath AND relation IS NOT NULL") > 0 }),
	'a lock of the fast path');
my ($ddl, $ddl_pid) = running('ALTER TABLE stock ADD note text');
agrees(1, 'DDL behind a reader');
my @behind = map { scalar running('SELECT count(*) FROM stock') } 1 .. 3;
ok(wait_until(sub { sql('SELECT count(*) FROM pg_locks WHERE NOT granted') eq '4' }), 'readers behind it');
push @behind, scalar running('BEGIN; LOCK TABLE stock IN SHARE MODE');
agrees(5, 'a queue behind DDL');
my @tree = split /\n/, sql('SELECT depth, lock_type, mode, blocker_mode, blocker_holds, blocked, queued_ddl FROM pgdba.lock_tree()');
is($tree[0], '0|||||5|f', 'the root is who reads');
is($tree[1], '1|relation|AccessExclusiveLock|AccessShareLock|t|4|t', 'below it the queued DDL, which holds up others');
is($tree[2], '2|relation|AccessShareLock|AccessExclusiveLock|f|0|f', 'below that those behind it');
is(sql("SELECT bool_and(blocked_by = ARRAY[$ddl_pid] AND path = ARRAY[$reader_pid, $ddl_pid, pid]) FROM pgdba.lock_tree()
	WHERE mode = 'AccessShareLock'"), 't', 'the readers wait for the DDL, though it holds nothing');
like(sql("SELECT string_agg(line, E'\\n') FROM pgdba.lock_tree()"),
	qr/^\d+ \S+\@shop.* 5 behind it\n  \d+ .*held: AccessShareLock, 4 behind it, holds up readers or writers\n    \d+ .*queued ahead: AccessExclusiveLock\n/,
	'lines for people');
my $sampled = sql("SELECT pgdba.sample_now('hot')");
is(sql("SELECT count(*), count(*) FILTER (WHERE a.blocked_by = l.blocked_by::jsonb AND a.lock_type = l.lock_type AND a.lock_mode = l.mode
		AND a.lock_wait_start = l.wait_start AND a.lock_relid = l.lock_relid)
	FROM pgdba.last_activity a JOIN pgdba.lock_sessions() l ON l.pid = a.pid WHERE a.blocked_by IS NOT NULL"), '5|5', 'activity says the same');
my $shape = 'array_agg((depth, path, mode, blocker_mode, blocked_by, blocked, queued_ddl, role, database, query) ORDER BY path)';
my $then = sql("SELECT $shape FROM pgdba.lock_tree()");
finish($reader, $ddl, @behind);
is(sql("SELECT $shape FROM pgdba.lock_tree('$sampled')"), $then, 'as it was, when all is over');
ok(wait_until(sub { sql('SELECT count(*) FROM pgdba.lock_tree(now())') eq '0' }), 'and nothing now');
is(sql("BEGIN; SET LOCAL pgdba.as_of = '2001-01-01'; SELECT FROM pgdba.lock_tree('$sampled') LIMIT 1; SHOW pgdba.as_of; COMMIT"),
	'2001-01-01', 'looking back leaves the setting alone');
is(sql('SELECT lock_type, waits, sessions, longest_seconds > 0 AND seconds >= longest_seconds FROM pgdba.lock_waits()'),
	'relation|5|5|t', 'waits by relation');

# ---- a hot row ----

my $holder = running('BEGIN; UPDATE stock SET n = 1 WHERE id = 7');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND state = 'idle in transaction'") eq '1' }), 'a row is changed');
my @hot = map { scalar running('UPDATE stock SET n = n + 1 WHERE id = 7') } 1 .. 20;
agrees(20, 'twenty want a row');
is(sql('SELECT count(DISTINCT (target, relation)), count(relation) FROM pgdba.lock_tree() WHERE depth > 0'), '1|20',
	'the same row, also for who waits for the transaction');
is(sql('SELECT blocked FROM pgdba.lock_tree() WHERE depth = 0'), '20', 'all behind one');
is(sql('SELECT max(jsonb_array_length(blocked_by::jsonb)) FROM pgdba.lock_sessions()'), '4', 'of a long queue few blockers are kept');
sql("SELECT pgdba.sample_now('hot')");
is(sql("SELECT string_agg(lock_type || ' ' || hot_row_sessions, ', ' ORDER BY lock_type) FROM pgdba.lock_waits()
	WHERE lock_type <> 'relation'"), 'transactionid 20, tuple 20', 'a hot row is named');
finish($holder, @hot);

# ---- prepared transactions, advisory locks, virtual transactions ----

$node->safe_psql('shop', "BEGIN; LOCK TABLE stock IN EXCLUSIVE MODE; PREPARE TRANSACTION 'one'");
$node->safe_psql('shop', "BEGIN; LOCK TABLE other IN ACCESS SHARE MODE; PREPARE TRANSACTION 'two'");
my @prepared = (scalar running('DELETE FROM stock'), scalar running('BEGIN; LOCK TABLE other'));
agrees(2, 'behind two prepared transactions');
my $roots = "SELECT string_agg(concat_ws(' ', pid, prepared_gid, database, role IS NOT NULL, xact_seconds IS NOT NULL), ', '
	ORDER BY prepared_gid)";
is(sql("$roots FROM pgdba.lock_tree() WHERE depth = 0"), '0 one shop t t, 0 two shop t t', 'each is a root of its own');
sql("SELECT pgdba.sample_now('hot')");
is(sql("$roots FROM pgdba.lock_tree(now()) WHERE depth = 0"), '0 one shop t t, 0 two shop t t', 'in samples too');
finish(@prepared);
$node->safe_psql('shop', "ROLLBACK PREPARED '$_'") for qw(one two);

my @advisory = scalar running('SELECT pg_advisory_lock(-5), pg_advisory_lock_shared(1, -2)');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") eq '2' }), 'advisory locks');
push @advisory, map { scalar running("SELECT $_") } 'pg_advisory_lock(-5)', 'pg_advisory_lock(1, -2)', 'pg_advisory_lock_shared(-5)';
agrees(3, 'who waits for them');
is(sql("SELECT string_agg(DISTINCT target, ' ' ORDER BY target) FROM pgdba.lock_tree() WHERE lock_type = 'advisory'"), '-5 1,-2', 'with their keys');
finish(@advisory);

my $old = running('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM other');
ok(wait_until(sub { sql('SELECT count(*) FROM pg_stat_activity WHERE datname = \'shop\' AND backend_xmin IS NOT NULL') eq '1' }), 'an old snapshot');
my $index = running('CREATE INDEX CONCURRENTLY ON stock (n)');
agrees(1, 'CREATE INDEX CONCURRENTLY behind it');
is(sql('SELECT lock_type FROM pgdba.lock_tree() WHERE depth = 1'), 'virtualxid', 'waits for a virtual transaction');
finish($old, $index);

# ---- parallel queries ----

my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0';
my ($query, $leader_pid) = running("$parallel; SELECT count(*) FROM stock WHERE pg_sleep(1000) IS NULL");
ok(wait_until(sub { sql("SELECT count(*) FROM pg_stat_activity WHERE leader_pid = $leader_pid") > 0 }), 'a parallel query');
my $truncate = running('TRUNCATE stock');
agrees(1, 'behind a parallel query');
is(sql('SELECT blocked_by FROM pgdba.lock_tree() WHERE depth = 1'), "{$leader_pid}", 'its leader stands for it');
finish($query, $truncate);

my $lock = running('BEGIN; LOCK TABLE other');
ok(wait_until(sub { sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") > 0 }), 'a lock');
($query, $leader_pid) = running("$parallel; SET parallel_leader_participation = off; SELECT count(*) FROM stock WHERE look()");
ok(wait_until(sub { sql('SELECT count(*) FROM pg_locks WHERE NOT granted') > 0 }), 'workers wait');
is(sql('SELECT pid, worker_pid <> pid, depth FROM pgdba.lock_tree() WHERE lock_type IS NOT NULL'), "$leader_pid|t|1", 'one row for the session');
is(sql("SELECT count(*) FROM pgdba.lock_sessions(NULL) l WHERE l.worker_pid IS NOT NULL
	AND l.blocked_by::jsonb = (SELECT jsonb_agg(DISTINCT b) FROM unnest(pg_blocking_pids(l.worker_pid::int)) b)"), '1', 'with the blockers of its workers');
finish($query, $lock);

# ---- a circle ----

my @circle = map { scalar running("SELECT pg_advisory_lock($_)") } 1, 2;
ok(wait_until(sub { sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") eq '2' }), 'two locks');
$circle[0]->query_until(qr/again/, "\\echo again\nSELECT pg_advisory_lock(2);\n");
ok(wait_until(sub { sql('SELECT count(*) FROM pg_locks WHERE NOT granted') eq '1' }), 'one waits');
$circle[1]->query_until(qr/again/, "\\echo again\nSELECT pg_advisory_lock(1);\n");
ok(wait_until(sub { sql('SELECT count(*) FROM pg_locks WHERE NOT granted') eq '2' }), 'for the other');
push @circle, scalar running('SELECT pg_advisory_lock(1)');
agrees(3, 'a deadlock');
is(sql("SELECT string_agg(depth || ' ' || circle, ', ' ORDER BY depth, circle DESC) FROM pgdba.lock_tree()"), '0 true, 1 true, 1 false', 'each once');
finish(@circle);

# ---- rights ----

sql('CREATE ROLE anybody LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor; CREATE ROLE half LOGIN; GRANT USAGE ON SCHEMA pgdba TO half;
	GRANT SELECT ON pgdba.last_lock_wait, pgdba.last_activity, pgdba.last_relation TO half;
	GRANT EXECUTE ON FUNCTION pgdba.lock_tree(timestamptz), pgdba.lock_sessions(int), pgdba.relation_names(bigint[], bool), pgdba.loaded(),
		pgdba.require_preload(), pgdba.loop_rows() TO half');
my ($owner, $owner_pid) = running('BEGIN; LOCK TABLE other');
my $wait = running('SELECT FROM other');
agrees(1, 'a wait');
$sampled = sql("SELECT pgdba.sample_now('hot')");
sub as { return $node->safe_psql('postgres', $_[1], extra_params => [ '-U', $_[0] ]); }
is(sqlstate($node, 'postgres', 'SELECT * FROM pgdba.lock_tree()', extra_params => [ '-U', 'anybody' ]), '42501', 'not for anybody');
for my $when ('NULL', "'$sampled'") {
	is(as('watcher', "SELECT count(*), count(query) FROM pgdba.lock_tree($when)"), '2|2', "texts of statements for who may read them, $when");
	is(as('half', "SELECT count(*), count(query) FROM pgdba.lock_tree($when)"), '2|0', "and for nobody else, $when");
}
is(sqlstate($node, 'postgres', "SELECT * FROM pgdba.lock_tree('infinity')"), '22008', 'not for ever');
is(sqlstate($node, 'postgres', "SELECT * FROM pgdba.lock_waits('0')"), '22023', 'nor for no time');
finish($owner, $wait);
is(sql("SELECT errors FROM pgdba.cost() WHERE probe = 'lock_wait'"), '0', 'the probe never failed');

$node->stop;
done_testing();
