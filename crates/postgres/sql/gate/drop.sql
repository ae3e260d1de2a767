-- Takes jobs from the lists of all gates, that were locked in the same transaction.
--
--   $1  jobs  uuid[]
--
-- Index: stand_job. No row changed: they were in none.
DELETE FROM windlass.stand
WHERE job = ANY ($1)
