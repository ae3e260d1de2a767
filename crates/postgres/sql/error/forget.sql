-- Forgets the groups that were not seen for longest, but for so many.
--
--   $1  kept  bigint
--
-- Reads every group.
DELETE FROM windlass.error_group
WHERE fingerprint = ANY (ARRAY(
    SELECT fingerprint
    FROM windlass.error_group
    ORDER BY last_at DESC, fingerprint
    OFFSET $1
))
