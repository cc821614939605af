# What databases consist of: bounds of partitions as the server prints them, read without its locks, and partitions that end
# or miss; foreign keys without an index, constraints that nobody validated, collations that changed; what is counted.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $conf = join "\n", map { "pgdba.${_}_interval = '1h'" } qw(hot workload storage hourly);
my $node = pgdba_node('schema', init => { extra => [ '--encoding=UTF8', '--locale=C' ] }, conf => <<EOF);
$conf
autovacuum = off
log_timezone = 'America/St_Johns'
pgdba.top_relations = 1000
pgdba.max_series = 20000
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
ok(wait_until(sub { sqlstate($node, 'postgres', 'SELECT pgdba.sample_now()') eq '00000' }), 'sampling goes on');

# sample LOOP: the counters of the session that asks have arrived by then.
sub sample { $node->safe_psql('postgres', "SELECT pgdba.sample_now('$_[0]')"); return; }

# ask SQL: what the samples, or the findings, say. told SQL: what the server says in database shop.
sub ask { return $node->safe_psql('postgres', "SET timezone = 'America/St_Johns'; $_[0]"); }
sub told { return $node->safe_psql('shop', "SET timezone = 'America/St_Johns'; $_[0]"); }

sub findings {
	my ($check) = @_;
	return ask("SELECT severity || ' ' || object FROM pgdba.verdicts WHERE check_id = '$check' AND severity <> 'ok' ORDER BY 1");
}

# ---- bounds of partitions ----

# Of each type a chain of bounds, with a table of one partition between each two: what the probe calls the lowest and the
# highest bound are the two of that partition.
my @powers = map { ("2::numeric^$_ - 1", "2::numeric^$_", "2::numeric^$_ + 1") } (0, 7, 8, 15, 16, 24, 31, 32, 40, 48, 56, 62);
my $numbers = sub {
	my ($bits) = @_;
	return "SELECT trunc(n)::text FROM (SELECT unnest(ARRAY[" . join(', ', @powers) . "]) * s AS n FROM (VALUES (1), (-1)) v (s)
		UNION SELECT unnest(ARRAY[-(2::numeric^$bits), -(2::numeric^$bits) + 1, 2::numeric^$bits - 2, 2::numeric^$bits - 1, 0])) u
		WHERE n BETWEEN -(2::numeric^$bits) AND 2::numeric^$bits - 1 GROUP BY trunc(n) ORDER BY trunc(n)";
};
my %bounds = (
	int2 => $numbers->(15), int4 => $numbers->(31), int8 => $numbers->(63),
	date => q{VALUES ('-infinity'), ('4700-01-01 BC'), ('0001-12-31 BC'), ('1969-12-31'), ('1999-12-31'), ('2000-01-01'), ('2000-01-02'),
		('2024-02-29'), ('2026-11-01'), ('9999-12-31'), ('290000-01-01'), ('5874897-12-31'), ('infinity')},
	timestamp => q{VALUES ('-infinity'), ('4700-01-01 00:00:00 BC'), ('1969-12-31 23:59:59.999999'), ('1999-12-31 23:59:59.999999'),
		('2000-01-01'), ('2000-01-01 00:00:00.000001'), ('2026-11-01 01:30:00'), ('2026-11-01 03:00:00.123456'),
		('290000-01-01 00:00:00'), ('infinity')},
	timestamptz => q{VALUES ('-infinity'), ('4700-01-01 00:00:00+00 BC'), ('1999-12-31 23:59:59.999999+00'), ('2000-01-01 00:00:00+00'),
		('2000-01-01 00:00:00.000001+00'), ('2026-03-29 02:30:00-08'), ('2026-11-01 03:00:00.654321+00'), ('290000-01-01 00:00:00+00'),
		('infinity')});
