# Bloat: the estimate of every table and index against what rewriting it gives back, what pgstattuple measured, when nothing
# can be said; and the statistics of columns as a superuser sees them.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('bloat',
	init => { extra => [ '--encoding=UTF8', '--locale=C' ] },
	conf => <<EOF);
autovacuum = off
pgdba.top_relations = 1000
pgdba.top_indexes = 1000
pgdba.max_series = 20000
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
ok(settled($node), 'sampling');

# ask SQL: what the samples of now say.
sub ask { return $node->safe_psql('postgres', $_[0]); }

sub sample { return ask(q{SELECT pgdba.sample_now('hourly')}); }

# ---- the estimate against the truth ----

# Tables: how they come to be, how many percent are bloat, and by how many the estimate may be off; options, changes.
my @tables = (
	[ 'narrow', 'SELECT i AS a FROM generate_series(1, 60000) i', 0, 1 ],
	[ 'padded', 'SELECT 1::int2 AS a, i::int8 AS b, 1::int2 AS c, i::int8 AS d, true AS e, i::int8 AS f
		FROM generate_series(1, 20000) i', 0, 1 ],
	[ 'texts', q{SELECT i AS a, md5(i::text) AS b, now() AS c, repeat('x', i % 40) AS d, i::numeric AS e
		FROM generate_series(1, 30000) i}, 0, 5 ],
	[ 'wide', q{SELECT i AS a, repeat('x', 1500 + i % 400) AS b FROM generate_series(1, 3000) i}, 0, 10 ],
	[ 'toasted', q{SELECT i AS a, (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 70) j) AS b,
		repeat('x', 1000) AS c FROM generate_series(1, 1500) i}, 0, 5 ],
	[ 'nulls', q{SELECT i AS a, CASE WHEN i % 3 = 0 THEN i END AS b, CASE WHEN i % 10 = 0 THEN md5(i::text) END AS c,
		NULL::text AS d, NULL::int AS e, NULL::int AS f, CASE WHEN i % 2 = 0 THEN now() END AS g, i::int8 AS h, NULL::int AS j
		FROM generate_series(1, 40000) i}, 0, 5 ],
	[ 'filled', 'SELECT i AS a, md5(i::text) AS b FROM generate_series(1, 20000) i', 0, 6, 'fillfactor = 50' ],
	[ 'half', 'SELECT i AS a, i::int8 AS b FROM generate_series(1, 60000) i', 50, 2, '', 'DELETE FROM half WHERE a % 2 = 0' ],
	[ 'half_texts', 'SELECT * FROM texts', 50, 4, '', 'DELETE FROM half_texts WHERE a % 2 = 0' ],
	[ 'half_nulls', 'SELECT * FROM nulls', 50, 5, '', 'DELETE FROM half_nulls WHERE h % 4 < 2' ],
	[ 'tenth', 'SELECT * FROM texts', 90, 2, '', 'DELETE FROM tenth WHERE a % 10 > 0' ],
	[ 'churned', 'SELECT * FROM texts', 66, 4, '', 'UPDATE churned SET c = now()', 'UPDATE churned SET e = e + 1' ],
	[ 'one_left', 'SELECT i AS a FROM generate_series(1, 60000) i', 99, 1, '', 'DELETE FROM one_left WHERE a < 60000' ],
	[ 'dropped', q{SELECT i AS a, repeat('x', 36) AS b FROM generate_series(1, 30000) i}, 50, 2, '',
		'ALTER TABLE dropped DROP COLUMN b' ]);

# Indexes: on what, and the same two numbers.
my @indexes = (
	[ 'k_int', 'k (a)', 0, 2 ],
	[ 'k_text', 'k (hash)', 0, 9 ],
	[ 'k_varying', 'k (varying)', 0, 7 ],
	[ 'd_few', 'd (few)', 0, 5 ],
	[ 'd_many', 'd (many)', 0, 5 ],
	[ 'd_eight', 'd (eight)', 0, 5 ],
	[ 'k_skewed', 'k (skewed)', 0, 5 ],
	[ 'k_spread', 'k (spread)', 0, 5 ],
	[ 'd_nulls', 'd (nulls)', 0, 5 ],
	[ 'k_float', 'k (float)', 0, 5 ],
	[ 'd_pair', 'd (few, many)', 0, 5 ],
	[ 'k_with', 'k (few) INCLUDE (a)', 0, 5 ],
	[ 'k_part', 'k (a) WHERE few > 0', 0, 5 ],
	[ 'k_expression', 'k (lower(hash))', 0, 9 ],
	[ 'k_filled', 'k (a) WITH (fillfactor = 50)', 0, 3 ],
	[ 'k_apart', 'k (few) WITH (deduplicate_items = off)', 0, 3 ],
	[ 'g_mixed', 'g (mixed)', 78, 4 ],
	[ 'g_few', 'g (few)', 75, 6 ],
	[ 'g_rising', 'g (rising)', 75, 2 ]);

