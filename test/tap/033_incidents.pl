# Slow sessions and incidents in a live server: what the sampler adds up and records by itself, what is written for it, and
# that it lasts: over a crash, on a standby, and after its promotion.
use strict;
use warnings FATAL => 'all';

use JSON::PP qw(decode_json);
use Pgdba;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = pgdba_node('incidents', init => { allows_streaming => 1 }, conf => <<'EOF');
shared_preload_libraries = 'pgdba, pg_stat_statements'
pgdba.slow_session = '300ms'
pgdba.workload_interval = '500ms'
track_io_timing = on
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pgdba; CREATE TABLE account (id int, amount int); INSERT INTO account VALUES (1, 100)');
ok(settled($node), 'sampling');

sub value { return $_[1]->safe_psql('postgres', $_[0]); }
sub becomes {
	my ($query, $name, $on) = @_;
	return ok(($on // $node)->poll_query_until('postgres', $query), $name);
}

# The newest incident of a check, as a document.
sub incident {
	my ($check, $on) = @_;
	my $text = value("SELECT pgdba.incident(max(id)) FROM pgdba.incidents WHERE check_id = '$check'", $on // $node);
	return $text eq '' ? undef : decode_json($text);
}

# ---- slow sessions ----

my ($holder, $waiter) = (session($node), session($node));
$holder->query_safe('BEGIN; UPDATE account SET amount = 1');
$waiter->query_until(qr/begun/, "\\echo begun\nUPDATE account SET amount = 2;\n");
becomes(q{SELECT count(*) = 1 FROM pgdba.last_slow_session w JOIN pgdba.last_slow_session h ON w.roots = to_jsonb(ARRAY[h.pid])
	WHERE w.kind = 'statement' AND h.kind = 'transaction' AND h.state = 'idle in transaction'}, 'a slow statement, and the transaction that blocks it');
becomes(q{SELECT count(*) = 1 FROM pgdba.slow_sessions() s WHERE s.running AND s.top_wait = 'Lock:transactionid'
	AND (s.waits ->> 'Lock:transactionid')::float8 > 2 AND s.next_step ~ 'commit or roll back there'}, 'its waits go on from tick to tick');
is(value(q{SELECT bool_and(s.watched_seconds <= s.seconds * 1.1 + 0.3) FROM pgdba.slow_sessions() s}, $node), 't', 'and are not counted twice');
becomes(q{SELECT count(*) = 1 FROM pgdba.slow_sessions() s WHERE s.running AND s.top_wait = 'idle in transaction'}, 'so do those of the idle one');

# ---- an incident ----

$node->safe_psql('postgres', q{SELECT pgdba.set_threshold('locks.blocked', '%', 0.1, 0.2)});
becomes(q{SELECT count(*) = 1 FROM pgdba.incidents WHERE check_id = 'locks.blocked' AND ended IS NULL AND pgdba.incident(id) -> 'record' <> 'null'},
	'a verdict that becomes critical is an incident with a record');
my $incident = incident('locks.blocked');
my $record = $incident->{record};
is_deeply([ sort keys %{ $record->{unavailable} } ], ['texts'], 'without pg_stat_statements there are no texts, and nothing else is missing')
  or diag(explain($record->{unavailable}));
is($record->{verdicts}[0]{check_id}, 'locks.blocked', 'verdicts');
ok((grep { ($_->{event} // '') =~ /^Lock:/ && $_->{blocked} } @{ $record->{runs} }), 'raw samples') or diag(explain($record->{runs}));
ok((grep { ($_->{event_type} // '') eq 'Lock' && $_->{seconds} > 0 } @{ $record->{waits} }), 'waits');
ok((grep { ($_->{sessions}{Lock} // 0) > 0 } @{ $record->{load} }), 'load');
ok(scalar @{ $record->{locks} } >= 2, 'the tree of locks') or diag(explain($record->{locks}));
ok((grep { $_->{blocked_by} } @{ $record->{activity} }), 'sessions');
is(scalar(grep { exists $_->{query} } @{ $record->{activity} }), 0, 'without texts');
is(scalar @{ $record->{slow_sessions} }, 2, 'slow sessions');
ok(scalar @{ $record->{machine} } > 0, 'the machine');

# Once, and written once.
my $written = q{SELECT count(*) FROM pgdba.ring_hourly WHERE probe IN ('incident', 'incident_record')};
ok(more_ticks($node, 3) && samples_reach_tables($node), 'the record is in the tables');
my $before = value($written, $node);
ok(more_ticks($node, 10) && samples_reach_tables($node), 'ticks go on');
is(value($written, $node), $before, 'nothing is written while nothing is new');
is(value(q{SELECT count(*) FROM pgdba.ring_hot WHERE probe IN ('incident', 'incident_record')}, $node), '0', 'and nothing to the tables of a day');
is(value(q{SELECT count(*) FROM pgdba.incidents WHERE check_id = 'locks.blocked'}, $node), '1', 'it stays one');
$holder->query_safe('ROLLBACK');
leave($holder, $waiter);

# ---- flapping ----

$node->safe_psql('postgres', q{CREATE EXTENSION pg_stat_statements; CREATE TABLE flag AS SELECT 0 AS up; GRANT SELECT ON flag TO PUBLIC;
	SELECT pgdba.define_probe('flag', 'hot', 'SELECT f.up FROM public.flag f', '{}', '{}');
	SELECT pgdba.define_check('my.flag', $$SELECT 'cluster' AS object, 'a"b' AS database, f.up::float8 AS value, 'flags' AS unit, '{}'::jsonb AS evidence
		FROM pgdba.last_flag f$$, '{"title": "Flag", "loop": "hot", "probes": ["flag"], "thresholds": {"critical": 0}, "message": "{value} up"}')});
sub flag {
	my ($up, $on) = @_;
	$node->safe_psql('postgres', "UPDATE flag SET up = $up");
	becomes("SELECT count(*) = 1 FROM pgdba.verdicts WHERE check_id = 'my.flag' AND severity = '" . ($up ? 'critical' : 'ok') . q{'}, "flag $up", $on);
	return more_ticks($on // $node, 2);
}
flag($_) for 1, 0, 1, 0, 1;
becomes(q{SELECT count(*) = 1 AND max(ended) IS NULL FROM pgdba.incidents WHERE check_id = 'my.flag'}, 'a verdict that comes and goes is one incident');
becomes(q{SELECT pgdba.incident(max(id)) -> 'record' <> 'null' FROM pgdba.incidents WHERE check_id = 'my.flag'}, 'with a record');
$record = incident('my.flag')->{record};
is_deeply($record->{unavailable}, {}, 'nothing is missing now') or diag(explain($record->{unavailable}));
ok((grep { $_->{query} =~ /account/ } @{ incident('my.flag')->{texts} }), 'texts, as pg_stat_statements has them');

# ---- over a crash ----

my $known = value(q{SELECT string_agg(id || check_id, ',' ORDER BY id) FROM pgdba.incidents}, $node);
ok(samples_reach_tables($node), 'written');
$node->stop('immediate');
# Without a sampler: what a session finds then is in the tables only, newer than the last keyframe.
$node->append_conf('postgresql.conf', q{pgdba.database = 'template1'});
$node->start;
is(value(q{SELECT max(sampled_at) FROM pgdba.last_verdict}, $node), value(q{SELECT max(sampled_at) FROM pgdba.ring_hot WHERE probe = 'verdict'}, $node), 'the newest sample in the tables is found, not only the last keyframe');
is(value(q{SELECT string_agg(id || check_id, ',' ORDER BY id) FROM pgdba.incidents}, $node), $known, 'incidents are kept in tables');
$node->append_conf('postgresql.conf', q{pgdba.database = 'postgres'});
$node->restart;
ok(settled($node), 'sampling again');
is(value(q{SELECT string_agg(id || check_id, ',' ORDER BY id) FROM pgdba.incidents}, $node), $known, 'what still stands is no new incident');
is_deeply(incident('my.flag')->{record}, $record, 'its record is as it was');

# ---- on a standby ----

$node->backup('base');
my $standby = pgdba_node('standby', backup => [ $node, 'base' ]);
$standby->start;
ok(settled($standby), 'the standby samples');
becomes(q{SELECT count(*) = 1 FROM pgdba.incidents WHERE check_id = 'my.flag' AND pgdba.incident(id) -> 'record' <> 'null'}, 'it has an incident of its own', $standby);
my $own = value(q{SELECT max(id) FROM pgdba.incidents WHERE check_id = 'my.flag'}, $standby);
my $now = time;
ok(wait_until(sub { (metric($standby, 'pgdba_ring_copy_timestamp_seconds') // 0) > $now }), 'the memory ring is copied');
$standby->restart;
ok(settled($standby), 'sampling again');
is(value(q{SELECT count(*), max(id) FROM pgdba.incidents WHERE check_id = 'my.flag'}, $standby), "1|$own", 'which lasts over a restart');
$node->stop;
$standby->promote;
becomes(q{SELECT count(*) = 2 FROM pgdba.incidents WHERE check_id = 'my.flag'}, 'promoted, it has that of the primary as well', $standby);
is(value(q{SELECT count(DISTINCT id) = count(*) FROM pgdba.incidents}, $standby), 't', 'under another id');
$standby->stop;
done_testing();
