# What probes and the owners of databases may try: accidents, things that would leave a trace, text that is not one
# SELECT, another role, planted settings, planted functions and operators.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('sandbox');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling');

my $define = q{SELECT pgdba.define_probe('%s', 'hot', $probe$%s$probe$, '{}', '%s', 'cluster', '%s')};

# define NAME, QUERY, OPTION => VALUE...: columns and options as JSON.
sub define {
	my ($name, $query, %option) = @_;
	$node->safe_psql('postgres', sprintf $define, $name, $query, $option{columns} // '{}', $option{options} // '{}');
}

# A column of pgdba.cost() of a probe.
sub cost {
	my ($name, $column) = @_;
	return $node->safe_psql('postgres', "SELECT $column FROM pgdba.cost() WHERE probe = '$name'");
}

sub drop { $node->safe_psql('postgres', "SELECT pgdba.drop_probe('$_')") for @_; }

sub last_error_is {
	my ($name, $pattern, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(wait_until(sub { cost($name, 'last_error') =~ $pattern }), "$what: $name") or diag(cost($name, 'last_error'));
}

# ---- accidents: the others do not notice ----

my $errors = metric($node, 'pgdba_errors_total', loop => 'hot');
define('fails', 'SELECT 1 / (pg_catalog.pg_backend_pid() - pg_catalog.pg_backend_pid()) AS nothing');
define('dawdles', 'SELECT true AS awake FROM pg_catalog.pg_sleep(30)', options => '{"budget": "30 ms"}');
define('overflows', 'SELECT pg_catalog.generate_series(1, 1000000000) AS number', options => '{"max_rows": 50, "budget": "50 ms"}');
define('talks', 'SELECT pg_catalog.generate_series(1, 1000) AS number', options => '{"max_rows": 50}');
last_error_is('fails', qr/division by zero \(SQLSTATE 22012\)/, 'its error is a row');
last_error_is('dawdles', qr/\(SQLSTATE 57014\)/, 'cut at its budget');
last_error_is('overflows', qr/\(SQLSTATE 57014\)|returned more than 50 rows/, 'cut at its rows or its budget');
last_error_is('talks', qr/returned more than 50 rows: 950 were left out/, 'cut at its rows');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgdba.last_talks'), '50', 'the rows that it may have are kept');
ok(wait_until(sub { metric($node, 'pgdba_errors_total', loop => 'hot') > $errors }), 'errors are a metric');
ok(wait_until(sub { metric($node, 'pgdba_last_scrape_success', loop => 'hot') == 0 }), 'and that the tick was not all well');
ok(wait_until(sub { healthz($node)->{why} =~ /loop "hot" is degraded: failed: .*fails/ }), '/healthz says which probes fail')
  or diag(healthz($node)->{why});
is(healthz($node)->{code}, 200, 'with 200');
ok($node->poll_query_until('postgres', q{SELECT error_count = 4 FROM (SELECT count(*) AS error_count FROM pgdba.last_probe_run
		WHERE last_error IS NOT NULL) e}), 'and pgdba.last_probe_run');
my $now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pgdba.last_$_ WHERE sampled_at > '$now'"),
	"probe $_ goes on") for qw(activity connections heartbeat);
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.cost() WHERE errors > 0 AND probe <> ALL (
	'{fails,dawdles,overflows,talks}')}), '0', 'no other probe met an error');

# 2^n - 1 ticks of rest after n failures: 1 + 2 + 4 + 8 + 16 + 32 ticks hold six runs.
my ($runs, $rested) = (cost('fails', 'runs'), ticks($node));
ok(more_ticks($node, 60), 'sixty ticks');
cmp_ok(cost('fails', 'runs') - $runs, '<=', 1 + (ticks($node) - $rested) / 8, 'a probe that fails again and again rests');
define($_, 'SELECT 1 AS nothing') for qw(fails dawdles);
ok(wait_until(sub { cost('fails', 'last_error') eq '' && cost('dawdles', 'last_error') eq '' }), 'one that is mended is well');
drop(qw(fails dawdles overflows talks));
ok(wait_until(sub { healthz($node)->{status} eq 'ok' }), '/healthz says ok without them') or diag(healthz($node)->{why});

