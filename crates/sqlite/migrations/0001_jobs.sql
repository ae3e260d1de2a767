-- The first schema. Made in one transaction with the application id and the schema version.
--
-- One row per job, from enqueue to prune, in one table. A finish changes the row where it lies; what has to be found
-- quickly is found through partial indexes that hold only the rows they are about. So the cost of a claim depends
-- neither on how much is waiting nor on how much is done.
--
-- Instants are microseconds since 1970 UTC. Stages, reasons, priorities and outcomes are the numbers of the model.

-- Queue, kind and version of a job, as one small number: what claims select by.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    UNIQUE (queue, kind, version)
) STRICT;

CREATE TABLE queue (
    name TEXT PRIMARY KEY,
    paused_at INTEGER,
    paused_by TEXT,
    paused_why TEXT
) STRICT, WITHOUT ROWID;

-- Worker processes. A row outlives its worker while jobs still name it.
CREATE TABLE worker (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    queues TEXT,
    kinds TEXT NOT NULL,
    slots INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    -- Whether an attempt it holds may be of a job that was cancelled.
    stopping INTEGER NOT NULL DEFAULT 0,
    gone_at INTEGER
) STRICT;

CREATE INDEX worker_here ON worker (lease_until) WHERE gone_at IS NULL;

-- Who does the duties that are enough done once: one row, of the newest leadership, be it over or not.
CREATE TABLE leader (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    term INTEGER NOT NULL CHECK (term > 0),
    lease_until INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
    -- Enqueue order among the jobs that are here.
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL CHECK (length(id) = 16),
    lane INTEGER NOT NULL,
    stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 7),
    reason INTEGER,
    -- 0 is for work that finishes what was begun, before every priority that can be asked for.
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 5),
    run_at INTEGER NOT NULL,
    -- Budgets: counted starts and lost attempts.
    attempt INTEGER NOT NULL DEFAULT 0,
    attempts_max INTEGER NOT NULL,
    losses INTEGER NOT NULL DEFAULT 0,
    losses_max INTEGER NOT NULL,
    -- The newest token. Zero nonce: no token is good any more. A holder: its attempt is open.
    number INTEGER NOT NULL DEFAULT 0,
    nonce INTEGER NOT NULL DEFAULT 0,
    holder INTEGER,
    -- How long its open attempt's own lease holds from each sign of life, in microseconds; its end is in `lease`.
    -- NULL when it holds as long as its worker does.
    lease INTEGER,
    worker INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    deadline INTEGER,
    revision INTEGER NOT NULL DEFAULT 1,
    log_bytes INTEGER NOT NULL DEFAULT 0,
    -- Text is JSON, a blob is anything else.
    args ANY NOT NULL,
    options TEXT,
    progress INTEGER,
    progress_message TEXT,
    checkpoint TEXT,
    result TEXT,
    error TEXT,
    -- Only a running or a cancelled job may have an open attempt, and a running one must.
    CHECK (holder IS NULL OR stage IN (4, 6)),
    CHECK (stage <> 4 OR holder IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX job_id ON job (id);
-- What claims read: the waiting jobs of a lane in claim order.
CREATE INDEX job_waiting ON job (lane, priority, run_at) WHERE stage = 1;
-- Open attempts by the worker that holds them.
CREATE INDEX job_held ON job (holder) WHERE holder IS NOT NULL;
-- What may be pruned, oldest first.
CREATE INDEX job_finished ON job (stage, finished_at) WHERE finished_at IS NOT NULL;

-- What only some jobs have lies beside them, so that every other job is changed without a thought for it.

-- Open attempts that have a lease of their own, and its end.
CREATE TABLE lease (
    seq INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX lease_until ON lease (until);

-- When to look whether a job has been started by its deadline. An entry may outlive its use; the look removes it.
CREATE TABLE deadline (
    at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (at, seq)
) STRICT, WITHOUT ROWID;

-- Attempts that did not complete their job. The one that did is told by the job's own row.
CREATE TABLE attempt (
    job BLOB NOT NULL,
    number INTEGER NOT NULL,
    worker INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    job BLOB NOT NULL,
    line INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    level INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job, line)
) STRICT, WITHOUT ROWID;

-- What was done by hand, and by whom.
CREATE TABLE event (
    job BLOB NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    actor TEXT NOT NULL,
    why TEXT,
    PRIMARY KEY (job, revision)
) STRICT, WITHOUT ROWID;
