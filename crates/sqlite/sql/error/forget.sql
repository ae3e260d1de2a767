-- Forgets the groups that were not seen for longest, but for so many.
--
--   ?1  kept  integer
--
-- Index: error_group_last.
DELETE FROM error_group
WHERE fingerprint IN (
    SELECT fingerprint
    FROM error_group
    ORDER BY last_at DESC, fingerprint
    LIMIT -1 OFFSET ?1
)
