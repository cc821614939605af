# The HTTP endpoint of pgdba server: pages, refusals, limits, addresses. Raw sockets, because half of it is about
# clients that misbehave.
use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IPC::Run ();
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(time usleep);

my $timeout = $PostgreSQL::Test::Utils::timeout_default;

sub wait_until {
	my ($condition, $name) = @_;
	my $end = time + $timeout;
	my $met;
	until (($met = $condition->()) || time > $end) {
		usleep(50_000);
	}
	ok($met, $name);
	return $met;
}

sub dial {
	my ($port, %option) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
	setsockopt($socket, SOL_SOCKET, SO_RCVBUF, $option{receive_buffer}) if $option{receive_buffer};
	my $address = pack_sockaddr_in($port, inet_aton($option{address} // '127.0.0.1'));
	return connect($socket, $address) ? $socket : undef;
}

# The next bytes, empty at the end of the connection, undef when nothing came in time.
sub receive {
	my ($socket, $seconds) = @_;
	return undef unless IO::Select->new($socket)->can_read($seconds // $timeout);
	my $bytes = '';
	return defined sysread($socket, $bytes, 65536) ? $bytes : '';
}

sub parse {
	my ($text) = @_;
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($line, @headers) = split /\r\n/, $head // '';
	my ($status) = ($line // '') =~ m{^HTTP/1\.1 (\d+)};
	my %header = map { my ($name, $value) = split /: /, $_, 2; (lc $name => $value) } @headers;
	return { status => $status // 0, header => \%header, body => $body // '' };
}

# One request on a connection of its own. RETURNS: status 0 when there was no answer.
sub request {
	my ($port, $path, %option) = @_;
	my $socket = dial($port) or return parse('');
	my $host = $option{host} // "localhost:$port";
	my $method = $option{method} // 'GET';
	syswrite $socket, "$method $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n"
	  . ($option{headers} // '') . "\r\n" . ($option{body} // '');
	my $text = '';
	while (defined(my $bytes = receive($socket))) {
		last if $bytes eq '';
		$text .= $bytes;
	}
	return parse($text);
}

sub is_problem {
	my ($answer, $status, $name) = @_;
	is($answer->{status}, $status, "$name: $status");
	is($answer->{header}{'content-type'}, 'application/problem+json', "$name: a problem document");
	my $problem = eval { decode_json($answer->{body}) } // {};
	is($problem->{status}, $status, "$name: the document says so as well");
	ok($problem->{title} && $problem->{detail}, "$name: and why");
}

sub metric {
	my ($port, $name, $labels) = @_;
	my $body = request($port, '/metrics')->{body};
	return $body =~ /^\Q$name\E\{[^}]*\Q$labels\E[^}]*\} (\S+)$/m ? $1 : undef;
}

my $port = PostgreSQL::Test::Cluster::get_free_port();
my $second = PostgreSQL::Test::Cluster::get_free_port();
my $node = PostgreSQL::Test::Cluster->new('http');
$node->init;
$node->append_conf('postgresql.conf', <<EOF);
shared_preload_libraries = 'pgdba'
pgdba.cluster = 'http "test"'
pgdba.listen = '127.0.0.1:$port'
pgdba.hot_interval = '500ms'
EOF
$node->start;

sub server_row {
	return $node->safe_psql('postgres',
		"SELECT state, coalesce(last_error, '') FROM pgdba.processes WHERE name = 'pgdba server'");
}

sub server_pid {
	return $node->safe_psql('postgres', "SELECT pid FROM pgdba.processes WHERE name = 'pgdba server'");
}

sub listen_on {
	my ($addresses) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET pgdba.listen = '$addresses'");
	$node->reload;
}

sub count_in_log {
	my ($pattern) = @_;
	my $log = slurp_file($node->logfile);
	return scalar(() = $log =~ /$pattern/g);
}

# ---- before the extension is there ----

wait_until(sub { request($port, '/healthz')->{status} == 503 }, '/healthz says 503 without the extension');
wait_until(sub { request($port, '/healthz')->{body} =~ /extension/ }, '/healthz says what is missing');
is(metric($port, 'pgdba_up', ''), '0', '/metrics answers meanwhile');

$node->safe_psql('postgres', 'CREATE EXTENSION pgdba');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pgdba.processes WHERE name = 'pgdba sampler' AND pid IS NOT NULL"),
	'the sampler runs');
$node->safe_psql('postgres', 'SELECT pgdba.sample_now()');

# ---- pages ----

wait_until(sub { request($port, '/healthz')->{status} == 200 }, '/healthz says 200 once loops run');
my $health = request($port, '/healthz');
is($health->{header}{'content-type'}, 'application/json', '/healthz is JSON');
my $said = decode_json($health->{body});
like($said->{status}, qr/^(ok|degraded)$/, '/healthz: status');
is($said->{database}, 'postgres', '/healthz: database');
is_deeply([sort keys %{ $said->{loops} }], [qw(hot hourly storage workload)], '/healthz: loops');

wait_until(sub { defined metric($port, 'pg_connections', '') }, '/metrics has pg_connections');
my $metrics = request($port, '/metrics');
is($metrics->{status}, 200, '/metrics: 200');
is($metrics->{header}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', '/metrics: content type');
is($metrics->{header}{'cache-control'}, 'no-store', '/metrics is not cached');
is($metrics->{header}{'x-content-type-options'}, 'nosniff', '/metrics: nosniff');
ok(!exists $metrics->{header}{'access-control-allow-origin'}, 'no other origin may read it');
for my $name (qw(pg_max_connections pgdba_up pgdba_ring_bytes pgdba_series_dropped_total pgdba_http_requests_total
	pgdba_unreadable_samples)) {
	like($metrics->{body}, qr/^$name\{cluster="http \\"test\\""\} \d/m, "/metrics has $name");
}
for my $loop (qw(hot workload storage hourly)) {
	like($metrics->{body}, qr/^$_\{[^}]*loop="$loop"\} /m, "/metrics has $_ of loop $loop")
	  for qw(pgdba_scrape_duration_seconds pgdba_last_scrape_success pgdba_errors_total
	  pgdba_loop_last_timestamp_seconds pgdba_loop_late);
}
like($metrics->{body}, qr/^pgdba_verdict\{[^}]*check="[a-z_.]+",severity="critical"\} \d+$/m, '/metrics has verdicts');
# What pg_stat_io calls an object is a kind of relation, or WAL.
unlike($metrics->{body}, qr/\b(?:pid|query|usename|object(?!="(?:relation|temp relation|wal)"))="/, 'no session, object, query or role is a label');
is(metric($port, 'pgdba_http_listening', "address=\"127.0.0.1:$port\""), '1', '/metrics says where it listens');

SKIP: {
	skip 'promtool is not installed', 2 unless eval { IPC::Run::run(['promtool', '--version'], '>&', \my $out) };
	my $complaints = '';
	ok(IPC::Run::run(['promtool', 'check', 'metrics'], '<', \$metrics->{body}, '>&', \$complaints),
		'promtool accepts /metrics');
	is($complaints, '', 'and has no remark');
}

my $head = request($port, '/metrics', method => 'HEAD');
is($head->{status}, 200, 'HEAD: 200');
cmp_ok($head->{header}{'content-length'}, '>', 1000, 'HEAD: the length that GET would have');
is($head->{body}, '', 'HEAD: no body');

# ---- refusals ----

is_problem(request($port, '/nowhere'), 404, 'unknown path');
is_problem(request($port, '/metrics/../healthz'), 404, 'path with dots');
for my $method (qw(POST PUT DELETE OPTIONS)) {
	my $answer = request($port, '/metrics', method => $method);
	is_problem($answer, 405, $method);
	is($answer->{header}{allow}, 'GET, HEAD', "$method: what is allowed");
}
is_problem(request($port, '/metrics', headers => "Content-Length: 3\r\n", body => 'abc'), 413, 'GET with a body');
is_problem(request($port, '/metrics', host => $_), 421, "Host $_")
  for ('example.com', "example.com:$port", 'localhost.example.com', '127.0.0.1.example.com', '[::1', '');
is(request($port, '/metrics', host => $_)->{status}, 200, "Host $_")
  for ('localhost', 'LOCALHOST', "127.0.0.1:$port", '[::1]:80', '192.0.2.7');

like(request($port, '/metrics', headers => 'X-Long: ' . 'a' x 20_000 . "\r\n")->{status}, qr/^(431|413)$/,
	'a header of 20 kB is refused');
like(request($port, '/' . 'a' x 20_000)->{status}, qr/^(414|431)$/, 'a path of 20 kB is refused');
is(request($port, '/metrics', headers => 'X-Long: ' . 'a' x 6_000 . "\r\n")->{status}, 200,
	'a header of 6 kB is fine');
{
	my $socket = dial($port);
	syswrite $socket, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
	like(receive($socket) // 'open', qr{^$|^HTTP/1\.[01] 400}, 'what is not HTTP is refused');
}

# ---- slow and many clients ----

my $pid = server_pid();
{
	my $slow = dial($port);
	my $begun = time;
	syswrite $slow, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
	is(request($port, '/healthz')->{status}, 200, 'others are served while a client is slow');
	# It keeps dribbling: activity alone must not keep it alive.
	my $answer;
	wait_until(sub { syswrite $slow, 'a'; defined($answer = receive($slow, 0.2)) }, 'the slow client is cut off');
	is($answer, '', 'without an answer');
	cmp_ok(time - $begun, '>', 3, 'but not before it had its time');
	is(request($port, '/healthz')->{status}, 200, 'others are served after that');
}
{
	my @silent = map { dial($port) } 1 .. 100;
	is(scalar(grep { defined } @silent), 100, '100 silent connections are open');
	# Asked again: on a busy machine a request can be slow enough to be taken for one more silent connection.
	wait_until(sub { request($port, '/healthz')->{status} == 200 }, '/healthz answers among silent connections');
	wait_until(sub { request($port, '/metrics')->{status} == 200 }, '/metrics as well');
}
{
	# Clients that ask and do not read: their answers stay in the server.
	# On a slow machine some are cut off before the last one is busy: others take their place.
	local $SIG{PIPE} = 'IGNORE';
	my (@deaf, $busy);
	my $deafen = sub {
		my $client = dial($port, receive_buffer => 4096) or return;
		syswrite $client, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" x 400;
		push @deaf, $client;
	};
	$deafen->() for 1 .. 32;
	wait_until(sub { $deafen->() if @deaf < 500; ($busy = request($port, '/metrics'))->{status} == 503 },
		'/metrics says 503 when it is too busy');
	is_problem($busy, 503, 'busy');
	is($busy->{header}{'retry-after'}, '1', 'busy: when to come back');
	is(request($port, '/healthz')->{status}, 200, '/healthz answers on what is kept for it');
	close $_ for @deaf;
	wait_until(sub { request($port, '/metrics')->{status} == 200 }, '/metrics is back when they are gone');
}

# ---- the cost of many requests ----

sub resident {
	return slurp_file("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m ? $1 : die 'no VmRSS';
}

sub descriptors { return scalar(() = glob("/proc/$pid/fd/*")); }

SKIP: {
	skip 'no /proc', 2 unless -r "/proc/$pid/status";
	request($port, $_ % 2 ? '/metrics' : '/healthz') for 1 .. 300;
	my ($memory, $open) = (resident(), descriptors());
	request($port, $_ % 2 ? '/metrics' : '/healthz') for 1 .. 2_000;
	cmp_ok(resident() - $memory, '<', 1_024, '2,000 requests leave memory flat');
	wait_until(sub { descriptors() <= $open }, 'and no descriptor open');
}

# ---- addresses ----

{
	my $holder = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $second, Listen => 1, ReuseAddr => 1)
	  or die "could not hold port $second: $!";
	listen_on("127.0.0.1:$port, 127.0.0.1:$second");
	wait_until(sub { (metric($port, 'pgdba_http_listening', "address=\"127.0.0.1:$second\"") // '') eq '0' },
		'a busy port is said in a metric');
	like(server_row(), qr/^listening on 1 of 2 addresses\|.*127\.0\.0\.1:$second.*Address already in use/,
		'and in pgdba.processes');
	is(request($port, '/healthz')->{status}, 200, 'the other address answers');
	close $holder;
	wait_until(sub { request($second, '/healthz')->{status} == 200 }, 'the port is opened once it is free');
	wait_until(sub { (metric($port, 'pgdba_http_listening', "address=\"127.0.0.1:$second\"") // '') eq '1' },
		'the metric says so');
	wait_until(sub { server_row() =~ /^listening on 127\.0\.0\.1:$port, 127\.0\.0\.1:$second\|/ },
		'and pgdba.processes');
	is(count_in_log(qr/could not listen on address "127\.0\.0\.1:$second"/), 1, 'logged once, however often it is tried');
}
{
	my $kept = dial($port);
	listen_on("127.0.0.1:$second");
	wait_until(sub { !dial($port) }, 'an address that was taken out is closed');
	is(request($second, '/healthz')->{status}, 200, 'one that stays answers');
	syswrite $kept, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	is(parse(receive($kept) // '')->{status}, 200, 'a connection that was open is still served');
	is(count_in_log(qr/listens on address "127\.0\.0\.1:$second"/), 1, 'one that stays is not opened again');
	listen_on("127.0.0.1:$port");
	wait_until(sub { request($port, '/healthz')->{status} == 200 }, 'a new address is opened by a reload');
	wait_until(sub { !dial($second) }, 'and the old one is closed');
}
{
	listen_on("127.0.0.1:$port, 0.0.0.0:$second, 203.0.113.1:80, somewhere:80, unix:/tmp/x");
	wait_until(sub { server_row() =~ /^listening on 1 of 5 addresses\|.*0\.0\.0\.0:$second.*loopback/ },
		'an address that is not loopback is refused and said');
	ok(!dial($second), 'nobody listens there');
	wait_until(sub { (metric($port, 'pgdba_http_listening', 'address="203.0.113.1:80"') // '') eq '0' },
		'the metric says so');
	is(count_in_log(qr/address "\Q$_\E" in pgdba\.listen is not opened/), 1, "$_ is said in the log")
	  for ("0.0.0.0:$second", '203.0.113.1:80', 'somewhere:80', 'unix:/tmp/x');
}
{
	listen_on('');
	wait_until(sub { server_row() =~ /^not listening/ }, 'an empty setting turns the endpoint off');
	ok(!dial($port), 'nobody listens');
	listen_on("127.0.0.1:$port");
	wait_until(sub { request($port, '/healthz')->{status} == 200 }, 'and on again');
}
is(server_pid(), $pid, 'all this did not restart the process');

# ---- the process ----

kill 'TERM', $pid;
wait_until(sub { (metric($port, 'pgdba_process_restarts_total', 'process="pgdba server"') // '') eq '1' },
	'it comes back after it was ended, and counts that');

$node->stop;
done_testing();
