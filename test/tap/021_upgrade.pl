# From one version to the next: ALTER EXTENSION UPDATE from every version there was, a library whose objects in the database
# are still those of an older one, dump and restore.
use strict;
use warnings FATAL => 'all';

use IPC::Run qw(start);
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Upgrade;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = pgdba_node('upgrade');
$node->start;

# ---- updated equals new ----

my $versions = q{FROM pg_available_extension_versions v JOIN pg_available_extensions e USING (name) WHERE name = 'pgdba'};
my $current = $node->safe_psql('postgres', "SELECT DISTINCT default_version $versions");
my @older = split /\n/, $node->safe_psql('postgres',
	"SELECT v.version $versions AND v.version <> default_version ORDER BY string_to_array(v.version, '.')::int[]");
cmp_ok(scalar(@older), '>', 0, "there are versions before $current: @older");
my %updated;
for my $version (@older) {
	my $database = "from $version";
	$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
	is(sqlstate($node, $database, "CREATE EXTENSION pgdba VERSION '$version'"), '00000',
		"CREATE EXTENSION of $version: the library has all that it declares");
	# The definitions would go to its subscribers, were their tables not unlogged meanwhile.
	$node->safe_psql($database, 'CREATE PUBLICATION everything FOR ALL TABLES');
	my ($state, $output) = sqlstate($node, $database, 'ALTER EXTENSION pgdba UPDATE');
	is($state, '00000', "update from $version, while all tables are published") or diag($output);
	$node->safe_psql($database, 'DROP PUBLICATION everything');
	is(version_in($node, $database), $current, 'leads to the newest');
	$updated{$version} = catalog($node, $database);

	# The dump of an older version, where the newest is installed.
	$node->safe_psql($database, "DROP EXTENSION pgdba; CREATE EXTENSION pgdba VERSION '$version'; $own");
	my $rows = own_rows($node, $database);
	$node->command_ok([ 'pg_dump', '-f', "$folder/$version.sql", $database ], "dump of $version");
	$node->safe_psql('postgres', qq{CREATE DATABASE "restored $version"});
	$node->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', "restored $version", '-f', "$folder/$version.sql" ],
		'is restored');
	is(version_in($node, "restored $version"), $current, "as $current");
	is(own_rows($node, "restored $version"), $rows, 'with what users defined');

	# The server may still run the library of before.
	$node->safe_psql($database, q{CREATE OR REPLACE FUNCTION pgdba.health_json(as_of timestamptz DEFAULT NULL) RETURNS jsonb
		LANGUAGE sql RETURN '{"version": "0.0"}'::jsonb});
	($state, $output) = sqlstate($node, $database, 'ALTER EXTENSION pgdba UPDATE');
	is($state, '55000', 'an update before the restart is refused');
	like($output, qr/because the server runs its library 0\.0\n.*HINT:  Restart the server/s, 'with what to do first');
	is(version_in($node, $database), $version, 'and changes nothing');
	$node->safe_psql('postgres', qq{DROP DATABASE "$_"}) for $database, "restored $version";
	$node->safe_psql('postgres', 'DROP ROLE pgdba_sampler, pgdba_admin'); # each version makes them itself
}
$node->safe_psql('postgres', 'CREATE DATABASE new');
$node->safe_psql('new', 'CREATE EXTENSION pgdba');
my $new = catalog($node, 'new');
cmp_ok(scalar(keys %$new), '>', 1000, 'the catalog of a new one is read');
same_catalog($updated{$_}, $new, "updated from $_ equals new") for @older;

# ---- a library whose objects in the database are older ----

my $oldest = $older[0];
$node->safe_psql('postgres',
	"CREATE EXTENSION pgdba VERSION '$oldest'; CREATE ROLE watcher LOGIN; CREATE ROLE steward LOGIN; $own");
all_works($node);
like($node->safe_psql('postgres', 'SELECT pgdba.health()') =~ s/\s+/ /gr,
	qr/the library of pgdba is version \Q$current\E, its objects in this database are \Q$oldest\E; ALTER EXTENSION pgdba UPDATE;/,
	'health() says that an update is due');
like($node->safe_psql('postgres', q{SELECT pgdba.health_json() ->> 'notices'}), qr/ALTER EXTENSION pgdba UPDATE;/,
	'health_json() too');
unlike($node->safe_psql('new', 'SELECT pgdba.health()'), qr/the library/, 'where there is nothing to update neither does');

# ---- an update while sampling, with what users did ----

# What they may beside what pgdba grants; and what it granted, but they revoked.
$node->safe_psql('postgres', <<'EOF');
GRANT pgdba_admin TO steward;
GRANT EXECUTE ON FUNCTION pgdba.define_probe TO steward;
GRANT USAGE ON SCHEMA pgdba TO watcher;
GRANT SELECT ON pgdba.verdicts, pgdba.last_heartbeat TO watcher;
REVOKE EXECUTE ON FUNCTION pgdba.health_json FROM pg_monitor;
EOF

