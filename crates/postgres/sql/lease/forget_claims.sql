-- Forgets which jobs claims brought of which nothing is open any more.
--
--   $1  nonces  bigint[]
--
-- Index: the primary key of claim.
DELETE FROM windlass.claim
WHERE nonce = ANY ($1)
