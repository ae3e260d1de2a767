-- Keeps what was decided and told about jobs, and by whom.
--
--   $1  now        timestamptz; NULL for the server's
--   $2  jobs       uuid[]
--   $3  revisions  bigint[], those that the change made
--   $4  verbs      text[]
--   $5  actors     text[]
--   $6  whys       text[]; NULL if not said
INSERT INTO windlass.event (job, revision, at, verb, actor, why)
SELECT given.job, given.revision, coalesce($1, statement_timestamp()), given.verb, given.actor, given.why
FROM unnest($2, $3, $4, $5, $6) AS given (job, revision, verb, actor, why)