sub privileges {
	my ($where) = @_;
	return $where->safe_psql('postgres', <<'EOF');
SELECT has_schema_privilege('watcher', 'pgdba', 'USAGE'), has_table_privilege('watcher', 'pgdba.verdicts', 'SELECT'),
	has_table_privilege('watcher', 'pgdba.last_heartbeat', 'SELECT'), has_table_privilege('watcher', 'pgdba.checks', 'SELECT'),
	(SELECT has_function_privilege('steward', p.oid, 'EXECUTE') FROM pg_proc p WHERE p.oid::regproc::text = 'pgdba.define_probe'),
	(SELECT has_function_privilege('pg_monitor', p.oid, 'EXECUTE') FROM pg_proc p WHERE p.oid::regproc::text = 'pgdba.health_json')
EOF
}
is(privileges($node), 't|t|t|f|t|f', 'users give and take privileges');

# A probe and a check that this version no longer has; somebody's check and view on them.
$node->safe_psql('postgres', <<'EOF');
SELECT pgdba.define_probe('gone', 'hot', 'SELECT 1 AS a', '{}', '{}'), pgdba.define_check('gone.check',
	$$SELECT 'x' AS object, NULL::text AS database, g.a AS value, '' AS unit, '{}'::jsonb AS evidence FROM pgdba.last_gone g$$,
	'{"title": "T", "loop": "hot", "probes": ["gone"], "thresholds": {"info": 5}, "message": "M", "why": "W", "action": "A"}');
SELECT pgdba.set_threshold('gone.check', '%', 1, 2);
SELECT pgdba.define_check('my.gone', c.query, c.definition) FROM pgdba.check_definition c WHERE check_id = 'gone.check';
UPDATE pgdba.probe SET origin = 'pgdba' WHERE name = 'gone';
UPDATE pgdba.check_definition SET origin = 'pgdba' WHERE check_id = 'gone.check';
CREATE VIEW on_gone AS SELECT a FROM pgdba.last_gone;
EOF
my ($state, $output) = sqlstate($node, 'postgres', 'ALTER EXTENSION pgdba UPDATE');
is($state, '2BP01', "an update does not drop a probe while somebody's view is on its view") or diag($output);
like($output, qr/view \S*on_gone depends on view \S*last_gone/, 'but names that');
$node->safe_psql('postgres', 'DROP VIEW on_gone');

SKIP: {
	my %known = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', 'SELECT name FROM pgdba.probe');
	my ($name, $metric) = map { split /\|/ } grep { /^(\w+)/ && !$known{$1} } split /\n/, $node->safe_psql('new',
		q{SELECT p.name, c.value ->> 'metric' FROM pgdba.probe p CROSS JOIN LATERAL jsonb_each(p.columns) c WHERE c.value ? 'metric'});
	skip "$current has no new probe", 5 unless defined $name;
	$node->safe_psql('postgres', "SELECT pgdba.define_probe('$name', 'hourly', 'SELECT 1 AS mine', '{}', '{}')");
	($state, $output) = sqlstate($node, 'postgres', 'ALTER EXTENSION pgdba UPDATE');
	is($state, '42710', "a user's probe that has the name of a new one is in the way");
	like($output, qr/DETAIL:  You have defined: \Q$name\E\..*HINT:  Define yours under other names/s, 'and named');
	is($node->safe_psql('postgres', "SELECT origin FROM pgdba.probe WHERE name = '$name'"), 'user', 'but not touched');
	$node->safe_psql('postgres', "SELECT pgdba.drop_probe('$name')");
	$node->safe_psql('postgres', qq{SELECT pgdba.define_probe('same', 'hourly', 'SELECT 1 AS a', '{}',
		'{"a": {"kind": "gauge", "metric": "$metric", "help": "A"}}')});
	($state, $output) = sqlstate($node, 'postgres', 'ALTER EXTENSION pgdba UPDATE');
	is($state, '42710', 'so is a metric');
	like($output, qr/metric "\Q$metric\E" belongs to probe "same"/, 'which is named');
	$node->safe_psql('postgres', q{SELECT pgdba.drop_probe('same')});
}

my $before = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
my $rows = own_rows($node, 'postgres');
my $offset = log_size($node);
($state, $output) = sqlstate($node, 'postgres', 'ALTER EXTENSION pgdba UPDATE');
is($state, '00000', 'an update while sampling') or diag($output);
like($output, qr/WARNING:.*dropping your thresholds of check "gone\.check"/, 'says what goes');
like($output, qr/WARNING:.*check "my\.gone" of yours does not work/, 'and what works no longer');
is($node->safe_psql('postgres', q{SELECT to_regclass('pgdba.last_gone'), to_regclass('pgdba.ring_hist_gone'),
	(SELECT count(*) FROM pgdba.probe WHERE name = 'gone'),
	(SELECT count(*) FROM pgdba.check_definition WHERE check_id = 'gone.check')}),
	'||0|0', 'a probe and a check that are no more are gone');
