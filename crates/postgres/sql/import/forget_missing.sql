-- Forgets edges to jobs that were not taken in. Reads every edge. No row changed: there are none.
--
-- Index: the primary key of job, history_id.
DELETE FROM windlass.edge
WHERE NOT EXISTS (SELECT FROM windlass.job WHERE job.id = edge.parent)
    AND NOT EXISTS (SELECT FROM windlass.history WHERE history.id = edge.parent)
