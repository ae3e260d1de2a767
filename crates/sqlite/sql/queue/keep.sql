-- Says how long finished jobs of a queue are kept.
--
--   ?1  queue      text
--   ?2  completed  integer, microseconds; below zero for ever, NULL for as long as holds for all
--   ?3  cancelled  integer, as above
--   ?4  dead       integer, as above
INSERT OR REPLACE INTO retention (queue, completed, cancelled, dead)
VALUES (?1, ?2, ?3, ?4)
