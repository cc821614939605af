# Rings for years: four hundred laps of the table ring, and what may go wrong in that time: a report that holds a slot, a
# full disk, a clock that goes back, crashes while slots are emptied, pg_dump.
#
# The clock is the test's: a library (stage.c) that the server loads before the C library answers gettimeofday(), so that
# a procedure can leap an hour and sample, as fast as the machine goes. It also plays a full disk. All else is real.
use strict;
use warnings FATAL => 'all';

use Config;
use File::Basename qw(dirname);
use IPC::Run;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $library = PostgreSQL::Test::Utils::tempdir . "/stage.$Config{dlext}";
my @compiler = split ' ', $ENV{CC} // 'cc';
my $said;
IPC::Run::run([ @compiler, qw(-O2 -shared -fPIC -o), $library, dirname(__FILE__) . '/stage.c', '-ldl' ], '>&', \$said)
  or plan skip_all => "the library that moves the clock cannot be built: $said";

# Retention as it comes; intervals such that a slot gets two or three samples and not hundreds.
my $node = pgdba_node('years', conf => <<EOF);
pgdba.shared_memory = '1MB'
pgdba.hot_budget = '1min'
pgdba.hot_interval = '100min'
pgdba.workload_interval = '500min'
pgdba.storage_interval = '2200min'
pgdba.hourly_interval = '24500min'
autovacuum_naptime = '1s'
autovacuum_freeze_max_age = 100000
log_lock_waits = on
deadlock_timeout = '10ms'
EOF
my $day = 24 * 60 * 60 * 1_000_000;
my ($ahead, $left) = (0, 0); # microseconds; what is left of the disk, as stage.c has it
my $stage = PostgreSQL::Test::Utils::tempdir . '/stage';
set_stage();
my $small = $node->basedir . '/small';
mkdir $small;

sub set_stage {
	open my $file, '>', $stage or die "$stage: $!";
	print $file "$ahead $left\n";
	close $file;
	return;
}

sub with_stage {
	my ($act) = @_;
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{PGDBA_STAGE} = $stage;
	return $act->();
}

sub ask { return $node->safe_psql('postgres', $_[0]); }

# Leaps a step and samples, so many times; with `watch` each time that many ticks are done what a lap leaves is noted.
sub leap {
	my ($ticks, %option) = @_;
	my $step = $option{step} // '100 min';
	my $loop = $option{loop} // 'hot';
	my $watch = $option{watch} // 0;
	ask("CALL leap($ahead, $left, '$step', $ticks, '$loop', $watch)");
	$ahead = clock();
	return;
}

sub begin_anew {
	my $before = process_pid($node, 'sampler');
	ask("SELECT pg_terminate_backend($before)");
	wait_until(sub { my $now = process_pid($node, 'sampler'); $now ne '' && $now != $before }) or die 'no sampler';
	return;
}

# The reason why a loop is degraded, empty when it is not.
sub reason { return ask("SELECT reason FROM pgdba.loops WHERE loop = '$_[0]'"); }

sub unwritten { return metric($node, 'pgdba_unwritten_samples_total'); }

# Ticks of the hot loop that are missing between the oldest and the newest that is kept, other than where a sampler began.
my $gaps = q{SELECT count(*) FROM pgdba.hist_heartbeat WHERE loop = 'hot' AND NOT reset AND tick NOT IN (0, 1)};
# Rows of the table ring that cannot be read back.
my $lost = q{SELECT count(*) FROM pgdba.ring_hot r WHERE probe = 'heartbeat'
	AND NOT EXISTS (SELECT FROM pgdba.hist_heartbeat h WHERE h.sampled_at = r.sampled_at)};
# Slots with rows of another slot's time.
my $mixed = q{SELECT count(*) FROM (SELECT max(sampled_at) AS last, lead(min(sampled_at)) OVER (ORDER BY min(sampled_at)) AS next
	FROM pgdba.ring_hot GROUP BY slot) AS s WHERE last >= next};
my $kept = q{SELECT extract(epoch FROM now() - min(sampled_at)) / 3600 FROM pgdba.ring_hot};

sub is_whole {
	my ($name) = @_;
	is(ask($gaps), '0', "$name: no tick is missing");
	is(ask($lost), '0', "$name: what is written can be read");
	is(ask($mixed), '0', "$name: slots do not mix");
	return;
}