told("CREATE SCHEMA bounds; SET search_path = bounds;
	DO \$\$ DECLARE bound text; before text; number int; BEGIN\n" . join('', map { <<EOF } sort keys %bounds) . 'END $$');
before := NULL; number := 0;
FOR bound IN SELECT * FROM ($bounds{$_}) b LOOP
	number := number + 1;
	EXECUTE format('CREATE TABLE $_\_%s (k $_) PARTITION BY RANGE (k)', number);
	EXECUTE format('CREATE TABLE part_$_\_%s PARTITION OF $_\_%s FOR VALUES FROM (%s) TO (%L)', number, number,
		coalesce(quote_literal(before), 'MINVALUE'), bound);
	before := bound;
END LOOP;
EXECUTE 'CREATE TABLE $_\_0 (k $_) PARTITION BY RANGE (k)';
EXECUTE format('CREATE TABLE part_$_\_0 PARTITION OF $_\_0 FOR VALUES FROM (%L) TO (MAXVALUE)', before);
EOF

# As pg_get_expr() prints it, in the same time zone. Of what is open on one side both are the other bound.
my $printed = told(q{SELECT t.relname, coalesce(low.value, high.value), coalesce(high.value, low.value), low.value IS NULL AND high.value IS NULL
	FROM pg_class p JOIN pg_inherits i ON i.inhrelid = p.oid JOIN pg_class t ON t.oid = i.inhparent
	CROSS JOIN LATERAL regexp_match(pg_get_expr(p.relpartbound, p.oid), $$FROM \('?([^')]*)'?\) TO \('?([^')]*)'?\)$$) b
	CROSS JOIN LATERAL (SELECT CASE WHEN b[1] NOT IN ('MINVALUE', '-infinity', 'infinity') AND b[1] !~ '^(5874897|294276)'
		THEN CASE WHEN t.relname LIKE 'int%' THEN b[1] ELSE b[1]::timestamptz::text END END) low (value)
	CROSS JOIN LATERAL (SELECT CASE WHEN b[2] NOT IN ('MAXVALUE', '-infinity', 'infinity') AND b[2] !~ '^(5874897|294276)'
		THEN CASE WHEN t.relname LIKE 'int%' THEN b[2] ELSE b[2]::timestamptz::text END END) high (value)
	WHERE p.relpartbound IS NOT NULL AND t.relnamespace = 'bounds'::regnamespace ORDER BY t.relname});
my $holder = session($node, 'shop');
$holder->query_safe('BEGIN; LOCK TABLE bounds.int4_7, bounds.date_5'); # and their partitions
sample('storage');
my $read = ask(q{SELECT relname, coalesce(oldest_number::text, oldest_time::text), coalesce(newest_number::text, newest_time::text),
	oldest_number IS NULL AND oldest_time IS NULL
	FROM pgdba.last_partition WHERE db = 'shop' AND schema = 'bounds' ORDER BY relname});
$holder->query_safe('COMMIT');
is($read, $printed, 'bounds are read as the server prints them, of locked tables too');
cmp_ok(scalar(split /\n/, $read), '>', 150, 'all of them');
is(ask(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pgdba.last_partition WHERE schema = 'bounds' AND open_start}),
	'date_1 date_2 int2_1 int4_1 int8_1 timestamp_1 timestamp_2 timestamptz_1 timestamptz_2', 'MINVALUE and -infinity are open starts');
is(ask(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pgdba.last_partition WHERE schema = 'bounds' AND open_end}),
	'date_0 date_12 date_13 int2_0 int4_0 int8_0 timestamp_0 timestamp_10 timestamptz_0 timestamptz_9',
	'MAXVALUE, infinity and what no timestamptz holds are open ends');

told('SET client_min_messages = warning; DROP SCHEMA bounds CASCADE');

# ---- keys, levels, widths, gaps ----

