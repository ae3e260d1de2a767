-- Gives a job that was not started what another asked for. No row changed: there is no such job.
--
--   ?1  id            blob
--   ?2  lane          integer
--   ?3  priority      integer, 1 to 5
--   ?4  run_at        integer, microseconds
--   ?5  attempts_max  integer
--   ?6  losses_max    integer
--   ?7  deadline      integer, microseconds; NULL for none
--   ?8  args          text for JSON, blob for other bytes
--   ?9  options       text, JSON; NULL where all is default
--   ?10 traits        integer
--   ?11 reason        integer; NULL for none
--   ?12 times         integer, how often it was changed
--
-- Index: job_id.
UPDATE job
SET lane = ?2, priority = ?3, run_at = ?4, attempts_max = ?5, losses_max = ?6, deadline = ?7, args = ?8, options = ?9,
    traits = ?10, reason = ?11, revision = revision + ?12
WHERE id = ?1
RETURNING seq
