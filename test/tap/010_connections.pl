# Connections and sessions: each check of them fires on the real thing, and is quiet again when that is gone. A leak that
# fills the server, sessions idle in a transaction, a prepared transaction, a snapshot that holds back vacuum, a
# transaction that lasts, a sort that spills.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# 27 connections can be had by ordinary roles.
my $node = pgdba_node('connections', init => { allows_streaming => 'logical' }, conf => join("\n", 'max_connections = 30', 'superuser_reserved_connections = 3',
		'max_prepared_transactions = 2', 'autovacuum = off'));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba; CREATE ROLE leaky LOGIN; CREATE ROLE app LOGIN');
ok(settled($node), 'sampling');

# A session of a role and an application.
sub client {
	my ($role, $application, $query) = @_;
	local $ENV{PGAPPNAME} = $application;
	my $client = session($node, 'postgres', extra_params => [ '-U', $role ]);
	$client->query_safe($query);
	return $client;
}

sub field {
	my ($check, $field) = @_;
	return $node->safe_psql('postgres', "SELECT $field FROM pgdba.verdicts WHERE check_id = '$check' ORDER BY value DESC LIMIT 1");
}

# fires CHECK, CONDITION, NAME: until a verdict that is not ok meets the condition.
sub fires {
	my ($check, $condition, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pgdba.verdicts
		WHERE check_id = '$check' AND severity IN ('info', 'warning', 'critical') AND $condition"), "$check: $name")
	  or diag($node->safe_psql('postgres', "SELECT severity, object, message, evidence FROM pgdba.verdicts WHERE check_id = '$check'"));
	return;
}

sub quiet {
	my ($check, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($node->poll_query_until('postgres', "SELECT bool_and(severity = 'ok') FROM pgdba.verdicts WHERE check_id = '$check'"),
		"$check: $name")
	  or diag($node->safe_psql('postgres', "SELECT severity, object, message FROM pgdba.verdicts WHERE check_id = '$check'"));
	return;
}

# What the default thresholds take minutes for.
sub at_once { $node->safe_psql('postgres', "SELECT pgdba.set_threshold('$_[0]', '%', $_[1], 1e9)"); return; }

my @checks = qw(connections.saturation connections.leak sessions.idle_in_transaction_count sessions.long_transaction
  sessions.long_backup sessions.prepared_transaction vacuum.horizon);
quiet($_, 'quiet at first') for @checks;

# ---- one application that does not commit, another that does not close ----

my @idle = map { client('app', 'worker', 'BEGIN; SELECT 1') } 1 .. 11;

# A leak is a number that rises again and again: by three at a time, in a sample at least 5 s after the last rise.
my (@leaked, $risen);
for (1 .. 4) {
	push @leaked, map { client('leaky', 'report', 'SELECT 1') } 1 .. 3;
	my $leaked = @leaked;
	$node->poll_query_until('postgres', "SELECT sum(unused) = $leaked FROM pgdba.last_connection_origin WHERE role = 'leaky'")
	  or die 'the connections are not sampled';
	$risen = $node->safe_psql('postgres', 'SELECT max(sampled_at) FROM pgdba.last_connection_origin');
	last if $leaked == 12;
	next if $leaked == 3;
	$node->poll_query_until('postgres', "SELECT date_bin('5 s', max(sampled_at), '2001-01-01 00:00:00+00')
		> date_bin('5 s', '$risen', '2001-01-01 00:00:00+00') FROM pgdba.last_connection_origin") or die 'sampling has stopped';
}
fires('connections.leak', q{object = 'role:leaky' AND evidence ->> 'application_name' = 'report' AND evidence ->> 'connections' = '12'},
	'finds the origin that grows');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.verdicts WHERE check_id = 'connections.leak'}), '1', 'and no other');

fires('sessions.idle_in_transaction_count', q{object = 'role:app' AND value = 11}, 'counts the sessions of one origin');
like(field('sessions.idle_in_transaction_count', 'message'), qr/application worker\).*: none holds back vacuum$/,
	'and blames none of them for vacuum');
ok(wait_until(sub { metric($node, 'pgdba_connections', state => 'idle in transaction') == 11 }), '/metrics shows their state');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.last_connection_state WHERE state <> 'starting'}), '6', 'among all states');
is(metric($node, 'pgdba_connections', state => 'disabled'), '0', 'also those that nobody is in');

# ---- no connection left, nearly ----

fires('connections.saturation', q{severity = 'warning'}, 'warns when most connections are taken');
push @leaked, map { client('leaky', 'report', 'SELECT 1') } 1 .. 3;
fires('connections.saturation', q{severity = 'critical' AND message ~
	' of 27 connections are taken .*: 15 by role leaky, application report, 15 idle$'}, 'and more when nearly all are, with who has most');
leave(@leaked, @idle);
quiet($_, 'quiet when they are gone') for qw(connections.saturation connections.leak sessions.idle_in_transaction_count);
ok(wait_until(sub { metric($node, 'pgdba_connections', state => 'idle in transaction') == 0 }), 'their state is empty');

# ---- a snapshot and a slot that hold back vacuum, and a transaction that holds nothing ----

at_once('vacuum.horizon', 1000);
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('decoder', 'pgoutput'),
	pg_create_physical_replication_slot('unused')});
