# Subscriptions, publications, slots that decode, prepared transactions, roles, large objects, configuration files and
# encrypted connections, live: what the samples say is what the server says, and what breaks is a finding until it is mended.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IO::Socket::INET;
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Verdicts are had by sampling, so no loop runs by itself. Little memory makes decoding spill; a failed worker soon comes back.
my $conf = join "\n", (map { "pgdba.${_}_interval = '1h'" } qw(hot workload storage hourly)), <<'EOF';
wal_level = logical
max_prepared_transactions = 2
logical_decoding_work_mem = '64kB'
wal_retrieve_retry_interval = '1s'
listen_addresses = '*'
ssl_cert_file = 'test.crt'
ssl_key_file = 'test.key'
track_commit_timestamp = on
EOF
my ($publisher, $subscriber) = map { pgdba_node($_, init => { allows_streaming => 1 }, conf => $conf) } qw(publisher subscriber);
my $odd = 'od"d. db'; # the name of a database that has to be quoted everywhere
for my $node ($publisher, $subscriber) {
	$node->start;
	$node->safe_psql('postgres', $_) for 'CREATE EXTENSION pgdba', 'CREATE DATABASE "od""d. db"';
	ok(wait_until(sub { sqlstate($node, 'postgres', 'SELECT pgdba.sample_now()') eq '00000' }), $node->name . ' samples');
}

sub sample { $_[0]->safe_psql('postgres', 'SELECT pgdba.sample_now()'); return; }

