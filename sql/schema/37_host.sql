-- What the operating system tells about the machine, its file systems, the server's processes and certificates. Only the
-- sampler's role may call these; others look at the samples. Beneath every function: a value that the kernel does not
-- give is NULL, because not every system is Linux and not every kernel tells everything.

CREATE FUNCTION pgdba.host_filesystem(path text) RETURNS TABLE (device text, size_bytes bigint, free_bytes bigint,
	available_bytes bigint, files bigint, files_free bigint, read_only bool)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_host_filesystem';
COMMENT ON FUNCTION pgdba.host_filesystem(text) IS
	'The file system that a path lies in, relative to the data directory: device as major:minor, bytes in all, free, and available to the server, inodes. No row for a path that is not there. Source: statvfs().';

CREATE FUNCTION pgdba.host_folder(path text) RETURNS TABLE (mode text, own bool, files bigint, rotational bool)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_host_folder';
COMMENT ON FUNCTION pgdba.host_folder(text) IS
	'A folder, relative to the data directory: permissions as an octal number, whether the server''s user owns it, how many files are in it, whether its disk turns. No row for a folder that is not there. Source: stat(), readdir() and /sys/dev/block.';

CREATE FUNCTION pgdba.host_machine() RETURNS TABLE (memory_total bigint, memory_available bigint, memory_free bigint,
	memory_cached bigint, memory_dirty bigint, memory_writeback bigint, memory_shared bigint, memory_page_tables bigint,
	memory_committed bigint, memory_commit_limit bigint, overcommit float8, swappiness float8, swap_total bigint, swap_free bigint,
	swapped_in bigint, swapped_out bigint, oom_kills bigint, huge_pages bigint, huge_pages_free bigint, huge_page_size bigint,
	transparent_huge_pages text,
	cpu_user float8, cpu_nice float8, cpu_system float8, cpu_idle float8, cpu_iowait float8, cpu_irq float8, cpu_softirq float8,
	cpu_steal float8, cpus float8, running bigint, blocked bigint, boot_time float8, cpu_governor text, clock_synchronized bool,
	clock_error float8, load_1m float8, load_5m float8, load_15m float8,
	cpu_pressure float8, cpu_full_pressure float8, memory_pressure float8, memory_full_pressure float8, io_pressure float8,
	io_full_pressure float8, group_memory_limit bigint, group_memory_used bigint, group_oom_kills bigint, group_cpus float8,
	group_throttled float8)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_host_machine';
COMMENT ON FUNCTION pgdba.host_machine() IS
	'The machine, in one row: memory and swap in bytes, CPU time and pressure in seconds since the start, CPUs, load, the clock, and the limits of the control group that the server runs in. Source: /proc, /sys and adjtimex().';

CREATE FUNCTION pgdba.host_processes() RETURNS TABLE (pid bigint, state text, user_seconds float8,
	system_seconds float8, major_faults bigint, resident_bytes bigint, own_bytes bigint, read_bytes bigint, written_bytes bigint,
	oom_score bigint)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_host_processes';
COMMENT ON FUNCTION pgdba.host_processes() IS
	'The postmaster and its children: CPU time in seconds, memory in bytes (own: not shared with others), bytes read from and written to storage. Source: /proc/<pid>.';

CREATE FUNCTION pgdba.host_certificates() RETURNS TABLE (kind text, file text, place bigint, subject text, issuer text,
	not_before timestamptz, not_after timestamptz, problem text)
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pgdba_host_certificates';
COMMENT ON FUNCTION pgdba.host_certificates() IS
	'The certificates in ssl_cert_file and ssl_ca_file, in the order of the file, or why there is none. No row when ssl is off. Never the key.';
