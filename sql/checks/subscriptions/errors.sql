-- Subscriptions that failed in the last ten minutes, when applying changes or when making the first copy of a table.
--
-- The worker begins again with the same transaction some seconds later, so a failure that nobody looks after comes back for
-- ever. A step after a gap is left out: nobody knows when in it they were.
SELECT pgdba.define_check(
	check_id => 'subscriptions.errors',
	query => $check$
SELECT format('subscription:%I/%I', s.db, s.subscription) AS object,
	s.db AS database,
	CASE WHEN s.apply_errors IS NOT NULL AND s.sync_errors IS NOT NULL THEN h.apply_errors + h.sync_errors END::float8 AS value,
	'errors' AS unit,
	jsonb_strip_nulls(jsonb_build_object(
		'subscription', s.subscription, 'enabled', s.enabled, 'running', s.running, 'slot_name', s.slot_name,
		'apply_errors', h.apply_errors, 'sync_errors', h.sync_errors, 'insert_exists', h.insert_exists,
		'update_missing', h.update_missing, 'delete_missing', h.delete_missing,
		'what', concat_ws(' and ', CASE WHEN h.apply_errors > 0 THEN h.apply_errors || ' to apply changes' END,
			CASE WHEN h.sync_errors > 0 THEN h.sync_errors || ' to copy tables' END),
		'conflicts', CASE WHEN h.insert_exists > 0 THEN ', on ' || h.insert_exists || ' rows that were there' ELSE '' END,
		'reason', CASE WHEN s.apply_errors IS NULL OR s.sync_errors IS NULL
			THEN 'the errors of subscription ' || s.subscription || ' are not known' END,
		'next_step', CASE WHEN h.apply_errors > 0
			THEN 'The server log names the row. Change or remove it here, or leave the transaction out with ALTER SUBSCRIPTION ... SKIP and the LSN that the log calls finished at: all its changes are lost then.'
			ELSE 'The server log names the table. Put it right here, or empty it, and the copy begins again by itself.' END
	)) AS evidence
FROM pgdba.last_subscription s
LEFT JOIN (SELECT b.db, b.subscription, coalesce(sum(b.apply_errors), 0) AS apply_errors, coalesce(sum(b.sync_errors), 0) AS sync_errors,
		sum(b.insert_exists) AS insert_exists, sum(b.update_missing) AS update_missing, sum(b.delete_missing) AS delete_missing
	FROM pgdba.hist_subscription b
	WHERE b.sampled_at > (SELECT max(l.sampled_at) FROM pgdba.last_subscription l) - interval '10 min' AND NOT b.gap
		AND EXISTS (SELECT FROM pgdba.last_subscription f WHERE f.apply_errors > 0 OR f.sync_errors > 0)
	GROUP BY b.db, b.subscription) h ON h.db = s.db AND h.subscription = s.subscription
WHERE h.apply_errors > 0 OR h.sync_errors > 0 OR s.apply_errors IS NULL OR s.sync_errors IS NULL
ORDER BY 3 DESC NULLS LAST, s.db, s.subscription
LIMIT 100
$check$,
	definition => $definition${
	"title": "Errors of subscriptions",
	"loop": "workload",
	"probes": ["subscription"],
	"thresholds": {"warning": 0},
	"message": "subscription {subscription} failed in the last 10 min: {what}{conflicts}",
	"why": "It begins again with what it failed at, so that nothing behind it arrives until somebody helps.",
	"action": "{next_step}"
}$definition$);
