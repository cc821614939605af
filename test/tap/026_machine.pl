# What the operating system tells: file systems, memory and CPU, processes, certificates; the canary; how each database is
# visited; what each probe costs; and that a long tick does not hold up the short ones.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('machine');
my $place = PostgreSQL::Test::Utils::tempdir();
$node->start;
mkdir "$place/$_" for qw(space files);
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', "CREATE TABLESPACE \"a \"\"b\" LOCATION '$place/space'");
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling');

sub ask { return $node->safe_psql('postgres', $_[0]); }
sub sample { ask("SELECT pgdba.sample_now('$_[0]')"); return; }
sub content { local (@ARGV, $/) = @_; return scalar <>; }

# ---- file systems ----

my ($size) = (split ' ', (split /\n/, `df -P -B1 @{[$node->data_dir]}`)[1])[1];
is(ask(q{SELECT string_agg(kind || ' ' || name, ', ' ORDER BY kind) FROM pgdba.last_filesystem}),
	'data pg_default, tablespace a "b, wal pg_wal', 'file systems of data, WAL and tablespaces');
is(ask(q{SELECT bool_and(size_bytes = } . $size . q{) FROM pgdba.last_filesystem WHERE kind IN ('data', 'wal')}), 't', 'have the size that df says');
is(ask(q{SELECT bool_and(available_bytes BETWEEN 1 AND size_bytes AND pct_used BETWEEN 0 AND 100 AND NOT read_only
	AND files_free <= files AND device ~ '^[0-9]+:[0-9]+$') FROM pgdba.last_filesystem}), 't', 'and sane numbers');
cmp_ok(metric($node, 'pg_filesystem_available_bytes', kind => 'wal'), '>', 0, 'a metric of it');
is(ask(q{SELECT count(*) FROM pgdba.host_filesystem('no such folder')}), '0', 'a path that is not there has none');

# ---- the machine ----