# ---- a check of what was never sampled ----

my $sampler = $node->safe_psql('postgres', q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba sampler'});
define('never', 'SELECT 1 AS one', options => '{"needs_extension": "nowhere"}');
$node->safe_psql('postgres', q{SELECT pgdba.define_check('my.never',
	$$SELECT 'cluster' AS object, NULL::text AS database, 1 AS value, '' AS unit, '{}'::jsonb AS evidence FROM pgdba.last_never$$,
	'{"title": "t", "loop": "hot", "probes": ["never"], "thresholds": {"warning": 0}, "message": "m"}')});
ok($node->poll_query_until('postgres', q{SELECT severity = 'unknown' AND
	message = 'probe "never" has no sample: extension "nowhere" is not created in database "postgres"'
	FROM pgdba.verdicts WHERE check_id = 'my.never'}), 'a check of a probe that never had a sample is unknown and says why');
is($node->safe_psql('postgres', q{SELECT pid FROM pgdba.processes WHERE name = 'pgdba sampler'}), $sampler, 'in the same sampler');
$node->safe_psql('postgres', q{SELECT pgdba.drop_check('my.never')});
drop('never');

# ---- what would leave a trace ----

$node->safe_psql('postgres', <<'EOF');
CREATE TABLE public.witness (what text);
CREATE SEQUENCE public.counter;
CREATE FUNCTION public.writes() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
	$$BEGIN INSERT INTO public.witness VALUES ('writes'); RETURN 'written'; END$$;
CREATE FUNCTION public.catches() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
	$$BEGIN INSERT INTO public.witness VALUES ('catches'); RETURN 'written';
	EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END$$;
CREATE FUNCTION public.shouts() RETURNS text LANGUAGE plpgsql AS
	$$BEGIN RAISE NOTICE 'shouted'; RETURN 'shouted'; END$$;
GRANT ALL ON public.witness TO PUBLIC;
GRANT ALL ON SEQUENCE public.counter TO PUBLIC;
EOF
my $settings = q{SELECT pg_catalog.current_setting('search_path') AS search_path,
	pg_catalog.current_setting('statement_timeout') AS statement_timeout, pg_catalog.current_setting('work_mem') AS work_mem,
	pg_catalog.current_setting('application_name') AS application_name, pg_catalog.current_setting('role') AS role,
	pg_catalog.current_setting('transaction_read_only') AS transaction_read_only, current_user::text AS "user"};
# Probes run in the order of their names: these two see the settings before and after those that change them.
define('aa_settings', $settings);
define('zz_settings', $settings);
my %sneaky = (
	sets => q{SELECT pg_catalog.set_config('search_path', 'public', false) AS a,
		pg_catalog.set_config('statement_timeout', '1', false) AS b, pg_catalog.set_config('work_mem', '64kB', false) AS c,
		pg_catalog.set_config('application_name', 'stolen', false) AS d},
	locks => q{SELECT pg_catalog.pg_advisory_lock(4711)::text AS a, pg_catalog.pg_advisory_lock_shared(4712)::text AS b,
		pg_catalog.pg_advisory_xact_lock(4713)::text AS c},
	notifies => q{SELECT pg_catalog.pg_notify('gossip', 'heard')::text AS a},
	made_object => q{SELECT pg_catalog.lo_create(424242)::text AS a},
	shouts => q{SELECT public.shouts() AS a},
	counts => q{SELECT pg_catalog.nextval('public.counter') AS a},
	writes => q{SELECT public.writes() AS a},
	catches => q{SELECT public.catches() AS a},
	transaction => q{SELECT pg_catalog.pg_current_xact_id()::text AS a},
);
my $listener = session($node);
$listener->query_safe('LISTEN gossip');
my $offset = log_size($node);
define($_, $sneaky{$_}) for sort keys %sneaky;
ok(wait_until(sub { cost($_, 'runs') >= 2 }), "it runs: $_") for sort keys %sneaky;
is(cost($_, 'last_error'), '', "and without an error: $_") for qw(sets locks notifies shouts catches);
last_error_is($_, qr/\(SQLSTATE 25006\)/, 'a read-only transaction') for qw(counts writes);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgdba.last_catches WHERE a = '25006'}),
	'also where the error is caught');
