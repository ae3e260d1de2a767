-- Says who has a key from now on.
--
--   ?1  key      blob
--   ?2  job      blob
--   ?3  hold     integer
--   ?4  until    integer, microseconds; NULL for as long as its hold says
--   ?5  next     blob; NULL if nobody waits for it
--   ?6  free_at  integer, microseconds; NULL for none
INSERT OR REPLACE INTO unique_key (key, job, hold, until, next, free_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
