-- Takes the lead where nobody has it, keeps it for whoever has it, and else tells who does. Tells when a schedule is to be
-- looked at, too; NULL for never.
--
--   $1  now        timestamptz; NULL for the server's
--   $2  candidate  uuid
--   $3  lease      bigint, microseconds
--
-- Writes nothing where somebody else leads. The conditions are the twin of `windlass_store::rules::leading`.
-- Index: schedule_look. Of leader it reads every row: there is one. No row: it was changed meanwhile, and has to be asked again.
WITH taken AS (
    UPDATE windlass.leader
    SET holder = $2, lease_until = coalesce($1, statement_timestamp()) + $3 * interval '1 microsecond',
        term = CASE WHEN lease_until > coalesce($1, statement_timestamp()) THEN term ELSE term + 1 END
    WHERE holder = $2 OR lease_until <= coalesce($1, statement_timestamp())
    RETURNING holder, term, lease_until
)
SELECT holder, term, lease_until, (SELECT min(look_at) FROM windlass.schedule)
FROM taken
UNION ALL
SELECT holder, term, lease_until, (SELECT min(look_at) FROM windlass.schedule)
FROM windlass.leader
WHERE holder <> $2 AND lease_until > coalesce($1, statement_timestamp())
