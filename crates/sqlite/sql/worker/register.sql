-- Makes a worker known, or replaces what was known of it.
--
--   ?1  id           blob
--   ?2  name         text
--   ?3  host         text
--   ?4  version      text
--   ?5  queues       text, JSON array of names; NULL for every queue
--   ?6  kinds        text, JSON array of [kind, newest version]
--   ?7  slots        integer
--   ?8  lease        integer, microseconds
--   ?9  now          integer, microseconds
--   ?10 lease_until  integer, microseconds
--   ?11 owner        text; NULL where nobody is known
INSERT INTO worker (id, name, host, version, queues, kinds, slots, lease, registered_at, seen_at, lease_until,
    owner)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)
ON CONFLICT (id) DO UPDATE SET name = ?2, host = ?3, version = ?4, queues = ?5, kinds = ?6, slots = ?7, lease = ?8,
    registered_at = ?9, seen_at = ?9, lease_until = ?10, gone_at = NULL, owner = ?11
