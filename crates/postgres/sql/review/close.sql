-- Nobody has to decide about these jobs any more: they have ended.
--
--   $1  jobs  uuid[]
--
-- Index: the primary key of review. No row: nobody was asked about any of them.
UPDATE windlass.review
SET open = false, look_at = NULL
WHERE job = ANY ($1) AND open
RETURNING job
