-- What was going on when incidents began: one record for all that began with the same verdicts. pgdba.incident(id) shows it.
--
-- The name puts it behind incident, whose sample of the same tick it reads.
SELECT pgdba.define_probe(
	name => 'incident_record',
	loop => 'hot',
	query => $probe$
SELECT r.began, r.record, r.texts
FROM pgdba.incident_record_rows() r
$probe$,
	key => '{}',
	columns => $columns${
	"began": {"help": "Time of the verdicts, as in probe incident"},
	"record": {"help": "Verdicts, load, waits, raw samples, locks, sessions, slow sessions, statements, changed settings and the machine"},
	"texts": {"help": "Texts of the statements in it, without values; NULL when they cannot be read"}
}$columns$,
	options => '{"ring": "hourly"}');
