-- Jobs in review for which time alone brings something about.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  limit  bigint
--
-- Index: review_look.
SELECT job
FROM windlass.review
WHERE look_at <= coalesce($1, statement_timestamp())
ORDER BY look_at, number
LIMIT $2
