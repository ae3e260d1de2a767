-- What is to be enqueued again and again.
CREATE TABLE schedule (
    -- The order in which they were made; never given twice, since the history of one must not become another's.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- JSON: what was asked for.
    asked TEXT NOT NULL,
    -- The program that declares it; NULL for one that was made by hand.
    program TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    anchor INTEGER NOT NULL,
    next_tick INTEGER,
    held INTEGER,
    look_at INTEGER,
    paused_at INTEGER,
    paused_by TEXT,
    paused_why TEXT,
    removed_at INTEGER,
    last_tick INTEGER,
    last_job BLOB,
    fired INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    forgotten_until INTEGER,
    error TEXT,
    revision INTEGER NOT NULL
) STRICT;

-- What fires: the schedules that anything is to come of.
CREATE INDEX schedule_look ON schedule (look_at) WHERE look_at IS NOT NULL;

-- What became of ticks. Form 0 is a job, of which a tick makes one for ever: that is what the key is for. The others are the
-- model's numbers of why there is none.
CREATE TABLE firing (
    schedule INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    form INTEGER NOT NULL CHECK (form BETWEEN 0 AND 7),
    at INTEGER NOT NULL,
    job BLOB,
    -- Of ticks in a row: the last one, and how many.
    until INTEGER,
    count INTEGER,
    PRIMARY KEY (schedule, tick, form),
    CHECK ((form = 0) = (job IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- What was done to schedules by hand, and by whom. It outlives them.
CREATE TABLE schedule_event (
    schedule TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    actor TEXT NOT NULL,
    why TEXT,
    job BLOB,
    PRIMARY KEY (schedule, number)
) STRICT, WITHOUT ROWID;
