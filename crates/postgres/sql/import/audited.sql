-- Whether this is known to have been done by hand.
--
--   $1  at       timestamptz
--   $2  verb     text
--   $3  noun     text
--   $4  subject  text
--   $5  actor    text
--
-- Index: none, reads the whole audit: once in a move. No row: never, there is one.
SELECT EXISTS (
    SELECT
    FROM windlass.audit
    WHERE at = $1 AND verb = $2 AND noun = $3 AND subject = $4 AND actor = $5
)
