-- The first schema. Made in one transaction, under the lock that all migrations take.
--
-- A job is one row of `job` until it ends, then one row of `history`. A claim changes no column that an index knows, so the new version of the row stays on its page (HOT); `fillfactor`
-- leaves room for exactly that one version. What only some jobs have lies in tables beside them.
--
-- Stages, reasons, priorities and outcomes are the numbers of the model.

-- Queue, kind and version of a job, as one small number: what claims select by.
CREATE TABLE windlass.lane (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    kind text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    UNIQUE (queue, kind, version)
);

CREATE TABLE windlass.queue (
    name text PRIMARY KEY,
    paused_at timestamptz,
    paused_by text,
    paused_why text
);

-- Worker processes. A row outlives its worker while jobs still name it.
CREATE TABLE windlass.worker (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    queues text,
    kinds text NOT NULL,
    slots bigint NOT NULL,
    lease bigint NOT NULL,
    registered_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    gone_at timestamptz
) WITH (fillfactor = 50);

-- Who does the duties that are enough done once: one row, of the newest leadership, be it over or not.
CREATE TABLE windlass.leader (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    holder uuid,
    term bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

INSERT INTO windlass.leader DEFAULT VALUES;

-- What only some jobs have, in one column that is NULL for the others: each column of `job` costs every claim, settle and
-- insert of every job, even where it is empty.
CREATE TYPE windlass.more AS (
    progress smallint,
    progress_message text,
    checkpoint text,
    -- What went wrong last.
    error text,
    losses bigint,
    log_bytes integer,
    -- When a job was cancelled whose attempt is still open.
    stopped_at timestamptz
);

-- Types rather than constraints of the table: a statement reads the constraints of a table anew each time it begins, and these
-- two made an insert of one row a third dearer.
CREATE DOMAIN windlass.priority AS smallint CHECK (VALUE BETWEEN 0 AND 5);
CREATE DOMAIN windlass.stage AS smallint CHECK (VALUE IN (1, 2, 3, 6));

-- In this order so that whatever an index knows lies in front, where it is found without walking over the row, and what a
-- claim changes lies side by side, which is what the log is told of it.
CREATE TABLE windlass.job (
    id uuid PRIMARY KEY,
    -- Enqueue order.
    seq bigint GENERATED ALWAYS AS IDENTITY,
    run_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    -- How many starts may end in failure, in the upper 32 bits, and how many lost attempts are forgiven, in the lower.
    budget bigint NOT NULL,
    -- Below zero for a job that is parked: it waits for other jobs or for a person, and no claim comes across it.
    lane integer NOT NULL,
    -- What the job uses that most do not, a bit each. 1: its args are not JSON.
    traits integer NOT NULL DEFAULT 0,
    priority windlass.priority NOT NULL,
    -- Running is waiting with a holder: a stage that changed at the claim would have to be in no index.
    stage windlass.stage NOT NULL DEFAULT 1,
    -- What a claim changes. The worker that holds its open attempt; zero if there is none.
    holder integer NOT NULL DEFAULT 0,
    -- The nonce of the newest token. Zero: no token is good any more.
    nonce bigint NOT NULL DEFAULT 0,
    number bigint NOT NULL DEFAULT 0,
    attempt bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 1,
    started_at timestamptz,
    -- The worker that held its last attempt, once that has ended.
    worker integer,
    -- Why it waits; of no meaning while it has a holder.
    reason smallint,
    -- The end of the lease of its own that its open attempt has.
    lease_until timestamptz,
    deadline timestamptz,
    args bytea NOT NULL,
    options text,
    more windlass.more
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = off
);

-- What claims read: the jobs of a lane in claim order. Also the schedule.
CREATE INDEX job_place ON windlass.job (lane, priority, run_at, seq);
-- What only some jobs have.
CREATE INDEX job_deadline ON windlass.job (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX job_lease ON windlass.job (lease_until) WHERE lease_until IS NOT NULL;
-- By id, for an index that knew the holder would have to be told of every claim.
CREATE INDEX job_stopping ON windlass.job (id) WHERE stage = 6;
-- Lists walk backwards through windows of it.
CREATE INDEX job_order ON windlass.job USING brin (seq) WITH (pages_per_range = 16, autosummarize = on);

-- Which jobs a worker was given, a claim in parts of a hundred: what an index on `job.holder` would tell at the price of
-- every claim. A row is dropped when the last of its jobs is settled; what it lists beyond that is told by the nonce.
CREATE TABLE windlass.claim (
    nonce bigint NOT NULL,
    part integer NOT NULL,
    worker integer NOT NULL,
    claimed_at timestamptz NOT NULL,
    -- How long leases of their own hold from each sign of life, in microseconds; NULL when they hold as long as the worker.
    lease bigint,
    jobs uuid[] NOT NULL,
    PRIMARY KEY (nonce, part)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX claim_worker ON windlass.claim (worker);

-- Jobs that have ended. Those that completed lie in a partition for each day (UTC), which is dropped whole when its time is
-- over; a day without a partition of its own goes to `completed_rest`. The others are few, and kept longer.
CREATE TABLE windlass.history (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    run_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    budget bigint NOT NULL,
    nonce bigint NOT NULL,
    number bigint NOT NULL,
    attempt bigint NOT NULL,
    revision bigint NOT NULL,
    lane integer NOT NULL,
    traits integer NOT NULL,
    priority smallint NOT NULL,
    -- 5, 6 or 7: there is a partition for no other.
    stage smallint NOT NULL,
    reason smallint,
    worker integer,
    started_at timestamptz,
    deadline timestamptz,
    args bytea NOT NULL,
    options text,
    result text,
    more windlass.more
) PARTITION BY LIST (stage);

CREATE TABLE windlass.completed PARTITION OF windlass.history FOR VALUES IN (5) PARTITION BY RANGE (finished_at);
CREATE TABLE windlass.completed_rest PARTITION OF windlass.completed DEFAULT;
CREATE TABLE windlass.failed PARTITION OF windlass.history FOR VALUES IN (6, 7);

CREATE INDEX history_id ON windlass.history (id);
-- One for both orders, as each costs every settle.
CREATE INDEX completed_order ON windlass.completed USING brin (seq, finished_at) WITH (
    pages_per_range = 16, autosummarize = on
);
CREATE INDEX failed_order ON windlass.failed USING brin (seq) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX failed_end ON windlass.failed (stage, finished_at);

-- Makes the partitions of today and the next three days. It gives way: a lock that is not to be had at once, and a day that
-- has rows in `completed_rest`, are left for the next time.
--
-- A partition is attached rather than made in place, which would lock out everyone who completes a job. Attaching looks
-- through `completed_rest`, and keeps readers from it meanwhile: so not where that has grown. Nor beyond forty days:
-- whoever looks for a job by its id looks into every one of them.
CREATE FUNCTION windlass.make_days(space text, now timestamptz) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '80ms' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    starts timestamptz := date_trunc('day', now, 'UTC');
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('windlass days ' || space, 0));
    IF pg_relation_size(format('%I.completed_rest', space)) > 268435456 OR (
        SELECT count(*)
        FROM pg_inherits
        WHERE inhparent = format('%I.completed', space)::regclass
    ) > 40 THEN
        RETURN;
    END IF;
    FOR ahead IN 0..3 LOOP
        name := format('%I.%I', space, 'completed_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD'));
        IF to_regclass(name) IS NULL AND NOT EXISTS (
            SELECT
            FROM windlass.completed_rest
            WHERE finished_at >= starts AND finished_at < starts + interval '24 hours'
        ) THEN
            EXECUTE format('CREATE TABLE %s (LIKE %I.completed INCLUDING CONSTRAINTS)', name, space);
            EXECUTE format('ALTER TABLE %I.completed ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', space, name,
                starts, starts + interval '24 hours');
        END IF;
        starts := starts + interval '24 hours';
    END LOOP;
EXCEPTION
    WHEN lock_not_available OR check_violation OR insufficient_privilege THEN
        RETURN;
END
$$;

-- Drops the partition of a day, and answers how many jobs there were; NULL if it gave way, and somebody has to come again.
--
-- A partition cannot be detached concurrently where there is a default one, so whoever completes a job waits for this. It
-- takes a millisecond once it has its lock, and does not wait long for that. Counting comes first; what would take long is
-- estimated.
CREATE FUNCTION windlass.drop_day(space text, starts timestamptz) RETURNS bigint
LANGUAGE plpgsql SET lock_timeout = '80ms' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    name text := format('%I.%I', space, 'completed_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD'));
    jobs bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('windlass days ' || space, 0));
    IF to_regclass(name) IS NULL THEN
        RETURN 0;
    END IF;
    IF pg_relation_size(name) < 1073741824 THEN
        EXECUTE format('SELECT count(*) FROM %s', name) INTO jobs;
    ELSE
        SELECT reltuples INTO jobs FROM pg_class WHERE oid = to_regclass(name);
    END IF;
    EXECUTE format('DROP TABLE %s', name);
    RETURN jobs;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN NULL;
