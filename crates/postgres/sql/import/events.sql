-- Keeps what was done by hand to jobs that were made known in the same transaction.
--
--   $1  jobs       uuid[]
--   $2  revisions  bigint[]
--   $3  at         timestamptz[]
--   $4  verbs      text[]
--   $5  actors     text[]
--   $6  reasons    text[]; NULL where none was given
INSERT INTO windlass.event (job, revision, at, verb, actor, why)
SELECT *
FROM unnest($1, $2, $3, $4, $5, $6)
