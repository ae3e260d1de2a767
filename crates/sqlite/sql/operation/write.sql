-- Writes an operation as it is now.
--
--   ?1  number    integer
--   ?2  nonce     integer
--   ?3  free_at   integer, microseconds; NULL where nobody may take it up
--   ?4  ended_at  integer, microseconds; NULL where it has not
--   ?5  record    text, JSON
--
-- Index: the primary key of operation.
UPDATE operation
SET nonce = ?2, free_at = ?3, ended_at = ?4, record = ?5
WHERE number = ?1