END
$$;

-- Attempts that did not complete their job. The one that did is told by the job's own row.
CREATE TABLE windlass.attempt (
    job uuid NOT NULL,
    number bigint NOT NULL,
    worker integer,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    outcome smallint NOT NULL,
    error text,
    PRIMARY KEY (job, number)
);

CREATE TABLE windlass.log (
    job uuid NOT NULL,
    line bigint NOT NULL,
    attempt bigint NOT NULL,
    at timestamptz NOT NULL,
    level smallint NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (job, line)
);

-- What was done by hand, and by whom.
CREATE TABLE windlass.event (
    job uuid NOT NULL,
    revision bigint NOT NULL,
    at timestamptz NOT NULL,
    verb text NOT NULL,
    actor text NOT NULL,
    why text,
    PRIMARY KEY (job, revision)
);

-- Raises an error if one of these jobs has ended already. Volatile, so that it sees what was committed while the insert
-- before it waited: a job that is enqueued again in the moment it ends must not be made a second time.
CREATE FUNCTION windlass.refuse_ended(ids uuid[], ended_since timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF EXISTS (SELECT FROM windlass.history WHERE id = ANY (ids) AND finished_at >= ended_since) THEN
        RAISE EXCEPTION 'a job of this batch has ended already' USING ERRCODE = 'WL001';
    END IF;
    RETURN true;
END
$$;

-- Jobs wherever they are, for those who read. Its two halves have the same types, or it could not be read by index.
CREATE VIEW windlass.every_job AS
SELECT id, seq, created_at, run_at, started_at, (more).stopped_at AS finished_at, lane,
    CASE WHEN holder <> 0 THEN holder ELSE worker END AS worker, budget >> 32 & 4294967295 AS attempts_max,
    budget & 4294967295 AS losses_max, coalesce((more).losses, 0) AS losses, number, nonce, attempt, revision,
    stage::smallint AS stage, CASE WHEN stage = 6 OR holder = 0 THEN reason END AS reason,
    priority::smallint AS priority, traits, coalesce((more).log_bytes, 0) AS log_bytes, deadline, (more).progress, args,
    options, (more).progress_message, (more).checkpoint, NULL::text AS result, (more).error, holder
FROM windlass.job
UNION ALL
SELECT id, seq, created_at, run_at, started_at, finished_at, lane, worker, budget >> 32 & 4294967295, budget & 4294967295,
    coalesce((more).losses, 0), number, nonce, attempt, revision, stage, reason, priority, traits,
    coalesce((more).log_bytes, 0), deadline, (more).progress, args, options, (more).progress_message, (more).checkpoint,
    result, (more).error, 0
FROM windlass.history;
