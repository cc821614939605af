# What the server counts of itself, live: long commands under way, I/O and SLRUs, the archive, pg_wal, functions, settings. Each
# number is set against the server's own, on every version.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# No loop runs by itself. Small segments make WAL move soon. The archive is a folder that is not there at first.
my $archive = PostgreSQL::Test::Utils::tempdir . '/archive';
my $node = pgdba_node('server', init => { allows_streaming => 1, extra => ['--wal-segsize=1'] },
	conf => join("\n", (map { "pgdba.${_}_interval = '1h'" } qw(hot workload storage hourly)), <<EOF));

autovacuum = off
checkpoint_timeout = '1h'
min_wal_size = '8MB'
archive_mode = on
archive_command = 'cp %p $archive/%f'
track_functions = all
timezone = 'Asia/Tokyo'
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
my $version = $node->pg_version->major;

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub sample { return sql("SELECT pgdba.sample_now('$_[0]')"); }

# Waits until sampling has begun.
sub samples {
	my ($which, $name) = @_;
	my ($state, $error);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(wait_until(sub { ($state, $error) = sqlstate($which, 'postgres', 'SELECT pgdba.sample_now()'); $state eq '00000' }), $name)
	  || diag($error);
}
samples($node, 'it samples');

# Takes samples until a query has the expected answer, or one that matches: counters arrive a moment after their cause.
sub sampled_is {
	my ($loop, $query, $expected, $name) = @_;
	my $answer;
	my $met = wait_until(sub {
			sample($loop);
			$answer = sql($query);
			return ref $expected ? $answer =~ $expected : $answer eq $expected;
		});
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($met, $name) || diag("$query\ngives $answer\nnot   $expected");
}

sub verdict {
	return qq{SELECT string_agg(severity || ' ' || object || ': ' || message, E'\\n' ORDER BY object)
		FROM pgdba.verdicts WHERE check_id = '$_[0]'};
}

# within LOOP, SAMPLED, SERVER, NAME: a number in a sample is not less than the server's before and not more than after it.
sub within {
	my ($loop, $sampled, $server, $name) = @_;
	my $before = sql($server);
	sample($loop);
	my ($seen, $after) = (sql($sampled), sql($server));
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($before ne '' && $seen ne '' && $before <= $seen && $seen <= $after, $name)
	  || diag("$before <= $seen <= $after");
}

# ---- the archive: it fails, works, has nowhere to go ----