is(own_rows($node, 'postgres'), join("\n", grep { !/"check_id": "gone\.check"/ } split /\n/, $rows),
	"users' probes, variants, checks and thresholds are as they were");
is(privileges($node), 't|t|t|f|t|f', 'so are privileges');
all_works($node);
unlike($node->safe_psql('postgres', 'SELECT pgdba.health()'), qr/the library/, 'no update is due any more');
for my $probe (qw(activity mine)) {
	is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM pgdba.hist_$probe WHERE sampled_at < '$before'"), 't',
		"hist_$probe reaches back behind the update");
}
is(count_in_log($node, qr/(?:ERROR|FATAL|PANIC):/, $offset), 0, 'nothing failed') or diag(log_since($node, $offset));

# ---- a dump while sampling ----

$node->safe_psql('postgres', q{SELECT pgdba.drop_check('my.gone'); CREATE TABLE held AS SELECT 1 AS a});
my $holder = session($node);
$holder->query_safe('BEGIN; LOCK TABLE held');
my $dump = start [ 'pg_dump', '-Fc', '-f', "$folder/dump", $node->connstr('postgres') . ' application_name=pg_dump' ];
ok($node->poll_query_until('template1', q{SELECT count(*) = 1 FROM pg_stat_activity
	WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'}), 'a dump is held up');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT c.relname, ', ') FROM pg_locks l
	JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation
	WHERE a.application_name = 'pg_dump' AND c.relname ~ '^ring_' AND c.relkind IN ('r', 'p')}), '', 'and locks no ring');
ok(samples_reach_tables($node), 'sampling goes on');
$holder->query_safe('ROLLBACK');
leave($holder);
ok($dump->finish, 'the dump ends');
$node->command_ok([ 'pg_dump', '-f', "$folder/dump.sql", 'postgres' ], 'a dump as text');
my $text = slurp_file("$folder/dump.sql");
unlike($text, qr/^COPY pgdba\.ring_/m, 'has no samples');
like($text, qr/^GRANT ALL ON FUNCTION pgdba\.define_probe\(.* TO steward/m, 'has what users granted, also after an update');
$node->command_ok([ 'pg_dumpall', '-g', '-f', "$folder/roles.sql" ], 'a dump of roles');

# ---- restore ----

my $restored = pgdba_node('restored');
$restored->start;
$rows = own_rows($node, 'postgres');
$restored->command_ok([ 'psql', '-qX', '-d', 'postgres', '-f', "$folder/roles.sql" ], 'roles first, with members of pgdba_admin');
for my $restore ([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', "$folder/dump.sql" ],
	[ 'pg_restore', '--exit-on-error', '--clean', '--if-exists', '-d', 'postgres', "$folder/dump" ]) {
	$restored->command_ok($restore, "restore: $restore->[0] $restore->[2]");
	is(own_rows($restored, 'postgres'), $rows, "users' probes, variants, checks and thresholds are back");
	is(privileges($restored), 't|t|t|f|t|f', 'so are privileges');
	ok($restored->poll_query_until('postgres', q{SELECT to_regclass('pgdba.last_mine') IS NOT NULL
		AND to_regclass('pgdba.hist_mine') IS NOT NULL}), 'the views of probes are made again');
	all_works($restored);
}

# Who was made a member by somebody else than a superuser might act as pgdba_admin.
$restored->safe_psql('postgres', <<'EOF');
DROP EXTENSION pgdba;
DROP OWNED BY pgdba_sampler, pgdba_admin;
DROP ROLE pgdba_sampler, pgdba_admin;
CREATE ROLE maker CREATEROLE;
CREATE ROLE made;
SET ROLE maker;
CREATE ROLE pgdba_admin;
GRANT pgdba_admin TO made;
EOF
($state, $output) = sqlstate($restored, 'postgres', 'CREATE EXTENSION pgdba');
is($state, '55000', 'a pgdba_admin with members that no superuser chose is refused');
like($output, qr/It has members: .*made/, 'and they are named');

# ---- removal ----

$node->safe_psql('postgres', 'DROP DATABASE new');
is(sqlstate($node, 'postgres', <<'EOF'), '00000', 'removal, as it is documented');
DROP EXTENSION pgdba;
DROP SCHEMA pgdba;
DROP OWNED BY pgdba_sampler, pgdba_admin;
DROP ROLE pgdba_sampler, pgdba_admin;
EOF
$node->command_ok([ 'pg_dump', '-f', "$folder/after.sql", 'postgres' ], 'a dump after it');
unlike(slurp_file("$folder/after.sql"), qr/(?:GRANT|REVOKE)[^;]*"\d+"/, 'names no role that is gone');

$_->stop for $node, $restored;
done_testing();
