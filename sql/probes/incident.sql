-- Incidents: the critical verdicts that are open, and those that began in the last day. Their history is
-- pgdba.incidents, what surrounded them is pgdba.incident(id).
--
-- The list is looked at with every tick of the hot loop and kept with the hourly samples: when it changed, and once an hour.
SELECT pgdba.define_probe(
	name => 'incident',
	loop => 'hot',
	query => $probe$
SELECT i.db, i.id, i.began, i.check_id, i.object, i.message, i.value, i.unit, i.since, i.ended, i.suppressed
FROM pgdba.incident_rows() i
$probe$,
	key => '{id}',
	columns => $columns${
	"db": {"help": "Database of the object"},
	"id": {"help": "Identifier: time of the verdict in microseconds since 1970, plus the place among those of the same time"},
	"began": {"help": "Time of the first verdict that was critical"},
	"check_id": {"help": "Check that says so"},
	"object": {"help": "What it is about"},
	"message": {"help": "What was wrong when it began"},
	"value": {"help": "What was observed then, in the unit of column unit"},
	"unit": {"help": "Unit of value"},
	"since": {"help": "Since when it had been critical by its samples"},
	"ended": {"help": "Since when it has not been critical, known after ten minutes of that"},
	"suppressed": {"unit": "verdicts", "help": "Most critical verdicts at one time, after this one began, for which the limits left no incident"}
}$columns$,
	options => '{"ring": "hourly"}');
