-- What could have made the server slow in a time, and which of it the samples of that time prove or refute.
--
-- A candidate cause is a row of view causes: a query over the hist_ views, which says whether it was so, and why. hypotheses() runs them
-- all. What they set their numbers against are the thresholds of the check that watches the same thing all the time.

-- Shared by checks and causes: what a session at work waits for, told by what to do about it.
CREATE FUNCTION pgdba.load_kind(class text, event_type text, event text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pgdba, pg_temp
	RETURN CASE
		WHEN event_type || ':' || event IN ('IO:WalSync', 'IO:WalWrite', 'LWLock:WALWrite', 'IPC:SyncRep') THEN 'commit'
		WHEN class = 'IO' AND event LIKE 'Buffile%' THEN 'temp'
		WHEN class = 'IO' OR event_type || ':' || event = 'IPC:BufferIo' THEN 'io'
		ELSE lower(class) END;
COMMENT ON FUNCTION pgdba.load_kind(text, text, text) IS
	'What a row of probe wait is about: commit (to disk, or on a standby), temp (files of sorts and hashes), io (other storage), or its class in lower case.';

-- The samples of waits of a time as one row, in session-seconds. Only what sessions of roles did is blamed on commits, because the WAL
-- writer waits for the disk as well. What had been idle in a transaction for more than 5 s was forgotten, and counts nowhere.
CREATE FUNCTION pgdba.load_facts(since timestamptz, until timestamptz, OUT span float8, OUT ticks bigint, OUT cpus float8,
	OUT samples bigint, OUT all_samples bigint, OUT active float8, OUT cpu float8, OUT cpu_samples bigint, OUT io float8, OUT temp float8, OUT commit float8,
	OUT standby float8, OUT lock float8, OUT lwlock float8, OUT thinking float8, OUT writing float8, OUT working float8, OUT on_cpu float8,
	OUT runnable float8, OUT enough bool, OUT few text, OUT enough_of_all bool, OUT few_of_all text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp AS $$
DECLARE
	forgotten float8;
	missed float8;
BEGIN
	SELECT sum(t.span_seconds), sum(t.gap_seconds), sum(t.ticks), (array_agg(t.cpus ORDER BY t.sampled_at DESC))[1], sum(t.cpu_seconds),
		sum(t.runnable_seconds)
	INTO span, missed, ticks, cpus, on_cpu, runnable
	FROM pgdba.hist_wait_tick t WHERE t.sampled_at > since AND t.sampled_at <= until;
	SELECT coalesce(avg(a.sessions), 0) INTO forgotten
	FROM (SELECT count(*) FILTER (WHERE h.state = 'idle in transaction' AND h.sampled_at - h.state_change > interval '5 s') AS sessions
		FROM pgdba.hist_activity h WHERE h.sampled_at > since AND h.sampled_at <= until GROUP BY h.sampled_at) a;
	SELECT coalesce(sum(w.samples) FILTER (WHERE w.active), 0), coalesce(sum(w.samples), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.active), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'cpu'), 0), coalesce(sum(w.samples) FILTER (WHERE w.kind = 'cpu'), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind IN ('io', 'temp')), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'temp'), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'commit' AND w.role IS NOT NULL), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'commit' AND w.event = 'SyncRep' AND w.role IS NOT NULL), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'lock'), 0), coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'lwlock'), 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.state = 'idle'), 0) + greatest(coalesce(sum(w.seconds)
			FILTER (WHERE w.state = 'idle in transaction'), 0) - forgotten * span, 0),
		coalesce(sum(w.seconds) FILTER (WHERE w.kind = 'client'), 0)
	INTO samples, all_samples, active, cpu, cpu_samples, io, temp, commit, standby, lock, lwlock, thinking, writing
	FROM (SELECT h.*, h.state = 'active' AS active,
			CASE WHEN h.state = 'active' THEN pgdba.load_kind(h.class, h.event_type, h.event) END AS kind
		FROM pgdba.hist_wait h WHERE h.sampled_at > since AND h.sampled_at <= until) w;
	working := active + thinking;
	-- 300 samples are enough to judge; so are 300 looks that met less than half a session, because then nothing was done.
	enough := samples >= 300 OR (ticks >= 300 AND 2 * samples < ticks);
	enough_of_all := all_samples >= 300 OR (ticks >= 300 AND 2 * all_samples < ticks);
	few := CASE WHEN missed > span THEN format('nobody looked for %s of %s', pgdba.duration_text(missed), pgdba.duration_text(missed + span))
		WHEN NOT coalesce(enough, false) THEN format('only %s samples of active sessions in %s looks: 300 are needed', samples, coalesce(ticks, 0)) END;
	few_of_all := CASE WHEN missed > span THEN few
		WHEN NOT coalesce(enough_of_all, false) THEN format('only %s samples of sessions in %s looks: 300 are needed', all_samples, coalesce(ticks, 0)) END;
	enough := few IS NULL;
	enough_of_all := few_of_all IS NULL;