told(<<'EOF');
CREATE SCHEMA "Odd.""S"; SET search_path = "Odd.""S";
CREATE DOMAIN day AS date;
CREATE TABLE by_domain (k day) PARTITION BY RANGE (k);
CREATE TABLE by_domain_1 PARTITION OF by_domain FOR VALUES FROM ('2020-01-01') TO ('2020-01-08');
CREATE TABLE by_expression (k date) PARTITION BY RANGE ((extract(year FROM k)::int));
CREATE TABLE by_expression_1 PARTITION OF by_expression FOR VALUES FROM (2020) TO (2030);
CREATE TABLE by_two (k int, l text) PARTITION BY RANGE (k, l);
CREATE TABLE by_two_1 PARTITION OF by_two FOR VALUES FROM (5, '[ }{:upperdatums') TO (5, '} :value {CONST');
CREATE TABLE by_two_2 PARTITION OF by_two FOR VALUES FROM (6, MINVALUE) TO (9, MAXVALUE);
CREATE TABLE by_text (k text) PARTITION BY RANGE (k);
CREATE TABLE by_text_1 PARTITION OF by_text FOR VALUES FROM ('a') TO ('b');
CREATE TABLE by_numeric (k numeric) PARTITION BY RANGE (k);
CREATE TABLE by_numeric_1 PARTITION OF by_numeric FOR VALUES FROM (1.5) TO (MAXVALUE);
CREATE TABLE by_wide (k bigint) PARTITION BY RANGE (k);
CREATE TABLE by_wide_1 PARTITION OF by_wide FOR VALUES FROM (-9223372036854775808) TO (9223372036854775807);
CREATE TABLE by_list (k int) PARTITION BY LIST (k);
CREATE TABLE by_list_1 PARTITION OF by_list FOR VALUES IN (1, 2, NULL);
CREATE TABLE by_list_rest PARTITION OF by_list DEFAULT;
CREATE TABLE empty (k int) PARTITION BY RANGE (k);
CREATE TABLE holes (k int) PARTITION BY RANGE (k);
CREATE TABLE holes_1 PARTITION OF holes FOR VALUES FROM (0) TO (10);
CREATE TABLE holes_2 PARTITION OF holes FOR VALUES FROM (10) TO (20);
CREATE TABLE holes_3 PARTITION OF holes FOR VALUES FROM (30) TO (40);
CREATE TABLE holes_4 PARTITION OF holes FOR VALUES FROM (50) TO (MAXVALUE);
CREATE TABLE "Top" (k int, t timestamptz) PARTITION BY LIST (k);
CREATE TABLE mid PARTITION OF "Top" FOR VALUES IN (1) PARTITION BY RANGE (t);
CREATE TABLE low PARTITION OF mid FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-01-02 00:00+00') PARTITION BY HASH (k);
CREATE TABLE leaf_1 PARTITION OF low FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE leaf_2 PARTITION OF low FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE leaf_3 PARTITION OF "Top" FOR VALUES IN (2);
CREATE TABLE old (k int); CREATE TABLE old_child () INHERITS (old);
EOF
sample('storage');
is(ask(q{SELECT relname, strategy, key_columns, key_types, partitions, leaves, levels, is_time, oldest_number, newest_number, width, gaps,
		open_end, ahead_seconds IS NOT NULL
	FROM pgdba.last_partition WHERE schema = 'Odd."S' ORDER BY relname}), <<'EOF' =~ s/\n$//r, 'every kind of key');
Top|list|k|integer|2|3|3|||||||f
by_domain|range|k|"Odd.""S".day|1|1|1|t||||0|f|t
by_expression|range|(expression)|(expression)|1|1|1|f|2020|2030|10|0|f|f
by_list|list|k|integer|2|2|1|||||||f
by_numeric|range|k|numeric|1|1|1|||||0|t|f
by_text|range|k|text|1|1|1|||||0|f|f
by_two|range|k, l|integer, text|2|2|1|f|5|9|1.5||f|f
by_wide|range|k|bigint|1|1|1|f|-9223372036854775808|9223372036854775807|1.8446744073709552e+19|0|f|f
empty|range|k|integer|0|0|0|||||||f
holes|range|k|integer|4|4|1|f|0|50|10|2|t|f
low|hash|k|integer|2|2|1|||||||f
mid|range|t|timestamp with time zone|1|2|2|t||||0|f|t
EOF
is(ask(q{SELECT oldest_time = '2020-01-01', newest_time = '2020-01-08', width_seconds FROM pgdba.last_partition WHERE relname = 'by_domain'}),
	't|t|604800', 'a domain is the type that it stands on');
is(ask(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pgdba.last_partition WHERE below_time}), 'low', 'what is below ranges of time');
is(metric($node, 'pg_partitions', db => 'shop', relation => '\\"Odd.\\"\\"S\\".holes'), '4', 'the number is a metric');

