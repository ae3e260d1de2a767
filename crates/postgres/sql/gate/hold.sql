-- Keeps what attempts have of gates.
--
--   $1  now        timestamptz; NULL for the server's
--   $2  gates      bigint[]
--   $3  jobs       uuid[]
--   $4  exclusive  boolean[]
INSERT INTO windlass.held (gate, job, exclusive, since)
SELECT given.gate, given.job, given.exclusive, coalesce($1, statement_timestamp())
FROM unnest($2, $3, $4) AS given (gate, job, exclusive)
