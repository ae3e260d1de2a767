-- Groups that match, the one that was seen last first.
--
--   $1  skipped     bigint
--   $2  limit       bigint
--   $3  kinds       text[]; NULL for all
--   $4  seen_since  timestamptz; NULL for any
--
-- Reads every group: there are no more of them than a person could look through.
SELECT fingerprint, kind, class, message, count, first_at, last_at, example
FROM windlass.error_group
WHERE ($3 IS NULL OR kind = ANY ($3)) AND ($4 IS NULL OR last_at >= $4)
ORDER BY last_at DESC, fingerprint
LIMIT $2 OFFSET $1
