-- Replication origins that no subscription has: what a dropped one left behind, or what somebody made by hand. Each takes
-- one of max_replication_slots when it is used (from 18 on, of max_active_replication_origins). How far an origin got only
-- superusers see.
--
-- The server names those of subscriptions pg_<oid>, and pg_<oid>_<table> during a first copy; nobody else may.
SELECT pgdba.define_probe(
	name => 'replication_origin',
	loop => 'hourly',
	query => $probe$
SELECT o.roname AS origin,
	pg_catalog.starts_with(o.roname, 'pg_') AS of_subscription
FROM pg_catalog.pg_replication_origin o
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_subscription s
	WHERE o.roname = 'pg_' || s.oid OR pg_catalog.starts_with(o.roname, 'pg_' || s.oid || '_'))
$probe$,
	key => '{origin}',
	columns => $columns${
	"origin": {"help": "Name of the origin"},
	"of_subscription": {"help": "Whether it was of a subscription that is no more"}
}$columns$,
	options => '{"max_rows": 1000}');
