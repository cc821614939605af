# pg_upgrade from the server in OLD_INSTALL, with the objects of the oldest version of pgdba: nothing of pgdba runs meanwhile,
# what users defined and history are there afterwards, and the objects can be updated like any others.
use strict;
use warnings FATAL => 'all';

use File::Find;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Upgrade;

my $install = $ENV{OLD_INSTALL} or BAIL_OUT('OLD_INSTALL is not set');
my %same = (init => { extra => ['--data-checksums'] });
my $old = pgdba_node('old', %same, install_path => $install);
my $new = pgdba_node('new', %same);

# ---- before ----

$old->start;
my $oldest = $old->safe_psql('postgres', q{SELECT version FROM pg_available_extension_versions WHERE name = 'pgdba'
	ORDER BY string_to_array(version, '.')::int[] LIMIT 1});
$old->safe_psql('postgres', "CREATE EXTENSION pgdba VERSION '$oldest'; CREATE DATABASE other; $own");
$old->safe_psql('postgres', <<'EOF');
CREATE ROLE watcher LOGIN;
CREATE ROLE steward LOGIN IN ROLE pgdba_admin;
GRANT USAGE ON SCHEMA pgdba TO watcher;
GRANT SELECT ON pgdba.last_mine TO watcher;
CREATE VIEW on_mine AS SELECT seven FROM pgdba.last_mine;
EOF
all_works($old);
my $server = $old->safe_psql('postgres', 'SHOW server_version');
my $rows = own_rows($old, 'postgres');
my $history = sprintf q{SELECT count(*) FROM pgdba.hist_mine WHERE sampled_at <= '%s'}, $old->safe_psql('postgres', 'SELECT now()');
$old->stop;

# ---- pg_upgrade ----

chdir PostgreSQL::Test::Utils::tempdir(); # it writes there
my @command = ('pg_upgrade', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old->config_data('--bindir'),
	'-B', $new->config_data('--bindir'), '-s', $new->host, '-p', $old->port, '-P', $new->port);
command_ok([ @command, '--check' ], "pg_upgrade --check from $server");
command_ok([ @command, '--retain' ], 'pg_upgrade');
my $logs = '';
find(sub { $logs .= slurp_file($_) if /^pg_upgrade_server.*\.log$/ }, $new->data_dir . '/pg_upgrade_output.d');
like($logs, qr/database system is ready/, "the servers' logs were kept");
unlike($logs, qr/pgdba (launcher|sampler|server)|background worker/, 'nothing of pgdba ran in them');

# ---- after ----

$new->start;
all_works($new);
isnt($new->safe_psql('postgres', 'SHOW server_version'), $server, 'this is another server');
is(own_rows($new, 'postgres'), $rows, 'what users defined is there');
is($new->safe_psql('postgres', 'SELECT seven FROM on_mine'), '8', 'with its views, and those on them');
is($new->safe_psql('postgres', 'SELECT seven FROM pgdba.last_mine', extra_params => [ '-U', 'watcher' ]), '8',
	'and what was granted on them');
is(sqlstate($new, 'postgres', 'SELECT pgdba.resume()', extra_params => [ '-U', 'steward' ]), '00000', 'so are roles');
cmp_ok($new->safe_psql('postgres', $history), '>', 0, 'and history');
is(version_in($new, 'postgres'), $oldest, "objects are those of $oldest still");
like($new->safe_psql('postgres', 'SELECT pgdba.health()') =~ s/\s+/ /gr, qr/ALTER EXTENSION pgdba UPDATE;/, 'health() says so');
is(sqlstate($new, 'postgres', 'ALTER EXTENSION pgdba UPDATE'), '00000', 'they can be updated');
all_works($new);
is(own_rows($new, 'postgres'), $rows, 'what users defined is there');
cmp_ok($new->safe_psql('postgres', $history), '>', 0, 'and history');

$new->safe_psql('postgres', <<'EOF');
DROP VIEW on_mine;
SELECT pgdba.drop_check('my.seven'), pgdba.drop_probe('mine');
DELETE FROM pgdba.threshold;
REVOKE pgdba_admin FROM steward;
REVOKE USAGE ON SCHEMA pgdba FROM watcher;
EOF
$new->safe_psql('other', 'CREATE EXTENSION pgdba');
same_catalog(catalog($new, 'postgres'), catalog($new, 'other'), 'upgraded and updated equals new');
$new->stop;
done_testing();
