-- The keys that jobs have or wait for, locked in their order.
--
--   $1  now   timestamptz; NULL for the server's
--   $2  jobs  uuid[]
--
-- Index: unique_key_job, unique_key_next, the primary key of unique_key. No row: none.
SELECT taken.key, taken.job, taken.hold, taken.until, taken.next, taken.free_at, coalesce($1, statement_timestamp())
FROM windlass.unique_key AS taken
WHERE taken.key = ANY (ARRAY(
    SELECT key
    FROM windlass.unique_key
    WHERE job = ANY ($2)
    UNION ALL
    SELECT key
    FROM windlass.unique_key
    WHERE next = ANY ($2)
))
ORDER BY taken.key
FOR UPDATE
