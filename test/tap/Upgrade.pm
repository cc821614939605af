# What the tests of upgrades share: things that users define, whether all of it works, and the extension's objects.
package Upgrade;

use strict;
use warnings FATAL => 'all';

use Exporter qw(import);
use File::Basename qw(dirname);
use Pgdba;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw($own own_rows version_in all_works catalog same_catalog);

# What users define, of every kind.
our $own = <<'EOF';
SELECT pgdba.define_probe('mine', 'hot', 'SELECT 7 AS seven, ''it''''s'' AS word', '{}',
	'{"seven": {"kind": "gauge", "metric": "mine_seven", "help": "Seven"}}');
SELECT pgdba.define_probe_variant('mine', 150000, 'SELECT 8 AS seven, ''it''''s'' AS word');
SELECT pgdba.define_check('my.seven', $$SELECT 'cluster' AS object, NULL::text AS database, m.seven AS value, '' AS unit,
	'{}'::jsonb AS evidence FROM pgdba.last_mine m$$, '{"title": "Seven", "loop": "hot", "probes": ["mine"],
	"thresholds": {"info": 0}, "message": "seven is {value}", "why": "It is.", "action": "Count."}');
SELECT pgdba.set_threshold('locks.blocked', '%', 11, 12);
UPDATE pgdba.threshold SET floor = '{"n": 3}';
EOF

sub own_rows {
	my ($where, $database) = @_;
	return $where->safe_psql($database, <<'EOF');
SELECT to_jsonb(p) FROM pgdba.probe p WHERE origin = 'user'
UNION ALL SELECT to_jsonb(v) FROM pgdba.probe_variant v WHERE origin = 'user'
UNION ALL SELECT to_jsonb(c) FROM pgdba.check_definition c WHERE origin = 'user'
UNION ALL SELECT to_jsonb(t) FROM pgdba.threshold t ORDER BY 1
EOF
}

sub version_in {
	my ($where, $database) = @_;
	return $where->safe_psql($database, q{SELECT extversion FROM pg_extension WHERE extname = 'pgdba'});
}

# Whether all of the home database is sampled and judged: every loop ran, nothing failed, also what is the user's.
sub all_works {
	my ($where) = @_;
	ok(settled($where), 'it is sampled');
	ok(samples_reach_tables($where), 'into the tables');
	is(sqlstate($where, 'postgres', 'SELECT pgdba.sample_now()'), '00000', 'every loop runs');
	is($where->safe_psql('postgres', q{SELECT string_agg(probe || ': ' || last_error, '; ') FROM pgdba.cost()
		WHERE errors > 0}), '', 'no probe fails');
	for my $verdicts ('pgdba.verdicts', 'pgdba.verdicts_at(now())') {
		is($where->safe_psql('postgres', "SELECT string_agg(check_id || ': ' || message, '; ') FROM $verdicts
			WHERE message ~ '^(its query failed|check .* cannot be read|probe .* does not exist)' AND check_id <> 'my.gone'"), '',
			"every check can be judged: $verdicts");
	}
	ok(wait_until(sub { (metric($where, 'mine_seven') // 0) == 8 }), "a user's probe is sampled");
	ok($where->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pgdba.verdicts
		WHERE check_id = 'my.seven' AND message = 'seven is 8'}), "a user's check is judged");
	return;
}

# catalog NODE, DATABASE: all that the extension is made of there, a line each.
sub catalog {
	my ($node, $database) = @_;
	my ($code, $out, $err) = $node->psql($database, slurp_file(dirname(__FILE__) . '/catalog.sql'), on_error_stop => 1);
	BAIL_OUT("catalog.sql failed: $err") if $code != 0;
	return { map { $_ => 1 } split /\n/, $out };
}

sub same_catalog {
	my ($got, $expected, $name) = @_;
	my @differences = ((map { "too much: $_" } grep { !$expected->{$_} } sort keys %$got),
		map { "missing: $_" } grep { !$got->{$_} } sort keys %$expected);
	return is(scalar(@differences), 0, $name) || diag(map { substr($_, 0, 1000) . "\n" } splice @differences, 0, 40);
}

1;
