-- Keeps what was decided about jobs in review.
--
--   $1  jobs       uuid[]
--   $2  at         timestamptz[]
--   $3  decisions  smallint[]
--   $4  reviewers  text[]; NULL where nobody decided in time
--   $5  comments   text[]; NULL for none
--   $6  digests    bytea[]
--   $7  edited     boolean[], whether the args were changed
--
-- Index: the primary key of review. No row changed: there was none of them.
UPDATE windlass.review
SET open = false, look_at = NULL, decision = given.decision, decided_at = given.at, reviewer = given.reviewer,
    comment = given.comment, digest = given.digest, edited = given.edited
FROM unnest($1, $2, $3, $4, $5, $6, $7) AS given (job, at, decision, reviewer, comment, digest, edited)
WHERE review.job = given.job
