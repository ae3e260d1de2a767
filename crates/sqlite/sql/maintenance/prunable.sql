-- Jobs of one lane and final stage that ended at or before an instant. Those with an open attempt stay, and
-- those that an unfinished job depends on.
--
--   ?1  stage           integer
--   ?2  lane            integer
--   ?3  finished_until  integer, microseconds
--   ?4  limit           integer
--
-- Index: job_finished, edge_parent.
SELECT id, traits
FROM job INDEXED BY job_finished
WHERE finished_at IS NOT NULL AND stage = ?1 AND lane IN (?2, -?2) AND finished_at <= ?3 AND holder IS NULL
    AND (traits & 2 = 0 OR NOT EXISTS (
        SELECT 1
        FROM edge INDEXED BY edge_parent
        CROSS JOIN job AS child ON child.seq = edge.child
        WHERE edge.parent = job.seq AND child.stage < 5
    ))
LIMIT ?4
