-- Numbers for the names of workers that were never here: a row for each name, long gone, made if it is not there.
--
--   $1  now    timestamptz; NULL for the server's
--   $2  ids    uuid[], fresh ones
--   $3  names  text[], each once
--
-- No worker that was here has no slots, so these are never taken for one. Reads every worker. No row: no name was given.
WITH given AS (
    SELECT *
    FROM unnest($2, $3) AS given (id, name)
),
known AS (
    SELECT min(worker.number) AS number, worker.name
    FROM windlass.worker
    JOIN given ON given.name = worker.name
    WHERE worker.slots = 0
    GROUP BY worker.name
),
made AS (
    INSERT INTO windlass.worker (id, name, host, version, queues, kinds, slots, lease, registered_at, seen_at, lease_until,
        gone_at)
    SELECT given.id, given.name, '', '', '[]', '[]', 0, 0, instant.now, instant.now, instant.now, instant.now
    FROM given
    CROSS JOIN (SELECT coalesce($1, statement_timestamp()) AS now) AS instant
    WHERE given.name NOT IN (SELECT known.name FROM known)
    RETURNING number, name
)
SELECT number, name
FROM known
UNION ALL
SELECT number, name
FROM made
