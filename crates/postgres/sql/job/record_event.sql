-- Keeps who changed a job by hand.
--
--   $1  now       timestamptz; NULL for the server's
--   $2  job       uuid
--   $3  revision  bigint
--   $4  verb      text
--   $5  actor     text
--   $6  why       text; NULL if not said
INSERT INTO windlass.event (job, revision, at, verb, actor, why)
VALUES ($2, $3, coalesce($1, statement_timestamp()), $4, $5, $6)
