-- Where the jobs are being moved to, and whether all are there. No row: they are here, as ever.
--
-- Reads every row; there is one at the most.
SELECT address, done
FROM moved
