-- What persons are asked to decide.

-- The last time that a job came into review: one row for each job that ever did.
CREATE TABLE review (
    -- The order in which jobs came into review. A job that comes into it again gets a new number.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job BLOB NOT NULL UNIQUE CHECK (length(job) = 16),
    round INTEGER NOT NULL CHECK (round > 0),
    asked_at INTEGER NOT NULL,
    -- What the job had made by then, where that is decided about.
    staged TEXT,
    decide_by INTEGER,
    reminders INTEGER NOT NULL DEFAULT 0,
    remind_at INTEGER,
    -- 1: it is in review. 2: what was decided is being carried out. NULL: neither.
    standing INTEGER DEFAULT 1 CHECK (standing IN (1, 2)),
    -- When to look what time alone has brought about; NULL once it is not in review any more.
    look_at INTEGER,
    -- What was decided, in the numbers of the model; NULL for nothing yet.
    decision INTEGER CHECK (decision IN (1, 2)),
    decided_at INTEGER,
    -- NULL where nobody had decided in time.
    reviewer TEXT,
    comment TEXT,
    digest BLOB CHECK (length(digest) = 32),
    edited INTEGER NOT NULL DEFAULT 0,
    CHECK (look_at IS NULL OR standing = 1)
) STRICT;

CREATE INDEX review_open ON review (number) WHERE standing = 1;
CREATE INDEX review_look ON review (look_at) WHERE look_at IS NOT NULL;
-- Whether a claim has to look for what goes before all other work.
CREATE INDEX review_settling ON review (number) WHERE standing = 2;
