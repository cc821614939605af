# Hostile ground: the owner of a database who plants everything that an owner can plant, in the home database and in another
# one; a careless superuser; names made to be misread; other encodings; extensions that overload operators; privileges
# that somebody took away. 007 has the traps on the way of a careless query, here is one for everything in pg_catalog.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('hostile', init => { extra => [ '--encoding=UTF8', '--locale=C' ] }, conf => join("\n", q{pgdba.database = 'home'}, 'max_prepared_transactions = 10', 'wal_level = logical',
		'autovacuum = off', 'pgdba.top_relations = 10000', 'pgdba.top_indexes = 10000', 'pgdba.max_series = 100000', q{pgdba.hot_interval = '300ms'},
		q{shared_preload_libraries = 'pg_stat_statements,pgdba'}));
$node->start;
$node->safe_psql('postgres', <<'EOF');
CREATE ROLE mallory LOGIN;
CREATE ROLE watcher LOGIN SUPERUSER;
CREATE DATABASE other OWNER mallory;
CREATE DATABASE innocent OWNER mallory;
EOF

# Nobody is surprised by what an owner planted who asks as watcher: its settings are those of the server.
sub asks { my ($database, $sql) = @_; return $node->safe_psql($database, $sql, extra_params => [ '-U', 'watcher' ]); }
sub home_is {
	my ($sql, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $seen = '';
	ok(wait_until(sub { ($seen = asks('home', $sql)) eq $expected }), $name) or diag("expected: $expected\nseen: $seen");
	return;
}

# ---- what an owner can plant ----

# A trap for every operator, function, relation and type of pg_catalog that an owner can make a namesake of.
my $traps = <<'EOF';
CREATE SCHEMA trap;
GRANT USAGE, CREATE ON SCHEMA trap TO PUBLIC;
CREATE FUNCTION trap.caught(what text) RETURNS bool LANGUAGE plpgsql SET search_path = pg_catalog AS
	$$BEGIN RAISE WARNING 'TRAPPED % in %, by % as %', what, current_database(), session_user, current_user; RETURN true; END$$;
DO $do$
DECLARE it record; n int := 0;
BEGIN
	FOR it IN SELECT o.oprname, format_type(nullif(o.oprleft, 0), NULL) AS l, format_type(o.oprright, NULL) AS r,
			format_type(o.oprresult, NULL) AS result
		FROM pg_operator o JOIN pg_type r ON r.oid = o.oprright JOIN pg_type t ON t.oid = o.oprresult
			LEFT JOIN pg_type l ON l.oid = o.oprleft
		WHERE r.typtype <> 'p' AND t.typtype <> 'p' AND l.typtype IS DISTINCT FROM 'p' AND o.oprcode <> 0
	LOOP
		n := n + 1;
		EXECUTE format('CREATE FUNCTION trap.operator%s(%s) RETURNS %s LANGUAGE plpgsql AS
			$$BEGIN PERFORM trap.caught(%L); RETURN NULL; END$$', n, concat_ws(', ', it.l, it.r), it.result,
			concat_ws(' ', it.l, it.oprname, it.r));
		EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.operator%s, RIGHTARG = %s%s)', it.oprname, n, it.r, ', LEFTARG = ' || it.l);
	END LOOP;
	FOR it IN SELECT p.proname, oidvectortypes(p.proargtypes) AS arguments, p.proretset,
			CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || format_type(p.prorettype, NULL) AS result
		FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
		WHERE p.prokind = 'f' AND p.pronamespace = 'pg_catalog'::regnamespace AND p.provariadic = 0 AND t.typtype <> 'p'
			AND NOT EXISTS (SELECT FROM pg_type a WHERE a.oid = ANY (p.proargtypes) AND a.typtype = 'p')
	LOOP
		EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$BEGIN PERFORM trap.caught(%L); RETURN%s; END$$',
			it.proname, it.arguments, it.result, it.proname, CASE WHEN NOT it.proretset THEN ' NULL' END);
	END LOOP;
	FOR it IN SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
		EXECUTE format('CREATE VIEW trap.%I AS SELECT %s FROM pg_catalog.%1$I WHERE trap.caught(%3$L)', it.relname,
			(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
				WHERE a.attrelid = it.oid AND a.attnum > 0 AND a.atttypid NOT IN ('anyarray'::regtype, 'pg_statistic[]'::regtype)), it.relname);
	END LOOP;
	FOR it IN SELECT t.typname FROM pg_type t
		WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typelem = 0 AND t.typname !~ '^(_|pg_)'
	LOOP
		EXECUTE format('CREATE DOMAIN trap.%I AS pg_catalog.%1$I CHECK (trap.caught(%2$L))', it.typname, it.typname);
	END LOOP;
