-- What is to be enqueued again and again.
CREATE TABLE windlass.schedule (
    -- The order in which they were made.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    -- JSON: what was asked for.
    asked text NOT NULL,
    -- The program that declares it; NULL for one that was made by hand.
    program text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    anchor timestamptz NOT NULL,
    next_tick timestamptz,
    held timestamptz,
    look_at timestamptz,
    paused_at timestamptz,
    paused_by text,
    paused_why text,
    removed_at timestamptz,
    last_tick timestamptz,
    last_job uuid,
    fired bigint NOT NULL,
    skipped bigint NOT NULL,
    forgotten_until timestamptz,
    error text,
    revision bigint NOT NULL
);

-- What fires: the schedules that anything is to come of.
CREATE INDEX schedule_look ON windlass.schedule (look_at) WHERE look_at IS NOT NULL;

-- What became of ticks. Form 0 is a job, of which a tick makes one for ever: that is what the key is for. The others are the
-- model's numbers of why there is none.
CREATE TABLE windlass.firing (
    schedule bigint NOT NULL,
    tick timestamptz NOT NULL,
    form smallint NOT NULL CHECK (form BETWEEN 0 AND 7),
    at timestamptz NOT NULL,
    job uuid,
    -- Of ticks in a row: the last one, and how many.
    until timestamptz,
    count integer,
    PRIMARY KEY (schedule, tick, form),
    CHECK ((form = 0) = (job IS NOT NULL))
);

-- What was done to schedules by hand, and by whom. It outlives them.
CREATE TABLE windlass.schedule_event (
    schedule text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    verb text NOT NULL,
    actor text NOT NULL,
    why text,
    job uuid,
    PRIMARY KEY (schedule, number)
);
