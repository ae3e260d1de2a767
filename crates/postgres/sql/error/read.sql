-- One group.
--
--   $1  fingerprint  bigint
--
-- Index: the primary key of error_group. No row: there is no such group.
SELECT fingerprint, kind, class, message, count, first_at, last_at, example
FROM windlass.error_group
WHERE fingerprint = $1