my @sql = (
	'CREATE EXTENSION pgstattuple',
	(map { my ($name, $query, undef, undef, $options, @changes) = @$_;
		('CREATE TABLE ' . $name . ($options ? " WITH ($options)" : '') . " AS $query", @changes) } @tables),
	q{CREATE TABLE d AS SELECT i % 10 AS few, i % 1000 AS many, i / 8 AS eight, CASE WHEN i % 10 = 0 THEN i END AS nulls
		FROM generate_series(1, 190000) i},
	q{CREATE TABLE k AS SELECT i AS a, md5(i::text) AS hash, repeat('k', 10 + i % 30) || i AS varying, i % 10 AS few,
		CASE WHEN i % 2 = 0 THEN 0 ELSE i END AS skewed, (100000 * (i * 7919 % 90000 / 90000.0) ^ 4)::int AS spread,
		(i % 1000)::float8 AS float FROM generate_series(1, 90000) i},
	'CREATE TABLE g (mixed int, few int, rising int)',
	(map { "CREATE INDEX $_->[0] ON $_->[1]" } @indexes),
	'INSERT INTO g SELECT i * 7919 % 180000, i % 20, i FROM generate_series(1, 180000) i',
	'DELETE FROM g WHERE rising % 4 > 0');
$node->safe_psql('shop', $_) for join(";\n", @sql), 'VACUUM ANALYZE';
sample();

# rows DATABASE, SQL: the rest of each row by its first column.
sub rows {
	my ($database, $sql) = @_;
	return map { my ($name, @rest) = split /\|/, $_, -1; ($name => \@rest) } split /\n/, $node->safe_psql($database, $sql);
}

my %seen = rows('postgres', q{
	SELECT relname, size_bytes, estimated_bytes, unused_bytes FROM pgdba.last_table_bloat WHERE db = 'shop'
	UNION ALL SELECT indexname, size_bytes, estimated_bytes, unused_bytes FROM pgdba.last_index_bloat WHERE db = 'shop'});
my %file = rows('shop', q{SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace});
is(metric($node, 'pg_table_estimated_bloat_bytes', db => 'shop', relation => 'public.half'), $seen{half}[1], 'a table is a metric');
is(metric($node, 'pg_index_unused_bytes', db => 'shop', index => 'public.g_few'), $seen{g_few}[2], 'and so is an index');