END
$$;
COMMENT ON FUNCTION pgdba.load_facts(timestamptz, timestamptz) IS
	'For hypotheses(): what sessions did in a time, in session-seconds, from probes wait and wait_tick; enough and few are whether active sessions were seen often enough to judge, and why not; enough_of_all and few_of_all the same of all sessions at work.';

-- A query gets $1 and $2, the time; $3, where its check begins to alarm; $4, the floors of that check. It returns one row: whether it was so
-- (NULL: not known), the proof as a sentence, the numbers of it, and what to do. It runs only where each of `probes` has a sample in
-- the time; a probe that has rows only when something is wrong is not named there, but one of its loop that always has.
CREATE VIEW pgdba.causes AS
SELECT c.place, c.cause, c.check_id, c.probes, c.query FROM (VALUES
(1, 'lock', 'locks.storm', '{activity}'::text[], $cause$
WITH moment AS (
	SELECT a.sampled_at, count(*) FILTER (WHERE a.waited >= 1) AS waiting, max(a.waited) AS longest
	FROM (SELECT h.sampled_at, extract(epoch FROM h.sampled_at - h.lock_wait_start)::float8 AS waited FROM pgdba.hist_activity h
		WHERE h.sampled_at > $1 AND h.sampled_at <= $2) a
	GROUP BY a.sampled_at
), n AS (
	SELECT max(m.waiting) AS waiting, coalesce(max(m.longest), 0) AS longest,
		(array_agg(m.sampled_at ORDER BY m.waiting DESC, m.longest DESC NULLS LAST))[1] AS worst_at FROM moment m
), f AS (
	SELECT f.*, 100 * f.lock / nullif(f.active, 0) AS percent FROM pgdba.load_facts($1, $2) f
)
SELECT n.waiting > $3 OR n.longest > (SELECT t.warning FROM pgdba.thresholds t WHERE t.check_id = 'locks.blocked' AND t.object_pattern = '%')
		OR coalesce(f.enough AND f.percent > 50 AND f.active > 0.5 * f.span, false),
	format('at most %s sessions had waited for a lock for a second, the longest for %s%s', n.waiting, pgdba.duration_text(n.longest),
		coalesce('; ' || round(f.percent) || ' % of the load waited for locks', '')),
	jsonb_build_object('waiting', n.waiting, 'longest_seconds', n.longest, 'worst_at', n.worst_at, 'load_percent', f.percent),
	format('SELECT * FROM pgdba.lock_tree(%L); shows who stood at the head.', n.worst_at)
FROM n CROSS JOIN f
$cause$),
(2, 'one statement', 'load.one_query', '{wait_tick}', $cause$
SELECT CASE WHEN f.enough THEN coalesce(q.percent > $3 AND 100 * f.active / (f.span * f.cpus) > ($4 ->> 'busy')::float8, false) END,
	coalesce(f.few, format('the load was %s on %s CPUs%s', round((f.active / f.span)::numeric, 2), f.cpus,
		CASE WHEN q.query_id IS NULL THEN ', no statement is known'
			ELSE format('; statement %s in %s had %s %% of it', q.query_id, q.db, round(q.percent)) END)),
	jsonb_build_object('load', f.active / f.span, 'cpus', f.cpus, 'percent', q.percent, 'db', q.db, 'query_id', q.query_id, 'samples', f.samples),
	format('Look at its plan: SELECT query FROM pg_stat_statements WHERE queryid = %L;', q.query_id)
FROM pgdba.load_facts($1, $2) f
LEFT JOIN LATERAL (SELECT h.db, h.query_id, 100 * sum(h.seconds) / nullif(f.active, 0) AS percent FROM pgdba.hist_wait h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.state = 'active' AND h.query_id IS NOT NULL
		AND h.event_type <> 'Lock' -- that is somebody else's doing
	GROUP BY h.db, h.query_id ORDER BY 3 DESC, 1, 2 LIMIT 1) q ON true
$cause$),
(3, 'CPU', 'load.above_cpus', '{wait_tick}', $cause$
SELECT CASE WHEN f.enough THEN f.cpu / f.span > f.cpus * $3 END,
	coalesce(f.few, format('%s sessions at a time were on a CPU or ready for one, of %s CPUs',
		round((f.cpu / f.span)::numeric, 2), f.cpus)),
	jsonb_build_object('cpu_sessions', f.cpu / f.span, 'cpus', f.cpus, 'load', f.active / f.span, 'samples', f.samples),
	'SELECT * FROM pgdba.top_load(); lists the statements to make cheaper.'
FROM pgdba.load_facts($1, $2) f
$cause$),
(4, 'CPU outside', 'load.cpu_starved', '{wait_tick,machine,process}', $cause$
WITH m AS (
	SELECT sum(h.elapsed) AS elapsed, max(h.cpus) AS cpus, sum(h.cpu_user + h.cpu_system) AS used, coalesce(sum(h.cpu_steal), 0) AS stolen,
		coalesce(sum(h.group_throttled), 0) AS throttled
	FROM pgdba.hist_machine h WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.cpu_user IS NOT NULL
), p AS (
	SELECT coalesce(sum(h.cpu_seconds), 0) AS used FROM pgdba.hist_process h WHERE h.sampled_at > $1 AND h.sampled_at <= $2
), n AS (
	SELECT f.*, 100 * f.runnable / nullif(f.runnable + f.on_cpu, 0) AS waited, m.cpus AS machine_cpus,
		greatest(m.used - greatest(p.used, f.on_cpu), 0) / m.elapsed AS others, m.stolen / m.elapsed AS stolen,
		m.throttled / m.elapsed AS throttled
	FROM pgdba.load_facts($1, $2) f CROSS JOIN m CROSS JOIN p
)
SELECT CASE WHEN n.enough AND n.others IS NOT NULL AND n.runnable IS NOT NULL THEN n.cpu_samples >= 300 AND coalesce(n.waited > $3, false)
		AND greatest(100 * (n.others + n.stolen) / n.machine_cpus, 100 * n.throttled) > ($4 ->> 'taken')::float8 END,
	coalesce(n.few, CASE WHEN n.others IS NULL THEN 'the CPU time of the machine is not known: two samples of probe machine are needed'
		WHEN n.runnable IS NULL THEN 'the system does not tell how long sessions wait for a CPU' END,
		format('sessions on a CPU waited %s %% of the time to get one; others used %s of %s CPUs, the hypervisor %s, and the control group was '
			'stopped %s %% of the time', round(coalesce(n.waited, 0)::numeric, 1), round(n.others::numeric, 2), n.machine_cpus,
			round(n.stolen::numeric, 2), round((100 * n.throttled)::numeric))),
	jsonb_build_object('waited_percent', n.waited, 'other_cpus', n.others, 'stolen_cpus', n.stolen, 'throttled_percent', 100 * n.throttled,
		'cpus', n.machine_cpus, 'samples', n.cpu_samples),
	'See with top or pidstat which processes of the machine use its CPUs, and move or limit them.'
FROM n
$cause$),
(5, 'I/O', 'load.io_bound', '{wait_tick}', $cause$
SELECT CASE WHEN f.enough THEN coalesce(n.percent > $3 AND 100 * f.active / (f.span * f.cpus) > ($4 ->> 'busy')::float8, false) END,
	coalesce(f.few, format('%s %% of a load of %s on %s CPUs waited for storage%s', round(coalesce(n.percent, 0)),
		round((f.active / f.span)::numeric, 2), f.cpus, coalesce(', most for ' || e.event, ''))),
	jsonb_build_object('percent', n.percent, 'load', f.active / f.span, 'cpus', f.cpus, 'event', e.event, 'samples', f.samples),
	'SELECT * FROM pgdba.waits(''5 minutes'', ''query''); names the statements that read or write so much.'
FROM pgdba.load_facts($1, $2) f
CROSS JOIN LATERAL (SELECT 100 * f.io / nullif(f.active, 0) AS percent) n
LEFT JOIN LATERAL (SELECT h.event_type || ':' || h.event AS event FROM pgdba.hist_wait h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.state = 'active' AND pgdba.load_kind(h.class, h.event_type, h.event) IN ('io', 'temp')
	GROUP BY 1 ORDER BY sum(h.seconds) DESC, 1 LIMIT 1) e ON true
$cause$),
(6, 'temp files', 'temp.surge', '{database}', $cause$
SELECT coalesce(d.bytes > 1073741824, false) OR coalesce(f.enough AND f.temp > 0.5 * f.active AND f.active > 0.5 * f.span, false),
	format('%s of temporary files in 5 minutes; %s %% of the load waited for such files', pg_size_pretty(coalesce(d.bytes, 0)::int8),
		round(coalesce(100 * f.temp / nullif(f.active, 0), 0))),
	jsonb_build_object('bytes_in_5_minutes', d.bytes, 'load_percent', 100 * f.temp / nullif(f.active, 0), 'db', d.db),
	'SELECT query FROM pg_stat_statements ORDER BY temp_blks_written DESC LIMIT 10; give them an index, or their role more work_mem.'
FROM pgdba.load_facts($1, $2) f
LEFT JOIN (SELECT h.db, 300 * sum(h.temp_bytes) / sum(h.elapsed) AS bytes FROM pgdba.hist_database h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.temp_bytes IS NOT NULL AND h.elapsed > 0
	GROUP BY h.db ORDER BY 2 DESC, 1 LIMIT 1) d ON true
$cause$),
(7, 'commit bound', 'load.commit_bound', '{wait_tick,database}', $cause$
SELECT CASE WHEN f.enough_of_all AND d.commits IS NOT NULL THEN f.all_samples >= 300 AND coalesce(n.percent > $3, false) AND d.rows < 10
		AND d.commits > ($4 ->> 'commits_per_second')::float8 END,
	coalesce(f.few_of_all, CASE WHEN d.commits IS NULL THEN 'the number of commits is not known: two samples of probe database are needed' END,
		format('%s %% of the time of working sessions waited for commits, %s %% for clients; %s commits/s of %s rows in %s',
			round(coalesce(n.percent, 0)::numeric, 1), round(coalesce(n.thinking, 0)::numeric, 1), round(d.commits::numeric, 1),
			round(d.rows::numeric, 1), d.db)),
	jsonb_build_object('percent', n.percent, 'think_percent', n.thinking, 'commits_per_second', d.commits, 'rows_per_commit', d.rows,
		'db', d.db, 'samples', f.all_samples),
	'Let the application change hundreds of rows per transaction: batches, multi-row INSERT or COPY.'
FROM pgdba.load_facts($1, $2) f
CROSS JOIN LATERAL (SELECT 100 * f.commit / nullif(f.working, 0) AS percent, 100 * f.thinking / nullif(f.working, 0) AS thinking) n
LEFT JOIN (SELECT h.db, sum(h.xact_commit) / sum(h.elapsed) AS commits,
		coalesce(sum(h.tup_inserted + h.tup_updated + h.tup_deleted)::float8 / nullif(sum(h.xact_commit), 0), 0) AS rows
	FROM pgdba.hist_database h WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.xact_commit IS NOT NULL AND h.elapsed > 0
	GROUP BY h.db ORDER BY h.db = (SELECT w.db FROM pgdba.hist_wait w WHERE w.sampled_at > $1 AND w.sampled_at <= $2 AND w.role IS NOT NULL
		AND w.state = 'active' AND pgdba.load_kind(w.class, w.event_type, w.event) = 'commit'
		GROUP BY w.db ORDER BY sum(w.seconds) DESC, 1 LIMIT 1) DESC NULLS LAST, 2 DESC, 1 LIMIT 1) d ON true
$cause$),
(8, 'synchronous replication', 'load.commit_bound', '{wait_tick}', $cause$
SELECT CASE WHEN f.enough_of_all THEN f.all_samples >= 300 AND coalesce(n.percent > $3, false) END,
	coalesce(f.few_of_all, format('%s %% of the time of working sessions waited for a synchronous standby%s', round(coalesce(n.percent, 0)::numeric, 1),
		coalesce('; there are ' || r.names, '; none was seen'))),
	jsonb_build_object('percent', n.percent, 'standbys', r.names, 'samples', f.all_samples),
	'Look at the disk and the network of the standby: SELECT * FROM pgdba.last_replication; what may be lost can do with synchronous_commit = local.'
FROM pgdba.load_facts($1, $2) f
CROSS JOIN LATERAL (SELECT 100 * f.standby / nullif(f.working, 0) AS percent) n
CROSS JOIN (SELECT string_agg(DISTINCT h.replica, ', ') AS names FROM pgdba.hist_replication h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.synchronous) r
$cause$),
(9, 'checkpoint', 'checkpoints.requested', '{checkpoint}', $cause$
WITH step AS (
	SELECT h.sampled_at, h.timed, h.requested, h.elapsed, h.in_recovery, h.max_wal_size, h.wal_segment_size, h.completion_target, h.write_seconds,
		h.sync_seconds, h.redo_position - lag(h.redo_position) OVER (ORDER BY h.sampled_at) AS redo
	FROM pgdba.hist_checkpoint h WHERE h.sampled_at > $1 - interval '10 min' AND h.sampled_at <= $2
), n AS (
	SELECT bool_or(s.in_recovery) AS standby, sum(s.elapsed) AS seconds, sum(s.timed) AS timed, sum(s.requested) AS requested,
		sum(s.sync_seconds) AS sync, least(sum(s.requested), sum(floor(s.redo
			/ (greatest(floor(s.max_wal_size / s.wal_segment_size / (1 + s.completion_target)) - 2, 0.5) * s.wal_segment_size)))) AS forced
	FROM step s WHERE s.sampled_at > $1
)
SELECT CASE WHEN NOT n.standby THEN coalesce(100 * n.forced / nullif(n.forced + n.timed, 0) > $3, false)
		AND 3600 * n.forced / n.seconds > ($4 ->> 'forced')::float8 END,
	CASE WHEN n.standby THEN 'a standby does what its primary does: look there'
		WHEN n.requested IS NULL THEN 'the number of checkpoints is not known: two samples of probe checkpoint are needed'
		ELSE format('WAL forced %s checkpoints in %s, %s came by time; they synced files for %s', coalesce(n.forced, 0),
			pgdba.duration_text(n.seconds), n.timed, pgdba.duration_text(n.sync)) END,
	jsonb_build_object('forced', n.forced, 'timed', n.timed, 'requested', n.requested, 'seconds', n.seconds, 'sync_seconds', n.sync),
	'Raise max_wal_size, when the disk of pg_wal has the room.'
FROM n
$cause$),
(10, 'dead tuples', 'vacuum.dead_tuples', '{relation}', $cause$
SELECT coalesce(r.pct_dead > $3 AND r.dead, false),
	CASE WHEN r.relation IS NULL THEN 'no table had dead rows' ELSE format('%s in %s: %s %% of its rows were dead (%s); it counts '
		'beyond %s %% and %s', r.relation, r.db, round(r.pct_dead::numeric, 1), r.n_dead_tup, $3, $4 ->> 'dead') END,
	jsonb_build_object('relation', r.relation, 'db', r.db, 'pct_dead', r.pct_dead, 'n_dead_tup', r.n_dead_tup, 'at', r.sampled_at),
	format('See which cause holds back vacuum, then: VACUUM (VERBOSE, ANALYZE) %I.%I;', r.schema, r.relname)
FROM (VALUES (1)) v
LEFT JOIN (SELECT h.*, h.n_dead_tup > ($4 ->> 'dead')::float8 AS dead FROM pgdba.hist_relation h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 AND h.n_dead_tup > 0
	ORDER BY h.n_dead_tup > ($4 ->> 'dead')::float8 DESC, h.pct_dead DESC NULLS LAST, h.n_dead_tup DESC, 1 LIMIT 1) r ON true
$cause$),
(11, 'horizon', 'vacuum.horizon', '{connections}', $cause$
SELECT CASE WHEN h.kind IS NULL THEN false ELSE h.held > $3 END,
	CASE WHEN h.kind IS NULL THEN 'nobody held back vacuum'
		WHEN h.held IS NULL THEN pgdba.holder_text(h.kind, h.name, h.pid, h.role, h.application_name, h.state)
			|| ' holds back vacuum, how far is not known'
		ELSE format('%s held back vacuum by %s transactions', pgdba.holder_text(h.kind, h.name, h.pid, h.role, h.application_name, h.state),
			h.held) END,
	jsonb_build_object('transactions', h.held, 'kind', h.kind, 'name', h.name, 'db', h.db, 'held_seconds', h.held_seconds, 'at', h.sampled_at),
	'Finish it: commit or roll back, or bring the consumer of the slot back; the check says how.'
FROM (VALUES (1)) v
LEFT JOIN (SELECT a.*, greatest(a.xid_age, a.catalog_xid_age) AS held FROM pgdba.hist_horizon a
	WHERE a.sampled_at > $1 AND a.sampled_at <= $2
	ORDER BY greatest(a.xid_age, a.catalog_xid_age) DESC NULLS LAST, a.sampled_at DESC LIMIT 1) h ON true
$cause$),
(12, 'autovacuum', 'vacuum.starvation', '{autovacuum}', $cause$
SELECT n.busy > 50,
	format('%s of %s autovacuum workers at the most, all of them busy in %s %% of the time', n.workers, n.max_workers, round(n.busy)),
	jsonb_build_object('workers', n.workers, 'max_workers', n.max_workers, 'busy_percent', n.busy, 'blocked_jobs', n.blocked),
	'Let them work faster (autovacuum_vacuum_cost_limit) before there are more of them: they share that limit.'
FROM (SELECT max(s.workers) AS workers, max(s.max_workers) AS max_workers, max(s.blocked) AS blocked,
		100.0 * count(*) FILTER (WHERE s.workers >= s.max_workers) / count(*) AS busy
	FROM (SELECT max(h.workers) AS workers, max(h.max_workers) AS max_workers, sum(h.blocked_jobs) AS blocked FROM pgdba.hist_autovacuum h
		WHERE h.sampled_at > $1 AND h.sampled_at <= $2 GROUP BY h.sampled_at) s) n
$cause$),
(13, 'connections', 'connections.saturation', '{connections}', $cause$
SELECT n.percent > $3,
	format('at most %s of %s connections were taken', n.connections, n.usable),
	jsonb_build_object('connections', n.connections, 'usable', n.usable, 'percent', n.percent, 'at', n.sampled_at),
	'Find out who has most of them, and put a pooler in front: SELECT * FROM pgdba.last_connection_origin ORDER BY connections DESC;'
FROM (SELECT h.*, 100.0 * h.connections / nullif(h.usable, 0) AS percent FROM pgdba.hist_connections h
	WHERE h.sampled_at > $1 AND h.sampled_at <= $2 ORDER BY h.connections DESC, h.sampled_at LIMIT 1) n
$cause$),
(14, 'client bound', 'load.client_bound', '{wait_tick,activity}', $cause$
SELECT CASE WHEN f.enough_of_all THEN coalesce(n.percent > $3, false) AND f.active < f.span * f.cpus AND f.working / f.span > ($4 ->> 'sessions')::float8
		AND 100 * f.commit / nullif(f.working, 0) <= (SELECT t.warning FROM pgdba.thresholds t
			WHERE t.check_id = 'load.commit_bound' AND t.object_pattern = '%') END,
	coalesce(f.few_of_all, format('%s sessions worked at a time, and waited %s %% of it for their clients; the load was %s on %s CPUs, %s %% of '
		'the time waited for commits', round((f.working / f.span)::numeric, 2), round(coalesce(n.percent, 0)::numeric, 1),
		round((f.active / f.span)::numeric, 2), f.cpus, round(coalesce(100 * f.commit / nullif(f.working, 0), 0)::numeric, 1))),
	jsonb_build_object('percent', n.percent, 'working', f.working / f.span, 'load', f.active / f.span, 'cpus', f.cpus, 'samples', f.all_samples),
	'The database is not the bottleneck: look at the application, at the network, and at how many statements one task takes.'
FROM pgdba.load_facts($1, $2) f
CROSS JOIN LATERAL (SELECT 100 * (f.thinking + f.writing) / nullif(f.working, 0) AS percent) n
$cause$),
-- Its data comes later.
(15, 'plan change', NULL, '{plan}', NULL)
) AS c (place, cause, check_id, probes, query);
COMMENT ON VIEW pgdba.causes IS
	'The candidate causes that hypotheses() goes through: the check that watches for each, the probes that it cannot do without, and its query.';

