-- Groups that match, the one that was seen last first.
--
--   ?1  skipped     integer
--   ?2  limit       integer
--   ?3  kinds       text, JSON array of names; NULL for all
--   ?4  seen_since  integer, microseconds; NULL for any
--
-- Index: error_group_last. There are no more of them than a person could look through.
SELECT fingerprint, kind, class, message, count, first_at, last_at, example
FROM error_group
WHERE (?3 IS NULL OR kind IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR last_at >= ?4)
ORDER BY last_at DESC, fingerprint
LIMIT ?2 OFFSET ?1