with_stage(sub { $node->start });
ask('CREATE EXTENSION pgdba');
ask(<<EOF);
CREATE TABLE lap (ring text, ticks int, bytes int8, dead int8, oldest interval, samples int8);
CREATE PROCEDURE leap(ahead int8, room int, step interval, ticks int, loop text, watch int) LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. ticks LOOP
		ahead := ahead + extract(epoch FROM step)::int8 * 1000000;
		EXECUTE format('COPY (SELECT %L) TO %L', ahead || ' ' || room, '$stage');
		PERFORM pgdba.sample_now(loop);
		COMMIT;
		IF watch > 0 AND i % watch = 0 THEN
			INSERT INTO lap
			SELECT name, i, (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = ('pgdba.ring_' || name)::regclass),
				(SELECT sum(pg_stat_get_dead_tuples(r)) FROM pg_inherits, pg_class c, unnest(ARRAY[c.oid, c.reltoastrelid]) AS r
					WHERE inhparent = ('pgdba.ring_' || name)::regclass AND c.oid = inhrelid),
				now() - min(r.at), count(*)
			FROM (SELECT 'hot' AS name, sampled_at AS at FROM pgdba.ring_hot WHERE probe = 'of_hot'
				UNION ALL SELECT 'workload', sampled_at FROM pgdba.ring_workload WHERE probe = 'of_workload'
				UNION ALL SELECT 'storage', sampled_at FROM pgdba.ring_storage WHERE probe = 'of_storage'
				UNION ALL SELECT 'hourly', sampled_at FROM pgdba.ring_hourly WHERE probe = 'of_hourly') AS r GROUP BY name;
			COMMIT;
		END IF;
	END LOOP;
END \$\$;
CREATE PROCEDURE burn(count int) LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. count LOOP
		PERFORM pg_current_xact_id();
		COMMIT;
	END LOOP;
END \$\$;
-- One small probe for each loop: a ring does not care what it keeps, and ticks are short.
DELETE FROM pgdba.check_definition;
DELETE FROM pgdba.probe WHERE name NOT IN ('heartbeat', 'probe_run', 'verdict');
SELECT pgdba.define_probe('of_' || loop, loop, \$probe\$SELECT 'now'::text AS name, pg_catalog.date_part('epoch', pg_catalog.now()) AS at\$probe\$,
	'{name}', '{}') FROM unnest('{hot,workload,storage,hourly}'::text[]) AS loop;
EOF
is(ask(q{SELECT string_agg(setting, ' ' ORDER BY setting::int) FROM pg_settings WHERE name LIKE 'pgdba.%retention'}),
	join(' ', map { $_ * 24 * 60 * 60 } 1, 8, 35, 400), 'retention as it comes: 1, 8, 35 and 400 days');
leap(1);

# ---- four hundred laps ----

my $count = q{SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_attribute) || ' '
	|| (SELECT count(*) FROM pg_type) || ' ' || (SELECT count(*) FROM pg_depend)};
my $updates = q{SELECT n_tup_upd FROM pg_stat_sys_tables WHERE relname = 'pg_class'};
leap(20);
my ($count_before, $updates_before) = (ask($count), ask($updates));
my $sampler = process_pid($node, 'sampler');
ask('CALL burn(110000)');
leap(8000, watch => 20);
is(process_pid($node, 'sampler'), $sampler, 'four hundred laps of the hot loop, by one sampler');

