-- Records what became of a tick. Changes no row where that is recorded already: the tick has made its job.
--
--   ?1  schedule  integer
--   ?2  tick      integer, microseconds
--   ?3  form      integer, 0 for a job, else why there is none
--   ?4  at        integer, microseconds
--   ?5  job       blob; NULL for none
--   ?6  until     integer, microseconds; NULL for a job
--   ?7  count     integer; NULL for a job
--
-- Index: the primary key.
INSERT INTO firing (schedule, tick, form, at, job, until, count)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING
