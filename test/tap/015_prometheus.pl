# A real Prometheus scrapes pgdba and has what is promised: the parser, the limits and the staleness rules that count are
# those of Prometheus, not ours.
use strict;
use warnings FATAL => 'all';

use Encode qw(decode_utf8);
use FindBin;
use HTTP::Tiny;
use JSON::PP qw(decode_json);
use lib $FindBin::RealBin;
use Pgdba;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Metric, and the labels beside "cluster" that its series must have.
my %wanted = (
	pg_connections => [],
	pg_max_connections => [],
	pg_blocked_sessions_total => [],
	pgdba_blocked_sessions => [],
	pg_longest_blocked_seconds => [],
	pg_table_last_autovacuum_seconds => [qw(db relation)],
	pg_table_last_autoanalyze_seconds => [qw(db relation)],
	pg_table_dead_tuples => [qw(db relation)],
	pg_table_pct_dead => [qw(db relation)],
	pg_autovacuum_jobs => [qw(phase)],
	pg_relation_size_bytes => [qw(db relation relkind)],
	pg_tps => [qw(db)],
	pg_qps => [qw(db)],
	pg_query_latency_seconds_mean => [qw(db)],
	pg_query_latency_seconds_p95 => [qw(db)],
	pg_stmt_calls_total => [qw(db queryid)],
	pg_stmt_time_seconds_total => [qw(db queryid)],
	pg_stmt_shared_blks_read_total => [qw(db queryid)],
	pg_index_size_bytes => [qw(db index)],
	pg_index_scans_total => [qw(db index)],
	pg_wal_bytes_written_total => [],
	pg_checkpoints_timed_total => [],
	pg_checkpoints_requested_total => [],
	pg_replication_lag_seconds => [qw(replica)],
	pg_replication_lag_bytes => [qw(replica)],
	pg_temp_bytes_total => [qw(db)],
	pg_wraparound_tx_age => [qw(db)],
	pgdba_scrape_duration_seconds => [qw(loop)],
	pgdba_last_scrape_success => [qw(loop)],
	pgdba_errors_total => [qw(loop)],
	pgdba_verdict => [qw(check severity)],
	pgdba_up => [],
);
# Nothing exports these yet. The test fails when something does: then the line goes up.
my %to_come = (
	pgdba_alerts => [qw(state severity)],
);

delete @ENV{qw(http_proxy HTTP_PROXY all_proxy ALL_PROXY)};

# ---- a server with something in every family ----

my $node = pgdba_node(
	'prometheus',
	init => { allows_streaming => 1, extra => [ '--encoding=UTF8', '--locale=C' ] },
	conf => <<'EOF');
shared_preload_libraries = 'pg_stat_statements,pgdba'
pgdba.hot_interval = '1s'
autovacuum_naptime = '1s'
EOF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pgdba');
$node->backup('copy');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'copy', has_streaming => 1);
$replica->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$replica->start;

my $hostile = 'U&"\00e9 ""quoted"" \\\\ {le=""1""} 2\000anext"';
$node->safe_psql('postgres', <<"EOF");
CREATE TABLE vacuumed (id int PRIMARY KEY) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
	autovacuum_analyze_threshold = 0, autovacuum_analyze_scale_factor = 0);
