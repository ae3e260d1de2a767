-- Which job stands for a unique key.

-- One row for each key that is taken: a digest of where it is the only one, and of the key. The insert of the row decides who
-- has it. Its rows outlive the moment in which a key is free again by the start of its job, so that no claim has to touch them.
--
-- Whoever holds rows of keys that were there before waits for no job, and whoever waits for a job holds only rows that are new,
-- which nobody who holds that job asks for: so nobody waits in a circle.
CREATE TABLE windlass.unique_key (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    job uuid NOT NULL,
    -- 0: the job has ended, and what counts is `until`. 1: until it is started. 2: until it is final.
    hold smallint NOT NULL CHECK (hold BETWEEN 0 AND 2),
    -- Until when the key is kept in any case.
    until timestamptz,
    -- The job that waits for the end of this one.
    next uuid,
    -- Before when the job must not be due.
    free_at timestamptz,
    CHECK (hold > 0 OR until IS NOT NULL)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX unique_key_job ON windlass.unique_key (job);
CREATE INDEX unique_key_next ON windlass.unique_key (next) WHERE next IS NOT NULL;
CREATE INDEX unique_key_over ON windlass.unique_key (until) WHERE hold = 0;

-- What was answered to jobs that were not made, as another had their key.
CREATE TABLE windlass.answer (
    id uuid PRIMARY KEY,
    job uuid NOT NULL,
    outcome smallint NOT NULL,
    at timestamptz NOT NULL
);

CREATE INDEX answer_at ON windlass.answer (at);

-- The digest that a key is found by, as the model makes it: each part with its name and its length.
CREATE FUNCTION windlass.unique_digest(within text, name text, given text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
    place bytea := convert_to(name, 'UTF8');
    key bytea := convert_to(given, 'UTF8');
BEGIN
    RETURN sha256(
        'windlass unique'::bytea || '\x00'::bytea
        || convert_to(within, 'UTF8') || '\x00'::bytea || int8send(octet_length(place)) || place
        || 'key'::bytea || '\x00'::bytea || int8send(octet_length(key)) || key
    );
END
$$;

-- Makes a job known of which there is to be no second one with its key, in the transaction that calls it, and answers the id of
-- the job that stands for it: its own, or that of the one that is there. Like `enqueue`, with a key in front.
--
-- `unique_within` is `kind`, `queue` or `global`. `unique_scope` is `waiting` or `active`; with `unique_for` the key is kept so long
-- in any case. `on_conflict` is `existing` or `reject`, which is an error of the code 23505 that says which job is there. What
-- would replace another job is for programs that use the library.
--
-- Besides what `enqueue` needs, the caller needs SELECT, INSERT and UPDATE on `unique_key`, SELECT and INSERT on `answer`, and
-- UPDATE on `job`. Whoever asks for the same key waits for the end of the transaction.
CREATE FUNCTION windlass.enqueue_unique(
    unique_key text,
    kind text,
    args jsonb DEFAULT 'null',
    queue text DEFAULT 'default',
    run_at timestamptz DEFAULT NULL,
    priority text DEFAULT 'normal',
    id uuid DEFAULT NULL,
    version integer DEFAULT 1,
    attempts_max bigint DEFAULT 8,
    losses_max bigint DEFAULT 2,
    deadline timestamptz DEFAULT NULL,
    notify boolean DEFAULT true,
    unique_within text DEFAULT 'kind',
    unique_scope text DEFAULT 'active',
    unique_for interval DEFAULT NULL,
    on_conflict text DEFAULT 'existing'
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
    problem text[];
    digest bytea;
    asked_hold smallint := CASE enqueue_unique.unique_scope WHEN 'waiting' THEN 1 ELSE 2 END;
    asked_until timestamptz := statement_timestamp() + enqueue_unique.unique_for;
    mine uuid := coalesce(enqueue_unique.id, gen_random_uuid());
    taken record;
    stands uuid;
    made uuid;
BEGIN
    problem := CASE
        WHEN coalesce(enqueue_unique.unique_key, '') = '' THEN ARRAY['unique_key', 'must not be empty']
        WHEN octet_length(enqueue_unique.unique_key) > 512 THEN
            ARRAY['unique_key', format('is %s bytes long; at most 512 are allowed', octet_length(enqueue_unique.unique_key))]
        WHEN coalesce(enqueue_unique.unique_within, '') NOT IN ('kind', 'queue', 'global') THEN
            ARRAY['unique_within', 'must be kind, queue or global']
        WHEN coalesce(enqueue_unique.unique_scope, '') NOT IN ('waiting', 'active') THEN
            ARRAY['unique_scope', 'must be waiting or active']
        WHEN enqueue_unique.unique_for <= interval '0' OR enqueue_unique.unique_for > interval '366 days' THEN
            ARRAY['unique_for', 'must be more than zero, and no more than a year']
        WHEN enqueue_unique.unique_for IS NOT NULL AND enqueue_unique.unique_scope = 'waiting' THEN
            ARRAY['unique_for', 'keeps the key until the job is final at least: leave unique_scope out']
        WHEN coalesce(enqueue_unique.on_conflict, '') NOT IN ('existing', 'reject') THEN
            ARRAY['on_conflict', 'must be existing or reject']
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'could not enqueue the job: % %', problem[1], problem[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = problem[1];
    END IF;
    PERFORM windlass.check_name('kind', enqueue_unique.kind);
    PERFORM windlass.check_name('queue', enqueue_unique.queue);
    digest := windlass.unique_digest(
        enqueue_unique.unique_within,
        CASE enqueue_unique.unique_within WHEN 'kind' THEN enqueue_unique.kind WHEN 'queue' THEN enqueue_unique.queue ELSE '' END,
        enqueue_unique.unique_key
    );

    LOOP
        IF enqueue_unique.id IS NOT NULL THEN
            -- What happened the first time.
            SELECT known.id INTO stands FROM windlass.every_job AS known WHERE known.id = mine;
            IF stands IS NULL THEN
                SELECT answer.job INTO stands
                FROM windlass.answer
                WHERE answer.id = mine AND answer.at > statement_timestamp() - interval '24 hours';
            END IF;
            IF stands IS NOT NULL THEN
                RETURN stands;
            END IF;
        END IF;
        INSERT INTO windlass.unique_key (key, job, hold, until)
        VALUES (digest, mine, asked_hold, asked_until)
        ON CONFLICT (key) DO NOTHING;
        EXIT WHEN FOUND;
        SELECT row.job, row.next, row.hold,
            coalesce(row.until > statement_timestamp(), false)
            OR coalesce(row.hold > 0 AND holder.stage < 4 AND (row.hold = 2 OR holder.number = 0), false) AS blocks
        INTO taken
        FROM windlass.unique_key AS row
        LEFT JOIN windlass.job AS holder ON holder.id = row.job
        WHERE row.key = digest;
        -- Let go of since it stood in the way.
        CONTINUE WHEN NOT FOUND;
        IF taken.blocks AND enqueue_unique.on_conflict = 'reject' THEN
            RAISE EXCEPTION 'could not enqueue the job: job % has its unique key', taken.job
                USING ERRCODE = 'unique_violation', COLUMN = 'unique_key', DETAIL = taken.job::text;
        ELSIF taken.blocks THEN
            IF enqueue_unique.id IS NOT NULL THEN
                INSERT INTO windlass.answer (id, job, outcome, at)
                VALUES (mine, taken.job, 1, statement_timestamp())
                ON CONFLICT (id) DO UPDATE SET job = excluded.job, outcome = excluded.outcome, at = excluded.at;
            END IF;
            RETURN taken.job;
        END IF;
        UPDATE windlass.unique_key AS row
        SET job = mine, hold = asked_hold, until = asked_until, next = NULL, free_at = NULL
        WHERE row.key = digest AND row.job = taken.job AND row.hold = taken.hold AND row.next IS NOT DISTINCT FROM taken.next;
        EXIT WHEN FOUND;
    END LOOP;

    made := windlass.enqueue(
        kind => enqueue_unique.kind, args => enqueue_unique.args, queue => enqueue_unique.queue,
        run_at => enqueue_unique.run_at, priority => enqueue_unique.priority, id => enqueue_unique.id,
        version => enqueue_unique.version, attempts_max => enqueue_unique.attempts_max,
        losses_max => enqueue_unique.losses_max, deadline => enqueue_unique.deadline, notify => enqueue_unique.notify
    );
    UPDATE windlass.unique_key AS row
    SET job = made
    WHERE row.key = digest AND row.job <> made;
    UPDATE windlass.job
    SET traits = job.traits | 8, options = jsonb_build_object('unique', jsonb_strip_nulls(jsonb_build_object(
        'key', enqueue_unique.unique_key,
        'within', nullif(enqueue_unique.unique_within, 'kind'),
        'scope', CASE
            WHEN enqueue_unique.unique_for IS NOT NULL THEN
                jsonb_build_object('for', (extract(epoch FROM enqueue_unique.unique_for) * 1000)::bigint || 'ms')
            WHEN enqueue_unique.unique_scope = 'waiting' THEN to_jsonb('waiting'::text)
        END,
        'on_conflict', nullif(enqueue_unique.on_conflict, 'existing')
    )))::text
    WHERE job.id = made;
    RETURN made;
END
$$;
