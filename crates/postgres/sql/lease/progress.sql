-- Keeps how far a running attempt has come, under its token.
--
--   $1  now      timestamptz; NULL for the server's
--   $2  id       uuid
--   $3  number   bigint
--   $4  nonce    bigint
--   $5  percent  smallint
--   $6  message  text; NULL for none
--
-- The condition is the twin of `windlass_store::rules::fence`.
-- Index: the primary key of job. No row changed: the token did not pass.
UPDATE windlass.job
SET more.progress = $5, more.progress_message = $6, revision = revision + 1
WHERE id = $2 AND number = $3 AND nonce = $4 AND nonce <> 0 AND stage = 1 AND holder <> 0
    AND coalesce(lease_until, (SELECT worker.lease_until FROM windlass.worker WHERE worker.number = job.holder
        AND worker.gone_at IS NULL)) > coalesce($1, statement_timestamp())