$now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pgdba.last_zz_settings WHERE sampled_at > '$now'"),
	'settings were looked at after that');
my $columns = 'search_path, statement_timeout, work_mem, application_name, role, transaction_read_only, "user"';
is($node->safe_psql('postgres', "SELECT $columns FROM pgdba.last_zz_settings"),
	$node->safe_psql('postgres', "SELECT $columns FROM pgdba.last_aa_settings"), 'later probes have the settings of earlier ones');
like($node->safe_psql('postgres', 'SELECT "user", transaction_read_only FROM pgdba.last_zz_settings'), qr/^pgdba_sampler\|on$/,
	'the role and the transaction are those of the sandbox');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stolen'}), '0',
	'nor has the sampler another name');
drop(keys %sneaky);
ok(more_ticks($node, 3), 'without them');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'no advisory lock is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_largeobject_metadata'), '0', 'no large object');
is($node->safe_psql('postgres', 'SELECT count(*) FROM public.witness'), '0', 'no row');
is($node->safe_psql('postgres', 'SELECT is_called FROM public.counter'), 'f', 'no number of a sequence');
is($listener->query_safe('SELECT 1'), '1', 'no notification');
leave($listener);
is(log_size($node), $offset, 'and nothing in the log') or diag(log_since($node, $offset));

# ---- text that is not one SELECT ----

my @refused = (
	'select 1 as a; select 2 as a', 'select 1 as a; commit; select 2 as a', q{INSERT INTO public.witness VALUES ('x')},
	q{INSERT INTO public.witness VALUES ('x') RETURNING what}, 'DELETE FROM public.witness', 'TRUNCATE public.witness',
	q{DO 'BEGIN END'}, 'EXPLAIN ANALYZE SELECT 1', 'SELECT 1 AS a INTO public.fresh', 'CREATE TABLE public.fresh AS SELECT 1 AS a',
	q{WITH w AS (INSERT INTO public.witness VALUES ('x') RETURNING what) SELECT what FROM w},
	'SELECT what FROM public.witness FOR UPDATE', 'COMMIT', 'BEGIN', 'SET work_mem = 64', 'SHOW work_mem', 'RESET ROLE',
	'SET ROLE postgres', 'LOCK TABLE public.witness', 'VACUUM', 'COPY (SELECT 1) TO STDOUT', 'LISTEN gossip', 'NOTIFY gossip',
	'DECLARE c CURSOR FOR SELECT 1', 'PREPARE p AS SELECT 1', 'CALL pg_catalog.now()', 'CHECKPOINT', '', ';');
for my $query (@refused) {
	my ($state, $output) = sqlstate($node, 'postgres', sprintf $define, 'refused', $query, '{}', '{}');
	like($state, qr/^(?:42601|22023|42809)$/, "refused: $query") or diag($output);
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.probe WHERE name = 'refused'}), '0', 'none of them is defined');

# A superuser can write anything into the table of definitions: what runs is looked at again.
define('smuggled', 'SELECT 1 AS a');
for my $query (q{select 1 as a; commit; select 2 as a}, q{INSERT INTO public.witness VALUES ('x') RETURNING 1 AS a},
	q{DO 'BEGIN END'}, 'EXPLAIN ANALYZE SELECT 1', 'SELECT 1 AS a INTO public.fresh', 'CREATE TABLE public.fresh AS SELECT 1 AS a') {
	$node->safe_psql('postgres', qq{UPDATE pgdba.probe SET query = 'SELECT 1 AS a' WHERE name = 'smuggled'});
	ok(wait_until(sub { cost('smuggled', 'last_error') eq '' }), 'a good text runs');
	$node->safe_psql('postgres', qq{UPDATE pgdba.probe SET query = \$query\$$query\$query\$ WHERE name = 'smuggled'});
	last_error_is('smuggled', qr/\(SQLSTATE (?:42601|25006)\)/, "$query is not run");
}
drop('smuggled');
is($node->safe_psql('postgres', q{SELECT count(*) FROM public.witness WHERE what = 'x'}), '0', 'nothing was written');
is($node->safe_psql('postgres', q{SELECT to_regclass('public.fresh') IS NULL}), 't', 'nothing was made');