my $reader = client('app', 'harmless', 'BEGIN; SELECT 1');
my $holder = client('app', 'snapshot', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$node->safe_psql('postgres', q{DO $$ BEGIN FOR i IN 1 .. 2000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$});
fires('vacuum.horizon', q{evidence ->> 'application_name' = 'snapshot' AND value >= 2000 AND database = 'postgres' AND message ~
	'^session \d+ [(]role app, application snapshot, idle in transaction for .*[)] holds back vacuum of postgres by 2,'},
	'finds the snapshot');
fires('vacuum.horizon', q{object = 'slot:decoder' AND message ~ '^inactive logical slot decoder holds back vacuum of the system catalogs'},
	'and the slot, which holds system catalogs');
is($node->safe_psql('postgres', q{SELECT string_agg(name, ',' ORDER BY name) FROM pgdba.last_horizon
	WHERE kind = 'slot' OR application_name = 'harmless'}), 'decoder', 'an open transaction without a snapshot holds nothing');
$holder->query_safe('COMMIT');
$node->safe_psql('postgres', 'SELECT 1 FROM (' . $node->safe_psql('postgres',
		q{SELECT trim(trailing ';' from sql) FROM pgdba.verdicts WHERE object = 'slot:decoder'}) . ') s');
quiet('vacuum.horizon', 'quiet when it has committed, and the statement of the verdict was run');
leave($reader, $holder);

# ---- a prepared transaction, ended by what the verdict says ----

at_once('sessions.prepared_transaction', 0.001);
$node->safe_psql('postgres', q{CREATE TABLE orders (id int); BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'order ''7'});
fires('sessions.prepared_transaction', q{object = 'database:postgres' AND database = 'postgres'}, 'finds one that nobody finishes');
my $rollback = field('sessions.prepared_transaction', 'sql');
is($rollback, q{ROLLBACK PREPARED 'order ''7';}, 'with the statement that ends it');
$node->safe_psql('postgres', $rollback);
quiet('sessions.prepared_transaction', 'quiet when that was run');

# ---- a transaction that lasts, ended by what the verdict says; a backup that lasts ----

at_once('sessions.long_transaction', 0.001);
$node->safe_psql('postgres', q{UPDATE pgdba.check_definition
	SET definition = jsonb_set(definition, '{thresholds,info}', '0.001') WHERE check_id = 'sessions.long_backup'});
my @busy = map { client('app', $_, 'SELECT 1') } qw(slow pg_dump);
$_->query_until(qr/begun/, "\\echo begun\nSELECT pg_sleep(3600);\n") for @busy;
fires('sessions.long_transaction', q{evidence ->> 'application_name' = 'slow'}, 'finds a statement that lasts');
fires('sessions.long_backup', q{evidence ->> 'application_name' = 'pg_dump' AND severity = 'info' AND sql IS NULL},
	'mentions a backup, and ends none');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.verdicts WHERE check_id = 'sessions.long_transaction'
	AND evidence ->> 'application_name' = 'pg_dump'}), '0', 'which is no other finding');
my $cancel = $node->safe_psql('postgres', q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'sessions.long_transaction'
	AND evidence ->> 'application_name' = 'slow'});
is($node->safe_psql('postgres', $cancel), 't', 'the statement of the verdict cancels it');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_dump'});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pgdba.verdicts WHERE severity <> 'ok'
	AND check_id IN ('sessions.long_transaction', 'sessions.long_backup') AND evidence ->> 'role' = 'app'}),
	'quiet when they are gone');
eval { $_->quit } for @busy;

# ---- temporary files, while they are there ----

# Without a file there is no directory for them, in any tablespace.
$node->safe_psql('postgres', join(";\n", 'SET allow_in_place_tablespaces = on', q{CREATE TABLESPACE other LOCATION ''}));
ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 AND sum(bytes) = 0 AND sum(files) = 0 FROM pgdba.last_temp_live}),
	'no temporary files, in two tablespaces');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgdba.last_temp_file'), '0', 'and nobody who has some');
$node->safe_psql('postgres', 'GRANT CREATE ON TABLESPACE other TO app');
my $spill = client('app', 'sort', q{SET work_mem = '64kB'; SET temp_tablespaces = other; BEGIN;
	DECLARE big CURSOR FOR SELECT g FROM generate_series(1, 100000) g ORDER BY -g; FETCH 1 FROM big});
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgdba.last_temp_file f JOIN pgdba.last_activity a USING (pid)
	WHERE f.application_name = 'sort' AND f.role = 'app' AND f.db = 'postgres' AND a.application_name = 'sort' AND f.bytes > 1000000
	AND f.files > 0 AND f.tablespaces = 1}), 'who spills is named while it lasts');
ok(metric($node, 'pgdba_temp_live_bytes', tablespace => 'other') > 1000000, '/metrics shows how much');
is(metric($node, 'pgdba_temp_live_bytes', tablespace => 'pg_default'), '0', 'and where it is not');
$spill->query_safe('COMMIT');
ok($node->poll_query_until('postgres', q{SELECT (SELECT count(*) FROM pgdba.last_temp_file) = 0
	AND (SELECT sum(bytes) FROM pgdba.last_temp_live) = 0}), 'afterwards nothing is left');
leave($spill);

# ---- all along ----

is($node->safe_psql('postgres', q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.last_probe_run WHERE errors > 0
	AND probe IN ('activity', 'connections', 'horizon', 'connection_origin', 'connection_state', 'temp_file', 'temp_live')}), '',
	'no probe failed');
is(count_in_log($node, qr/(?:PANIC|TRAP): /), 0, 'nor did the server');
$node->stop;
done_testing();
