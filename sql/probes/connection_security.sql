-- Connections by where they come from and how they are encrypted. What is not encrypted and comes over the network can be
-- read on its way, passwords of some methods included.
--
-- A connection over a Unix socket needs no encryption and can have none by TLS. Addresses of this machine other than the
-- loopback ones look like any other.
SELECT pgdba.define_probe(
	name => 'connection_security',
	loop => 'storage',
	query => $probe$
SELECT c.backend_type,
	c.origin,
	c.encryption,
	c.protocol,
	c.cipher,
	pg_catalog.count(*) AS connections,
	pg_catalog.count(*) FILTER (WHERE c.ssl_client_dn IS NOT NULL) AS certificates,
	pg_catalog.count(*) FILTER (WHERE c.gss_auth) AS gss_authenticated
FROM (SELECT a.backend_type, a.ssl_client_dn, a.gss_auth,
		CASE WHEN a.client_addr IS NULL THEN 'socket'
			WHEN a.client_addr <<= '127.0.0.0/8'::pg_catalog.inet OR a.client_addr = '::1'::pg_catalog.inet THEN 'loopback'
			ELSE 'network' END AS origin,
		CASE WHEN a.ssl THEN 'tls' WHEN a.gss_enc THEN 'gssapi' ELSE 'none' END AS encryption,
		CASE WHEN a.ssl THEN a.sslversion END AS protocol,
		CASE WHEN a.ssl THEN a.sslcipher END AS cipher
	FROM pg_catalog.pg_stat_get_activity(NULL) a
	WHERE a.backend_type IN ('client backend', 'walsender')) c
GROUP BY c.backend_type, c.origin, c.encryption, c.protocol, c.cipher
$probe$,
	key => '{backend_type,origin,encryption,protocol,cipher}',
	columns => $columns${
	"backend_type": {"help": "client backend, or walsender for replication"},
	"origin": {"help": "socket, loopback or network"},
	"encryption": {"help": "tls, gssapi or none"},
	"protocol": {"help": "Version of TLS, NULL without"},
	"cipher": {"help": "Cipher of TLS, NULL without"},
	"connections": {"kind": "gauge", "unit": "connections", "metric": "pg_connections_by_encryption",
		"help": "Connections of that kind; absent when there is none"},
	"certificates": {"kind": "gauge", "unit": "connections", "metric": "pg_connections_with_certificate",
		"help": "Connections of these whose client has shown a certificate"},
	"gss_authenticated": {"kind": "gauge", "unit": "connections", "metric": "pg_connections_gss_authenticated",
		"help": "Connections of these that were authenticated by GSSAPI"}
}$columns$);
