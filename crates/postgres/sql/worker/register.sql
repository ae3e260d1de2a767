-- Makes a worker known, or replaces what was known of it.
--
--   $1  now      timestamptz; NULL for the server's
--   $2  id       uuid
--   $3  name     text
--   $4  host     text
--   $5  version  text
--   $6  queues   text, JSON array of names; NULL for every queue
--   $7  kinds    text, JSON array of [kind, newest version]
--   $8  slots    bigint
--   $9  lease    bigint, microseconds
--   $10 owner    text; NULL where nobody is known
INSERT INTO windlass.worker (id, name, host, version, queues, kinds, slots, lease, registered_at, seen_at, lease_until,
    owner)
SELECT $2, $3, $4, $5, $6, $7, $8, $9, instant.now, instant.now, instant.now + $9 * interval '1 microsecond', $10
FROM (SELECT coalesce($1, statement_timestamp()) AS now) AS instant
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, host = excluded.host, version = excluded.version, queues = excluded.queues,
    kinds = excluded.kinds, slots = excluded.slots, lease = excluded.lease, registered_at = excluded.registered_at,
    seen_at = excluded.seen_at, lease_until = excluded.lease_until, gone_at = NULL, owner = excluded.owner
