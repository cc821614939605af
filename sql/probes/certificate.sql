-- Certificates of the server and of the authorities that it trusts: until when they are valid.
--
-- Clients notice one that has run out when they connect next, all of them at once. The files are read as they are now, which may be newer than
-- what the server loaded: a reload takes them in.
SELECT pgdba.define_probe(
	name => 'certificate',
	loop => 'hourly',
	query => $probe$
SELECT c.kind, c.file, coalesce(c.place, 0) AS place, c.subject, c.issuer, c.not_before, c.not_after,
	extract(epoch FROM c.not_after - pg_catalog.now())::pg_catalog.float8 AS seconds_left, c.problem
FROM pgdba.host_certificates() c
$probe$,
	key => '{kind,file,place}',
	columns => $columns${
	"kind": {"help": "server: ssl_cert_file; authority: ssl_ca_file"},
	"file": {"kind": "info", "help": "Path of the file"},
	"place": {"help": "Its place in the file, from 1; the first of ssl_cert_file is the server's own"},
	"subject": {"help": "Whose it is"},
	"issuer": {"help": "Who signed it"},
	"not_before": {"help": "From when on it is valid"},
	"not_after": {"help": "Until when it is valid"},
	"seconds_left": {"kind": "gauge", "unit": "seconds", "metric": "pg_certificate_left_seconds",
		"help": "Time until it runs out; negative when it has"},
	"problem": {"help": "Why there is none in the file"}
}$columns$,
	options => '{"max_rows": 500}');
