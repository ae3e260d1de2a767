-- Ends an attempt that the caller has found to be the open one, and moves its job where the model says.
--
--   ?1  seq          integer
--   ?2  stage        integer
--   ?3  reason       integer; NULL for none
--   ?4  run_at       integer, microseconds
--   ?5  attempt      integer
--   ?6  losses       integer
--   ?7  finished_at  integer, microseconds; NULL if it is not final
--   ?8  result       text, JSON; NULL for none
--   ?9  error        text, JSON; NULL for none
--   ?10 nonce        integer; zero when the token must be forgotten
UPDATE job
SET stage = ?2, reason = ?3, run_at = ?4, attempt = ?5, losses = ?6, finished_at = ?7, result = ?8, error = ?9,
    nonce = ?10, holder = NULL, revision = revision + 1
WHERE seq = ?1
