-- Makes an operation.
--
--   ?1  id       blob
--   ?2  free_at  integer, microseconds
--   ?3  record   text, JSON
INSERT INTO operation (id, nonce, free_at, record)
VALUES (?1, 0, ?2, ?3)