INSERT INTO vacuumed SELECT generate_series(1, 1000);
DELETE FROM vacuumed WHERE id % 2 = 0;
CREATE TABLE $hostile (id int) WITH (autovacuum_enabled = off);
INSERT INTO $hostile SELECT generate_series(1, 1000);
DELETE FROM $hostile WHERE id <= 250;
EOF
ok(settled($node), 'pgdba samples');
ok($node->poll_query_until('postgres', "SELECT last_autovacuum IS NOT NULL AND last_autoanalyze IS NOT NULL
	FROM pg_stat_user_tables WHERE relname = 'vacuumed'"), 'a table was vacuumed and analyzed automatically');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_replication'), 'a standby is connected');
# Twice: a rate needs two samples.
$node->safe_psql('postgres', 'SELECT pgdba.sample_now()') for 1 .. 2;
is($node->safe_psql('postgres', 'SELECT probe, last_error FROM pgdba.cost() WHERE errors > 0'), '', 'no probe failed');

# ---- Prometheus ----

my $address = '127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port();
my $target = '127.0.0.1:' . http_port($node);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $log = "$PostgreSQL::Test::Utils::log_path/prometheus_server.log";
my $max_series = 20_000;
my $sample_limit = $max_series + 1; # one tells how many were left out
append_to_file("$folder/prometheus.yml", <<"EOF");
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: pgdba
    sample_limit: $sample_limit
    label_limit: 12
    label_name_length_limit: 40
    label_value_length_limit: 160
    static_configs:
      - targets: ['$target']
EOF
my $prometheus = fork // die "fork: $!";
if ($prometheus == 0) {
	open STDIN, '<', '/dev/null' or POSIX::_exit(126);
	open STDOUT, '>', $log or POSIX::_exit(126);
	open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
	no warnings 'exec';
	exec 'prometheus', "--config.file=$folder/prometheus.yml", "--storage.tsdb.path=$folder/data",
	  "--web.listen-address=$address", '--log.level=warn';
	print "could not start prometheus: $!\n";
	POSIX::_exit(127);
}

END {
	if ($prometheus) {
		my $status = $?;
		kill 'KILL', $prometheus;
		waitpid $prometheus, 0;
		$? = $status;
	}
}

# RETURNS: the data of an answer, undef without one.
sub api {
	my ($path, %parameter) = @_;
	my $http = HTTP::Tiny->new(timeout => $PostgreSQL::Test::Utils::timeout_default);
	my $answer = $http->get("http://$address/api/v1/$path?" . $http->www_form_urlencode(\%parameter));
	my $document = eval { decode_json($answer->{content}) } // {};
	return ($document->{status} // '') eq 'success' ? $document->{data} : undef;
}

# The series of an expression as they are now: [labels, value].
sub series {
	my ($expression) = @_;
	my $data = api('query', query => $expression) // { result => [] };
	return map { [ $_->{metric}, $_->{value}[1] ] } @{ $data->{result} };
}

# The value of the only series, empty when there is none or more.
sub value {
	my @series = series(@_);
	return @series == 1 ? $series[0][1] : '';
}

# What /metrics has and Prometheus should have: the number of series by name, the families.
sub page {
	my (undef, $body) = http_get($node, '/metrics');
	my (%count, %family);
	++$count{$_} for $body =~ /^([a-z]\w*)\{/mg;
	$family{$1} = { help => $2, type => $3 eq 'untyped' ? 'unknown' : $3 }
	  while $body =~ /^# HELP (\S+) (.*)\n# TYPE \1 (\S+)$/mg;
	return (\%count, \%family);
}

my $up = 'up{job="pgdba"}';
my $all = '{job="pgdba", __name__!~"up|scrape_.*"}';

ok(wait_until(sub { value($up) eq '1' }), 'Prometheus scrapes pgdba')
  or BAIL_OUT('Prometheus does not run, or finds nothing to scrape: ' . slurp_file($log));

# ---- all of the page arrives ----

my ($on_page, $families, $kept);
ok( wait_until(
		sub {
			($on_page, $families) = page();
			$kept = { map { $_->[0]{__name__} => $_->[1] } series("count by (__name__) ($all)") };
			return keys %$on_page > 50
			  && join(' ', %$on_page{ sort keys %$on_page }) eq join(' ', %$kept{ sort keys %$kept });
		}),
	'Prometheus has the series of the page, all of them and no others')
  or is_deeply($kept, $on_page, 'as many of each name');
isnt(value('scrape_samples_scraped'), '', 'it says how many it scraped');
is(value('scrape_samples_scraped'), value('scrape_samples_post_metric_relabeling'), 'and left none out');
my ($scraped) = grep { $_->{labels}{job} eq 'pgdba' } @{ api('targets', state => 'active')->{activeTargets} };
is($scraped->{health}, 'up', 'the target is well');
is($scraped->{lastError}, '', 'the scrape has no error');
my $own = HTTP::Tiny->new->get("http://$address/metrics")->{content};
like($own, qr/^prometheus_target_scrapes_${_}_total 0$/m, "no $_")
  for qw(exceeded_sample_limit sample_duplicate_timestamp sample_out_of_bounds sample_out_of_order);

my $metadata = api('metadata') // {};
my %told = map { my $name = $_; $name => { map { $_ => $metadata->{$name}[0]{$_} } qw(help type) } } keys %$families;
is_deeply([ sort keys %$families ], [ sort keys %$on_page ], 'every series has a family');
is_deeply(\%told, $families, 'Prometheus has their HELP and TYPE');

# ---- all that is promised is there ----

for my $name (sort keys %wanted) {
	my @due = ('cluster', @{ $wanted{$name} });
	my @series = series($name);
	my @bare = grep { my $labels = $_->[0]; grep { ($labels->{$_} // '') eq '' } @due } @series;
	ok(@series > 0 && @bare == 0, "$name has " . join ', ', @due)
	  or diag(scalar(@series) . ' series, ' . scalar(@bare) . ' of them lack a label');
}
my $defined = $node->safe_psql('postgres',
	"SELECT c.value ->> 'metric' FROM pgdba.probe p, jsonb_each(p.columns) c WHERE c.value ? 'metric'");
for my $name (sort keys %to_come) {
	ok(!(grep { $_ eq $name } split(/\n/, $defined), keys %$on_page), "$name is still to come");
}
is(value("count($all)"), value('count({job="pgdba", cluster="prometheus", __name__!~"up|scrape_.*"})'),
	'every series says of which cluster it is');
is(scalar(series('{job="pgdba", exported_job=~".+"} or {job="pgdba", exported_instance=~".+"}')), 0,
	'no label is in the way of those of Prometheus');

# Of two rows with the same labels the second would be left out, unseen by Prometheus.
is($node->safe_psql('postgres', <<'EOF'), '', 'no two rows of a probe have the same labels');
SELECT format('SELECT %L FROM pgdba.%I GROUP BY %s HAVING count(*) > 1', p.name, 'last_' || p.name, string_agg(quote_ident(c.column_name), ', '))
FROM pgdba.probe p
CROSS JOIN pgdba.validate_probe(p.name, p.loop, pgdba.probe_query(p.name, p.query), p.key, p.columns, p.scope, p.options) c
WHERE c.kind = 'label' AND EXISTS (SELECT FROM jsonb_each(p.columns) m WHERE m.value ? 'metric')
GROUP BY p.name
\gexec
EOF

# ---- values and names ----

is(value('pg_max_connections'), $node->safe_psql('postgres', 'SELECT usable FROM pgdba.last_connections'),
	'a value is what was sampled');
my $name = $node->safe_psql('postgres',
	"SELECT relation FROM pgdba.last_relation WHERE db = 'postgres' AND n_dead_tup = 250");
like($name, qr/""quoted"" \\ \{le=""1""\} 2\nnext/, 'a table has a hostile name');
my @dead = series('pg_table_dead_tuples{db="postgres"} == 250');
is(scalar(@dead), 1, 'it is one series');
is($dead[0][0]{relation}, decode_utf8($name), 'with that name, to the letter');
is(value('pg_table_pct_dead{db="postgres"} == 25'), '25', 'a share is a percentage');

# ---- what ends ----

configure($node, 'pgdba.max_series' => 100);
ok(wait_until(sub { value('scrape_samples_scraped') eq '101' }), 'pgdba.max_series bounds what is scraped');
cmp_ok(value('pgdba_series_dropped_total'), '>', 0, 'what is left out is counted');
is(value($up), '1', 'that is no error');
configure($node, 'pgdba.max_series' => $max_series);
ok(wait_until(sub { value('pgdba_series_dropped_total') eq '0' }), 'nothing is left out when there is room again');

$node->safe_psql('postgres', "SELECT pgdba.pause('1 h')");
ok(wait_until(sub { value('pgdba_paused') eq '1' && !series('pg_connections') }),
	'a sampler that pauses leaves no flat line');
$node->safe_psql('postgres', 'SELECT pgdba.resume()');
ok(wait_until(sub { series('pg_connections') == 1 }), 'its series come back');

$replica->stop;
$node->stop;
ok(wait_until(sub { value($up) eq '0' }), 'up is 0 when the server is stopped');
is(scalar(series($all)), 0, 'and no series looks alive');
$node->start;
ok(wait_until(sub { value($up) eq '1' && value('pgdba_up') eq '1' && series('pg_connections') == 1 }),
	'all is well again when it is started');
$node->stop;

done_testing();
