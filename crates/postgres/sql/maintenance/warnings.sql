-- What a person should look at, a sentence each that says what to do.
--
--   $1  now     timestamptz; NULL for the server's
--   $2  schema  text
--
-- Whoever may not see what others do on the server is told of them without names. Index: job_place, and those of the
-- catalog. Reads every lane and worker. No row: all is well.
WITH moment AS (
    SELECT coalesce($1, statement_timestamp()) AS now, coalesce($1, statement_timestamp()) - interval '5 minutes' AS since
)
SELECT 'the transaction of process ' || other.pid || concat(' (', concat_ws(', ', 'user ' || other.usename,
        nullif(other.application_name, ''), other.state), ')') || ' has been open since '
    || to_char(other.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    || ', and no dead row is swept up while it is: end it, or run SELECT pg_terminate_backend(' || other.pid || ')'
FROM pg_stat_activity AS other
CROSS JOIN moment
WHERE other.pid <> pg_backend_pid() AND other.backend_type <> 'autovacuum worker'
    AND (other.datname = current_database() OR other.datname IS NULL)
    AND coalesce(other.backend_xmin, other.backend_xid) IS NOT NULL
    AND (other.xact_start < moment.since OR age(coalesce(other.backend_xmin, other.backend_xid)) > 10000000)
UNION ALL
SELECT 'the prepared transaction ' || quote_literal(prepared.gid) || ' of user ' || prepared.owner || ' has been waiting since '
    || to_char(prepared.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    || ', and no dead row is swept up while it does: run COMMIT PREPARED or ROLLBACK PREPARED with its name'
FROM pg_prepared_xacts AS prepared
CROSS JOIN moment
WHERE prepared.database = current_database() AND prepared.prepared < moment.since
UNION ALL
SELECT 'the replication slot ' || quote_literal(slot.slot_name) || ' holds on to dead rows of the last ' || age(slot.xmin)
    || ' transactions: bring its replica back, or run SELECT pg_drop_replication_slot(' || quote_literal(slot.slot_name) || ')'
FROM pg_replication_slots AS slot
WHERE age(slot.xmin) > 1000000
UNION ALL
SELECT 'autovacuum is off, so the tables grow without end: set autovacuum to on'
WHERE NOT current_setting('autovacuum')::boolean
UNION ALL
SELECT 'autovacuum is off for the table ' || class.relname || ', which grows without end: run ALTER TABLE '
    || format('%I.%I', $2, class.relname) || ' RESET (autovacuum_enabled)'
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = $2 AND array_to_string(class.reloptions, ',') ~ 'autovacuum_enabled=(false|off|no|0)'
UNION ALL
SELECT 'the table ' || stat.relname || ' has ' || stat.n_dead_tup || ' dead rows and ' || stat.n_live_tup
    || ' others: end what holds on to them, then run VACUUM ' || format('%I.%I', stat.schemaname, stat.relname)
FROM pg_stat_user_tables AS stat
WHERE stat.schemaname = $2 AND stat.n_dead_tup > 1000000 AND stat.n_dead_tup > stat.n_live_tup
UNION ALL
SELECT 'this server only reads: connect to the primary'
WHERE pg_is_in_recovery()
UNION ALL
SELECT used.count || ' of the ' || current_setting('max_connections')
    || ' connections of the server are in use: raise max_connections, or let programs use fewer'
FROM (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
WHERE used.count >= 0.95 * current_setting('max_connections')::bigint
UNION ALL
SELECT 'jobs of kind ' || quote_ident(lane.kind) || ', version ' || lane.version || ', wait in the queue '
    || quote_ident(lane.queue) || ', and no worker that is here knows them: start one that does'
FROM windlass.lane
CROSS JOIN moment
WHERE EXISTS (SELECT FROM windlass.worker WHERE worker.gone_at IS NULL AND worker.lease_until > moment.now)
    AND NOT EXISTS (
        SELECT
        FROM windlass.worker
        CROSS JOIN jsonb_array_elements(worker.kinds::jsonb) AS known (kind)
        WHERE worker.gone_at IS NULL AND worker.lease_until > moment.now
            AND (worker.queues IS NULL OR jsonb_exists(worker.queues::jsonb, lane.queue))
            AND known.kind ->> 0 = lane.kind AND (known.kind ->> 1)::bigint >= lane.version
    )
    AND EXISTS (SELECT FROM windlass.job WHERE job.lane = lane.id AND job.run_at <= moment.now OFFSET 0)
LIMIT 100
