-- Keeps what was decided about a job in review.
--
--   ?1  job         blob
--   ?2  standing    integer, 2 where it has to be carried out; NULL where not
--   ?3  decision    integer
--   ?4  decided_at  integer, microseconds
--   ?5  reviewer    text; NULL where nobody decided in time
--   ?6  comment     text; NULL for none
--   ?7  digest      blob
--   ?8  edited      integer, 1 where the args were changed
--
-- Index: the unique one of review.job.
UPDATE review
SET standing = ?2, look_at = NULL, decision = ?3, decided_at = ?4, reviewer = ?5, comment = ?6, digest = ?7,
    edited = ?8
WHERE job = ?1
