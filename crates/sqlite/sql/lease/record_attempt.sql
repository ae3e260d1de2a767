-- Keeps how an attempt ended.
--
--   ?1  job         blob
--   ?2  number      integer
--   ?3  worker      integer
--   ?4  started_at  integer, microseconds
--   ?5  ended_at    integer, microseconds
--   ?6  outcome     integer
--   ?7  error       text, JSON; NULL for none
--   ?8  fingerprint integer, of the group its error is in; NULL for none
INSERT INTO attempt (job, number, worker, started_at, ended_at, outcome, error, fingerprint)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