sub ask { my ($node, $sql, $database) = @_; return $node->safe_psql($database // 'postgres', $sql); }

# same NODE, SAMPLED, SERVER, NAME: both queries return the same in the end, and something.
sub same {
	my ($node, $sampled, $server, $name, $database) = @_;
	my ($got, $wanted);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(wait_until(sub {
		sample($node);
		$got = ask($node, $sampled);
		$wanted = ask($node, $server, $database);
		$got ne '' && $got eq $wanted }), $name) or diag("sampled:\n$got\nthe server:\n$wanted");
	return;
}

# verdict NODE, CHECK, OBJECT: severity and message of a finding, "ok" when the check has none of that object.
sub verdict {
	my ($node, $check, $object) = @_;
	(my $literal = $object) =~ s/'/''/g;
	return ask($node, "SELECT coalesce((SELECT severity || ': ' || message FROM pgdba.verdicts
		WHERE check_id = '$check' AND object = '$literal'), 'ok') FROM pgdba.verdicts WHERE check_id = '$check' LIMIT 1");
}

# comes NODE, CHECK, OBJECT, PATTERN, NAME: samples until the verdict is so.
sub comes {
	my ($node, $check, $object, $pattern, $name) = @_;
	my $seen = '';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(wait_until(sub { sample($node); ($seen = verdict($node, $check, $object)) =~ $pattern }), $name)
	  or diag("$check of $object: $seen");
	return;
}

# ---- publications: which tables have no identity, as an UPDATE finds out ----

ask($publisher, <<'EOF', $odd);
CREATE TABLE well (a int PRIMARY KEY, t text);
CREATE TABLE broken (a int PRIMARY KEY);
CREATE TABLE halting (a int PRIMARY KEY);
CREATE TABLE whole (a int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
CREATE TABLE identified_part PARTITION OF whole FOR VALUES IN (2);
ALTER TABLE identified_part ADD PRIMARY KEY (a);
CREATE TABLE deferred (a int PRIMARY KEY DEFERRABLE);
CREATE TABLE everything (a int);
ALTER TABLE everything REPLICA IDENTITY FULL;
CREATE TABLE nothing (a int PRIMARY KEY);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE chosen (a int NOT NULL UNIQUE);
ALTER TABLE chosen REPLICA IDENTITY USING INDEX chosen_a_key;
CREATE TABLE lost (a int NOT NULL UNIQUE);
ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_a_key;
ALTER TABLE lost DROP CONSTRAINT lost_a_key;
CREATE UNLOGGED TABLE unlogged (a int);
CREATE SCHEMA "S.";
CREATE TABLE "S."."t""" (a int);
INSERT INTO halting VALUES (1);
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION mixed FOR TABLE whole, well, TABLES IN SCHEMA "S." WITH (publish = 'insert, delete', publish_via_partition_root);
CREATE PUBLICATION inserts FOR TABLE deferred WITH (publish = 'insert');
CREATE PUBLICATION "p'well" FOR TABLE well;
CREATE PUBLICATION broken FOR TABLE broken;
CREATE PUBLICATION halting FOR TABLE halting;
EOF
same($publisher, q{SELECT publication, all_tables, tables FROM pgdba.last_publication ORDER BY 1},
	q{SELECT p.pubname, p.puballtables, count(DISTINCT c.oid) FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
		JOIN pg_namespace n ON n.nspname = t.schemaname JOIN pg_class r ON r.relname = t.tablename AND r.relnamespace = n.oid
		JOIN LATERAL (SELECT l.relid AS oid FROM pg_partition_tree(r.oid) l WHERE l.isleaf UNION SELECT r.oid WHERE r.relkind = 'r') c ON true
		GROUP BY 1, 2 ORDER BY 1}, 'as many tables are published as the server lists', $odd);
my $failing = join ',', sort grep { sqlstate($publisher, $odd, "UPDATE $_ SET a = a") eq '55000' }
  qw(well broken part identified_part deferred everything nothing chosen lost unlogged), '"S."."t"""';
is($failing, '"S."."t""",deferred,lost,nothing,part', 'tables without an identity cannot be updated');
is(ask($publisher, q{SELECT publication, updates, deletes, via_root, schemas, unidentified, unidentified_tables FROM pgdba.last_publication
	WHERE publication IN ('everything', 'mixed', 'inserts') ORDER BY 1}), <<'EOF' =~ s/\n$//r, 'and are counted and named');
everything|t|t|f|0|5|["S..t\"", "public.deferred", "public.lost", "public.nothing", "public.part"]
inserts|f|f|f|0|0|
mixed|f|t|t|1|2|["S..t\"", "public.part"]
EOF
is(metric($publisher, 'pg_publication_unidentified_tables', db => 'od\\"d. db', publication => 'mixed'), '2', 'as a metric as well');
is(ask($publisher, 'SELECT DISTINCT db FROM pgdba.last_publication'), $odd, 'with their database');

# ---- subscriptions: one that is well, a broken one, one that is disabled, one that disabled itself ----

(my $dsn = $publisher->connstr($odd)) =~ s/'/''/g;
ask($subscriber, <<'EOF', $odd);
CREATE TABLE well (a int PRIMARY KEY, t text);
CREATE TABLE broken (a int PRIMARY KEY);
CREATE TABLE halting (a int PRIMARY KEY);
INSERT INTO broken VALUES (7);
INSERT INTO halting VALUES (1);
EOF
ask($subscriber, $_, $odd) for qq{CREATE SUBSCRIPTION "w'ell" CONNECTION '$dsn' PUBLICATION "p'well" WITH (slot_name = well, streaming = off)},
  "CREATE SUBSCRIPTION broken CONNECTION '$dsn' PUBLICATION broken",
  qq{CREATE SUBSCRIPTION off CONNECTION '$dsn' PUBLICATION "p'well" WITH (enabled = false, create_slot = false, copy_data = false)};
$subscriber->poll_query_until($odd, q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel});
my $stated = q{SELECT d.datname, s.subname, s.subenabled, s.subslotname, s.subdisableonerr, count(w.pid) = 1, max(w.pid),
		max(w.received_lsn) - '0/0', max(w.latest_end_lsn) - '0/0', max(w.last_msg_send_time), max(w.last_msg_receipt_time), max(w.latest_end_time)
	FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid LEFT JOIN pg_stat_subscription w ON w.subid = s.oid
	WHERE s.subname <> 'broken' GROUP BY 1, 2, 3, 4, 5 ORDER BY 2};
my $sampled = q{SELECT db, subscription, enabled, slot_name, disable_on_error, running, worker_pid, received_position, reported_position,
		last_message_sent, last_message_received, last_reported
	FROM pgdba.last_subscription WHERE subscription <> 'broken' ORDER BY subscription};
same($subscriber, $sampled, $stated, 'subscriptions and their workers are as the server shows them');
is(ask($subscriber, q{SELECT count(*) FROM pgdba.last_subscription WHERE running AND received_position > 0 AND apply_errors + sync_errors = 0}),
	'2', 'two run without an error');
is(verdict($subscriber, $_->[0], qq{subscription:"od""d. db"/$_->[1]}), 'ok', "$_->[0] of $_->[1] is quiet")
  for [ 'subscriptions.down', '"w\'ell"' ], [ 'subscriptions.down', 'off' ], [ 'subscriptions.down', 'broken' ], [ 'subscriptions.errors', 'broken' ];

ask($subscriber, "CREATE SUBSCRIPTION halting CONNECTION '$dsn' PUBLICATION halting WITH (disable_on_error)", $odd);
ask($publisher, 'INSERT INTO broken VALUES (7)', $odd);
my $broken = 'subscription:"od""d. db"/broken';
comes($subscriber, 'subscriptions.errors', $broken, qr/^warning: subscription broken failed in the last 10 min: \d+ to apply changes/,
	'a constraint violation is an error');
comes($subscriber, 'subscriptions.down', $broken, qr/^critical: subscription broken has no apply worker, the last one was seen .* ago: it fails$/,
	'its worker is missing');
comes($subscriber, 'subscriptions.down', 'subscription:"od""d. db"/halting', qr/^warning: subscription halting is disabled and has failed once$/,
	'an error has disabled another');
is(ask($subscriber, q{SELECT enabled, running, apply_errors, sync_errors FROM pgdba.last_subscription WHERE subscription = 'halting'}),
	ask($subscriber, q{SELECT false, false, apply_error_count, sync_error_count FROM pg_stat_subscription_stats WHERE subname = 'halting'}),
	'whose errors are counted');
is(metric($subscriber, 'pg_subscription_running', subscription => $_->[0]), $_->[1], "running of $_->[0] is a metric") for [ "w'ell", 1 ], [ 'off', 0 ];
cmp_ok(metric($subscriber, 'pg_subscription_apply_errors_total', subscription => 'broken'), '>', 0, 'so are errors');
if ($subscriber->pg_version >= 18) {
	same($subscriber, q{SELECT apply_errors = insert_exists AND insert_exists > 0 FROM pgdba.last_subscription WHERE subscription = 'broken'},
		q{SELECT true}, 'from 18 on conflicts are counted by kind');
} else {
	is(ask($subscriber, q{SELECT num_nonnulls(insert_exists, update_missing) FROM pgdba.last_subscription WHERE subscription = 'broken'}), '0',
		'before 18 conflicts are not known');
}
same($subscriber, q{SELECT subscription, tables, unready, copying, unready_since, unready_tables FROM pgdba.last_subscription_relation ORDER BY 1},
	q{SELECT s.subname, count(*), count(*) FILTER (WHERE srsubstate <> 'r'), count(*) FILTER (WHERE srsubstate = 'd'),
		max(pg_xact_commit_timestamp(r.xmin)) FILTER (WHERE srsubstate <> 'r'),
		jsonb_agg('public.' || r.srrelid::regclass) FILTER (WHERE srsubstate <> 'r')
	FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid GROUP BY 1 ORDER BY 1}, 'tables that are not ready are named', $odd);
is(ask($subscriber, q{SELECT unready, copying, unready_tables FROM pgdba.last_subscription_relation WHERE subscription = 'halting'}),
	'1|1|["public.halting"]', 'such as the one whose copy fails');

ask($subscriber, 'DELETE FROM broken; DELETE FROM halting', $odd);
ask($subscriber, ask($subscriber, q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'subscriptions.down' AND object LIKE '%/halting'}), $odd);
comes($subscriber, 'subscriptions.down', 'subscription:"od""d. db"/halting', qr/^ok/, 'enabled by the SQL of the finding, it runs');
comes($subscriber, 'subscriptions.down', $broken, qr/^ok/, 'so does the other without the row in its way');
is(verdict($subscriber, 'subscriptions.errors', $broken) =~ s/:.*//r, 'warning', 'that it failed is said for a while');

# ---- origins: those of subscriptions are none, a leftover and one by hand are ----

ask($subscriber, q{SELECT pg_replication_origin_create('by hand'); SET allow_system_table_mods = on;
	INSERT INTO pg_replication_origin VALUES (4242, 'pg_42'), (4243, 'pg_42_43')});
same($subscriber, q{SELECT origin, of_subscription FROM pgdba.last_replication_origin ORDER BY origin COLLATE "C"},
	q{VALUES ('by hand', false), ('pg_42', true), ('pg_42_43', true)}, 'origins without a subscription are listed, no others');

# ---- decoding that spills, which it does where it may not stream (from 18 on it may) ----

ask($publisher, q{INSERT INTO well SELECT i, repeat('x', 100) FROM generate_series(1, 3000) i}, $odd);
my $counters = 'decoded_transactions, decoded_bytes, spilled_transactions, spills, spilled_bytes, streamed_transactions, streams, streamed_bytes';
ok(wait_until(sub { ask($publisher, q{SELECT spill_bytes > 0 FROM pg_stat_replication_slots WHERE slot_name = 'well'}) eq 't' }), 'decoding spills');
same($publisher, "SELECT slot_name, $counters FROM pgdba.last_slot ORDER BY 1",
	q{SELECT slot_name, total_txns, total_bytes, spill_txns, spill_count, spill_bytes, stream_txns, stream_count, stream_bytes
		FROM pg_stat_replication_slots ORDER BY 1}, 'what slots decode and spill is what the server counts');
cmp_ok(metric($publisher, 'pgdba_slot_spilled_bytes_total', slot_name => 'well'), '>', 65536, 'and a metric');
ask($publisher, q{SELECT pg_create_physical_replication_slot('physical')});
same($publisher, "SELECT num_nonnulls($counters) FROM pgdba.last_slot WHERE slot_name = 'physical'", 'SELECT 0', 'of a physical slot nothing');

# ---- prepared transactions ----

ask($publisher, q{BEGIN; INSERT INTO well VALUES (0, 'x'); PREPARE TRANSACTION 'g''id'}, $odd);
same($publisher, q{SELECT db, name, role, held_since FROM pgdba.last_horizon WHERE kind = 'prepared transaction'},
	q{SELECT database, gid, owner, prepared FROM pg_prepared_xacts}, 'prepared transactions are sampled');
ask($publisher, q{ROLLBACK PREPARED 'g''id'}, $odd);

# ---- roles ----

ask($publisher, <<'EOF');
CREATE ROLE boss SUPERUSER;
CREATE ROLE mate LOGIN IN ROLE boss;
CREATE ROLE deputy LOGIN IN ROLE mate VALID UNTIL '2030-01-02 03:04:05+00';
CREATE ROLE maker CREATEROLE CREATEDB NOINHERIT VALID UNTIL 'infinity';
CREATE ROLE copier REPLICATION BYPASSRLS LOGIN;
CREATE ROLE runner LOGIN IN ROLE pg_execute_server_program, pg_read_all_data;
CREATE ROLE "run'ner""2" LOGIN IN ROLE runner CONNECTION LIMIT 2;
SET password_encryption = 'md5';
ALTER ROLE mate PASSWORD 'a';
SET password_encryption = 'scram-sha-256';
ALTER ROLE copier PASSWORD 'a';
EOF
my $dangerous = q{ARRAY['pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files']};
same($publisher, q{SELECT role, can_login, superuser, create_role, create_db, replication, bypass_rls, inherit, connection_limit,
		coalesce(valid_until, 'infinity'), password, superuser_member AND NOT superuser, reaches_server AND NOT superuser AND NOT superuser_member
	FROM pgdba.last_role ORDER BY role COLLATE "C"},
	qq{SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit, rolconnlimit,
		coalesce(rolvaliduntil, 'infinity'), CASE WHEN rolpassword LIKE 'md5%' THEN 'md5' WHEN rolpassword LIKE 'SCRAM-SHA-256\$%' THEN 'scram-sha-256'
			ELSE coalesce(rolpassword, 'none') END,
		NOT rolsuper AND pg_has_role(oid, 'boss', 'MEMBER'),
		NOT rolsuper AND NOT pg_has_role(oid, 'boss', 'MEMBER') AND EXISTS (SELECT FROM unnest($dangerous) g WHERE pg_has_role(a.oid, g, 'MEMBER'))
	FROM pg_authid a WHERE rolname NOT LIKE 'pg\\_%' ORDER BY rolname COLLATE "C"}, 'roles have the attributes and memberships that the server says');
is(ask($publisher, q{SELECT string_agg(role || ' ' || powers, ', ' ORDER BY role) FROM pgdba.last_role WHERE role IN ('deputy', 'maker', 'runner')}),
	'deputy 1, maker 2, runner 2', 'and powers by which they are ranked');
is(ask($publisher, q{SELECT predefined_roles FROM pgdba.last_role WHERE role = 'run''ner"2'}),
	'["pg_execute_server_program", "pg_read_all_data"]', 'memberships count through others');

ask($publisher, 'ALTER DATABASE "od""d. db" CONNECTION LIMIT 100');
my $limited = q{role:"run'ner""2"};
my @as_runner = (extra_params => [ '-U', q{run'ner"2} ]);
my @sessions = session($publisher, 'postgres', @as_runner);
sample($publisher);
is(verdict($publisher, 'roles.limit', $limited), 'ok', 'half of a limit is quiet');
push @sessions, session($publisher, 'postgres', @as_runner);
comes($publisher, 'roles.limit', $limited, qr/^critical: role run'ner"2 has 2 of 2 connections \(100 %\)$/, 'a limit that is met is critical');
my (undef, undef, $refused) = $publisher->psql('postgres', 'SELECT 1', @as_runner);
like($refused, qr/FATAL:  too many connections for role/, 'and nobody else is let in');
leave(@sessions);
comes($publisher, 'roles.limit', $limited, qr/^ok/, 'quiet when they have left');

# ---- large objects ----

ask($publisher, q{SELECT lo_from_bytea(0, repeat('x', 100000)::bytea) FROM generate_series(1, 12);
	ALTER LARGE OBJECT } . ask($publisher, 'SELECT lo_create(0)', $odd) . ' OWNER TO maker', $odd);
same($publisher, q{SELECT db, objects, counted, size_bytes, owners #>> '{1,role}' FROM pgdba.last_large_object},
	q{SELECT current_database(), (SELECT count(*) FROM pg_largeobject_metadata), true,
		pg_relation_size('pg_largeobject') + pg_relation_size('pg_largeobject_loid_pn_index'), 'maker'}, 'large objects are counted and measured', $odd);

# ---- configuration files ----

is(ask($publisher, q{SELECT count(*) FROM pgdba.last_config_error}), '0', 'the files are right');
my $directory = $publisher->data_dir;
my %before = map { $_ => slurp_file("$directory/$_") } qw(pg_hba.conf pg_ident.conf postgresql.conf);
append_to_file("$directory/pg_hba.conf", "host all all 10.0.0.0/8 truts\nhost all all 10.0.0.0/8 trust\nhost all all samenet password\n"
	. "hostssl all all 0.0.0.0/0 ldap ldapserver=x ldapprefix=y\nhost all all ::/0 md5\nhost all all 127.0.0.1/8 password\nhost all all all reject\n"
	. "local all all peer map=m\n");
append_to_file("$directory/pg_ident.conf", "m only_two\n");
append_to_file("$directory/postgresql.conf", "max_connections = 1234\nbgwriter_delay = 'soon'\n");
same($publisher, q{SELECT regexp_replace(file, '.*/', ''), line, kind, name, whole, error FROM pgdba.last_config_error ORDER BY 1},
	q{SELECT 'pg_hba.conf', line_number, 'hba', NULL, true, error FROM pg_hba_file_rules WHERE type IS NULL
	UNION ALL SELECT 'pg_ident.conf', line_number, 'ident', NULL, true, error FROM pg_ident_file_mappings WHERE error IS NOT NULL
	UNION ALL SELECT 'postgresql.conf', sourceline, 'setting', name, false, error FROM pg_file_settings WHERE name = 'bgwriter_delay'
	ORDER BY 1}, 'lines with errors are found, what waits for a restart is none');
is(ask($publisher, 'SELECT count(*) FROM pgdba.last_config_error'), '3', 'nor is a rule for TLS, which is off');
my $line = () = $before{'pg_hba.conf'} =~ /\n/g;
$line++;
like(verdict($publisher, 'config.errors', qq{file:"$directory/pg_hba.conf"/$line}),
	qr{^warning: line $line of \Q$directory\E/pg_hba.conf cannot be used: invalid authentication method "truts"$}, 'each is a finding with file and line');
is(ask($publisher, 'SELECT remote_rules, remote_trust_rules, remote_clear_text_rules, remote_md5_rules, remote_unencrypted_rules FROM pgdba.last_hba'),
	'3|1|1|1|3', 'weak rules for other machines are counted');
same($publisher, 'SELECT rules, trust_rules FROM pgdba.last_hba',
	q{SELECT count(*), count(*) FILTER (WHERE auth_method = 'trust') FROM pg_hba_file_rules WHERE error IS NULL}, 'as are all');
append_to_file("$directory/postgresql.conf", "no_such_setting = 1\n");
same($publisher, q{SELECT name, whole, error FROM pgdba.last_config_error WHERE kind = 'setting'},
	q{SELECT name, true, error FROM pg_file_settings WHERE error IS NOT NULL}, 'one unknown setting, and a reload takes over nothing');
for my $name (sort keys %before) {
	unlink "$directory/$name";
	append_to_file("$directory/$name", $before{$name});
}
same($publisher, q{SELECT count(*) FROM pgdba.last_config_error}, 'SELECT 0', 'mended');
is(ask($publisher, q{SELECT severity FROM pgdba.verdicts WHERE check_id = 'config.errors'}), 'ok', 'and quiet');
unlink "$directory/pg_ident.conf";
sample($publisher);
is(ask($publisher, q{SELECT count(*) FROM pgdba.last_config_error}), '0', 'without maps a missing pg_ident.conf is no error');
is(ask($publisher, q{SELECT last_error FROM pgdba.last_probe_run WHERE probe = 'config_error'}), '', 'and not read');

# ---- encryption ----

my $address = IO::Socket::INET->new(PeerAddr => '192.0.2.1', PeerPort => 9, Proto => 'udp');
$address = $address ? $address->sockhost : '127.0.0.1';
my $origin = $address =~ /^127\./ ? 'loopback' : 'network';
SKIP: {
	skip 'no openssl', 2 unless system('openssl version >/dev/null 2>&1') == 0;
	system_or_bail('openssl', qw(req -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout), "$directory/test.key", '-out', "$directory/test.crt");
	chmod 0600, "$directory/test.key";
	append_to_file("$directory/pg_hba.conf", "host all all $address/32 trust\n");
	configure($publisher, ssl => 'on');
	my $port = $publisher->port;
	ok($publisher->poll_query_until('postgres', q{SELECT current_setting('ssl') = 'on'}), 'TLS is on');
	my @clients = map { $publisher->background_psql('postgres', extra_params => [ '-d', "host=$_->[0] port=$port dbname=postgres sslmode=$_->[1]" ]) }
	  [ '127.0.0.1', 'disable' ], [ '127.0.0.1', 'require' ], [ $address, 'disable' ], [ $address, 'require' ];
	same($publisher, q{SELECT backend_type, origin, encryption, protocol, cipher, connections FROM pgdba.last_connection_security
			WHERE origin <> 'socket' ORDER BY origin, encryption},
		qq{SELECT a.backend_type, CASE a.client_addr WHEN '127.0.0.1' THEN 'loopback' ELSE '$origin' END AS origin,
			CASE WHEN s.ssl THEN 'tls' ELSE 'none' END AS encryption, s.version, s.cipher, count(*)
		FROM pg_stat_activity a JOIN pg_stat_ssl s ON s.pid = a.pid WHERE a.client_addr IS NOT NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 3},
		'connections are told apart by origin and encryption');
	leave(@clients);
}
is(metric($publisher, 'pg_connections_by_encryption', backend_type => 'walsender', origin => 'socket', encryption => 'none') >= 3, 1,
	'replication is among them');

# ---- nothing fails ----

for my $node ($publisher, $subscriber) {
	sample($node);
	is(ask($node, q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.last_probe_run WHERE last_error <> ''}), '',
		'no probe fails on the ' . $node->name);
}
$_->stop('immediate') for $subscriber, $publisher;
done_testing();
