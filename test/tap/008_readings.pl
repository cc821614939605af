# What the engine reads itself for a column: sizes of files and values of sequences, in every database and without
# waiting; what becomes of a database that cannot be visited; and that checks see the deltas of all rows, not only of
# those that the rings keep.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('readings');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling');

my $relations = q{SELECT c.relname::pg_catalog.text AS name, %s AS %s FROM pg_catalog.pg_class c
	WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND c.relkind = '%s'};

# define NAME, QUERY, COLUMNS: in every database.
sub define {
	my ($name, $query, $columns) = @_;
	$node->safe_psql('postgres',
		"SELECT pgdba.define_probe('$name', 'workload', \$probe\$$query\$probe\$, '{name}', '$columns', 'database')");
}

# A column of the newest sample of a probe after a tick, for a row of a database.
sub sampled {
	my ($probe, $column, $db, $name) = @_;
	return $node->safe_psql('postgres', "SELECT pgdba.sample_now('workload')", extra_params => ['-o', '/dev/null'])
		. $node->safe_psql('postgres', "SELECT coalesce($column\::text, 'NULL') FROM pgdba.last_$probe
			WHERE db = '$db' AND name = '$name'");
}

# ---- sizes ----

define('size', sprintf($relations, q{pg_catalog.concat_ws(' ', pg_catalog.pg_relation_filepath(c.oid),
		pg_catalog.pg_relation_filepath(nullif(c.reltoastrelid, 0)))}, 'bytes', 'r'), '{"bytes": {"read": "file_size"}}');
for my $db (qw(postgres shop)) {
	$node->safe_psql($db, q{CREATE TABLE big AS SELECT i, pg_catalog.repeat('x', 500) AS t FROM generate_series(1, 1000) i;
		INSERT INTO big SELECT 0, string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 2000); CREATE TABLE "empty one" ()});
	my $bytes = $node->safe_psql($db, q{SELECT pg_relation_size('big') + pg_relation_size(reltoastrelid) FROM pg_class
		WHERE relname = 'big'});
	cmp_ok($bytes, '>', 500_000, "a table with its TOAST table in $db");
	is(sampled('size', 'bytes', $db, 'big'), $bytes, 'has the size that the server says');
	is(sampled('size', 'bytes', $db, 'empty one'), '0', 'an empty one has none');
}
my $locker = $node->background_psql('shop');
$locker->query_safe('BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE');
cmp_ok(sampled('size', 'bytes', 'shop', 'big'), '>', 500_000, 'also while somebody has locked it');
$locker->query_safe('COMMIT');

