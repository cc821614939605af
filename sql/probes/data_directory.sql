-- The data directory: who may enter it, whether its disk turns, and how much of the room for members of multixacts is taken.
--
-- The server starts only with permissions that shut out others; somebody may loosen them later. Members of multixacts are those who lock a row
-- together: there is room for 4,294,967,296 of them, and without room nobody can lock a row that is locked. No catalog tells how many there
-- are, the files in pg_multixact/members do, each of which has room for 32 pages of them.
SELECT pgdba.define_probe(
	name => 'data_directory',
	loop => 'hourly',
	query => $probe$
SELECT d.mode,
	d.own,
	d.rotational,
	w.rotational AS wal_rotational,
	c.members AS multixact_members,
	100 * c.members / 4294967296::pg_catalog.float8 AS pct_multixact_members
FROM pgdba.host_folder('.') d
LEFT JOIN pgdba.host_folder('pg_wal') w ON true
LEFT JOIN pgdba.host_folder('pg_multixact/members') m ON true
CROSS JOIN LATERAL (SELECT m.files * 32 * 4 * (pg_catalog.current_setting('block_size')::pg_catalog.int8 / 20) AS members) c
$probe$,
	key => '{}',
	columns => $columns${
	"mode": {"help": "Permissions of the data directory as an octal number: 0700, or 0750 when the group may read"},
	"own": {"help": "Whether it belongs to the user that the server runs as"},
	"rotational": {"help": "Whether its disk turns, as far as the kernel knows: disks of virtual machines often only seem to; NULL when nothing is known"},
	"wal_rotational": {"help": "The same of pg_wal"},
	"multixact_members": {"kind": "gauge", "unit": "members", "metric": "pg_multixact_members",
		"help": "Members of multixacts that its files have room for"},
	"pct_multixact_members": {"kind": "gauge", "unit": "percent", "metric": "pg_multixact_members_pct_used",
		"help": "Share of the members that there can be at all"}
}$columns$);
