-- Extends the lease of a worker, and tells which of its attempts are of jobs that were cancelled.
--
--   $1  now  timestamptz; NULL for the server's
--   $2  id   uuid
--
-- Index: worker_id_key, job_stopping. No row: it is unknown, gone or expired.
UPDATE windlass.worker
SET seen_at = coalesce($1, statement_timestamp()),
    lease_until = coalesce($1, statement_timestamp()) + lease * interval '1 microsecond'
WHERE id = $2 AND gone_at IS NULL AND lease_until > coalesce($1, statement_timestamp())
RETURNING lease_until, (
    SELECT string_agg(concat_ws(' ', job.id, job.number, job.nonce), ',')
    FROM windlass.job
    WHERE job.stage = 6 AND job.holder = worker.number
)