my ($memory) = content('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
is(ask('SELECT memory_total FROM pgdba.last_machine'), $memory * 1024, 'memory of the machine');
chomp(my $cpus = `getconf _NPROCESSORS_ONLN`);
is(ask('SELECT cpus FROM pgdba.last_machine'), $cpus, 'its CPUs');
is(ask('SELECT usable_cpus <= cpus AND memory_limit <= memory_total AND memory_available <= memory_total AND load_1m >= 0
	FROM pgdba.last_machine'), 't', 'limits are not more than what there is');
my $spent = q{SELECT cpu_user + cpu_system + cpu_idle + cpu_iowait FROM pgdba.last_machine};
my $before = ask($spent);
ok(wait_until(sub { sample('workload'); ask($spent) > $before }), 'CPU time goes on');

# ---- processes ----

my $busy = session($node, 'postgres');
my $pid = $busy->query_safe('SELECT pg_backend_pid()');
$busy->query_safe('SET application_name = burner; SELECT count(*) FROM generate_series(1, 3000000)');
sample('workload');
is(ask("SELECT db || ' ' || backend_type || ' ' || application_name FROM pgdba.last_process WHERE pid = $pid"),
	'postgres client backend burner', 'a session among the processes');
my ($user, $system) = (split ' ', content("/proc/$pid/stat") =~ s/.*\)//sr)[ 11, 12 ];
chomp(my $ticks = `getconf CLK_TCK`);
is(ask("SELECT abs(cpu_seconds - " . ($user + $system) / $ticks . ") < 0.05 AND cpu_seconds > 0 FROM pgdba.last_process WHERE pid = $pid"),
	't', 'with the CPU time that the kernel counted');
is(ask("SELECT own_bytes > 100000 AND own_bytes < resident_bytes FROM pgdba.last_process WHERE pid = $pid"), 't', 'and memory of its own');
my $postmaster = (split /\n/, content($node->data_dir . '/postmaster.pid'))[0];
is(ask("SELECT count(*) FROM pgdba.last_process WHERE pid = $postmaster AND backend_type IS NULL"), '1', 'the postmaster is one of them');
leave($busy);

# ---- certificates ----

is(ask('SELECT count(*) FROM pgdba.last_certificate'), '0', 'no certificate without ssl');
SKIP: {
	skip 'this server was built without OpenSSL', 4 if ask(q{SELECT setting FROM pg_settings WHERE name = 'ssl_library'}) ne 'OpenSSL';
	system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '10', '-subj', '/O=Ä/CN=db.example', '-utf8',
		'-keyout', "$place/files/key", '-out', "$place/files/certificate");
	chmod 0600, "$place/files/key";
	append_to_file("$place/files/authorities", 'nothing');
	configure($node, ssl_cert_file => "$place/files/certificate", ssl_key_file => "$place/files/key", ssl => 'on');
	ok(wait_until(sub { sample('hourly'); ask('SELECT count(*) FROM pgdba.last_certificate') eq '1' }), 'the certificate of the server');
	like(ask('SELECT subject FROM pgdba.last_certificate'), qr/^CN=db\.example,O=/, 'whose it is');
	is(ask('SELECT round(seconds_left / 86400), problem IS NULL FROM pgdba.last_certificate'), '10|t', 'and for how long it is valid');
	configure($node, ssl_cert_file => "$place/files/authorities");
	sample('hourly');
	is(ask('SELECT problem FROM pgdba.last_certificate'), 'has no certificate in it', 'a file without one says so');
}

# ---- who may ----

$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
for my $call ('host_machine()', 'host_processes()', 'host_certificates()', "host_filesystem('/')") {
	my (undef, undef, $error) = $node->psql('postgres', "SELECT * FROM pgdba.$call", extra_params => [ '-U', 'watcher' ]);
	like($error, qr/permission denied for function/, "$call is not for pg_monitor, which has the samples");
}

# ---- the canary ----

is(ask(q{SELECT string_agg(kind, ' ' ORDER BY kind) FROM pgdba.last_canary WHERE seconds > 0 AND seconds < 60}), 'read select', 'the canary sings');
cmp_ok(ask(q{SELECT blks_hit + blks_read FROM pgdba.last_canary WHERE kind = 'read'}), '>', 0, 'and reads blocks');
cmp_ok(metric($node, 'pgdba_canary_seconds', kind => 'select'), '>', 0, 'its metric');
my $locker = session($node, 'postgres');
$locker->query_safe('BEGIN; LOCK TABLE pgdba.probe IN ACCESS EXCLUSIVE MODE');
ok(wait_until(sub { sample('workload'); ask(q{SELECT errors > 0 AND skipped > 0 FROM pgdba.cost() WHERE probe = 'canary'}) eq 't' }),
	'it tells when a table is locked; ticks that it rests are counted');
$locker->query_safe('ROLLBACK');
ok(wait_until(sub { sample('workload'); ask(q{SELECT last_error IS NULL FROM pgdba.cost() WHERE probe = 'canary'}) eq 't' }), 'and sings again');
is(ask(q{SELECT wal_bytes > 0 AND bytes > 0 AND runs > 0 FROM pgdba.cost() WHERE probe = 'machine'}), 't', 'what a probe costs, WAL as well');

# ---- visits: probe database_visit ----

sample('storage');
is(ask(q{SELECT string_agg(database, ' ' ORDER BY database) FROM pgdba.databases() WHERE last_visited IS NOT NULL AND visit_seconds > 0}),
	'postgres shop', 'databases are visited, that of pgdba like the others');
is(ask(q{SELECT count(*) FILTER (WHERE visits > 0 AND last_error IS NULL AND age_seconds < 60) FROM pgdba.last_database_visit}), '2', 'and it is kept how that went');
# A visit that takes long: the hot loop goes on meanwhile.
$node->safe_psql('postgres', q{SELECT pgdba.define_probe('slow', 'hourly',
	'SELECT current_database()::text AS d FROM pg_sleep(CASE current_database() WHEN ''shop'' THEN 60 ELSE 0 END)', '{d}', '{}', 'database')});
$node->safe_psql('postgres', "SELECT pgdba.set_threshold('pgdba.samples', '%', NULL, NULL)");
my $asking = session($node, 'postgres');
$asking->{stdin} .= "SELECT pgdba.sample_now('hourly', '100 s');\n";
$asking->{run}->pump_nb;
my $reader = q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba reader' AND state ~ 'shop'};
my $inside;
my $late = metric($node, 'pgdba_ticks_skipped_total', loop => 'hot');
ok(wait_until(sub { ($inside = ask($reader)) && ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $inside AND wait_event = 'PgSleep'") eq '1' }),
	'a reader stays in a database');
ok(more_ticks($node, 10), 'the hot loop goes on');
is(ask($reader), $inside, 'while the reader is there still');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($inside)");
ok(more_ticks($node, 3), 'and afterwards');
leave($asking);

$node->stop;
done_testing();
