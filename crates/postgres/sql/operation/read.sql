-- An operation. No row: there is none of this id.
--
--   $1  id  uuid
--
-- Index: operation_id_key.
SELECT record
FROM windlass.operation
WHERE id = $1
