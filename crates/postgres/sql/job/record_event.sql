-- Keeps who changed jobs by hand.
--
--   $1  now        timestamptz; NULL for the server's
--   $2  jobs       uuid[]
--   $3  revisions  bigint[], those that the change made
--   $4  verb       text
--   $5  actor      text
--   $6  why        text; NULL if not said
INSERT INTO windlass.event (job, revision, at, verb, actor, why)
SELECT given.job, given.revision, coalesce($1, statement_timestamp()), $4, $5, $6
FROM unnest($2, $3) AS given (job, revision)