# RETURNS: of how many laps (or how many times else) what is kept of a loop reached back that far.
sub reaches {
	my ($loop, $from, $days) = @_;
	return ask("SELECT count(*) || ' of ' || count(*) FILTER (WHERE oldest BETWEEN interval '$days days' AND 2 * interval '$days days')
		FROM lap WHERE ring = '$loop' AND ticks > $from");
}
is(reaches('hot', 0, 1), '400 of 400', 'the hot loop always has its day, and no more than two');
is(reaches('workload', 200, 8), '390 of 390', 'the workload loop has its 8 days');
is(reaches('storage', 800, 35), '360 of 360', 'the storage loop has its 35 days');
is(reaches('hourly', 7500, 400), '25 of 25', 'the hourly loop has its 400 days');
is(ask(q{SELECT string_agg(ring, ' ') FROM (SELECT ring, max(bytes) FILTER (WHERE ticks <= after) AS before, max(bytes) AS most FROM lap
	JOIN (VALUES ('hot', 20), ('workload', 200), ('storage', 700), ('hourly', 7500)) AS v (name, after) ON name = ring GROUP BY 1) AS r
	WHERE most > before + 16384}), '', 'the size of no ring grows after its first lap')
  or diag(ask('SELECT ring, bytes, min(ticks), max(ticks), count(*) FROM lap GROUP BY 1, 2 ORDER BY 1, 3'));
is(ask('SELECT max(dead) FROM lap'), '0', 'there is no dead row');
is(ask($count), $count_before, 'catalogs have as many rows as before');
# 4000 slots of the hot loop, 533 of workload, 121 of storage and 11 of hourly were emptied: the table, its TOAST, the index of that.
my $each = (ask($updates) - $updates_before) / 4665;
cmp_ok($each, '<', 3.1, 'emptying a slot leaves three dead rows in pg_class');
ok($node->poll_query_until('postgres', q{SELECT n_dead_tup < 500 FROM pg_stat_sys_tables WHERE relname = 'pg_class'}),
	'which autovacuum takes away');
ok($node->poll_query_until('postgres', q{SELECT max(greatest(age(c.relfrozenxid), age(t.relfrozenxid))) < 100000
	FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relnamespace = 'pgdba'::regnamespace}),
	'a slot that waits for its turn does not hold back the age of the database') or diag(ask('SELECT txid_current()'));
is_whole('after 400 laps');
is(count_in_log($node, "\\[$sampler\\]"), 0, 'the sampler waited for no lock and logged nothing');

# Without the memory ring.
with_stage(sub { $node->restart });
is_whole('from tables alone');
is(ask(q{SELECT count(*) FILTER (WHERE tick IS NULL) || ' of ' || count(*) FROM pgdba.hist_heartbeat
	WHERE loop = 'hot' AND sampled_at = (SELECT min(sampled_at) FROM pgdba.ring_hot)}), '1 of 1', 'the step to the oldest sample is unknown');
is(ask(q{SET pgdba.as_of = '2000-01-02 00:00+00'; SELECT count(*) FROM pgdba.last_heartbeat}), '0', 'there is nothing before it');

# ---- reports ----

my $report = session($node);
$report->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $seen = $report->query_safe('SELECT count(*) FROM pgdba.hist_of_hot');
cmp_ok($seen, '>', 10, 'a report reads history');
is($report->query_safe(q{SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^pgdba[.]ring_hot'}), '0',
	'and holds no slot, in the middle of its transaction');
leap(60);
cmp_ok(ask($kept), '<', 34, 'three laps later slots have been emptied as ever');
cmp_ok($report->query_safe('SELECT count(*) FROM pgdba.hist_of_hot'), '<=', $seen + 60, 'the report can go on');
$report->query_safe('COMMIT');

# newest(): the slot that is written, and the time of its newest row.
sub newest { return split /\|/, ask('SELECT slot, sampled_at FROM pgdba.ring_hot ORDER BY sampled_at DESC LIMIT 1'); }

my ($slot, $since) = newest();
my $held = 'pgdba.ring_hot_' . ($slot + 3) % 10;
my $rows = ask("SELECT count(*) FROM $held");
$report->query_safe("BEGIN; LOCK TABLE ONLY $held IN ACCESS SHARE MODE");
my $offset = log_size($node);
$sampler = process_pid($node, 'sampler');
my $rollbacks = q{SELECT xact_rollback FROM pg_stat_database WHERE datname = 'postgres'};
my $rollbacks_before = ask($rollbacks);
leap(60);
is(ask($rollbacks), $rollbacks_before, 'no transaction of the sampler is rolled back');
# Now and then the sampler looks up between the leap and the request, and so samples twice.
cmp_ok(ask("SELECT count(*) FROM pgdba.ring_hot WHERE probe = 'of_hot' AND sampled_at > '$since'"), '>=', 60,
	'a slot is held for three laps: everything is written, the slot before it goes on');
is(ask("SELECT count(*) FROM $held"), $rows, 'nothing is added to the slot that is held');
is(reason('hot'), '', 'so nothing is wrong');
is(unwritten(), '0', 'and nothing is lost');
is_whole('a slot is held');
# A slot has its limit: 64 MB, that is nine samples of eight million bytes.
ask(q{SELECT pgdba.define_probe('flood', 'hot', $$SELECT n::text AS name, (SELECT pg_catalog.string_agg(pg_catalog.md5((n OPERATOR(pg_catalog.*) m)::text
		OPERATOR(pg_catalog.||) pg_catalog.random()::text), '') FROM pg_catalog.generate_series(1, 250) AS m) AS filler
	FROM pg_catalog.generate_series(1, 1000) AS n$$, '{name}', '{}')});
my $ticks = 0;
leap(1) while reason('hot') eq '' && ++$ticks < 20;
cmp_ok($ticks, '<=', 10, 'until this one too is full');
like(reason('hot'), qr/^the next slot of its table is in use and this one is full$/, 'then it says so');
like(healthz($node)->{why}, qr/the next slot of its table is in use/, 'also in /healthz');
cmp_ok(unwritten(), '>', 3, 'what is not written is counted');
is(ask(q{SELECT sampled_at > now() - interval '1 minute' FROM pgdba.last_of_hot}), 't', 'memory goes on');
is(count_in_log($node, "\\[$sampler\\]", $offset), 0, 'the sampler waited for no lock and logged nothing');
begin_anew();
leap(4);
my $size = ask("SELECT pg_total_relation_size('pgdba.ring_hot_" . (newest())[0] . "')");
cmp_ok($size, '<', 80e6, 'a sampler that begins anew knows what the slot holds');
ask(q{SELECT pgdba.drop_probe('flood')});
leave($report);
leap(2);
is(reason('hot'), '', 'when the slot is free all is well');
is((newest())[0], ($slot + 3) % 10, 'and the ring turns');
leap(30);
is_whole('after a report');

# ---- a full disk ----

ask("CREATE TABLESPACE small LOCATION '$small'");
ask("ALTER TABLE pgdba.ring_workload_$_ SET TABLESPACE small") for 0 .. 9;
my $there = q{SELECT count(*) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid JOIN pg_class t ON t.oid = c.reltoastrelid
	JOIN pg_tablespace s ON s.oid = c.reltablespace AND s.oid = t.reltablespace WHERE spcname = 'small'};
my @third = (step => '500 min', loop => 'workload');
ask(q{SELECT pgdba.define_probe('bulk', 'workload', $$SELECT n::text AS name, pg_catalog.md5(pg_catalog.random()::text) AS text
	FROM pg_catalog.generate_series(1, 500) AS n$$, '{name}', '{}')});
leap(40, @third);
is(ask($there), '10', 'slots that were moved to another tablespace stay there when they are emptied');
$offset = log_size($node);
my $lost_before = unwritten();
$left = 2; # nothing
leap(7, @third);
like(reason('workload'), qr/^not written to tables: could not extend file .*: No space left on device$/, 'no space: it says so');
is(metric($node, 'pgdba_degraded', loop => 'workload'), '1', 'also in /metrics');
cmp_ok(unwritten(), '>', $lost_before, 'what is not written is counted');
is(ask(q{SELECT sampled_at > now() - interval '1 minute' FROM pgdba.last_of_workload}), 't', 'memory goes on');
is(reason('hot'), '', 'so do other loops');
is(ask(q{SELECT max(sampled_at) > now() - interval '1 minute' FROM pgdba.ring_hot}), 't', 'in their tables too');
$left = 1; # little
leap(3, @third);
like(reason('workload'), qr/^no room: less than 16 MB/, 'little space: what is left is for others');
my $bytes = q{SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'pgdba.ring_workload'::regclass};
my $bytes_before = ask($bytes);
leap(12, @third);
cmp_ok(ask($bytes), '<', $bytes_before, 'slots go on to be emptied, which makes room');
$left = 2;
leap(7, @third);
my $last = ask('SELECT max(sampled_at) FROM pgdba.last_of_workload');
isnt(ask('SELECT max(sampled_at) FROM pgdba.ring_workload'), $last, 'no space again');
$left = 0;
leap(1);
is(reason('workload'), '', 'with space all is well at the next tick of any loop');
is(ask('SELECT max(sampled_at) FROM pgdba.ring_workload'), $last, 'and what waited is written');
is(count_in_log($node, "\\[$sampler\\]", $offset), 0, 'of all that the log says nothing');

# ---- a clock that goes back ----

my $now = ask('SELECT now()');
leap(2, step => '1 year');
$ahead -= 2 * 365.25 * $day;
leap(2);
begin_anew();
leap(12);
# The very first sample after that may still lie with those ahead, and go with them.
cmp_ok(ask("SELECT count(*) FROM pgdba.ring_hot WHERE probe = 'of_hot' AND sampled_at BETWEEN '$now' AND now()"), '>=', 13,
	'the clock was two years ahead, and the sampler began anew: nothing is missing since then');
cmp_ok(ask("SELECT count(*) FROM pgdba.ring_hot WHERE probe = 'heartbeat' AND sampled_at BETWEEN '$now' AND now()"), '>=', 13, 'nor are heartbeats');
cmp_ok(ask("$kept WHERE sampled_at < now()"), '>', 20, 'nor from before, but for the two slots with what lies ahead');
leap(20);
is(ask('SELECT count(*) FROM pgdba.ring_hot WHERE sampled_at > now()'), '0', 'and what lay ahead is gone a lap later');
is(ask($mixed), '0', 'slots do not mix');

# ---- crashes ----

sub leaping { # in the background
	return IPC::Run::start([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', "CALL leap($ahead, 0, '100 min', 1000000, 'hot', 0)" ], '>&', \my $output);
}

# Where the clock is; undef while that is being written.
sub clock { return (split ' ', slurp_file($stage))[0]; }

my ($crashes, $wrong) = (20, '');
ask('CHECKPOINT');
for my $crash (1 .. $crashes) {
	$sampler = process_pid($node, 'sampler');
	my $leaping = leaping();
	wait_until(sub { (clock() // $ahead) > $ahead }) or die 'the clock stands still';
	usleep(50_000 + rand 50_000); # a few slots; where in one is left to chance
	$ahead = wait_until(\&clock);
	if ($crash % 2) {
		kill 'KILL', $sampler;
	} else {
		$node->stop('immediate');
	}
	eval { $leaping->finish };
	$ahead = clock() // $ahead + $day; # a crash may come while it is being written
	set_stage();
	with_stage(sub { $node->start }) unless $crash % 2;
	wait_until(sub { my ($code) = eval { $node->psql('postgres', "SELECT pgdba.sample_now('hot')") }; defined $code && $code == 0 }) or die 'no sampler';
	my $found = ask("SELECT ($gaps) || ' missing, ' || ($lost) || ' unreadable, ' || ($mixed) || ' mixed'");
	$wrong .= "crash $crash: $found\n" if $found ne '0 missing, 0 unreadable, 0 mixed';
}
is($wrong, '', "$crashes crashes while slots are emptied: no tick is missing, all can be read");
leap(2);
cmp_ok(ask($kept), '>', 24, 'the day of history is there');
is(reason('hot'), '', 'all is well');
ask('CHECKPOINT');
# A crash in the middle leaves what every crash in a TRUNCATE does: the new files, of a page at most.
cmp_ok(ask(q{SELECT coalesce(sum((pg_stat_file('base/' || d.oid || '/' || file)).size), 0) FROM pg_database d, pg_ls_dir('base/' || d.oid) AS file
	WHERE datname = current_database() AND file ~ '^[0-9]+$'
	AND NOT EXISTS (SELECT FROM pg_class WHERE pg_relation_filenode(oid)::text = file)}), '<=', $crashes * 8192, 'files that are left over are empty');

# ---- pg_dump ----

my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
my @dump = ('pg_dump', '-d', $node->connstr('postgres'), '-f', $dump);
ask('CREATE TABLE last_one ()');
my $other = session($node);
$other->query_safe('BEGIN; LOCK TABLE last_one');
my $dumping = IPC::Run::start([@dump], '>&', \my $complaint);
my $waiting = q{SELECT pid FROM pg_locks WHERE relation = 'last_one'::regclass AND NOT granted};
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($waiting) AS w"), 'a pg_dump is under way');
is(ask("SELECT count(*) FROM pg_locks WHERE pid IN ($waiting) AND relation IN (SELECT inhrelid FROM pg_inherits)"), '0', 'it holds no slot');
leap(40);
cmp_ok(ask($kept), '<', 34, 'and the ring turns');
leave($other);
ok($dumping->finish, 'pg_dump goes well') or diag($complaint);
my $leaping = leaping();
wait_until(sub { (clock() // $ahead) > $ahead });
is(scalar(grep { IPC::Run::run([@dump], '>&', \$complaint) } 1 .. 5), 5, 'so it does five times while slots are emptied') or diag($complaint);
$ahead = wait_until(\&clock);
ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL leap%'");
$leaping->finish;
$ahead = clock() // $ahead + $day;
unlike(slurp_file($dump), qr/^(?:COPY|INSERT INTO|CREATE TABLE) pgdba[.]ring/m, 'samples are not in a dump');
leap(2);
is_whole('after pg_dump');

$node->stop;
done_testing();