# ---- partitions that end, default partitions ----

told(<<'EOF');
CREATE TABLE visits (t timestamptz, n int) PARTITION BY RANGE (t);
SELECT format('CREATE TABLE visits_%s PARTITION OF visits FOR VALUES FROM (%L) TO (%L)', 10 + d, now() + d * interval '1 day',
	now() + (d + 1) * interval '1 day') FROM generate_series(-10, 0) d \gexec
CREATE TABLE visits_rest PARTITION OF visits DEFAULT PARTITION BY HASH (n);
CREATE TABLE visits_rest_1 PARTITION OF visits_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visits_rest_2 PARTITION OF visits_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
EOF
sample('storage');
is(ask(q{SELECT round(width_seconds), round(ahead_partitions::numeric, 1) BETWEEN 0.9 AND 1, abs(extract(epoch FROM newest_time - sampled_at)
		- ahead_seconds) < 5, default_relname, default_rows, default_bytes FROM pgdba.last_partition WHERE relname = 'visits'}),
	'86400|t|t|visits_rest||0', 'how far the last partition is ahead');
is(findings('partitions.missing'), 'warning relation:shop/public.visits', 'too little is a finding');
is(findings('partitions.default_rows'), '', 'an empty default partition is none');
told(q{SELECT format('CREATE TABLE visits_%s PARTITION OF visits FOR VALUES FROM (%L) TO (%L)', 20 + d, t + d * interval '1 day',
	t + (d + 1) * interval '1 day') FROM generate_series(0, 1) d, (SELECT (regexp_match(pg_get_expr(relpartbound, oid), $$TO \('(.*)'\)$$))[1]::timestamptz
	AS t FROM pg_class WHERE relname = 'visits_10') l \gexec
	INSERT INTO visits SELECT now() + interval '90 days', g FROM generate_series(1, 40) g;});
ok(wait_until(sub { sample('storage'); ask(q{SELECT default_rows = 40 FROM pgdba.last_partition WHERE relname = 'visits'}) eq 't' }),
	'rows of a default partition, of all its parts');
is(findings('partitions.missing'), '', 'enough ahead is quiet');
is(findings('partitions.default_rows'), 'warning relation:shop/public.visits_rest', 'rows in the default partition are a finding');
is(ask(q{SELECT default_bytes FROM pgdba.last_partition WHERE relname = 'visits'}),
	told(q{SELECT pg_relation_size('visits_rest_1') + pg_relation_size('visits_rest_2')}), 'its size is that of its parts');
told('DELETE FROM visits_rest; VACUUM visits_rest_1, visits_rest_2');
sample('storage');
is(findings('partitions.default_rows'), '', 'without them it is quiet');

# A detach that did not get to its end.
$holder->query_safe('BEGIN; SELECT count(*) FROM visits');
is(sqlstate($node, 'shop', "SET lock_timeout = '10ms';\nALTER TABLE visits DETACH PARTITION visits_21 CONCURRENTLY"), '55000',
	'a default partition forbids a concurrent detach');
$holder->query_safe('COMMIT; BEGIN; SELECT count(*) FROM "Odd.""S".holes');
is(sqlstate($node, 'shop', qq{SET lock_timeout = '10ms';\nALTER TABLE "Odd.""S".holes DETACH PARTITION "Odd.""S".holes_4 CONCURRENTLY}), '55P03',
	'a detach that waits too long');
$holder->query_safe('COMMIT');
sample('storage');
is(ask(q{SELECT partitions, detaching, open_end, newest_number FROM pgdba.last_partition WHERE relname = 'holes'}), '4|1|f|40',
	'is counted, and has no bounds any more');

# ---- foreign keys ----

