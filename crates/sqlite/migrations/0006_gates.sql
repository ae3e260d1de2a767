-- Locks, limits, rates and order keys, and who waits for them.

-- What a job is in line with: one at a time, in the order of enqueue, and each until it is final.
ALTER TABLE job ADD COLUMN order_key TEXT;
CREATE INDEX job_turn ON job (order_key, seq) WHERE order_key IS NOT NULL AND stage < 5;

-- Every gate that anything is known of, by its form and name. One that nobody has and nobody waits for may be forgotten.
CREATE TABLE gate (
    id INTEGER PRIMARY KEY,
    form INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- When it was last given back.
    freed_at INTEGER,
    -- Of a rate: when the next start would be due if all were evenly spread.
    arrival INTEGER,
    -- When time lets in one that is parked here.
    opens_at INTEGER,
    UNIQUE (form, name)
) STRICT;

CREATE INDEX gate_opens ON gate (opens_at) WHERE opens_at IS NOT NULL;

-- What open attempts have of gates: written when one is opened, and gone when it is closed.
CREATE TABLE held (
    gate INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    exclusive INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (gate, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_seq ON held (seq);

-- Jobs that a gate turned away, in claim order. A job that is parked, and not called, has a lane below zero.
CREATE TABLE stand (
    gate INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    -- What it wants: the two numbers of the model.
    amount INTEGER NOT NULL,
    burst INTEGER NOT NULL,
    -- Whether it was this gate that turned it away, and so calls it.
    here INTEGER NOT NULL,
    called INTEGER NOT NULL DEFAULT 0,
    -- Whether nobody may pass it who comes later.
    in_line INTEGER NOT NULL,
    PRIMARY KEY (gate, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX stand_seq ON stand (seq);
CREATE INDEX stand_here ON stand (gate, called, lane, priority, run_at, seq) WHERE here = 1;
CREATE INDEX stand_line ON stand (gate, amount, priority, run_at, seq) WHERE in_line = 1;

-- The number of the last exclusive grant.
CREATE TABLE fence (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO fence (one, number) VALUES (1, 0);

-- The bounds of queues (form 1) and kinds (form 2) as a whole. A rate is so many starts in so many microseconds.
CREATE TABLE bound (
    form INTEGER NOT NULL CHECK (form IN (1, 2)),
    name TEXT NOT NULL,
    most INTEGER,
    starts INTEGER,
    per INTEGER,
    burst INTEGER,
    PRIMARY KEY (form, name)
) STRICT, WITHOUT ROWID;
