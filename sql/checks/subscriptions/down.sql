-- Subscriptions that are to run and do not: a value of 2, critical. One that is disabled and has failed before may have
-- been disabled by its error: a value of 1, a warning, because nobody but its owner can tell.
--
-- A worker that is away in a single sample may be on its way back: it has to be missing in two, while the subscription was
-- enabled.
SELECT pgdba.define_check(
	check_id => 'subscriptions.down',
	query => $check$
WITH bad AS MATERIALIZED (
	SELECT s.* FROM pgdba.last_subscription s
	WHERE NOT s.in_recovery AND CASE WHEN s.enabled THEN NOT s.running
		ELSE s.disable_on_error AND s.apply_errors + s.sync_errors > 0 END
), past AS (
	SELECT h.db, h.subscription, max(h.sampled_at) FILTER (WHERE h.running) AS seen,
		(array_agg(h.enabled AND NOT h.running ORDER BY h.sampled_at DESC) FILTER (WHERE h.sampled_at < n.newest))[1] AS missing,
		sum(h.apply_errors + h.sync_errors) FILTER (WHERE h.sampled_at > n.newest - interval '10 min') AS errors
	FROM (SELECT max(b.sampled_at) AS newest FROM bad b) n
	CROSS JOIN LATERAL (SELECT * FROM pgdba.hist_subscription t
		WHERE t.sampled_at > n.newest - interval '1 hour' AND EXISTS (SELECT FROM bad)) h
	GROUP BY h.db, h.subscription
)
SELECT format('subscription:%I/%I', s.db, s.subscription) AS object,
	s.db AS database,
	CASE WHEN s.enabled THEN 2 ELSE 1 END::float8 AS value,
	'' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'subscription', s.subscription, 'slot_name', s.slot_name, 'enabled', s.enabled, 'disable_on_error', s.disable_on_error,
		'apply_errors', s.apply_errors, 'sync_errors', s.sync_errors, 'recent_errors', h.errors, 'seen', h.seen,
		'what', CASE WHEN s.enabled THEN 'subscription ' || s.subscription || ' has no apply worker, '
				|| coalesce('the last one was seen ' || pgdba.duration_text(extract(epoch FROM s.sampled_at - h.seen)::float8) || ' ago',
					'and had none in the last hour')
				|| CASE WHEN h.errors > 0 THEN ': it fails' ELSE '' END
			ELSE 'subscription ' || s.subscription || ' is disabled and has failed '
				|| CASE s.apply_errors + s.sync_errors WHEN 1 THEN 'once' ELSE s.apply_errors + s.sync_errors || ' times' END END,
		'next_step', CASE
			WHEN NOT s.enabled THEN 'Its error is in the server log. Once what it met is put right, run the SQL; was it disabled on purpose, drop it or set disable_on_error to false.'
			WHEN h.errors > 0 THEN 'Its error is in the server log: see subscriptions.errors.'
			ELSE 'The server log says why: the publisher is down or refuses, the slot ' || coalesce(s.slot_name || ' ', '')
				|| 'is gone or in use, or max_logical_replication_workers and max_worker_processes leave no worker.' END,
		'disabled', CASE WHEN NOT s.enabled THEN s.subscription END
	)) AS evidence
FROM bad s
LEFT JOIN past h ON h.db = s.db AND h.subscription = s.subscription
WHERE h.missing OR NOT s.enabled
ORDER BY 3 DESC, s.db, s.subscription
LIMIT 100
$check$,
	definition => $definition${
	"title": "Subscriptions run",
	"loop": "workload",
	"probes": ["subscription"],
	"thresholds": {"warning": 0, "critical": 1, "for": "1m"},
	"message": "{what}",
	"why": "Its tables fall behind, and its slot makes the publisher keep all WAL since.",
	"action": "{next_step}",
	"sql": "ALTER SUBSCRIPTION {disabled:I} ENABLE;",
	"lock_level": "AccessExclusiveLock",
	"undo": "ALTER SUBSCRIPTION {disabled:I} DISABLE;",
	"symptom_of": "subscriptions.errors"
}$definition$);