# ---- another role ----

$node->safe_psql('postgres', <<'EOF');
CREATE FUNCTION public.executes(command text) RETURNS text LANGUAGE plpgsql AS $$BEGIN EXECUTE command; RETURN 'done'; END$$;
EOF
my %climbs = (
	set_role => 'SELECT public.executes($$SET ROLE postgres$$) AS a',
	reset_role => 'SELECT public.executes($$RESET ROLE$$) AS a',
	set_session => 'SELECT public.executes($$SET SESSION AUTHORIZATION postgres$$) AS a',
	config_role => q{SELECT pg_catalog.set_config('role', 'postgres', false) AS a},
	config_session => q{SELECT pg_catalog.set_config('session_authorization', 'postgres', false) AS a});
define($_, $climbs{$_}) for sort keys %climbs;
last_error_is($_, qr/\(SQLSTATE (?:42501|0A000|25006)\)/, 'no other role') for sort keys %climbs;
like(cost('config_role', 'last_error'), qr/\(SQLSTATE 42501\)/, 'which the server says');
drop(keys %climbs);
define('turns', q{SELECT pg_catalog.set_config('transaction_read_only', 'off', false) AS a});
last_error_is('turns', qr/\(SQLSTATE 25001\)/, 'the transaction stays read-only');
drop('turns', 'aa_settings', 'zz_settings');
$node->stop;

# ---- the owner of the home database, and of another one ----

# All relations are kept, so that a small one is seen whatever its rank.
my $owned = pgdba_node('owned', conf => "pgdba.database = 'home'\npgdba.top_relations = 10000\n"
	. join("\n", map { "pgdba.${_}_interval = '1s'" } qw(workload storage hourly)));
$owned->start;
$owned->safe_psql('postgres', "CREATE ROLE mallory LOGIN");
$owned->safe_psql('postgres', "CREATE DATABASE $_ OWNER mallory") for qw(home other);
my @mallory = (extra_params => [ '-U', 'mallory' ]);
sub mallory { my ($database, $sql) = @_; return $owned->safe_psql($database, $sql, @mallory); }

# Whoever owns the schema can put operators into it that our functions would find.
mallory('home', 'CREATE SCHEMA pgdba');
isnt(sqlstate($owned, 'home', 'CREATE EXTENSION pgdba'), '00000', 'a schema pgdba of somebody else is not taken');
mallory('home', 'DROP SCHEMA IF EXISTS pgdba');

my @settings = (
	q{search_path = 'public, pg_catalog'}, q{default_transaction_isolation = 'serializable'},
	q{default_transaction_deferrable = on}, q{default_transaction_read_only = on}, q{statement_timeout = '1ms'},
	q{lock_timeout = '1ms'}, q{idle_in_transaction_session_timeout = '1ms'}, q{idle_session_timeout = '1ms'},
	q{work_mem = '64kB'}, q{row_security = off}, q{"DateStyle" = 'German'}, q{"IntervalStyle" = 'iso_8601'},
	q{"TimeZone" = 'Asia/Kathmandu'}, q{bytea_output = 'escape'}, q{extra_float_digits = -15}, q{transform_null_equals = on},
	q{array_nulls = off}, q{standard_conforming_strings = off}, q{quote_all_identifiers = on}, q{lc_numeric = 'C'},
	q{enable_seqscan = off}, q{plan_cache_mode = 'force_custom_plan'}, q{jit_above_cost = 0},
	q{default_tablespace = 'pg_global'}, q{stats_fetch_consistency = 'snapshot'}, q{synchronous_commit = 'remote_apply'},
	q{pgdba.as_of = '2001-01-01 00:00:00+00'}, q{role = 'mallory'},
	q{client_encoding = 'LATIN1'});
