-- Tables of subscriptions: how many are not in step with the publisher yet, in which state, and which.
--
-- A table is ready once its first copy is done and has caught up; errors that come later do not change that. The server
-- keeps no time of a state, but that of the transaction that entered it where track_commit_timestamp is on.
SELECT pgdba.define_probe(
	name => 'subscription_relation',
	loop => 'storage',
	query => $probe$
SELECT s.subname::pg_catalog.text AS subscription,
	pg_catalog.count(*) AS tables,
	pg_catalog.count(*) FILTER (WHERE r.srsubstate <> 'r') AS unready,
	pg_catalog.count(*) FILTER (WHERE r.srsubstate = 'i') AS waiting,
	pg_catalog.count(*) FILTER (WHERE r.srsubstate = 'd') AS copying,
	pg_catalog.count(*) FILTER (WHERE r.srsubstate IN ('f', 's')) AS catching_up,
	pg_catalog.min(CASE WHEN r.srsubstate <> 'r' AND pg_catalog.current_setting('track_commit_timestamp') = 'on'
		AND NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_xact_commit_timestamp(r.xmin) END) AS unready_since,
	(SELECT pg_catalog.jsonb_agg(u.name) FROM (
		SELECT n.nspname::pg_catalog.text || '.' || c.relname::pg_catalog.text AS name
		FROM pg_catalog.pg_subscription_rel x
		JOIN pg_catalog.pg_class c ON c.oid = x.srrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE x.srsubid = s.oid AND x.srsubstate <> 'r'
		ORDER BY n.nspname, c.relname LIMIT 5) u) AS unready_tables
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid
GROUP BY s.oid, s.subname
$probe$,
	key => '{db,subscription}',
	columns => $columns${
	"db": {"help": "Database of the subscription"},
	"subscription": {"help": "Name of the subscription"},
	"tables": {"kind": "gauge", "unit": "tables", "metric": "pg_subscription_tables", "help": "Tables that it subscribes to"},
	"unready": {"kind": "gauge", "unit": "tables", "metric": "pg_subscription_unready_tables",
		"help": "Tables of these that are not in step yet"},
	"waiting": {"kind": "gauge", "unit": "tables", "metric": "pg_subscription_waiting_tables",
		"help": "Tables whose first copy has not begun"},
	"copying": {"kind": "gauge", "unit": "tables", "metric": "pg_subscription_copying_tables",
		"help": "Tables whose first copy has begun, also when it fails again and again"},
	"catching_up": {"kind": "gauge", "unit": "tables", "metric": "pg_subscription_catching_up_tables",
		"help": "Tables that are copied, and catch up with the others"},
	"unready_since": {"help": "Since when one of them has had its state; NULL unless track_commit_timestamp is on"},
	"unready_tables": {"help": "The first five of them by name"}
}$columns$,
	scope => 'database',
	options => $options${
	"top": {"n": 50, "by": ["unready"]},
	"object": "subscription:{db:I}/{subscription:I}"
}$options$);
