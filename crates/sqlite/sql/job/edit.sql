-- Gives a waiting job what somebody made of it by hand.
--
--   ?1  seq       integer
--   ?2  lane      integer
--   ?3  priority  integer, 1 to 5
--   ?4  run_at    integer, microseconds
--   ?5  reason    integer; NULL for none
--   ?6  args      text for JSON, blob for other bytes
--   ?7  options   text, JSON; NULL where all is default
--
-- One that claims do not see stays out of their sight.
UPDATE job
SET lane = CASE WHEN lane < 0 THEN -?2 ELSE ?2 END, priority = ?3, run_at = ?4, reason = ?5, args = ?6, options = ?7, revision = revision + 1
WHERE seq = ?1
