-- The rules of pg_hba.conf as numbers: how many there are, and how many let in other machines with little or no proof.
--
-- The rules are those of the file as it stands, in force since the last reload. That a rule is never reached, because one
-- before it takes its connections, is not known here. The methods password, ldap, pam, radius and bsd send the password as
-- it is; only TLS or GSSAPI hides it.
SELECT pgdba.define_probe(
	name => 'hba',
	loop => 'hourly',
	query => $probe$
SELECT pg_catalog.count(*) AS rules,
	pg_catalog.count(*) FILTER (WHERE r.auth_method = 'trust') AS trust_rules,
	pg_catalog.count(*) FILTER (WHERE r.remote) AS remote_rules,
	pg_catalog.count(*) FILTER (WHERE r.remote AND r.auth_method = 'trust') AS remote_trust_rules,
	pg_catalog.count(*) FILTER (WHERE r.remote AND r.auth_method IN ('password', 'ldap', 'pam', 'radius', 'bsd')
		AND r.type IN ('host', 'hostnossl', 'hostnogssenc')) AS remote_clear_text_rules,
	pg_catalog.count(*) FILTER (WHERE r.remote AND r.auth_method = 'md5') AS remote_md5_rules,
	pg_catalog.count(*) FILTER (WHERE r.remote AND r.type IN ('host', 'hostnossl', 'hostnogssenc')) AS remote_unencrypted_rules
FROM (SELECT h.type, h.auth_method,
		h.type <> 'local' AND h.auth_method <> 'reject' AND NOT (h.address IN ('samehost', 'localhost', '::1')
			OR h.address LIKE '127.%' AND h.netmask LIKE '255.%') AS remote
	FROM pgdba.hba_file_rules() h WHERE h.error IS NULL) r
$probe$,
	key => '{}',
	columns => $columns${
	"rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_rules", "help": "Rules without an error"},
	"trust_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_trust_rules", "help": "Rules that ask for no proof"},
	"remote_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_remote_rules",
		"help": "Rules that let in other machines"},
	"remote_trust_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_remote_trust_rules",
		"help": "Rules of these that ask for no proof"},
	"remote_clear_text_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_remote_clear_text_rules",
		"help": "Rules of these by which a password may come without any encryption"},
	"remote_md5_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_remote_md5_rules",
		"help": "Rules of these with the method md5"},
	"remote_unencrypted_rules": {"kind": "gauge", "unit": "rules", "metric": "pg_hba_remote_unencrypted_rules",
		"help": "Rules of these that require no encryption"}
}$columns$);
