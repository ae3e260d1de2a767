-- Makes an operation.
--
--   $1  id       uuid
--   $2  free_at  timestamptz
--   $3  record   text, JSON
INSERT INTO windlass.operation (id, nonce, free_at, record)
VALUES ($1, 0, $2, $3)
