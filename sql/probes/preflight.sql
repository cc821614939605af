-- Whether the server is set up for pgdba, as pgdba.preflight() says it.
SELECT pgdba.define_probe(
	name => 'preflight',
	loop => 'storage',
	query => 'SELECT * FROM pgdba.preflight()',
	key => '{item}',
	columns => $columns${
	"item": {"help": "What was looked at"},
	"ok": {"kind": "gauge", "metric": "pgdba_preflight_ok", "help": "1 when it is as it should be"},
	"severity": {"help": "How bad it is: ok, info, warning or critical"},
	"detail": {"help": "What was found"},
	"line_to_add": {"help": "Line for postgresql.conf, or statement to run"}
}$columns$);