for my $object ((map { [ 'VACUUM FULL', @$_ ] } @tables), map { [ 'REINDEX INDEX', @$_ ] } @indexes) {
	my ($rewrite, $name, undef, $bloat, $error) = @$object;
	my ($size, $estimated, $measured) = @{ $seen{$name} // [] };
	is($size, $file{$name}[0], "$name is there, with the size of its file") or next;
	my $after = $node->safe_psql('shop', "$rewrite $name;\nSELECT pg_relation_size('$name')");
	my $truth;
	($truth, $estimated, $measured) = map { 100 * $_ / $size } $size - $after, $estimated, $measured;
	cmp_ok(abs($truth - $bloat), '<=', 5, sprintf 'a rewrite gives back about %d %% (%.1f)', $bloat, $truth);
	cmp_ok(abs($estimated - $truth), '<=', $error, sprintf 'the estimate is right within %d %% (%.1f)', $error, $estimated);
	# It does not look into rows: what a dropped column has left there is live to it.
	my $live = $name eq 'dropped' ? $truth : 0;
	cmp_ok(abs($measured - $truth + $live), '<=', 16, sprintf 'so is what pgstattuple measured (%.1f)', $measured);
}

# ---- what is not known, and what is not looked at ----

$node->safe_psql('shop', $_) for q{CREATE TABLE never AS SELECT i AS a FROM generate_series(1, 40000) i;
	CREATE TABLE mute AS SELECT i AS a, 'x' || i AS b FROM generate_series(1, 70000) i; ALTER TABLE mute ALTER b SET STATISTICS 0;
	CREATE INDEX mute_a ON mute (a); CREATE INDEX mute_b ON mute (b);
	CREATE TABLE names AS SELECT ('n' || i)::name AS a FROM generate_series(1, 60000) i; CREATE INDEX names_a ON names (a);
	CREATE TABLE small AS SELECT 1 AS a;
	DELETE FROM k WHERE a % 4 > 0}, 'VACUUM ANALYZE mute, names, small, k';
$node->safe_psql('postgres', q{CREATE TABLE home AS SELECT i AS a FROM generate_series(1, 60000) i; ANALYZE home});
my $holder = session($node, 'shop');
$holder->query_safe('BEGIN; LOCK TABLE half IN ACCESS EXCLUSIVE MODE');
sample();
%seen = rows('postgres', q{
	SELECT relname, reltuples IS NOT NULL, estimated_bytes IS NOT NULL, unused_bytes IS NOT NULL FROM pgdba.last_table_bloat
	WHERE db = 'shop' OR relname = 'home'
	UNION ALL SELECT indexname, table_reltuples IS NOT NULL, estimated_bytes IS NOT NULL, unused_bytes IS NOT NULL
	FROM pgdba.last_index_bloat WHERE db = 'shop'});
my %expected = (
	half => [ 't', 't', 'f', 'a locked one is estimated, not measured, and nobody waits' ],
	k => [ 't', 't', 't', 'another one is both' ],
	never => [ 'f', 'f', 't', 'of one that nobody has counted there is no estimate' ],
	mute => [ 't', 'f', 't', 'nor of one with a column without statistics' ],
	mute_b => [ 't', 'f', 't', 'nor of an index on it' ],
	mute_a => [ 't', 't', 't', 'but of one on another column' ],
	names => [ 't', 't', 't', 'a table of names is estimated' ],
	names_a => [ 't', 'f', 't', 'its index is not' ],
	home => [ 't', 't', 'f', 'where pgstattuple is not installed nothing is measured' ]);
is(join(' ', @{ $seen{$_} // [] }), join(' ', @{ $expected{$_} }[ 0 .. 2 ]), "$_: $expected{$_}[3]") for sort keys %expected;
is($seen{small}, undef, 'small ones are left out');
$holder->query_safe('ROLLBACK');
leave($holder);
configure($node, 'pgdba.pgstattuple_limit' => '0');
ok( wait_until(sub { sample(); ask('SELECT count(unused_bytes) + count(toast_unused_bytes) FROM pgdba.last_table_bloat') eq '0' }),
	'nothing is measured when nothing may be read');
is(ask(q{SELECT count(estimated_bytes) > 10 FROM pgdba.last_table_bloat WHERE db = 'shop'}), 't', 'what is estimated stays');

# ---- findings, with a floor that these tables reach ----

ask(q{SELECT pgdba.define_check('my.' || replace(check_id, '.', '_'), replace(query, '1073741824', '1000000'),
		jsonb_set(definition, '{thresholds,floor,bytes}', '1000000') - 'symptom_of')
	FROM pgdba.check_definition WHERE check_id IN ('bloat.table', 'bloat.index')});

# findings CHECK: severities and objects, sorted, with the SQL.
sub findings {
	my ($check) = @_;
	sample();
	return ask("SELECT severity || ' ' || object || coalesce(' ' || sql, '') FROM pgdba.verdicts
		WHERE check_id = 'my.bloat_$check' AND severity <> 'ok' ORDER BY object");
}
is(findings('table'), <<'END' =~ s/\n$//r, 'tables: two that are bloated, and two of which nothing is known');
warning relation:shop/public.g VACUUM (VERBOSE, ANALYZE) public.g;
warning relation:shop/public.k VACUUM (VERBOSE, ANALYZE) public.k;
unknown relation:shop/public.mute
unknown relation:shop/public.never
END
my $found = findings('index');
like($found, qr{^warning index:shop/public\.k_int REINDEX INDEX CONCURRENTLY public\.k_int;$}m, 'indexes: one that is bloated');
like($found, qr{^unknown index:shop/public\.names_a$}m, 'and one of which nothing is known');
unlike($found, qr{half|g_}, 'none that was rewritten');
$node->safe_psql('shop', $_) for $found =~ /(REINDEX .*;)$/mg;
unlike(findings('index'), qr/warning/, 'the SQL of the findings makes them quiet');

# ---- columns ----

is($node->safe_psql('shop', q{SET ROLE pgdba_sampler; SELECT count(*) FROM pg_stats WHERE schemaname = 'public'}), '0',
	'the sampler is shown no statistics by the server');
my $columns = 'tablename, attname, null_frac::float8, avg_width, n_distinct::float8, correlation::float8';
my $server = $node->safe_psql('shop', qq{SELECT $columns FROM pg_stats
	WHERE schemaname = 'public' AND (tablename, attname) IN (SELECT x.indrelid::regclass::text, a.attname
		FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0])
	ORDER BY tablename, attname});
is(ask(q{SELECT relname, column_name, null_fraction, average_width, distinct_values, correlation FROM pgdba.last_column_statistic
	WHERE db = 'shop' AND null_fraction IS NOT NULL ORDER BY relname, column_name}), $server, 'but the library reads them');
like($server, qr/^d\|nulls\|0\.\d+\|4\|-0\./m, 'nulls among them');
is(ask(q{SELECT column_type, distinct_values FROM pgdba.last_column_statistic WHERE relname = 'mute' AND column_name = 'b'}), 'text|',
	'a column without statistics is listed without numbers');

is(ask(q{SELECT count(*) FROM pgdba.cost() WHERE errors > 0 AND probe IN ('table_bloat', 'index_bloat', 'column_statistic')}), '0',
	'no probe has failed');
$node->stop;
done_testing();