told(<<'EOF');
CREATE SCHEMA fk; SET search_path = fk;
CREATE TABLE p (a int, b int, t text, u text COLLATE "POSIX", v int UNIQUE, PRIMARY KEY (a, b), UNIQUE (a), UNIQUE (t), UNIQUE (u));
CREATE TABLE "no.index" (a int REFERENCES p (a), "B""" int, "c, d" int, FOREIGN KEY ("c, d", "B""") REFERENCES p);
CREATE TABLE any_order (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON any_order (b, a, c);
CREATE TABLE late (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES p); CREATE INDEX ON late (b, c, a);
CREATE TABLE partial (a int REFERENCES p (a)); CREATE INDEX ON partial (a) WHERE a > 0;
CREATE TABLE included (a int REFERENCES p (a), b int); CREATE INDEX ON included (b) INCLUDE (a);
CREATE TABLE brin (a int REFERENCES p (a)); CREATE INDEX ON brin USING brin (a);
CREATE TABLE hash (a int REFERENCES p (a)); CREATE INDEX ON hash USING hash (a);
CREATE TABLE invalid (a int REFERENCES p (a)); CREATE INDEX ON invalid (a);
UPDATE pg_index SET indisvalid = false WHERE indrelid = 'invalid'::regclass;
CREATE TABLE collated (t text REFERENCES p (t)); CREATE INDEX ON collated (t COLLATE "C");
CREATE TABLE pattern (t text REFERENCES p (t)); CREATE INDEX ON pattern (t text_pattern_ops);
CREATE TABLE limited (t varchar(5) REFERENCES p (t)); CREATE INDEX ON limited (t);
CREATE DOMAIN number AS int;
CREATE TABLE domained (a number REFERENCES p (a)); CREATE INDEX ON domained (a);
CREATE TABLE longer (id bigint REFERENCES p (a)); CREATE INDEX ON longer (id);
CREATE TABLE late_check (a int); CREATE INDEX ON late_check (a);
ALTER TABLE late_check ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES p (a) NOT VALID;
CREATE TABLE parts (a int REFERENCES p (a)) PARTITION BY RANGE (a);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (5);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (5) TO (9) PARTITION BY HASH (a);
CREATE TABLE part_21 PARTITION OF part_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX ON part_1 (a);
CREATE TABLE fine (x int, a int REFERENCES p (a)) PARTITION BY RANGE (a);
CREATE TABLE fine_1 (z int, a int, x int); ALTER TABLE fine_1 DROP COLUMN z;
ALTER TABLE fine ATTACH PARTITION fine_1 FOR VALUES FROM (0) TO (5);
CREATE INDEX ON fine_1 (a);
CREATE TABLE q (a int PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE q_1 PARTITION OF q FOR VALUES FROM (0) TO (100);
CREATE TABLE q_2 PARTITION OF q FOR VALUES FROM (100) TO (200);
CREATE TABLE "big""child" (a int REFERENCES q, filler text);
INSERT INTO "big""child" SELECT NULL, repeat('x', 1000) FROM generate_series(1, 12000);
INSERT INTO q SELECT generate_series(0, 199);
DELETE FROM q WHERE a IN (1, 2, 101);
EOF
ok(wait_until(sub { sample('hourly'); ask(q{SELECT referred_deletes = 3 FROM pgdba.last_foreign_key WHERE relname = 'big"child'}) eq 't' }),
	'deletes from all partitions of what is referred to are counted');
is(ask(q{SELECT relname, columns, referred_columns, has_index, mismatch, is_validated FROM pgdba.last_foreign_key
	WHERE schema = 'fk' ORDER BY relname, columns::text}), <<'EOF' =~ s/\n$//r, 'foreign keys with a fault, and no other');
big"child|["a"]|["a"]|f||t
brin|["a"]|["a"]|f||t
collated|["t"]|["t"]|f||t
included|["a"]|["a"]|f||t
invalid|["a"]|["a"]|f||t
late|["a", "b"]|["a", "b"]|f||t
late_check|["a"]|["a"]|t||f
longer|["id"]|["a"]|t|id is bigint, a is integer|t
no.index|["a"]|["a"]|f||t
no.index|["c, d", "B\""]|["a", "b"]|f||t
partial|["a"]|["a"]|f||t
parts|["a"]|["a"]|f||t
EOF
is(ask(q{SELECT size_bytes FROM pgdba.last_foreign_key WHERE relname = 'big"child'}), told(q{SELECT pg_relation_size('fk."big""child"')}),
	'with the size of the table');
is(findings('foreign_keys.no_index'), 'warning constraint:shop/fk."big""child"."big""child_a_fkey"', 'the large one is a finding');
my $sql = ask(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'foreign_keys.no_index'});
is($sql, 'CREATE INDEX CONCURRENTLY ON fk."big""child" (a);', 'with the index to create');
$node->safe_psql('shop', $sql);
sample('hourly');
is(findings('foreign_keys.no_index'), '', 'after that it is quiet');

# ---- constraints ----

told(<<'EOF' . ($version >= 180000 ? <<'EOF' : ''));
CREATE SCHEMA c; SET search_path = c;
CREATE TABLE "t'" (a int, b int);
ALTER TABLE "t'" ADD CONSTRAINT "pos""itive" CHECK (a > 0) NOT VALID;
ALTER TABLE "t'" ADD CONSTRAINT done CHECK (a > 0) NOT VALID;
ALTER TABLE "t'" VALIDATE CONSTRAINT done;
CREATE TABLE child () INHERITS ("t'");
CREATE DOMAIN d AS int;
ALTER DOMAIN d ADD CONSTRAINT domain_check CHECK (VALUE > 0) NOT VALID;
EOF
ALTER TABLE "t'" ADD CONSTRAINT wish CHECK (a > 1) NOT ENFORCED;
ALTER TABLE "t'" ADD CONSTRAINT filled NOT NULL b NOT VALID;
EOF
sample('hourly');
is(ask(q{SELECT relname, constraint_name, kind, of_domain, is_enforced FROM pgdba.last_constraint WHERE db = 'shop' ORDER BY 2}),
	$version >= 180000 ? "d|domain_check|check|t|t\nt'|filled|not null|f|t\nlate_check|later|foreign key|f|t\nt'|pos\"itive|check|f|t\nt'|wish|check|f|f"
	: "d|domain_check|check|t|\nlate_check|later|foreign key|f|\nt'|pos\"itive|check|f|", 'constraints that were not validated');
$node->safe_psql('shop', $_) for split(/\n/, ask(q{SELECT string_agg(sql, E'\n') FROM pgdba.verdicts WHERE check_id = 'constraints.not_valid'})),
	'ALTER DOMAIN c.d VALIDATE CONSTRAINT domain_check';
sample('hourly');
is(findings('constraints.not_valid'), '', 'after the SQL of the findings there is none');

# ---- collations ----

SKIP: {
	skip 'a server without ICU', 7 unless $node->safe_psql('postgres', q{SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i'}) eq 't';
	$node->safe_psql('postgres', q{CREATE DATABASE "sor.ted" LOCALE_PROVIDER icu ICU_LOCALE 'en' TEMPLATE template0});
	$node->safe_psql('sor.ted', <<'EOF');
CREATE TABLE t (a text, b text COLLATE "de-x-icu", c text COLLATE "C", n int);
CREATE INDEX by_a ON t (a);
CREATE INDEX by_both ON t (b, a);
CREATE INDEX by_c ON t (c, n);
CREATE TABLE r (a text) PARTITION BY RANGE (a);
ALTER TABLE t ADD EXCLUDE USING btree (a WITH =);
EOF
	sample('hourly');
	is(ask(q{SELECT collation_name, provider, recorded_version, actual_version, is_changed, indexes, partitioned_tables
		FROM pgdba.last_collation WHERE db = 'sor.ted' ORDER BY 1}),
		$node->safe_psql('sor.ted', q{SELECT 'de-x-icu', 'icu', collversion, pg_collation_actual_version(oid), false, 1, 0
			FROM pg_collation WHERE collname = 'de-x-icu' UNION ALL
			SELECT 'default', 'icu', datcollversion, pg_database_collation_actual_version(oid), false, 3, 1
			FROM pg_database WHERE datname = 'sor.ted' ORDER BY 1}), 'versions as the server has them');
	is(ask(q{SELECT count(*) FROM pgdba.last_collation WHERE db = 'shop' AND recorded_version IS NULL AND actual_version IS NULL
		AND is_changed IS NULL AND collation_name = 'default'}), '1', 'locale C has none');
	is(findings('collations.changed'), '', 'which is no finding');
	$node->safe_psql('sor.ted', q{UPDATE pg_database SET datcollversion = '1' WHERE datname = 'sor.ted';
		UPDATE pg_collation SET collversion = '2' WHERE collname = 'de-x-icu'});
	sample('hourly');
	is(findings('collations.changed'), qq{critical collation:"sor.ted"/pg_catalog."de-x-icu"\ncritical collation:"sor.ted"/pg_catalog."default"},
		'other versions are findings');
	is(metric($node, 'pg_collation_changed', db => 'sor.ted', collation_text => 'pg_catalog.default'), '1', 'and a metric');
	my ($print, $refresh) = split /\n/, ask(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'collations.changed' AND object LIKE '%"default"'});
	my $rebuild = $node->safe_psql('sor.ted', $print);
	is($rebuild =~ s/\n/ /gr, 'REINDEX INDEX CONCURRENTLY public.by_a; REINDEX INDEX CONCURRENTLY public.by_both; REINDEX INDEX public.t_a_excl;',
		'the SQL prints what rebuilds the indexes that use it, and no other');
	$node->safe_psql('sor.ted', $_) for split(/\n/, $rebuild), $refresh,
		split /\n/, ask(q{SELECT sql FROM pgdba.verdicts WHERE check_id = 'collations.changed' AND object NOT LIKE '%"default"'});
	sample('hourly');
	is(findings('collations.changed'), '', 'then it is quiet');
}

# ---- what there is ----

# As other views of the server count it, in a database of its own.
$node->safe_psql('postgres', 'CREATE DATABASE facts');
$node->safe_psql('facts', <<'EOF');
CREATE UNLOGGED TABLE unlogged (a int PRIMARY KEY, b text);
CREATE TABLE nothing (a int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE full_row (a int); ALTER TABLE full_row REPLICA IDENTITY FULL;
CREATE TABLE by_index (a int NOT NULL UNIQUE); ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a_key;
CREATE TABLE none (a int, b serial);
CREATE TABLE keyed (a int PRIMARY KEY, b int, c int REFERENCES nothing);
CREATE INDEX ON keyed (b); CREATE INDEX ON keyed (c);
CREATE VIEW v AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA;
CREATE MATERIALIZED VIEW filled AS SELECT 1 AS a;
CREATE TYPE pair AS (a int, b int);
CREATE TABLE parts (a int) PARTITION BY RANGE (a); CREATE INDEX ON parts (a);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (1);
CREATE RULE r AS ON INSERT TO none DO ALSO SELECT 1;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TRIGGER t_on BEFORE INSERT ON keyed FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER t_off BEFORE INSERT ON none FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE none DISABLE TRIGGER t_off;
CREATE EVENT TRIGGER e_on ON ddl_command_end EXECUTE FUNCTION e();
CREATE EVENT TRIGGER e_off ON ddl_command_end EXECUTE FUNCTION e(); ALTER EVENT TRIGGER e_off DISABLE;
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE ft (a int) SERVER srv;
SELECT 'CREATE TABLE wide (' || string_agg('c' || n || ' int', ',') || ')' FROM generate_series(1, 501) n \gexec
SELECT 'CREATE TABLE nearly_wide (' || string_agg('c' || n || ' int', ',') || ')' FROM generate_series(1, 500) n \gexec
CREATE STATISTICS "s.1" (mcv, ndistinct) ON a, b FROM keyed; ALTER STATISTICS "s.1" SET STATISTICS 50;
CREATE STATISTICS s_2 ON (a + 1) FROM keyed;
EOF
sample('hourly');
is(ask(q{SELECT tables, partitioned_tables, partitions, indexes, views, materialized_views, unpopulated_views, sequences, foreign_tables,
	composite_types, unlogged_tables, tables_without_primary_key, most_columns, rules, foreign_servers, triggers, event_triggers, temp_tables
	FROM pgdba.last_schema_fact WHERE db = 'facts'}),
	$node->safe_psql('facts', q{SELECT (SELECT count(*) FROM pg_stat_user_tables u JOIN pg_class c ON c.oid = u.relid AND c.relkind = 'r'),
	(SELECT count(*) FROM pg_partitioned_table), (SELECT count(*) FROM pg_partition_tree('parts') WHERE isleaf),
	(SELECT count(*) FROM pg_stat_user_indexes u JOIN pg_class c ON c.oid = u.indexrelid AND c.relkind = 'i'),
	(SELECT count(*) FROM pg_views WHERE schemaname = 'public'), (SELECT count(*) FROM pg_matviews),
	(SELECT count(*) FROM pg_matviews WHERE NOT ispopulated), (SELECT count(*) FROM pg_sequences),
	(SELECT count(*) FROM information_schema.foreign_tables), 1, 1,
	(SELECT count(*) FROM information_schema.tables t WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'part_1'
		AND NOT EXISTS (SELECT FROM information_schema.table_constraints k WHERE k.table_name = t.table_name AND constraint_type = 'PRIMARY KEY')),
	(SELECT max(ordinal_position) FROM information_schema.columns WHERE table_schema = 'public'),
	(SELECT count(*) FROM pg_rules WHERE schemaname = 'public'), (SELECT count(*) FROM information_schema.foreign_servers),
	2, 1, 0}), 'what there is, as other views count it');
is(ask(q{SELECT wide_tables, tables_without_replica_identity, most_indexes, most_indexes_relname, disabled_triggers, disabled_foreign_keys,
	foreign_keys, statistics_objects FROM pgdba.last_schema_fact WHERE db = 'facts'}), '1|5|3|keyed|1|0|1|2', 'and what is out of the ordinary');
$node->safe_psql('facts', 'ALTER TABLE keyed DISABLE TRIGGER ALL');
sample('hourly');
is(ask(q{SELECT disabled_triggers, disabled_foreign_keys FROM pgdba.last_schema_fact WHERE db = 'facts'}), '2|1',
	'a foreign key whose triggers are disabled does not hold');
is(metric($node, 'pg_schema_disabled_foreign_keys', db => 'facts'), '1', 'which is a metric');
is(ask(q{SELECT statistics_name, table_name, kinds, columns, has_expressions, target FROM pgdba.last_statistics_object WHERE db = 'facts' ORDER BY 1}),
	qq{s.1|keyed|["ndistinct", "mcv"]|["a", "b"]|f|50\ns_2|keyed|["expressions"]||t|}, 'extended statistics');

# A temporary table of a session that the server did not survive; numbers of sessions are given out from the lowest.
my @sessions = map { session($node, 'facts') } 1 .. 8;
$_->query_safe('CREATE TEMP TABLE temporary (a int, b text)') for @sessions;
sample('hourly');
is(ask(q{SELECT temp_tables, orphaned_temp_tables, temp_xid_age BETWEEN 0 AND 1000 FROM pgdba.last_schema_fact WHERE db = 'facts'}),
	$version >= 160000 ? '8|0|t' : '8||t', 'temporary tables of sessions are no orphans');
$node->stop('immediate');
$_->{run}->kill_kill for @sessions, $holder;
$node->start;
ok(wait_until(sub { sqlstate($node, 'postgres', 'SELECT pgdba.sample_now()') eq '00000' }), 'sampling goes on after a crash');
sample('hourly');
is(ask(q{SELECT temp_tables, orphaned_temp_tables FROM pgdba.last_schema_fact WHERE db = 'facts'}),
	$version >= 160000 ? '8|8' : '8|', 'after a crash they are');

is(ask(q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost() WHERE errors > 0
	AND probe IN ('partition', 'foreign_key', 'constraint', 'collation', 'schema_fact', 'statistics_object')}), '', 'no probe has failed');
$node->stop;
done_testing();
