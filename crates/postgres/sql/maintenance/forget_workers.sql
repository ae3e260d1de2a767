-- Forgets workers that left a year ago, by when hardly a job names them.
--
--   $1  now  timestamptz; NULL for the server's
--
-- Reads every worker. No row changed: there are none.
DELETE FROM windlass.worker
WHERE gone_at < coalesce($1, statement_timestamp()) - interval '1 year'
    AND NOT EXISTS (SELECT FROM windlass.claim WHERE claim.worker = worker.number)
