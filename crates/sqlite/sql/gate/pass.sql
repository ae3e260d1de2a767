-- Takes those out of line who are passed by one that comes later, and could not have it beside them. No row changed: nobody
-- is.
--
--   ?1  gate       integer
--   ?2  priority   integer
--   ?3  run_at     integer, microseconds
--   ?4  seq        integer
--   ?5  exclusive  integer, whether the one that passes wants it alone
--
-- Index: stand_line.
UPDATE stand
SET in_line = 0
WHERE gate = ?1 AND in_line = 1 AND (priority, run_at, seq) < (?2, ?3, ?4) AND (amount = 1 OR ?5)
