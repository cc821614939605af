# Indexes, sequences and extensions of other databases: sizes and counters are right, what is superfluous, broken or near
# its end is named, what only looks like it is not, and the SQL of each finding makes it quiet.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('indexes',
	init => { extra => [ '--encoding=UTF8', '--locale=C' ] },
	conf => <<EOF);
autovacuum = off
pgdba.top_indexes = 1000
pgdba.max_series = 20000
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling goes on');

my $odd = 'od"d. db'; # the name of a database that has to be quoted everywhere
$node->safe_psql('postgres', $_) for 'CREATE DATABASE shop', 'CREATE DATABASE "od""d. db"';

sub sample {
	$node->safe_psql('postgres', "SELECT pgdba.sample_now('$_')") for @_;
	return;
}

# ask SQL: what the samples, or the findings, of now say.
sub ask { return $node->safe_psql('postgres', $_[0]); }

# findings CHECK: severities and objects, sorted; empty when it is quiet.
sub findings {
	my ($check) = @_;
	return ask("SELECT severity || ' ' || object FROM pgdba.verdicts
		WHERE check_id = '$check' AND severity <> 'ok' ORDER BY 1");
}

# follow CHECK, DATABASE: runs the SQL of its findings in that database. RETURNS: the SQL.
sub follow {
	my ($check, $database) = @_;
	(my $literal = $database) =~ s/'/''/g;
	my $sql = ask("SELECT string_agg(sql, E'\\n' ORDER BY object) FROM pgdba.verdicts
		WHERE check_id = '$check' AND database = '$literal'");
	$node->safe_psql($database, $_) for split /\n/, $sql;
	return $sql;
}

# ---- what only looks like a duplicate ----

$node->safe_psql('shop', <<'EOF');
CREATE TABLE different (id int PRIMARY KEY, a int, b text, c int, d int, e int);
ALTER TABLE different ADD UNIQUE (id);
CREATE INDEX ON different (lower(b));
CREATE INDEX ON different (upper(b));
CREATE INDEX ON different (a) WHERE c = 1;
CREATE INDEX ON different (a) WHERE c = 2;
CREATE INDEX ON different (a);
CREATE INDEX ON different (a DESC);
CREATE INDEX ON different (a NULLS FIRST);
CREATE INDEX ON different USING hash (a);
CREATE INDEX ON different USING brin (a);
CREATE INDEX ON different USING brin (a) WITH (pages_per_range = 16);
CREATE INDEX ON different USING brin (a int4_bloom_ops(n_distinct_per_range = 100));
CREATE INDEX ON different USING brin (a int4_bloom_ops(n_distinct_per_range = 200));
CREATE INDEX ON different (b);
CREATE INDEX ON different (b COLLATE "POSIX");
CREATE INDEX ON different (b text_pattern_ops);
CREATE INDEX ON different (c, d);
CREATE INDEX ON different (d, c);
CREATE INDEX ON different (e) INCLUDE (c);
CREATE INDEX ON different (e) INCLUDE (d);
CREATE UNIQUE INDEX ON different (e);
ALTER TABLE different ADD UNIQUE (c, a) DEFERRABLE;
CREATE UNIQUE INDEX ON different (c, a);
CREATE TABLE same (a int);
CREATE INDEX ON same (a);
EOF
sample('storage');
is(ask(q{SELECT count(*), string_agg(twin, ','), string_agg(longer, ',') FROM pgdba.last_index
	WHERE db = 'shop' AND relation = 'public.different'}),
	'24||', 'indexes that differ in one thing each are neither duplicates nor redundant');
is(join('', map { findings("indexes.$_") } qw(duplicate redundant invalid)), '', 'and no finding');

# ---- duplicates ----

$node->safe_psql('shop', <<'EOF');
CREATE TABLE d (id int PRIMARY KEY, a int, b text, c int, e int, f text, g int NOT NULL, h int, k int, l int);
CREATE INDEX a_first ON d (a);
CREATE INDEX a_second ON d (a);
CREATE INDEX b_plain ON d (b);
CREATE UNIQUE INDEX b_unique ON d (b);
CREATE UNIQUE INDEX c_distinct ON d (c);
CREATE UNIQUE INDEX c_not_distinct ON d (c) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX id_again ON d (id);
CREATE UNIQUE INDEX e_target ON d (e);
CREATE TABLE d_child (e int REFERENCES d (e));
CREATE UNIQUE INDEX e_again ON d (e);
REINDEX INDEX CONCURRENTLY e_target;
CREATE INDEX f_first ON d (lower(f)) WHERE a > 1;
CREATE INDEX f_second_with_a_longer_name ON d (  lower(  f)) WHERE   a > 1;
CREATE UNIQUE INDEX g_first ON d (g);
CREATE UNIQUE INDEX g_identity ON d (g);
ALTER TABLE d REPLICA IDENTITY USING INDEX g_identity;
CREATE INDEX h_first ON d (h);
CREATE INDEX h_cluster ON d (h);
CLUSTER d USING h_cluster;
CREATE INDEX k_short ON d (k);
CREATE INDEX kl_long ON d (k, l);
CREATE INDEX l_only ON d (l);
CREATE INDEX l_with ON d (l) INCLUDE (a);
CREATE TABLE parts (a int, b int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE INDEX parts_first ON parts (b);
CREATE INDEX parts_second ON parts (b);
INSERT INTO parts VALUES (1, 1);
CREATE INDEX part_alone ON part (b);
EOF
$node->safe_psql($odd, <<'EOF');
CREATE SCHEMA "Odd.Schema";
CREATE TABLE "Odd.Schema"."T'"" --" (a int);
CREATE INDEX "i'1" ON "Odd.Schema"."T'"" --" (a);
CREATE INDEX "i""; DROP TABLE d; --" ON "Odd.Schema"."T'"" --" (a);
EOF
sample('storage');
is(ask(q{SELECT indexname || ' for ' || twin FROM pgdba.last_index WHERE db = 'shop' AND twin IS NOT NULL ORDER BY 1}),
	<<'EOF' =~ s/\n$//r, 'of two alike the one is named that nothing stands on, the weaker one, else the younger');
a_second for a_first
b_plain for b_unique
c_distinct for c_not_distinct
e_again for e_target
f_second_with_a_longer_name for f_first
g_first for g_identity
h_first for h_cluster
id_again for d_pkey
part_alone for part_b_idx
parts_second for parts_first
EOF
is(ask(q{SELECT indexname || ' for ' || longer FROM pgdba.last_index WHERE db = 'shop' AND longer IS NOT NULL ORDER BY 1}),
	"k_short for kl_long\nl_only for l_with", 'the beginning of a longer index is another matter');
is(ask(q{SELECT severity, object, message FROM pgdba.verdicts WHERE check_id = 'indexes.duplicate' AND object LIKE '%Odd%'}),
	q{info|index:"od""d. db"/"Odd.Schema"."i""; DROP TABLE d; --"|index "Odd.Schema"."i""; DROP TABLE d; --" }
	  . q{on "Odd.Schema"."T'"" --" in od"d. db does nothing that i'1 does not do (8 kB)},
	'a hostile name is only a name');
is(ask(q{SELECT sql, action LIKE '%cannot be dropped concurrently%' FROM pgdba.verdicts
	WHERE check_id = 'indexes.duplicate' AND object LIKE '%parts_second'}),
	'|t', 'a partitioned index gets no DROP CONCURRENTLY');

like(follow('indexes.duplicate', $odd), qr/^SELECT pg_get_indexdef.*\nDROP INDEX CONCURRENTLY [^\n]*;$/s,
	'the SQL prints the definition, then drops');
is($node->safe_psql($odd, q{SELECT string_agg(indexname, ',') FROM pg_indexes WHERE schemaname = 'Odd.Schema'}),
	q{i'1}, 'the one that was meant');
follow('indexes.duplicate', 'shop');
$node->safe_psql('shop', 'DROP INDEX parts_second');
sample('storage');
is(findings('indexes.duplicate'), '', 'after the SQL of the findings there is none');

# ---- sizes and counters ----

$node->safe_psql('shop', <<'EOF');
CREATE TABLE big (a int, b int, c int);
INSERT INTO big SELECT g, g, g FROM generate_series(1, 500000) g;
CREATE INDEX big_a ON big (a);
CREATE INDEX big_b ON big (b);
CREATE UNIQUE INDEX big_c ON big (c);
SET enable_seqscan = off;
SELECT count(*) FROM big WHERE a = 5;
SELECT count(*) FROM big WHERE a = 6;
EOF
sample('storage');
my $server = $node->safe_psql('shop',
	q{SELECT indexrelname, idx_scan, idx_tup_read, idx_tup_fetch, pg_relation_size(indexrelid)
	  FROM pg_stat_user_indexes ORDER BY 1});
is(ask(q{SELECT indexname, scans, tup_read, tup_fetch, size FROM pgdba.last_index
	WHERE db = 'shop' AND NOT is_partitioned ORDER BY 1}),
	$server, 'size and counters of every index as the server has them');
like($server, qr/^big_a\|2\|/m, 'the server has counted the scans');
is(metric($node, 'pg_index_size_bytes', db => 'shop', index => 'public.big_a'),
	$node->safe_psql('shop', q{SELECT pg_relation_size('big_a')}), 'the size is a metric');
is(metric($node, 'pg_index_scans_total', db => 'shop', index => 'public.big_a'), '2', 'and so are the scans');

my $holder = session($node, 'shop');
$holder->query_safe('BEGIN; LOCK TABLE big');
sample('storage');
is(ask(q{SELECT count(*) FROM pgdba.last_index WHERE db = 'shop' AND relation = 'public.big' AND size > 0}),
	'3', 'indexes of a locked table are seen as well');
$holder->query_safe('COMMIT');

# ---- since when an index is not used ----

# What is carried on stands on the newest finished sample of the indexes, which may be the one before.
sub unused_since {
	my ($index) = @_;
	return ask("SELECT unused_since FROM pgdba.last_index_watch WHERE db = 'shop' AND indexname = '$index'");
}

sample('storage', 'storage');
is(ask(q{SELECT indexname, unused_since < sampled_at FROM pgdba.last_index_watch WHERE db = 'shop' ORDER BY 1}),
	"big_a|t\nbig_b|t", 'of large indexes it is known since when nobody has scanned them; not of a unique one');
my %first = map { $_ => unused_since($_) } qw(big_a big_b);
$node->safe_psql('shop', 'SET enable_seqscan = off; SELECT count(*) FROM big WHERE a = 7');
sample('storage', 'storage');
isnt(unused_since('big_a'), $first{big_a}, 'a scan begins the time anew');
is(unused_since('big_b'), $first{big_b}, 'a scan of another index does not');
$node->restart;
ok(settled($node), 'sampling goes on after a restart');
sample('storage', 'storage');
is(unused_since('big_b'), $first{big_b}, 'nor does a restart');
$node->safe_psql('shop', 'SELECT pg_stat_reset()');
sample('storage', 'storage');
is(ask(qq{SELECT indexname, unused_since = stats_since, unused_since > '$first{big_b}' FROM pgdba.last_index_watch
	WHERE db = 'shop' ORDER BY 1}), "big_a|t|t\nbig_b|t|t", 'a reset of the statistics does');

# ---- indexes that are not valid ----

$node->safe_psql('shop', 'CREATE TABLE v (a int, b int); INSERT INTO v VALUES (1, 1), (1, 2); CREATE INDEX v_b ON v (b)');
is(sqlstate($node, 'shop', 'CREATE UNIQUE INDEX CONCURRENTLY v_a ON v (a)'), '23505', 'a unique index that cannot be');
sample('storage');
is(findings('indexes.invalid'), '', 'one sample says nothing yet');
sample('storage');
is(findings('indexes.invalid'), 'warning index:shop/public.v_a', 'a second one does');
$node->safe_psql('shop', 'DELETE FROM v WHERE b = 2');
is(follow('indexes.invalid', 'shop'), 'REINDEX INDEX CONCURRENTLY public.v_a;', 'the SQL rebuilds it');
sample('storage');
is(findings('indexes.invalid'), '', 'then it is valid');

# While somebody is at work: CREATE and DROP CONCURRENTLY wait for a transaction that has used the table.
$holder = session($node, 'shop');
my $worker = session($node, 'shop');
for my $case ([ 'v_c', 'CREATE INDEX CONCURRENTLY v_c ON v (a, b)' ], [ 'v_b', 'DROP INDEX CONCURRENTLY v_b' ]) {
	my ($index, $sql) = @$case;
	$holder->query_safe('BEGIN; INSERT INTO v VALUES (3, 3)');
	$worker->query_until(qr/begun/, "\\echo begun\n$sql;\n");
	ok( $node->poll_query_until('shop',
			"SELECT count(*) = 1 FROM pg_index WHERE indexrelid = to_regclass('$index') AND NOT indisvalid"),
		"$sql is at work");
	sample('storage', 'storage');
	is(ask("SELECT is_valid, is_busy FROM pgdba.last_index WHERE db = 'shop' AND indexname = '$index'"),
		'f|t', 'its index is not valid, and in work');
	is(findings('indexes.invalid'), '', 'which is no finding');
	$holder->query_safe('ROLLBACK');
	$worker->query_safe('SELECT 1');
	$node->safe_psql('shop', 'TRUNCATE v; INSERT INTO v VALUES (1, 1)');
}

# A rebuild that gives up leaves its copy.
$holder->query_safe('BEGIN; INSERT INTO v VALUES (4, 4)');
is(sqlstate($node, 'shop', "SET lock_timeout = '10ms';\nREINDEX INDEX CONCURRENTLY v_c"),
	'55P03', 'a rebuild that waits too long');
$holder->query_safe('COMMIT');
sample('storage', 'storage');
is(findings('indexes.invalid'), 'warning index:shop/public.v_c_ccnew', 'its copy is found');
is(follow('indexes.invalid', 'shop'), 'DROP INDEX CONCURRENTLY public.v_c_ccnew;', 'and is to be dropped');
sample('storage');
is(findings('indexes.invalid'), '', 'then it is gone');
leave($holder, $worker);

# ---- sequences ----

$node->safe_psql($odd, <<'EOF');
CREATE TABLE "Odd.Schema"."T2""" (id serial PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY,
	s smallint GENERATED ALWAYS AS IDENTITY);
SELECT setval('"Odd.Schema"."T2""_id_seq"', 2100000000);
SELECT setval('"Odd.Schema"."T2""_s_seq"', 26000);
CREATE SEQUENCE round MAXVALUE 100 CYCLE;
SELECT setval('round', 100);
CREATE SEQUENCE never AS int;
CREATE SEQUENCE wide;
CREATE TABLE narrow (a int DEFAULT nextval('wide'));
SELECT setval('wide', 2000000000);
CREATE SEQUENCE down AS smallint INCREMENT -1;
SELECT setval('down', -32000);
EOF
sample('hourly');
is(ask(q{SELECT sequencename, last_value, end_value, ended_by FROM pgdba.last_sequence WHERE db = 'od"d. db' ORDER BY 1}),
	<<'EOF' =~ s/\n$//r, 'sequences of another database, each with its last value, where it ends and why');
T2"_id_seq|2100000000|2147483647|type
T2"_s_seq|26000|32767|type
down|-32000|-32768|type
round|100|100|bound
wide|2000000000|2147483647|column
EOF
is(findings('sequences.near_end'),
	<<'EOF' =~ s/\n$//r, 'those that come to their end, not one that begins again and not one that was never used');
critical relation:"od""d. db"/"Odd.Schema"."T2""_id_seq"
critical relation:"od""d. db"/public.down
warning relation:"od""d. db"/"Odd.Schema"."T2""_s_seq"
warning relation:"od""d. db"/public.wide
EOF
is(metric($node, 'pg_sequence_last_value', sequence => 'public.wide'), '2000000000', 'the value is a metric');
is(follow('sequences.near_end', $odd), <<'EOF' =~ s/\n$//r, 'the SQL widens sequence and column');
ALTER SEQUENCE "Odd.Schema"."T2""_id_seq" AS bigint;
ALTER TABLE "Odd.Schema"."T2""" ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE "Odd.Schema"."T2""_s_seq" AS bigint;
ALTER TABLE "Odd.Schema"."T2""" ALTER COLUMN s TYPE bigint;
ALTER SEQUENCE public.down AS bigint;
ALTER TABLE public.narrow ALTER COLUMN a TYPE bigint;
EOF
sample('hourly');
is(findings('sequences.near_end'), '', 'then none is near its end');

# ---- extensions ----

$node->safe_psql('shop', q{CREATE EXTENSION pg_stat_statements VERSION '1.9'});
sample('hourly');
is(findings('extensions.outdated'), 'info extension:shop/pg_stat_statements', 'an old version is advice');
follow('extensions.outdated', 'shop');
sample('hourly');
is(findings('extensions.outdated'), '', 'after the SQL it is quiet');

is(ask(q{SELECT count(*) FROM pgdba.cost() WHERE errors > 0 AND probe IN ('index', 'index_watch', 'sequence', 'extension')}),
	'0', 'no probe has failed');
$node->stop;
done_testing();
