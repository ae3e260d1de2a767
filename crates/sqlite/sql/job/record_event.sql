-- Keeps who changed a job by hand.
--
--   ?1  id        blob
--   ?2  revision  integer, the one the change made
--   ?3  at        integer, microseconds
--   ?4  verb      text
--   ?5  actor     text
--   ?6  why       text; NULL if not said
INSERT INTO event (job, revision, at, verb, actor, why)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
