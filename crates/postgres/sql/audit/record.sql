-- Keeps for ever who did what.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  verb      text
--   $3  noun      text
--   $4  subjects  text[]
--   $5  actor     text
--   $6  why       text; NULL if not said
--   $7  via       text; NULL if not known
INSERT INTO windlass.audit (at, verb, noun, subject, actor, why, via)
SELECT coalesce($1, statement_timestamp()), $2, $3, given.subject, $5, $6, $7
FROM unnest($4) AS given (subject)
