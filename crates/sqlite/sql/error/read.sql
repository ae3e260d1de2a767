-- One group.
--
--   ?1  fingerprint  integer
--
-- Index: the primary key of error_group. No row: there is no such group.
SELECT fingerprint, kind, class, message, count, first_at, last_at, example
FROM error_group
WHERE fingerprint = ?1
