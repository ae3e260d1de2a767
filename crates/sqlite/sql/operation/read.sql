-- An operation. No row: there is none of this id.
--
--   ?1  id  blob
--
-- Index: that of the unique ids of operation.
SELECT record, number, nonce, free_at
FROM operation
WHERE id = ?1
