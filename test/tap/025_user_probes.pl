# Probes that users define: what is refused and with which words, what a probe does to itself and to nobody else when it
# goes wrong, and that it is sampled, kept, judged, exported, changed and taken away like ours. test/sql/definitions.sql has
# the usual mistakes, 007 what would leave a trace; neither is here again.
use strict;
use warnings FATAL => 'all';

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = pgdba_node('user_probes', init => { extra => [ '--encoding=UTF8', '--locale=C' ] });
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok(settled($node), 'sampling');

# define NAME, QUERY, OPTION => VALUE...: RETURNS the SQLSTATE, and what was printed.
sub define {
	my ($name, $query, %option) = @_;
	return sqlstate($node, 'postgres', sprintf(q{SELECT pgdba.define_probe('%s', '%s', $probe$%s$probe$, %s, '%s', '%s', '%s')}, $name,
			$option{loop} // 'hot', $query, $option{key_sql} // "'" . ($option{key} // '{}') . "'", $option{columns} // '{}',
			$option{scope} // 'cluster', $option{options} // '{}'));
}
sub defined_well {
	my ($name, $query, %option) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is((define($name, $query, %option))[1], '', "defined: $name");
	return;
}
sub refused {
	my ($state, $pattern, $what, $name, $query, %option) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($seen, $output) = define($name, $query, %option);
	is($seen, $state, "refused: $what");
	like($output, $pattern, "refused with a hint: $what");
	$node->safe_psql('postgres', "SELECT pgdba.drop_probe('$name') FROM pgdba.probe WHERE name = '$name'") if $seen eq '00000';
	return;
}
sub drop { $node->safe_psql('postgres', "SELECT pgdba.drop_probe('$_')") for @_; return; }
sub cost { my ($name, $column) = @_; return $node->safe_psql('postgres', "SELECT $column FROM pgdba.cost() WHERE probe = '$name'"); }
sub value_is {
	my ($sql, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $seen = '';
	ok(wait_until(sub { ($seen = $node->safe_psql('postgres', $sql)) eq $expected }), $name) or diag("expected: $expected\nseen: $seen");
	return;
}

# ---- what is refused ----

$node->safe_psql('postgres', <<'EOF');
CREATE TABLE public.thing (a int, b text);
GRANT ALL ON public.thing TO PUBLIC;
INSERT INTO public.thing VALUES (1, 'one');
EOF
my $one = qr/HINT: .*single SELECT or VALUES/;
refused('42601', $one, $_, 'p', $_) for 'SELECT a FROM (SELECT a FROM public.thing FOR SHARE) t FOR KEY SHARE',
  'WITH gone AS (DELETE FROM public.thing RETURNING a), x AS (SELECT 1 AS a) SELECT x.a FROM x',
  'MERGE INTO public.thing t USING public.thing s ON false WHEN MATCHED THEN DELETE';
refused('22023', qr/DETAIL: .*returns no column.*HINT/s, 'no column', 'p', 'SELECT FROM public.thing');
refused('22023', qr/HINT: .*\bkind\b/s, 'a key column that is not there', 'p', 'SELECT 1 AS kind, 2 AS v', key => '{kinds}');
refused('22023', qr/HINT: .*Name it once/, 'a key column named twice', 'p', 'SELECT 1 AS a', key => '{a,a}');
refused('22023', qr/HINT: .*Use AS/, "a column named $_", 'p', "SELECT 1 AS $_") for qw(elapsed reset gap);
refused('22023', qr/HINT: .*48 characters/, 'a name of 49 characters', 'p' x 49, 'SELECT 1 AS a');
refused('22023', qr/HINT: .*at most a year/, "a budget of $_", 'p', 'SELECT 1 AS a', options => qq({"budget": $_})) for -1, '1e300', '"soon"';
refused('22023', qr/HINT: .*from 1 to/, "max_rows of $_", 'p', 'SELECT 1 AS a', options => qq({"max_rows": $_})) for 0, 1.5, '1e30';
refused('22023', qr/HINT: .*bigint or double/, 'ranking by a text', 'p', q{SELECT 'x'::text AS a}, options => '{"top": {"n": 5, "by": ["a"]}}');
refused('22023', qr/HINT: .*column of its own/, 'a key that is measured', 'p', 'SELECT 1 AS a', key => '{a}', columns => '{"a": {"metric": "my_a"}}');
refused('22023', qr/HINT: .*bigint or double precision/, 'a counter of booleans', 'p', 'SELECT true AS a', columns => '{"a": {"kind": "counter"}}');
refused('22023', qr/HINT: .*seconds and bytes/, 'a unit in short', 'p', 'SELECT 1 AS a', columns => '{"a": {"metric": "my_ms"}}');
refused('22023', qr/HINT: .*metric of its own/, 'a metric given to two columns', 'p', 'SELECT 1 AS a, 2 AS b',
	columns => '{"a": {"metric": "my_a"}, "b": {"metric": "my_a"}}');
for my $type (qw(date time timestamp inet uuid bytea regclass xml money int[] tsvector int4range pg_lsn public.thing)) {
	refused('0A000', qr/column "a" has type .*HINT: +Cast it to text/s, "type $type", 'p', "SELECT NULL::$type AS a");
}
my $hundred = join ', ', map { "$_ AS c$_" } 1 .. 100;
refused('22004', qr/null/, 'a key with a null in it', 'p', 'SELECT 1 AS a', key_sql => q{ARRAY['a', NULL]});
refused('22023', qr/HINT: .*jsonb/, '101 columns', 'p', "SELECT $hundred, 101 AS c101");
refused('22023', qr/HINT: .*200 characters/, 'a metric of 201 characters', 'p', 'SELECT 1 AS a', columns => '{"a": {"metric": "' . 'x' x 201 . '"}}');
refused('22023', qr/HINT/, 'a counter that is no _total', 'p', 'SELECT 1 AS a', columns => '{"a": {"kind": "counter", "metric": "my_things"}}');
refused('42710', qr/HINT: .*name of its own/, "a metric $_", 'p', 'SELECT 1 AS a', columns => qq({"a": {"metric": "$_"}}))
  for qw(pg_connections pgdba_mine up);
defined_well('wide', "SELECT $hundred");
is($node->safe_psql('postgres', q{SELECT count(*) FROM pgdba.probe WHERE origin = 'user'}), '1', 'nothing that was refused is defined');

# ---- who may ----

$node->safe_psql('postgres', 'CREATE ROLE boss LOGIN; GRANT pgdba_admin, pg_monitor TO boss; CREATE ROLE trusted LOGIN; GRANT pg_monitor TO trusted;
	GRANT EXECUTE ON FUNCTION pgdba.define_probe, pgdba.drop_probe TO trusted');
my @trusted = (extra_params => [ '-U', 'trusted' ]);
is(scalar(sqlstate($node, 'postgres', q{SELECT pgdba.define_probe('theirs', 'hot', 'SELECT 1 AS a', '{}', '{}')}, extra_params => [ '-U', 'boss' ])),
	'42501', 'pgdba_admin and pg_monitor do not define');
is((sqlstate($node, 'postgres', q{SELECT pgdba.define_probe('theirs', 'hot',
	'SELECT rolname::text AS me, rolsuper AS super FROM pg_catalog.pg_roles WHERE rolname = current_user', '{}', '{}')}, @trusted))[1],
	 '', 'who was granted it does');
value_is('SELECT me, super FROM pgdba.last_theirs', 'pgdba_sampler|f', 'the text runs as pgdba_sampler, no superuser');
is((sqlstate($node, 'postgres', q{SELECT pgdba.define_probe('theirs', 'hot', 'SELECT rolpassword AS a FROM pg_catalog.pg_authid', '{}', '{}')},
			@trusted))[1], '', 'a text is only prepared by its definition');
ok(wait_until(sub { cost('theirs', 'last_error') eq 'permission denied for table pg_authid (SQLSTATE 42501)' }), 'and may read no more than that')
  or diag(cost('theirs', 'last_error'));
is((sqlstate($node, 'postgres', q{SELECT pgdba.drop_probe('theirs')}, @trusted))[1], '', 'and drops it');

# ---- like ours ----

defined_well('stock', q{SELECT b AS item, a AS place, a * 10 AS amount, a::float8 / 2 AS weight, a % 2 = 0 AS even, clock_timestamp() AS seen,
	jsonb_build_object('a', a) AS more FROM public.thing}, key => '{item}',
	columns => '{"amount": {"kind": "counter", "metric": "my_amount_total", "help": "How many \"things\"\nthere are"},
		"weight": {"metric": "my_weight_bytes", "unit": "bytes", "help": "Weight"}, "even": {"metric": "my_even"},
		"seen": {"metric": "my_seen_seconds", "unit": "seconds since"}, "place": {"kind": "label"}}',
	options => '{"top": {"n": 2, "by": ["weight"]}, "object": "thing:{item}"}');
$node->safe_psql('postgres', q{INSERT INTO public.thing SELECT g, 'item ' || g FROM generate_series(2, 5) g;
	SELECT pgdba.define_check('my.stock', $$SELECT format('thing:%s', s.item) AS object, NULL::text AS database, s.weight AS value, 'bytes' AS unit,
		jsonb_build_object('item', s.item) AS evidence FROM pgdba.last_stock s WHERE s.weight < 1$$,
		'{"title": "Stock", "loop": "hot", "probes": ["stock"], "thresholds": {"warning": 0}, "message": "{item} is light: {value:bytes}"}')});
value_is('SELECT string_agg(item, $$,$$ ORDER BY item) FROM pgdba.last_stock', 'item 4,item 5,one', 'top, and what a verdict names');
value_is(q{SELECT severity, object FROM pgdba.verdicts WHERE check_id = 'my.stock'}, 'warning|thing:one', 'a check on it');
ok(wait_until(sub { (metric($node, 'my_weight_bytes', item => 'one') // '') eq '0.5' }), 'metrics');
is(metric($node, 'my_amount_total', item => 'item 5', place => '5'), '50', 'with labels');
is(metric($node, 'my_even', item => 'item 4'), '1', 'of booleans');
my (undef, $page) = http_get($node, '/metrics');
like($page, qr/^# HELP my_amount_total How many "things"\\nthere are\. Probe: stock\.\n# TYPE my_amount_total counter$/m, 'with help');
my $file = PostgreSQL::Test::Utils::tempdir() . '/page';
append_to_file($file, $page);
is(qx(promtool check metrics < '$file' 2>&1), '', 'promtool has no complaint');
$node->safe_psql('postgres', q{UPDATE public.thing SET a = a + 1 WHERE b = 'item 5'});
value_is(q{SELECT sum(amount) FROM pgdba.hist_stock WHERE item = 'item 5' AND NOT gap}, '10', 'history has the difference of a counter');
ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pgdba.ring_hot WHERE probe = 'stock'}), 'it is in the tables as well')
  or diag($node->safe_psql('postgres', '\d pgdba.ring_hot'));

# ---- other columns while it is sampled ----

my $then = $node->safe_psql('postgres', q{SELECT max(sampled_at) FROM pgdba.last_stock});
$node->safe_psql('postgres', q{SELECT pgdba.drop_check('my.stock')});
defined_well('stock', q{SELECT a AS item, b AS amount, 7 AS fresh FROM public.thing}, key => '{item}',
	columns => '{"fresh": {"metric": "my_fresh"}}');
value_is('SELECT count(*), min(amount), min(fresh) FROM pgdba.last_stock WHERE item = 1', '1|one|7', 'new columns, of other types');
is((sqlstate($node, 'postgres', 'SELECT * FROM pgdba.hist_stock'))[1], '', 'the history of both can be read');
is($node->safe_psql('postgres', qq{SELECT count(*) > 0, count(fresh) FROM pgdba.hist_stock WHERE sampled_at <= '$then'}), 't|0',
	'what older samples do not have is NULL');
ok(wait_until(sub { !defined metric($node, 'my_weight_bytes') && metric($node, 'my_fresh') }), 'metrics of the old columns are gone');

# A table that changes under a probe.
$node->safe_psql('postgres', 'ALTER TABLE public.thing ALTER b TYPE date USING NULL');
ok(wait_until(sub { cost('stock', 'last_error') =~ /has type date, which a sample cannot hold|cached plan/ }), 'a type that became unfit is said')
  or diag(cost('stock', 'last_error'));
$node->safe_psql('postgres', 'ALTER TABLE public.thing ALTER b TYPE bigint USING 8');
ok(wait_until(sub { cost('stock', 'last_error') eq '' }), 'another type is sampled') or diag(cost('stock', 'last_error'));
is((sqlstate($node, 'postgres', 'SELECT * FROM pgdba.last_stock; SELECT * FROM pgdba.hist_stock'))[1], '', 'and can be read in the views of before');
$node->safe_psql('postgres', 'DROP TABLE public.thing');
ok(wait_until(sub { cost('stock', 'last_error') =~ /relation "public.thing" does not exist/ }), 'a table that is gone is said');

# ---- what goes wrong at run time ----

defined_well('twins', 'SELECT g % 2 AS k, g AS v FROM generate_series(1, 6) g', key => '{k}', columns => '{"v": {"metric": "my_twins"}}');
defined_well('many', 'SELECT g AS v FROM generate_series(1, 6) g', columns => '{"v": {"metric": "my_many"}}');
defined_well('void', 'SELECT nullif(g, 2) AS k, g AS v FROM generate_series(1, 3) g', key => '{k}', columns => '{"v": {"metric": "my_void"}}');
defined_well('bulk', q{SELECT repeat('x', 40000000) AS t, 1 AS a});
defined_well('odd', q{SELECT 'Infinity'::float8 AS a, 'NaN'::float8 AS b, 'infinity'::timestamptz AS c, 1e300::numeric AS d, ''::text AS e,
	repeat('é', 5000) AS f, '1000 years'::interval AS g, 9223372036854775807 AS h}, columns => '{"a": {"metric": "my_odd"}, "b": {"metric": "my_nan"},
	"c": {"metric": "my_late_seconds", "unit": "seconds since"}, "h": {"metric": "my_most"}}');
value_is('SELECT count(*), sum(v) FROM pgdba.last_twins', '6|21', 'rows of the same key are all kept');
value_is('SELECT count(*) FROM pgdba.last_void WHERE k IS NULL', '1', 'a NULL is a key like another');
value_is('SELECT a, b, c, octet_length(f), h FROM pgdba.last_odd', 'Infinity|NaN|infinity|10000|9223372036854775807', 'odd values come back');
ok(wait_until(sub { cost('bulk', 'runs') >= 2 }), 'a huge text');
like(cost('twins', 'last_error'), qr/same key/, 'two rows of one key are said');
like(cost('many', 'last_error'), qr/no key and returned more than one row/, 'and several rows without a key');
like(cost('bulk', 'last_error'), qr/no room in the memory ring/, 'a sample that has no room is said');
my $now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pgdba.last_$_ WHERE sampled_at > '$now'"), "probe $_ goes on")
  for qw(activity connections wide void);
drop(qw(bulk));
(undef, $page) = http_get($node, '/metrics');
append_to_file("$file.2", $page);
is(qx(promtool check metrics < '$file.2' 2>&1), '', 'promtool has no complaint');

# What is elsewhere needs a password, which the sampler has not.
my ($host, $port) = ($node->host, $node->port);
$node->safe_psql('postgres', <<"EOF");
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'postgres');
CREATE FOREIGN TABLE public.far (oid oid) SERVER elsewhere OPTIONS (schema_name 'pg_catalog', table_name 'pg_authid');
GRANT SELECT ON public.far TO PUBLIC;
EOF
defined_well('far', 'SELECT count(*) AS a FROM public.far');
ok(wait_until(sub { cost('far', 'last_error') =~ /^password .* required \(SQLSTATE 2F003\)$/ }), 'a foreign table is not reached')
  or diag(cost('far', 'last_error'));
drop('far');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postgres_fdw'}), '0', 'and no session is left there');

# ---- gone ----

drop(qw(wide twins many void odd stock));
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ '(wide|twins|many|void|odd|stock|bulk)$'}), '0', 'their views are gone');
ok(wait_until(sub { (undef, $page) = http_get($node, '/metrics'); $page !~ /^my_/m }), 'so are their metrics');
value_is(q{SELECT count(*) FROM pgdba.cost() WHERE probe ~ '^(wide|twins|many|void|odd|stock|bulk)$'}, '0', 'and their cost');
defined_well('stock', 'SELECT 1 AS other');
is((sqlstate($node, 'postgres', 'SELECT * FROM pgdba.hist_stock'))[1], '', 'old samples do no harm to a probe of the same name');
ok(settled($node), 'sampling goes on');

# A variant is held to what its probe returns.
is(scalar(sqlstate($node, 'postgres', q{SELECT pgdba.define_probe('varied', 'hot', 'SELECT 1 AS a', '{a}', '{}');
	SELECT pgdba.define_probe_variant('varied', 150000, 'SELECT 2 AS b')})), '22023', 'a variant without the key column is refused');
is((sqlstate($node, 'postgres', q{SELECT pgdba.define_probe_variant('varied', 150000, 'SELECT ''x''::text AS a, 3 AS c')}))[1], '', 'one with other types is not');
value_is(q{SELECT a, c FROM pgdba.last_varied}, 'x|3', 'and its views are those of the variant');

# What came after CREATE EXTENSION goes with it.
is((sqlstate($node, 'postgres', 'DROP EXTENSION pgdba'))[1], '', 'DROP EXTENSION needs no CASCADE');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'pgdba'::regnamespace}), '0', 'and leaves nothing');

$node->stop;
done_testing();
