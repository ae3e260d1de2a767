-- Jobs of a flow, in the order in which they were enqueued.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  ids  uuid[]
--
-- `OFFSET 0` keeps the planner from walking through whole tables where it takes them for empty. Index: the primary key of job,
-- history_id. No row: none of them is there.
SELECT job.id, NULL::smallint, lane.kind, job.stage, job.reason, job.run_at, job.seq, job.holder,
    coalesce($1, statement_timestamp()), lane.queue, job.options
FROM unnest($2) AS given (id)
CROSS JOIN LATERAL (
    SELECT job.id, job.seq, job.lane, job.stage, job.reason, job.run_at, job.holder, job.options
    FROM windlass.job
    WHERE job.id = given.id
    UNION ALL
    SELECT history.id, history.seq, history.lane, history.stage, history.reason, history.run_at, 0,
        history.options
    FROM windlass.history
    WHERE history.id = given.id
    OFFSET 0
) AS job
JOIN windlass.lane ON lane.id = abs(job.lane)
ORDER BY job.seq
