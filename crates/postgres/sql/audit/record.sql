-- Keeps for ever who did what.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  verb      text
--   $3  noun      text
--   $4  subjects  text[]
--   $5  actor     text
--   $6  why       text; NULL if not said
--   $7  via       text; NULL if not known
--   $8  changes   text[], JSON; NULL where it is not told
INSERT INTO windlass.audit (at, verb, noun, subject, actor, why, via, change)
SELECT coalesce($1, statement_timestamp()), $2, $3, given.subject, $5, $6, $7, given.change
FROM unnest($4, $8) AS given (subject, change)
