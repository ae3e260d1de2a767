-- Raises the revisions of jobs of which something was told; this transaction has locked them.
--
--   $1  ids  uuid[]
--
-- Index: the primary key of job. No row changed: there was none of them.
UPDATE windlass.job
SET revision = revision + 1
WHERE id = ANY ($1)