CREATE FUNCTION pgdba.hypotheses(since timestamptz, until timestamptz) RETURNS TABLE (cause text, verdict text, proof text,
	evidence jsonb, action text, check_id text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pgdba, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	candidate record;
	confirmed bool;
	probe text;
	covered float8;
	least_covered float8;
	missing text[];
	share jsonb := '{}'; -- by probe: how much of the time its samples cover, in percent
BEGIN
	PERFORM pgdba.require_preload();
	IF since IS NULL OR until IS NULL OR since >= until THEN
		RAISE EXCEPTION 'since must lie before until' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR candidate IN
		SELECT c.cause, c.check_id, c.probes, c.query, coalesce(t.warning, t.critical, t.info) AS level, t.floor
		FROM pgdba.causes c LEFT JOIN pgdba.thresholds t ON t.check_id = c.check_id AND t.object_pattern = '%'
		ORDER BY c.place
	LOOP
		cause := candidate.cause;
		check_id := candidate.check_id;
		evidence := NULL;
		action := NULL;
		confirmed := NULL;
		missing := '{}';
		least_covered := 100;
		FOREACH probe IN ARRAY candidate.probes LOOP
			IF NOT share ? probe THEN
				covered := NULL;
				IF to_regclass(format('pgdba.%I', 'hist_' || probe)) IS NOT NULL THEN
					EXECUTE format('SELECT 100 * sum(s.seconds) / extract(epoch FROM $2 - $1)
						FROM (SELECT DISTINCT h.sampled_at, least(h.elapsed, extract(epoch FROM h.sampled_at - $1)::float8,
								CASE WHEN h.gap THEN 60 END) AS seconds -- after a gap it stands for a minute
							FROM pgdba.%I h WHERE h.sampled_at > $1 AND h.sampled_at <= $2) s', 'hist_' || probe)
						INTO covered USING since, until;
				END IF;
				share := share || jsonb_build_object(probe, covered);
			END IF;
			IF share -> probe = 'null' THEN
				missing := missing || probe;
			ELSE
				least_covered := least(least_covered, (share ->> probe)::float8);
			END IF;
		END LOOP;
		IF missing <> '{}' THEN
			proof := 'there is no sample of ' || array_to_string(missing, ', ') || ' in this time';
			evidence := jsonb_build_object('missing', missing);
		ELSE
			BEGIN
				EXECUTE candidate.query INTO confirmed, proof, evidence, action
				USING since, until, candidate.level, candidate.floor;
				IF NOT confirmed AND least_covered < 50 THEN -- it may have been so when nobody looked
					confirmed := NULL;
					proof := format('only %s %% of this time was sampled: %s', round(least_covered), proof);
				END IF;
				SELECT jsonb_object_agg(e.key, CASE jsonb_typeof(e.value) WHEN 'number'
						THEN to_jsonb(trim_scale(round(e.value::numeric, 3))) ELSE e.value END) INTO evidence
				FROM jsonb_each(jsonb_strip_nulls(evidence) || jsonb_build_object('sampled_percent', least_covered)) e;
			EXCEPTION WHEN OTHERS THEN -- one that fails does not take the others away
				confirmed := NULL;
				proof := 'failed: ' || SQLERRM;
			END;
		END IF;
		verdict := CASE confirmed WHEN true THEN 'confirmed' WHEN false THEN 'ruled out' ELSE 'unknown' END;
		action := CASE WHEN confirmed THEN action END;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pgdba.hypotheses(timestamptz, timestamptz) IS
	'Every candidate cause for trouble in a time: confirmed, ruled out or unknown by the samples of then, the proof as a sentence and in numbers, what to do about a confirmed one, and the check that watches for it. Raises 22023 for an empty time, 55000 without preload.';