# A new segment, and the archiver wakes up.
sub switch_wal { return sql('SELECT pg_logical_emit_message(false, \'\', \'x\'); SELECT pg_switch_wal()'); }
my $ready = q{SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'};

sql(q{SELECT pgdba.set_threshold('archiving.backlog', '%', 1.5, NULL)});
switch_wal() for 1 .. 3;
sampled_is('workload', verdict('archiving.failing'), qr/^warning cluster: [0-9A-F]{24} cannot be archived, for .*: \d+ files wait$/,
	'a command that fails is a finding');
my $waiting = sql($ready);
cmp_ok($waiting, '>=', 3, 'files wait');
is(sql('SELECT ready_files, ready_bytes FROM pgdba.last_archiver'), join('|', $waiting, $waiting * 1024 * 1024), 'as many as there are');
is(metric($node, 'pg_archiver_ready_files'), $waiting, 'as a metric too');
like(sql(verdict('archiving.backlog')), qr/^warning cluster: $waiting files of WAL, $waiting MB, wait to be archived/, 'and as a finding');
my $counters = 'archived_count, failed_count, last_archived_wal, last_failed_wal, stats_reset';
is(sql("SELECT failed_count > 0, archives, configured, command, library, mode FROM pgdba.last_archiver"), 't|t|t|t||on', 'how it is to be done');
is(sql("SELECT extract(epoch FROM oldest_ready_at) = extract(epoch FROM (SELECT min(modification) FROM pg_ls_archive_statusdir()
	WHERE name LIKE '%.ready')) FROM pgdba.last_archiver"), 't', 'since when the first waits');

mkdir $archive or die "$archive: $!";
switch_wal();
sampled_is('workload', 'SELECT ready_files FROM pgdba.last_archiver', '0', 'with a folder all is archived');
is(sql("SELECT $counters FROM pgdba.last_archiver"), sql("SELECT $counters FROM pg_stat_archiver"), 'the counters are the server\'s');
is(sql('SELECT last_archived_at = last_archived_time FROM pgdba.last_archiver, pg_stat_archiver'), 't', 'the times as well');
is(sql(verdict($_)), {'archiving.failing' => 'ok cluster: Archiving that fails',
	'archiving.backlog' => 'ok cluster: WAL that waits to be archived'}->{$_}, "$_ is quiet") for qw(archiving.failing archiving.backlog);

configure($node, archive_command => '');
ok($node->poll_query_until('postgres', q{SELECT current_setting('archive_command') = ''}), 'no command');
switch_wal();
sampled_is('workload', verdict('archiving.failing'), qr/^warning cluster: archive_mode is on without an archive_command, for .*: 1 file waits$/,
	'is a finding as soon as something waits');
sql('ALTER SYSTEM RESET archive_command; SELECT pg_reload_conf()');
switch_wal();
sampled_is('workload', verdict('archiving.failing'), qr/^ok/, 'quiet with a command');

# ---- pg_wal ----

sql('CREATE TABLE filler AS SELECT repeat(\'x\', 1000) AS v FROM generate_series(1, 6000)');
sql('CHECKPOINT; SELECT pg_switch_wal(); CHECKPOINT');
sampled_is('storage', q{SELECT (SELECT w.files || ' ' || w.bytes || ' ' || w.segments || ' ' || w.ahead_segments || ' ' || w.behind_segments
			FROM pgdba.last_wal_directory w)
		= (SELECT count(*) || ' ' || sum(f.size) || ' ' || count(*) FILTER (WHERE f.name ~ '^[0-9A-F]{24}$') || ' '
				|| count(*) FILTER (WHERE f.name ~ '^[0-9A-F]{24}$' AND f.name > pg_walfile_name(pg_current_wal_insert_lsn())) || ' '
				|| count(*) FILTER (WHERE f.name ~ '^[0-9A-F]{24}$' AND f.name < pg_walfile_name(pg_current_wal_insert_lsn()))
			FROM pg_ls_waldir() f)}, 't', 'files, bytes and segments are those in the directory');
is(sql(q{SELECT w.ahead_segments > 0, w.wal_segment_size, w.min_wal_size, w.max_wal_size = pg_size_bytes(current_setting('max_wal_size')),
	w.wal_keep_size, w.in_recovery FROM pgdba.last_wal_directory w}), join('|', 't', 1024 * 1024, 8 * 1024 * 1024, 't', 0, 'f'),
	'some are ready to be written to; what sets their number');
sampled_is('storage', q{SELECT w.oldest_at = (SELECT min(f.modification) FROM pg_ls_waldir() f
	WHERE f.name ~ '^[0-9A-F]{24}$' AND f.name <= pg_walfile_name(pg_current_wal_insert_lsn())) FROM pgdba.last_wal_directory w},
	't', 'the oldest with WAL');
is(metric($node, 'pg_wal_size_bytes'), sql('SELECT bytes FROM pgdba.last_wal_directory'), 'a metric');

# ---- counters of WAL, checkpoints, I/O and SLRUs ----

my $wal = $version < 18 ? 'SELECT wal_write AS writes, wal_sync AS syncs FROM pg_stat_wal'
  : q{SELECT sum(writes) AS writes, sum(fsyncs) AS syncs FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'};
within('workload', "SELECT $_ FROM pgdba.last_wal", "SELECT $_ FROM ($wal) w", "$_ of WAL") for qw(writes syncs);
within('workload', 'SELECT buffers_backend FROM pgdba.last_checkpoint', $version < 17 ? 'SELECT buffers_backend FROM pg_stat_bgwriter'
	: 'SELECT sum(' . ($version < 18 ? 'coalesce(writes, 0) + coalesce(extends, 0)' : '(coalesce(write_bytes, 0) + coalesce(extend_bytes, 0)) / 8192')
	  . q{)::int8 FROM pg_stat_io WHERE object = 'relation' AND backend_type NOT IN ('checkpointer', 'background writer')},
	'blocks that sessions wrote or appended');

is(sql(q{SELECT string_agg(cache, ' ' ORDER BY cache) FROM pgdba.last_slru}),
	'commit_timestamp multixact_member multixact_offset notify other serializable subtransaction transaction', 'SLRUs have one name each');
sql('NOTIFY it') for 1 .. 2;
for my $cache ([ 'notify', 'Notify' ], [ 'transaction', 'Xact' ]) {
	within('workload', "SELECT $_ FROM pgdba.last_slru WHERE cache = '$cache->[0]'",
		"SELECT $_ FROM pg_stat_slru WHERE name IN ('$cache->[0]', '$cache->[1]')", "$_ of $cache->[0]") for qw(blks_hit blks_zeroed);
}
cmp_ok(metric($node, 'pg_slru_blks_hit_total', cache => 'notify'), '>', 0, 'a metric');

if ($version < 16) {
	is(sql('SELECT count(*) FROM pgdba.last_io'), '0', 'no I/O before 16');
} else {
	my $bytes = sub { $version < 18 ? "${_[0]}s * op_bytes" : "${_[0]}_bytes" };
	my $where = q{WHERE backend_type = 'client backend' AND object = 'relation' AND context = 'normal'};
	my %server = (read_bytes => $bytes->('read'), extend_bytes => $bytes->('extend'), hits => 'hits');
	within('workload', "SELECT $_ FROM pgdba.last_io $where", "SELECT $server{$_} FROM pg_stat_io $where", "$_ of sessions") for sort keys %server;
	is(sql("SELECT reads IS NULL AND extends IS NULL, writes IS NULL FROM pgdba.last_io $where"), $version < 18 ? 't|f' : 'f|f',
		'operations of reading and appending are counted from 18 on');
	is(sql(q{SELECT count(*) FROM pgdba.last_io WHERE coalesce(reads, 0) + coalesce(read_bytes, 0) + coalesce(writes, 0) + coalesce(extend_bytes, 0)
		+ coalesce(writebacks, 0) + coalesce(fsyncs, 0) + coalesce(hits, 0) + coalesce(evictions, 0) + coalesce(reuses, 0) = 0}), '0',
		'only rows with activity');
	is(sql(q{SELECT count(*) > 0 FROM pgdba.last_io WHERE object = 'wal'}), $version < 18 ? 'f' : 't', 'WAL from 18 on');
	# What a table has in blocks is what reading it reads, however many operations that takes.
	sql('CREATE TABLE wide AS SELECT g, repeat(\'x\', 500) AS v FROM generate_series(1, 20000) g');
	$node->restart;
	samples($node, 'it samples again');
	my $read = q{SELECT sum(read_bytes) FROM pgdba.last_io WHERE backend_type = 'client backend' AND object = 'relation'};
	sample('workload');
	my $before = sql($read);
	my $size = sql(q{SELECT pg_relation_size('wide') FROM wide LIMIT 1});
	sql('SELECT count(v) FROM wide');
	sampled_is('workload', "SELECT sum(read_bytes) - $before >= $size AND sum(read_bytes) - $before < 2 * $size
		FROM pgdba.last_io WHERE backend_type = 'client backend' AND object = 'relation'", 't', 'reading a table reads its bytes');
}

# ---- functions, in another database ----

sql('CREATE DATABASE shop');
$node->safe_psql('shop', <<'EOF');
CREATE SCHEMA "a.b";
CREATE FUNCTION price(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n; END $$;
CREATE FUNCTION price(n text, m timestamptz) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM price(1); PERFORM price(2); RETURN 3; END $$;
CREATE FUNCTION "a.b"."odd ""x""("(n int[]) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION never() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
SELECT price('x', now()), price(3), "a.b"."odd ""x""("('{1}');
EOF
sampled_is('storage', q{SELECT string_agg(function || ' ' || calls, ', ' ORDER BY function COLLATE "C") FROM pgdba.last_function WHERE db = 'shop'},
	'"a.b"."odd ""x""("(integer[]) 1, public.price(integer) 3, public.price(text, timestamp with time zone) 1', 'functions that were called');
is(sql(q{SELECT string_agg(concat_ws(' ', function_oid, total_seconds, self_seconds), ', ' ORDER BY function_oid) FROM pgdba.last_function WHERE db = 'shop'}),
	$node->safe_psql('shop', q{SELECT string_agg(concat_ws(' ', funcid, total_time / 1000, self_time / 1000), ', ' ORDER BY funcid)
	FROM pg_stat_user_functions}), 'their times are the server\'s');
is(metric($node, 'pg_function_calls_total', db => 'shop', function => 'public.price(integer)'), '3', 'a metric');

# ---- settings ----

is(sql(q{SELECT count(*) FROM pgdba.last_setting s JOIN pg_settings p ON p.name = s.name
	WHERE p.source = 'configuration file' AND (s.source_file, s.source_line) IS DISTINCT FROM (p.sourcefile, p.sourceline::int8)}), '0', 'file and line');
is(sql(q{SELECT count(*) FROM pgdba.last_setting WHERE source_line IS NOT NULL AND source = 'configuration file'}) > 5 ? 't' : 'f', 't', 'where there are some');
is(sql(q{SELECT string_agg(s.name || ' ' || (s.value = p.setting), ', ' ORDER BY s.name) FROM pgdba.last_setting s JOIN pg_settings p ON p.name = s.name
	WHERE s.name IN ('huge_pages', 'huge_pages_status', 'shared_memory_size', 'shared_memory_size_in_huge_pages')}),
	'huge_pages true, ' . ($version < 17 ? '' : 'huge_pages_status true, ') . 'shared_memory_size true, shared_memory_size_in_huge_pages true',
	'huge pages and shared memory');
is(sql(q{SELECT value = current_setting('TimeZone'), in_file FROM pgdba.last_setting WHERE name = 'TimeZone'}), 't|t',
	'a name may be spelled otherwise in a file');

configure($node, max_connections => 99, wal_buffers => '2MB');
sampled_is('storage', verdict('settings.pending_restart'), 'warning cluster: 2 settings wait for a restart: max_connections, wal_buffers',
	'what waits for a restart is one finding');
is(sql(q{SELECT evidence -> 'settings' -> 'max_connections' ->> 'file' FROM pgdba.verdicts WHERE check_id = 'settings.pending_restart'}), '99',
	'with the value that waits');
sql('ALTER SYSTEM RESET max_connections; ALTER SYSTEM RESET wal_buffers; SELECT pg_reload_conf()');
sampled_is('storage', verdict('settings.pending_restart'), qr/^ok/, 'quiet when it is taken back');

sql(q{CREATE ROLE app; ALTER DATABASE shop SET work_mem = '7MB'; ALTER ROLE app SET search_path = 'x', 'y'; ALTER ROLE app IN DATABASE shop SET jit = off;
	ALTER ROLE app SET pgdba_test.token = 'hush-role'; ALTER ROLE ALL SET geqo = off});
sampled_is('storage', q{SELECT string_agg(concat_ws(' ', coalesce(db, '-'), coalesce(role, '-'), name, coalesce(value, '?')), E'\n' ORDER BY name)
	FROM pgdba.last_setting_override WHERE name <> 'pgdba.as_of'},
	join("\n", '- - geqo off', 'shop app jit off', '- app pgdba_test.token ?', '- app search_path x, y', 'shop - work_mem 7MB'),
	'settings of roles and databases, without secrets');
is(sql(q{SELECT count(*) FROM pgdba.hist_setting_override s WHERE s::text LIKE '%hush%'}), '0', 'none is kept');

# These tests run without fsync.
is(sql(verdict('settings.dangerous')), 'critical setting:fsync: fsync is off: a crash of the machine can destroy the whole cluster', 'fsync is off');
my ($remedy, $undo) = map { sql("SELECT $_ FROM pgdba.verdicts WHERE check_id = 'settings.dangerous'") } qw(sql undo);
$node->safe_psql('postgres', $_) for split /(?<=;) /, $remedy;
sampled_is('storage', verdict('settings.dangerous'), qr/^ok/, 'its SQL turns it on');
$node->safe_psql('postgres', $_) for split /(?<=;) /, $undo;
sql('ALTER ROLE app IN DATABASE shop SET zero_damaged_pages = on');
sampled_is('storage', verdict('settings.dangerous'), join("\n", 'critical setting:fsync: fsync is off: a crash of the machine can destroy the whole cluster',
	'critical setting:zero_damaged_pages: zero_damaged_pages is on for role app in database shop: what is on a damaged page is thrown away'),
	'the undo turns it off; what a role has is found');
my ($reset) = sql(q{SELECT action FROM pgdba.verdicts WHERE object = 'setting:zero_damaged_pages'}) =~ /take it away: (.*)/;
$node->safe_psql('postgres', $reset);
sampled_is('storage', verdict('settings.dangerous'), qr/^critical setting:fsync: [^\n]*$/, 'what is printed takes it away');

# ---- long commands: all of them stand still at one lock ----

$node->safe_psql('shop', <<'EOF');
CREATE FUNCTION stand_still(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN IF n = 700 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN n; END $$;
CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := public.stand_still(NEW.n); RETURN NEW; END $$;
CREATE TABLE loaded (n int, v text);
CREATE TRIGGER slow BEFORE INSERT ON loaded FOR EACH ROW EXECUTE FUNCTION on_insert();
CREATE TABLE indexed AS SELECT g AS n, repeat('x', 1000) AS v FROM generate_series(1, 1000) g;
CREATE TABLE later AS TABLE indexed;
CREATE TABLE full_one AS TABLE indexed;
CREATE INDEX full_index ON full_one (public.stand_still(n));
CREATE TABLE analyzed AS TABLE indexed;
CREATE INDEX analyzed_index ON analyzed (public.stand_still(n));
CREATE TABLE open_one (n int);
EOF
my $file = PostgreSQL::Test::Utils::tempdir . '/rows';
append_to_file($file, join '', map { "$_\t" . ('x' x 1000) . "\n" } 1 .. 1000);
my $holder = session($node, 'shop');
$holder->query_safe('SELECT pg_advisory_lock(7)');
my $writer = session($node, 'shop'); # CREATE INDEX CONCURRENTLY waits for it
$writer->query_safe('BEGIN; INSERT INTO later VALUES (0)');

my @running = map { IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('shop'), '-c', $_ ], '>', \my $out, '2>', \my $err) }
  ("COPY loaded FROM '$file'", 'CREATE INDEX slow ON indexed (public.stand_still(n))', 'CREATE INDEX CONCURRENTLY patient ON later (n)',
	'VACUUM FULL full_one', 'ANALYZE analyzed');
my $backup = IPC::Run::start([ 'pg_basebackup', '-X', 'none', '-r', 32, '-c', 'fast', '-d', $node->connstr, '-D', PostgreSQL::Test::Utils::tempdir . '/b' ],
	'>', \my $out, '2>', \my $err);

# Where it stands still its numbers do not change any more.
my $still = q{SELECT string_agg(concat_ws(' | ', command, phase, unit, total > done), E'\n' ORDER BY command) FROM pgdba.last_progress};
sampled_is('hot', $still, join("\n", 'ANALYZE | computing statistics', 'BASE BACKUP | streaming database files | bytes | t', 'COPY FROM | bytes | t',
		'CREATE INDEX | building index: scanning table | blocks | t',
		'CREATE INDEX CONCURRENTLY | waiting for writers before build | transactions | t', 'VACUUM FULL | rebuilding index | indexes'), 'all of them are seen');
my $shown = q{SELECT string_agg(concat_ws(' ', command, db, relid, coalesce(done, -1), coalesce(total, -1)), E'\n' ORDER BY command)
	FROM pgdba.last_progress WHERE command <> 'BASE BACKUP'};
my $server = q{SELECT string_agg(concat_ws(' ', command, datname, relid, done, total), E'\n' ORDER BY command) FROM (
	SELECT 'ANALYZE', datname, relid, -1, -1 FROM pg_stat_progress_analyze
	UNION ALL SELECT command, datname, relid, CASE WHEN blocks_total > 0 THEN blocks_done ELSE lockers_done END,
		CASE WHEN blocks_total > 0 THEN blocks_total ELSE lockers_total END FROM pg_stat_progress_create_index
	UNION ALL SELECT command, datname, relid, index_rebuild_count, -1 FROM pg_stat_progress_cluster
	UNION ALL SELECT command, datname, relid, bytes_processed, bytes_total FROM pg_stat_progress_copy) p (command, datname, relid, done, total)};
is(sql($shown), sql($server), 'what they have done is what the server says');
is(sql(qq{SELECT total = @{[-s $file]} AND percent > 0 AND percent < 100 AND abs(percent - 100.0 * done / total) < 1e-9 FROM pgdba.last_progress
	WHERE command = 'COPY FROM'}), 't', 'the total of a COPY is the size of the file');
is(sql(q{SELECT bool_and(a.query_start = p.started AND a.backend_start = p.backend_start) AND count(*) = 6
	FROM pgdba.last_progress p JOIN pg_stat_activity a ON a.pid = p.pid}), 't', 'whose they are and since when');
is(sql(q{SELECT wait_event_type, wait_event FROM pgdba.last_progress WHERE command = 'COPY FROM'}), 'Lock|advisory', 'what one waits for');
is(sql(q{SELECT db IS NULL AND relid IS NULL AND total > 1000000 AND done < total FROM pgdba.last_progress WHERE command = 'BASE BACKUP'}), 't',
	'a backup belongs to no database');
$backup->kill_kill;
leave($writer, $holder);
is(scalar(grep { $_->finish } @running), 5, 'all of them end well');
sampled_is('hot', 'SELECT count(*) FROM pgdba.last_progress', '0', 'and are gone');

# ---- a standby, and no archive ----

is(sql(q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors > 0}), '', 'no probe met an error');
$node->backup('base');
my $standby = pgdba_node('standby', backup => [ $node, 'base' ]);
$standby->start;
sql('INSERT INTO filler VALUES (1)');
$node->wait_for_catchup($standby);
samples($standby, 'a standby samples');
is($standby->safe_psql('postgres', q{SELECT mode, archives, last_archived_at IS NULL, last_failed_at IS NULL, ready_files FROM pgdba.last_archiver}),
	'on|f|t|t|0', 'it archives nothing');
is($standby->safe_psql('postgres', q{SELECT in_recovery, segments = ahead_segments + behind_segments + 1 FROM pgdba.last_wal_directory}),
	't|t', 'it has WAL');
is($standby->safe_psql('postgres', q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors > 0}), '', 'no probe met an error');
is($standby->safe_psql('postgres', verdict($_)) =~ /^(\w+)/ ? $1 : '', 'ok', "$_ is quiet") for qw(archiving.failing archiving.backlog);
$standby->stop('immediate');

configure($node, archive_mode => 'off');
$node->restart;
samples($node, 'without an archive');
is(sql('SELECT count(*) FROM pgdba.last_archiver'), '0', 'there is nothing to tell');
like(sql('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' . sql(q{SELECT query FROM pgdba.probe WHERE name = 'archiver'})),
	qr/pg_ls_archive_statusdir f \(never executed\)/, 'and nothing is looked at');

$node->stop('immediate');
done_testing();
