-- A worker that is known and whose lease holds. No row: it is unknown, gone or expired.
--
--   ?1  id   blob
--   ?2  now  integer, microseconds
--
-- With it comes whether there may be decisions to be carried out, which saves every claim a statement.
-- Index: that of the unique id, review_settling.
SELECT number, lease_until, lease, stopping,
    EXISTS (SELECT 1 FROM review INDEXED BY review_settling WHERE review.standing = 2)
FROM worker
WHERE id = ?1 AND gone_at IS NULL AND lease_until > ?2