END
$do$;
CREATE TYPE trap.mood AS ENUM ('bad');
CREATE FUNCTION trap.mood_text(trap.mood) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$BEGIN PERFORM trap.caught('cast'); RETURN 'bad'; END$$;
CREATE CAST (trap.mood AS pg_catalog.text) WITH FUNCTION trap.mood_text(trap.mood) AS IMPLICIT;
CREATE FUNCTION trap.sly(a pg_catalog.int4) RETURNS pg_catalog.int4 LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS
	$$BEGIN IF session_user <> 'mallory' OR current_user <> 'mallory' THEN PERFORM trap.caught('sly'); RAISE 'sly'; END IF; RETURN a; END$$;
EOF
$node->safe_psql('other', $traps, extra_params => [ '-U', 'mallory' ]);
like((sqlstate($node, 'other', q{SET search_path = trap, pg_catalog; SELECT relname FROM pg_class LIMIT 1}))[1],
	qr/TRAPPED pg_class in other, by postgres/, 'the traps catch');
$node->safe_psql('postgres', 'CREATE DATABASE home TEMPLATE other OWNER mallory');

# ---- names that are made to be misread ----

my $long = "\xc3\xa9" x 31; # 62 bytes
my @names = ('plain', q{it's}, q{say "x"}, 'back\\slash\\n', "new\nline", "tab\tcr\rbell\a",
	q{'); DROP TABLE app.victim; --}, q{"; DROP TABLE app.victim; --}, '$$ $1 $x$',
	'{relation:I} {{', '%s %n %1$s', '# HELP pg_up', 'up{db="x"} 1', '"} 1', '</script><b>',
	'a.b."c".d', ' ', '*, other', 'NULL',
	"\xe2\x80\xae\xe6\x97\xa5\xe6\x9c\xac", "${long}x", "$long\xc3\xa9", 'x' x 63, 'select', q{E'\\x41'}, '::regclass');
sub ident { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"}; }
sub literal { my ($text) = @_; $text =~ s/(['\\])/$1$1/g; return "E'$text'"; }

# The same in both databases: the numbers of the hostile one must be those of the innocent one.
my $content = <<'EOF';
SET search_path = pg_catalog;
SET client_min_messages = error;
CREATE SCHEMA app;
CREATE TABLE app.victim AS SELECT generate_series(1, 10) AS a;
CREATE TABLE app.sales (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int, note text);
INSERT INTO app.sales (amount, note) SELECT g, repeat('x', g % 50) FROM generate_series(1, 2000) g;
UPDATE app.sales SET amount = 0 WHERE id < 300;
DELETE FROM app.sales WHERE id > 1900;
CREATE INDEX sales_a ON app.sales (amount);
CREATE INDEX sales_b ON app.sales (amount);
CREATE TABLE app.parts (a int) PARTITION BY LIST (a);
CREATE TABLE app.part PARTITION OF app.parts FOR VALUES IN (1);
ANALYZE app.sales;
EOF
for my $name (@names) {
	my $n = ident($name);
	my ($table, $index, $same, $sequence) = (ident("t$name"), ident("i$name"), ident("j$name"), literal("$n.$n"));
	$content .= <<"EOF";
CREATE SCHEMA $n; CREATE SEQUENCE $n.$n AS int; SELECT setval($sequence, 2000000000);
CREATE TABLE $n.$table ($n int DEFAULT nextval($sequence)); ALTER SEQUENCE $n.$n OWNED BY $n.$table.$n;
CREATE INDEX $index ON $n.$table ($n); CREATE INDEX $same ON $n.$table ($n);
INSERT INTO $n.$table VALUES (1), (2), (3);
EOF
}
my $sly = <<'EOF';
CREATE TABLE app.sly_sales AS SELECT 1 AS amount;
CREATE INDEX sales_sly ON app.sly_sales ((trap.sly(amount))) WHERE trap.sly(amount) > -1;
CREATE STATISTICS app.sales_sly ON (trap.sly(amount)), amount FROM app.sly_sales;
ALTER TABLE app.sly_sales ADD CONSTRAINT sly CHECK (trap.sly(amount) > -1), ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sly ON app.sly_sales USING (trap.sly(amount) > -1);
CREATE TABLE app.sly (a int DEFAULT trap.sly(1), b int GENERATED ALWAYS AS (trap.sly(1)) STORED, CHECK (trap.sly(a) > 0));
CREATE TABLE app.sly_parts (a int) PARTITION BY RANGE ((trap.sly(a)));
CREATE TABLE app.sly_part PARTITION OF app.sly_parts FOR VALUES FROM (1) TO (2);
CREATE VIEW app.sly_view AS SELECT trap.sly(1) AS a;
CREATE MATERIALIZED VIEW app.sly_seen AS SELECT trap.sly(1) AS a;
EOF
$node->safe_psql($_, $content, extra_params => [ '-U', 'mallory' ]) for qw(innocent other);
$node->safe_psql('other', "SET search_path = pg_catalog;\n$sly", extra_params => [ '-U', 'mallory' ]);

for my $name (grep { length > 1 } @names) {
	$node->safe_psql('postgres', 'CREATE ROLE ' . ident($name) . ' LOGIN');
}
my @databases = grep { /['"\\\n{#*]/ } @names;
$node->safe_psql('postgres', "CREATE DATABASE " . ident("d$_")) for @databases[ 0 .. 3 ];

$node->safe_psql('innocent', "BEGIN; INSERT INTO app.victim VALUES (1); PREPARE TRANSACTION " . literal($names[$_])) for 1 .. 5;
$node->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('drop_table_victim', true)});
my @crowd = map {
	local $ENV{PGAPPNAME} = $names[$_];
	my $member = session($node, 'innocent', extra_params => [ '-U', $names[$_] ]);
	$member->query_safe('BEGIN');
	$member;
} 1 .. 4;

# ---- other encodings ----

my %encoding = (latin => [ 'LATIN1', "na\xefve" ], japanese => [ 'EUC_JP', "\xc6\xfc\xcb\xdc" ], raw => [ 'SQL_ASCII', "\xff\xfe\xe9" ]);
for my $database (sort keys %encoding) {
	my ($encoding, $name) = @{ $encoding{$database} };
	local $ENV{PGCLIENTENCODING} = $encoding;
	$node->safe_psql('postgres',
		"CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' OWNER mallory");
	$node->safe_psql($database, qq{CREATE SCHEMA "$name"; CREATE SEQUENCE "$name"."$name" AS int; SELECT setval('"$name"."$name"', 2000000000);
		CREATE TABLE "$name"."t$name" ("$name" int); CREATE INDEX "i$name" ON "$name"."t$name" ("$name");
		CREATE INDEX "j$name" ON "$name"."t$name" ("$name"); INSERT INTO "$name"."t$name" VALUES (1), (2), (3);
		ALTER DATABASE $database SET client_encoding = 'UTF8'}, extra_params => [ '-U', 'mallory' ]);
}

# ---- everything that can be set for a database ----

# Every setting that an owner may change, as far from its own value as it goes; where that does no harm, some other way.
my %worst = (statement_timeout => '1', lock_timeout => '1', search_path => 'trap, public, pg_catalog', session_authorization => 'mallory',
	role => 'mallory', client_encoding => 'LATIN1', DateStyle => 'German, DMY', TimeZone => 'Asia/Kathmandu', work_mem => '64',
	timezone_abbreviations => 'India', application_name => 'stolen', default_tablespace => '', temp_tablespaces => '',
	'pgdba.as_of' => '2001-01-01 00:00:00+00', lc_monetary => 'C', lc_numeric => 'C', lc_time => 'C',
	default_transaction_isolation => 'serializable', cursor_tuple_fraction => '0');
my $plant = <<'EOF';
SELECT format('ALTER DATABASE %s SET %I = %L', d, s.name, v.value), format('ALTER ROLE watcher IN DATABASE %s SET %I = %L', d, s.name, s.boot_val)
FROM pg_settings s CROSS JOIN (VALUES ('home'), ('other')) d (d) CROSS JOIN LATERAL (SELECT CASE
	WHEN s.vartype = 'bool' THEN CASE s.boot_val WHEN 'on' THEN 'off' ELSE 'on' END
	WHEN s.vartype = 'enum' THEN (SELECT e FROM unnest(s.enumvals) e WHERE e <> s.boot_val LIMIT 1)
	WHEN s.vartype IN ('integer', 'real') THEN CASE WHEN s.boot_val = s.min_val THEN s.max_val ELSE s.min_val END
	END AS value) v
WHERE s.context = 'user' AND v.value IS NOT NULL AND s.name NOT IN ('transaction_isolation', 'transaction_deferrable')
EOF
my (%plant, %protect);
for (split /\n/, $node->safe_psql('postgres', $plant)) {
	my ($alter, $protect) = split /\|/;
	my ($database, $setting) = $alter =~ /DATABASE (\w+) SET "?([\w.]+)"? =/;
	$plant{"$database $setting"} = $alter;
	$protect{"$database $setting"} = $protect;
}
for my $setting (sort keys %worst) {
	for my $database (qw(home other)) {
		$plant{"$database $setting"} = "ALTER DATABASE $database SET $setting = "
		  . ($setting =~ /path|libraries|tablespaces/ ? $worst{$setting} || q{''} : "'$worst{$setting}'");
		my $own = $node->safe_psql('postgres', "SELECT setting FROM pg_settings WHERE name = '$setting'");
		$protect{"$database $setting"} //= "ALTER ROLE watcher IN DATABASE $database SET $setting = "
		  . ($setting eq 'role' ? 'none' : $setting eq 'session_authorization' ? 'watcher'
			: $setting =~ /search_path/ ? '"$user", public' : "'$own'");
	}
}
is($node->safe_psql('postgres', join ";\n", map { $protect{$_} } sort keys %protect), '', 'the watcher is protected');
my ($code, $out, $err) = $node->psql('postgres', join('', map { "$plant{$_};\n" } sort keys %plant), on_error_stop => 0,
	extra_params => [ '-U', 'mallory' ]);
unlike($err, qr/ERROR/, 'settings are planted: ' . keys %plant);

# ---- a careless superuser ----

# Operators on arrays of integers that are not those of pg_catalog; casts from before 8.3; a trigger that refuses all DDL.
my @old_casts = map { "CREATE CAST ($_ AS text) WITH INOUT AS IMPLICIT" } qw(int4 int8 int2 oid float8 numeric timestamptz);
asks('home', 'CREATE EXTENSION pg_stat_statements SCHEMA trap');
asks('home', 'CREATE EXTENSION intarray SCHEMA pg_catalog');
asks('other', 'CREATE EXTENSION intarray SCHEMA public');
asks('other', $_) for @old_casts;

# ---- sampling all the same ----

my $offset = log_size($node);
is((sqlstate($node, 'home', 'CREATE EXTENSION pgdba', extra_params => [ '-U', 'watcher' ]))[1], '', 'CREATE EXTENSION');
is((sqlstate($node, 'home', q{SELECT pgdba.define_probe('planted', 'workload',
	$$SELECT s.name, s.setting FROM pg_catalog.pg_settings s WHERE s.source IN ('global', 'database', 'user', 'database user')
	UNION ALL SELECT 'session_user', session_user WHERE session_user <> 'postgres'
	UNION ALL SELECT 'current_user', current_user WHERE current_user <> 'pgdba_sampler'$$, '{name}', '{}', 'database')},
	extra_params => [ '-U', 'watcher' ]))[1], '', 'a probe of what is still planted');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pgdba sampler'});
ok(settled($node), 'sampling');
is((sqlstate($node, 'home', 'SELECT pgdba.sample_now()', extra_params => [ '-U', 'watcher' ]))[1], '', "all loops: $_") for 1 .. 2;
home_is(q{SELECT string_agg(name, ' ') FROM pgdba.probe p LEFT JOIN pgdba.cost() c ON c.probe = p.name AND runs > 1
	WHERE scope <> 'native' AND c.probe IS NULL}, '', 'every probe ran more than once');
home_is(q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors > 0}, '', 'and met no error');
home_is(q{SELECT string_agg(db || '.' || name || '=' || setting, ' ' ORDER BY db, name) FROM pgdba.last_planted}, '', 'nothing that was planted is in effect');
is(healthz($node)->{status}, 'ok', '/healthz says ok') or diag(healthz($node)->{why});

# The hostile database in the same words as the innocent one. Object identifiers, times and files differ.
for my $probe (split /\n/, asks('home', q{SELECT name FROM pgdba.probe p WHERE (scope = 'database' OR name = 'relation') AND EXISTS
		(SELECT FROM pg_attribute a WHERE a.attrelid = ('pgdba.last_' || p.name)::regclass AND a.attname = 'schema')})) {
	my $columns = asks('home', qq{SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 'pgdba.last_$probe'::regclass AND attnum > 0 AND atttypid <> 'timestamptz'::regtype
		AND attname !~ '(^db|relid|^root|filenode|oid|age|_max|fetched|_hit)\$'});
	my $rows = sub {
		my ($database) = @_;
		return "SELECT $columns FROM pgdba.last_$probe x WHERE db = '$database' AND to_jsonb(x)::text !~ '\\msly'
			AND schema <> ALL ('{trap,pg_catalog,pg_toast,information_schema,public}')";
	};
	my ($hostile, $innocent) = ($rows->('other'), $rows->('innocent'));
	home_is("SELECT count(*) FROM (($hostile EXCEPT $innocent) UNION ALL ($innocent EXCEPT $hostile)) d", '0',
		"$probe: the rows of the hostile database are those of the innocent one");
	next unless $probe =~ /^(?:relation|table|index|sequence)$/;
	home_is("SELECT count(*) > 0 FROM pgdba.last_$probe WHERE db = 'other'", 't', "$probe: there are some");
}

# ---- names ----

my $hex = sub { my ($column) = @_; return "string_agg(encode(convert_to($column, 'UTF8'), 'hex'), ' ' ORDER BY $column COLLATE \"C\")" };
my $strange = q{schema <> ALL ('{trap,pg_catalog,pg_toast,information_schema,public,app}')};
for my $database (qw(other innocent latin japanese)) {
	my $names = asks($database, 'SELECT ' . $hex->('c.relname') . q{ FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND n.nspname <> ALL ('{trap,pg_catalog,pg_toast,information_schema,public,app}')});
	home_is('SELECT ' . $hex->('relname') . " FROM pgdba.last_relation WHERE db = '$database' AND $strange AND relkind = 'r'", $names,
		"database $database: tables have their names");
}
for my $probe (qw(relation table index sequence)) {
	home_is("SELECT db, count(*) > 0 FROM pgdba.last_$probe WHERE db IN ('latin', 'japanese', 'raw') AND $strange GROUP BY db ORDER BY db",
		"japanese|t\nlatin|t\nraw|t", "probe $probe: rows from databases in other encodings");
}
home_is(q{SELECT count(*) FROM pgdba.last_relation WHERE db = 'raw' AND relname LIKE U&'%\FFFD%'}, '1', 'bytes that are no characters are replaced');
home_is(q{SELECT count(DISTINCT role) FROM pgdba.last_activity WHERE db = 'innocent' AND backend_type = 'client backend' AND role <> 'watcher'},
	scalar(@crowd), 'roles with strange names');
home_is('SELECT count(*) FROM pgdba.last_database WHERE db = ANY (ARRAY[' . join(', ', map { literal("d$_") } @databases[ 0 .. 3 ]) . '])', '4',
	'databases with strange names');

my (undef, $page) = http_get($node, '/metrics');
like($page, qr/^pg_\w+\{[^\n]*\\n/m, 'a newline is on the page as \n');
my $file = PostgreSQL::Test::Utils::tempdir() . '/page';
append_to_file($file, $page);
is(qx(promtool check metrics < '$file' 2>&1), '', 'promtool has no complaint');

# What is printed is run as it stands.
ok(wait_until(sub { asks('home', q{SELECT count(*) > 20 FROM pgdba.verdicts WHERE check_id = 'indexes.duplicate' AND database = 'innocent'}) eq 't' }),
	'duplicates are found');
for my $id (qw(indexes.duplicate sequences.near_end)) {
	my $sql = asks('home', qq{SELECT string_agg(sql, E'\\n') FROM pgdba.verdicts WHERE check_id = '$id' AND database = 'innocent'});
	my ($code, $out, $err) = $node->psql('innocent', $sql, on_error_stop => 0);
	is($err, '', "$id: its SQL runs");
}
is($node->safe_psql('innocent', q{SELECT count(*) FROM app.victim}), '10', 'nothing else was dropped');
is($node->safe_psql('innocent', q{SELECT string_agg(quote_ident(relname), ' ') FROM pg_class WHERE relname LIKE 'j%' AND relkind = 'i'}),
	'', 'what was named was dropped');

is(count_in_log($node, qr/TRAPPED/, $offset), 0, 'nothing of theirs was called') or diag(log_since($node, $offset));
is(count_in_log($node, qr/FATAL: (?!.*administrator command)|PANIC/, $offset), 0, 'no process of ours was ended');

# ---- a trigger that refuses all DDL ----

asks('home', <<'EOF');
CREATE FUNCTION public.refuses() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;
CREATE EVENT TRIGGER refuses ON ddl_command_start EXECUTE FUNCTION public.refuses();
EOF
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pgdba sampler'});
ok(settled($node), 'sampling goes on where a trigger refuses all DDL');
is((sqlstate($node, 'home', 'SELECT pgdba.sample_now()', extra_params => [ '-U', 'watcher' ]))[1], '', 'all loops');
home_is(q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors > 0}, '', 'and no probe met an error');
asks('home', 'DROP EVENT TRIGGER refuses');

# ---- privileges ----

for my $scope ([ 'cluster', 'home' ], [ 'database', 'innocent' ]) {
	my ($kind, $database) = @$scope;
	for my $probe (split /\n/, asks('home', "SELECT name FROM pgdba.probe WHERE scope = '$kind' AND origin = 'pgdba' ORDER BY name")) {
		my $query = asks('home', "SELECT pgdba.probe_query(name, query) FROM pgdba.probe WHERE name = '$probe'");
		my ($state, $output) = sqlstate($node, $database, "SET SESSION AUTHORIZATION pgdba_sampler; SET search_path = pg_catalog;\n$query;",
			extra_params => [ '-U', 'watcher' ]);
		is($state, '00000', "as pgdba_sampler alone in $database: $probe") or diag($output);
	}
}
asks('home', 'REVOKE SELECT ON pg_catalog.pg_stat_activity, pg_catalog.pg_prepared_xacts FROM PUBLIC;
	REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_tmpdir() FROM pg_monitor; REVOKE ALL ON SCHEMA public FROM PUBLIC;
	REVOKE EXECUTE ON FUNCTION pg_catalog.pg_stat_get_db_deadlocks(oid) FROM PUBLIC');
my $denied = q{last_error ~ ('^permission denied for (view pg_stat_activity|view pg_prepared_xacts|function pg_ls_tmpdir|'
	|| 'function pg_stat_get_db_deadlocks) \(SQLSTATE 42501\)$')};
is((sqlstate($node, 'home', 'SELECT pgdba.sample_now()', extra_params => [ '-U', 'watcher' ]))[1], '', 'all loops without some privileges');
home_is("SELECT bool_and($denied), count(*) > 2 FROM pgdba.cost() WHERE last_error IS NOT NULL", 't|t', 'an error names the privilege');
home_is(q{SELECT severity FROM pgdba.verdicts WHERE check_id = 'pgdba.samples'
	AND message ~ 'probe activity fails: permission denied for view pg_stat_activity'}, 'warning', 'so does the verdict');
leave(@crowd);
$node->stop; done_testing();