my $traps = <<'EOF';
CREATE TABLE public.caught (what text);
CREATE SEQUENCE public.caught_count;
GRANT ALL ON public.caught TO PUBLIC;
CREATE FUNCTION public.trap(what text) RETURNS bool LANGUAGE plpgsql AS
	$$BEGIN INSERT INTO public.caught VALUES (what); RAISE WARNING 'TRAPPED by %', what; RETURN true; END$$;
EOF
# Exact matches for what a careless query would write: they win over those of pg_catalog wherever public is searched.
for my $operator ([ '=', 'oid', 'int8' ], [ '=', 'name', 'text' ], [ '=', 'text', 'name' ], [ '=', 'text', 'text' ],
	[ '=', 'oid', 'oid' ], [ '=', 'int4', 'int4' ], [ '=', 'bool', 'bool' ], [ '=', '"char"', '"char"' ], [ '<>', 'oid', 'oid' ],
	[ '<>', 'int4', 'int4' ], [ '<>', 'text', 'text' ], [ '>', 'int8', 'int4' ], [ '<=', 'int4', 'int4' ], [ '>=', 'int4', 'int4' ],
	[ '~', 'text', 'text' ], [ '<', 'timestamptz', 'timestamptz' ], [ '>', 'timestamptz', 'timestamptz' ]) {
	my ($name, $left, $right) = @$operator;
	my $function = 'trap_' . unpack('H*', "$name$left$right");
	$traps .= "CREATE FUNCTION public.$function(a $left, b $right) RETURNS bool LANGUAGE plpgsql AS "
	  . "\$\$BEGIN RETURN public.trap('$left $name $right'); END\$\$;\n"
	  . "CREATE OPERATOR public.$name (LEFTARG = $left, RIGHTARG = $right, FUNCTION = public.$function);\n";
}
for my $function ('length(text)', 'replace(text, text, text)', 'coalesce_(text)', 'current_setting(text)', 'now()',
	'quote_ident(text)', 'to_regclass(text)', 'pg_backend_pid()', 'jsonb_typeof(jsonb)', 'age(xid)', 'count_all()') {
	$traps .= "CREATE FUNCTION public.$function RETURNS text LANGUAGE plpgsql AS "
	  . "\$\$BEGIN PERFORM public.trap('$function'); RETURN NULL; END\$\$;\n";
}
for my $database (qw(home other)) {
	mallory($database, $traps);
	mallory($database, 'CREATE TABLE public."t""; DROP TABLE caught; --" AS SELECT 1 AS one; CREATE TABLE public.plain AS SELECT 1 AS one');
}
# It works on whoever looks into public first, or the rest would prove nothing.
is(mallory('home', q{SET search_path = public, pg_catalog; SELECT 'a'::text = 'b'::text; SELECT what FROM caught}),
	"t\ntext = text", 'the traps catch');
mallory('home', 'TRUNCATE public.caught');
for my $database (qw(home other)) {
	for my $setting (@settings) {
		my ($state, $output) = sqlstate($owned, 'postgres', "ALTER DATABASE $database SET $setting", @mallory);
		is($state, '00000', "planted in $database: $setting") or diag($output);
	}
}
my @patience = map { "-c $_=0" }
  qw(statement_timeout lock_timeout idle_session_timeout idle_in_transaction_session_timeout);
my @writers;
{
	local $ENV{PGOPTIONS} = "@patience";
	for my $database (qw(home other)) {
		# With a serializable writer open a deferrable transaction waits for ever.
		my $writer = session($owned, $database, extra_params => [ '-U', 'mallory' ]);
		is($writer->query_safe('SHOW default_transaction_deferrable'), 'on', "sessions in $database have what was planted");
		$writer->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE NOT DEFERRABLE; INSERT INTO public.plain VALUES (1)');
		push @writers, $writer;
	}
}

