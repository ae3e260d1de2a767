-- Closes the open attempt of a job that is final already.
--
--   ?1  seq    integer
--   ?2  nonce  integer; zero when the token must be forgotten
UPDATE job
SET holder = NULL, nonce = ?2
WHERE seq = ?1
