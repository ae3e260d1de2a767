-- What was done by hand, the newest first.
--
--   $1  before   bigint, a number
--   $2  limit    bigint
--   $3  actor    text; NULL for anybody
--   $4  verb     text; NULL for any
--   $5  noun     text; NULL for any
--   $6  subject  text; NULL for any
--   $7  since    timestamptz; NULL for any
--
-- Index: the primary key of audit. Reads what does not match on its way.
SELECT number, at, verb, noun, subject, actor, why, via, change
FROM windlass.audit
WHERE number < $1
    AND ($3 IS NULL OR actor = $3)
    AND ($4 IS NULL OR verb = $4)
    AND ($5 IS NULL OR noun = $5)
    AND ($6 IS NULL OR subject = $6)
    AND ($7 IS NULL OR at >= $7)
ORDER BY number DESC
LIMIT $2