# A superuser in the home database who looks into public first, but is not held up by the rest.
sub superuser {
	my ($sql, $database) = @_;
	local $ENV{PGOPTIONS} = join ' ', @patience, map { "-c $_" } 'role=none', 'default_transaction_read_only=off',
	  'default_transaction_deferrable=off', 'default_transaction_isolation=read\ committed', 'default_tablespace=',
	  'pgdba.as_of=', 'standard_conforming_strings=on', 'client_min_messages=warning', 'client_encoding=UTF8';
	return $owned->psql($database // 'home', $sql);
}
$offset = log_size($owned);
is((superuser('CREATE EXTENSION pgdba'))[2], '', 'CREATE EXTENSION');
ok(settled($owned), 'and sampling');
# A new sampler, and readers, connect to what was planted.
my $before = $owned->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE backend_type = 'pgdba sampler'});
ok(settled($owned), 'sampling goes on in a new sampler');
my %skipped = map { $_ => metric($owned, 'pgdba_ticks_skipped_total', loop => $_) } qw(hot workload storage hourly);
ok(more_ticks($owned, 20), 'ticks');
is(metric($owned, 'pgdba_loop_late', loop => $_), '0', "loop $_ is not late") for sort keys %skipped;
is(healthz($owned)->{status}, 'ok', '/healthz says ok') or diag(healthz($owned)->{why});

sub is_home { my ($sql, $expected, $name) = @_; is((superuser($sql))[1], $expected, $name); return; }
is_home(q{SELECT pg_catalog.string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors OPERATOR(pg_catalog.>) 0},
	'', 'no probe met an error');
is_home(q{SELECT pg_catalog.string_agg(check_id || ': ' || message, '; ') FROM pgdba.verdicts
	WHERE severity OPERATOR(pg_catalog.=) 'unknown' AND message OPERATOR(pg_catalog.!~) 'samples of .* are needed'}, '',
	'no check is in the dark, but for those of the load that a young server cannot be judged by');
ok(wait_until(sub { (superuser(q{SELECT pg_catalog.count(DISTINCT db) FROM pgdba.last_relation
		WHERE relname OPERATOR(pg_catalog.=) 'plain'}))[1] eq '2' }), 'names of relations come from both databases');
# Checks see the newest samples, not those of the time that was planted.
{
	local $ENV{PGOPTIONS} = "@patience";
	my $blocked = session($owned, 'home', extra_params => [ '-U', 'mallory' ]);
	superuser(q{SELECT pgdba.set_threshold('locks.blocked', '%', 0.1, 1000)});
	$blocked->query_until(qr/begun/, "\\echo begun\nBEGIN; LOCK TABLE public.plain;\n");
	my $found = wait_until(sub { (superuser(q{SELECT pg_catalog.count(*) FROM pgdba.verdicts
		WHERE check_id OPERATOR(pg_catalog.=) 'locks.blocked' AND severity OPERATOR(pg_catalog.=) 'warning'}))[1] });
	ok($found, 'a session that waits is found');
	push @writers, $blocked;
}
for my $call (q{SELECT pgdba.sample_now()}, q{SELECT * FROM pgdba.health()}, q{SELECT * FROM pgdba.verdicts_at(pg_catalog.now())},
	q{SELECT * FROM pgdba.preflight()}, q{SELECT * FROM pgdba.cost()}, q{SELECT * FROM pgdba.databases()},
	q{SELECT * FROM pgdba.checks}, q{SELECT * FROM pgdba.thresholds}, q{SELECT * FROM pgdba.hist_relation},
	q{SELECT * FROM pgdba.coverage(pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 s', pg_catalog.now())},
	q{SELECT pgdba.set_threshold('locks.blocked', '%', 30, 60)}, q{SELECT pgdba.sync_views()},
	q{SELECT pgdba.define_probe('mine', 'hot', 'SELECT 1 AS one', '{}', '{}')}, q{SELECT pgdba.drop_probe('mine')}) {
	my ($code, $out, $err) = superuser($call);
	is($err, '', "for a superuser who looks into public first: $call");
}
for my $database (qw(home other)) {
	is((superuser('SELECT what FROM public.caught', $database))[1], '', "nothing was caught in $database");
}
is(count_in_log($owned, qr/TRAPPED/, $offset), 0, 'nothing of theirs was called') or diag(log_since($owned, $offset));
is(count_in_log($owned, qr/FATAL: (?!.*administrator command)/, $offset), 0, 'no process of ours was ended')
  or diag(log_since($owned, $offset));
leave(@writers);

$owned->stop;
done_testing();
