-- The verdicts of each evaluation, kept like any sample: what was said at the time.
SELECT pgdba.define_probe(
	name => 'verdict',
	loop => 'hot',
	query => NULL,
	key => '{check_id,object}',
	columns => $columns${
	"db": {"help": "Database of the object"},
	"check_id": {"help": "Check that says so"},
	"area": {"help": "Area of the check"},
	"severity": {"help": "critical, warning, unknown, info or ok"},
	"object": {"help": "What it is about"},
	"message": {"help": "What is wrong"},
	"value": {"help": "What was observed, in the unit of column unit"},
	"unit": {"help": "Unit of value, warning and critical"},
	"warning": {"help": "Where warning begins"},
	"critical": {"help": "Where critical begins"},
	"since": {"help": "Since when it has had this severity"},
	"judged_at": {"help": "Time of the sample that was judged"},
	"evidence": {"help": "What was seen"},
	"why": {"help": "Why it matters"},
	"action": {"help": "What to do"},
	"sql": {"help": "Statement to run by hand"},
	"lock_level": {"help": "The strongest lock that the statement takes"},
	"undo": {"help": "Statement that takes it back"},
	"symptom_of": {"help": "Check that explains this one when it fires too"},
	"loop": {"help": "Loop of the check"}
}$columns$,
	scope => 'native');