define('elsewhere', q{SELECT p AS name, p AS bytes FROM pg_catalog.unnest('{/etc/passwd,base/../PG_VERSION,base/1/nothing,
	PG_VERSION,global/pg_control}'::pg_catalog.text[]) p}, '{"bytes": {"read": "file_size"}}');
is(sampled('elsewhere', 'bytes', 'shop', $_), 'NULL', "$_ is no relation's file")
	for '/etc/passwd', 'base/../PG_VERSION', 'base/1/nothing', 'PG_VERSION';
is(sampled('elsewhere', 'bytes', 'shop', 'global/pg_control'), '8192', 'what lies beside them is');

# ---- sequences ----

define('sequence_value', sprintf($relations, 'c.oid', 'value', 'S'), '{"value": {"read": "sequence_value"}}');
define('no_sequence', sprintf($relations, 'c.oid', 'value', 'r'), '{"value": {"read": "sequence_value"}}');
$node->safe_psql('shop', q{CREATE SEQUENCE used INCREMENT BY -3; SELECT nextval('used'), nextval('used');
	CREATE SEQUENCE never; CREATE UNLOGGED SEQUENCE unlogged; SELECT nextval('unlogged')});
is(sampled('sequence_value', 'value', 'shop', 'used'), '-4', 'the last value of a sequence');
is(sampled('sequence_value', 'value', 'shop', 'unlogged'), '1', 'of an unlogged one');
is(sampled('sequence_value', 'value', 'shop', 'never'), 'NULL', 'none of one that was never used');
is(sampled('no_sequence', 'value', 'shop', 'big'), 'NULL', 'nor of a table');
$locker->query_safe('BEGIN; ALTER SEQUENCE used INCREMENT BY 1');
my $errors = $node->safe_psql('postgres', q{SELECT sum(errors) FROM pgdba.cost()});
like(sampled('sequence_value', 'value', 'shop', 'used'), qr/^(?:NULL|-4)$/, 'a changed one is not waited for');
$locker->query_safe('LOCK TABLE big IN ACCESS EXCLUSIVE MODE');
is(sampled('no_sequence', 'value', 'shop', 'big'), 'NULL', 'nor is a locked table');
is($node->safe_psql('postgres', q{SELECT sum(errors) FROM pgdba.cost()}), $errors, 'and that is no error');
$locker->query_safe('ROLLBACK');
is(sampled('sequence_value', 'value', 'shop', 'used'), '-4', 'afterwards it is there again');
$locker->quit;

my ($code, $out, $error) = $node->psql('postgres',
	q{SELECT pgdba.define_probe('bad', 'hot', 'SELECT 1 AS value', '{}', '{"value": {"read": "sequence_value"}}')});
like($error, qr/column "value" is not the OID of a sequence\n.*Return it as oid\./s, 'a reading from another type is refused');

# ---- a database that fails, and one that cannot be visited ----

define('partial', q{SELECT 'x' AS name, 1 / (CASE WHEN pg_catalog.current_database() = 'shop' THEN 0 ELSE 1 END) AS one}, '{}');
is(sampled('partial', 'one', 'postgres', 'x'), '1', 'a probe that fails in one database has the rows of the others');
like($node->safe_psql('postgres', q{SELECT last_error FROM pgdba.cost() WHERE probe = 'partial'}),
	qr/^in database "shop": 22012: division by zero$/, 'and says where');
$node->safe_psql('postgres', q{SELECT pgdba.drop_probe('partial')});

# DROP DATABASE locks it and waits up to 5 s for the sessions in it to go.
my $inside = $node->background_psql('shop');
my $dropper = $node->background_psql('postgres', on_error_stop => 0);
$dropper->query_until(qr/begins/, "\\echo begins\nDROP DATABASE shop;\n");
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'object'
		AND classid = 'pg_database'::regclass AND mode = 'AccessExclusiveLock' AND granted}), 'a database is being dropped');
my $before = $node->safe_psql('postgres', q{SELECT errors FROM pgdba.cost() WHERE probe = 'size'});
cmp_ok(sampled('size', 'bytes', 'shop', 'big'), '>', 500_000, 'it is not visited, and its rows stay as they were');
is($node->safe_psql('postgres', q{SELECT errors FROM pgdba.cost() WHERE probe = 'size'}), $before, 'which is no error');
$inside->quit;
$dropper->quit;
is(sampled('size', 'bytes', 'shop', 'big'), '', 'with the database its rows go');

# ---- checks see the deltas of all rows ----

$node->safe_psql('postgres', q{CREATE TABLE counter AS SELECT i AS name, 100 * i AS n FROM generate_series(1, 10) i;
	GRANT SELECT ON counter TO pgdba_sampler;
	SELECT pgdba.define_probe('counter', 'workload', 'SELECT name::pg_catalog.text, n FROM public.counter', '{name}',
		'{"n": {"kind": "counter"}}', options => '{"top": {"n": 2, "by": ["n"]}}');
	SELECT pgdba.define_check('my.counter', $$SELECT 'row ' || h.name AS object, NULL::text AS database, h.n::float8 AS value,
			'' AS unit, '{}'::jsonb AS evidence FROM pgdba.hist_counter h
			WHERE h.sampled_at = (SELECT max(l.sampled_at) FROM pgdba.last_counter l)$$,
		'{"title": "t", "loop": "workload", "probes": ["counter"], "thresholds": {"warning": 0}, "message": "{object}"}')});
for my $step (7, 9) {
	$node->safe_psql('postgres', q{SELECT pgdba.sample_now('workload')});
	$node->safe_psql('postgres', "UPDATE counter SET n = n + $step");
	$node->safe_psql('postgres', q{SELECT pgdba.sample_now('workload')});
	is($node->safe_psql('postgres', q{SELECT count(*), min(value), max(value) FROM pgdba.verdicts WHERE check_id = 'my.counter'}),
		"10|$step|$step", "a check sees that all ten grew by $step");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pgdba.last_counter'), '2', 'of which the rings keep two');

done_testing();
