-- Locks, limits, rates and order keys, and who waits for them.

-- Jobs that have gates of their own lie in lanes of their own, so that a claim that asks no gate comes across none of them.
ALTER TABLE windlass.lane ADD COLUMN gated boolean NOT NULL DEFAULT false;
ALTER TABLE windlass.lane DROP CONSTRAINT lane_queue_kind_version_key;
ALTER TABLE windlass.lane ADD UNIQUE (queue, kind, version, gated);

-- The order key of a job; NULL for none. 16 is `Traits::GATED`. Not a column, which would have to be made for every job.
CREATE FUNCTION windlass.order_key(traits integer, options text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN traits & 16 <> 0 THEN options::jsonb ->> 'order_key' END
$$;

-- One at a time, in the order of enqueue, and each until it is final.
CREATE INDEX job_turn ON windlass.job (windlass.order_key(traits, options) COLLATE "C", seq)
    WHERE windlass.order_key(traits, options) IS NOT NULL;

-- Every gate that anything is known of, by its form and name. Who looks at what a gate has given, to change it, locks its row
-- first; several in the order of their ids. One that nobody has and nobody waits for may be forgotten.
CREATE TABLE windlass.gate (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form smallint NOT NULL,
    name text COLLATE "C" NOT NULL,
    -- When it was last given back.
    freed_at timestamptz,
    -- Of a rate: when the next start would be due if all were evenly spread.
    arrival timestamptz,
    -- When time lets in one that is parked here.
    opens_at timestamptz,
    UNIQUE (form, name)
) WITH (fillfactor = 70);

CREATE INDEX gate_opens ON windlass.gate (opens_at) WHERE opens_at IS NOT NULL;

-- What open attempts have of gates: written when one is opened, and gone when it is closed.
CREATE TABLE windlass.held (
    gate bigint NOT NULL,
    job uuid NOT NULL,
    exclusive boolean NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (gate, job)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX held_job ON windlass.held (job);

-- Jobs that a gate turned away, in claim order. A job that is parked, and not called, has a lane below zero.
CREATE TABLE windlass.stand (
    gate bigint NOT NULL,
    job uuid NOT NULL,
    lane integer NOT NULL,
    priority smallint NOT NULL,
    run_at timestamptz NOT NULL,
    seq bigint NOT NULL,
    -- What it wants: the two numbers of the model.
    amount bigint NOT NULL,
    burst bigint NOT NULL,
    -- Whether it was this gate that turned it away, and so calls it.
    here boolean NOT NULL,
    called boolean NOT NULL DEFAULT false,
    -- Whether nobody may pass it who comes later.
    in_line boolean NOT NULL,
    PRIMARY KEY (gate, job)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX stand_job ON windlass.stand (job);
CREATE INDEX stand_here ON windlass.stand (gate, called, lane, priority, run_at, seq) WHERE here;
CREATE INDEX stand_line ON windlass.stand (gate, amount, priority, run_at, seq) WHERE in_line;

-- The numbers of exclusive grants.
CREATE SEQUENCE windlass.fence;

-- The bounds of queues (form 1) and kinds (form 2) as a whole. A rate is so many starts in so many microseconds.
CREATE TABLE windlass.bound (
    form smallint NOT NULL CHECK (form IN (1, 2)),
    name text COLLATE "C" NOT NULL,
    most bigint,
    starts bigint,
    per bigint,
    burst bigint,
    PRIMARY KEY (form, name)
);
