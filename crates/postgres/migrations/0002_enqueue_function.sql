-- Adds `enqueue`, for triggers and for programs in other languages.
-- Compatible from: 1.

-- Tells whoever listens that there is work, when the transaction commits; answers nothing. Several in a transaction are one.
CREATE FUNCTION windlass.wake() RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
    -- The schema that this function was made for, wherever it is now.
    here text := (
        SELECT namespace.nspname
        FROM pg_type AS type
        JOIN pg_namespace AS namespace ON namespace.oid = type.typnamespace
        WHERE type.oid = pg_typeof(NULL::windlass.job)::oid
    );
BEGIN
    -- A name is cut where the listeners cut theirs.
    PERFORM pg_notify((CASE WHEN here = 'windlass' THEN here ELSE 'windlass_' || here END)::name::text, 'w');
END
$$;

-- Refuses a name of a queue or a kind that the model would refuse, in its words.
CREATE FUNCTION windlass.check_name(field text, given text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
    problem text;
BEGIN
    problem := CASE
        WHEN given IS NULL THEN 'must not be NULL'
        WHEN given = '' THEN 'must not be empty'
        WHEN octet_length(given) > 128 THEN format('is %s bytes long; at most 128 are allowed', octet_length(given))
        WHEN given COLLATE "C" ~ '[^A-Za-z0-9._:/-]' THEN 'has a character that is none of letters, digits and . _ : / -'
        WHEN given COLLATE "C" !~ '^[A-Za-z0-9]' THEN 'must start with a letter or a digit'
        -- In two parts, as what stands before a dot is taken for the schema.
        WHEN starts_with(given, 'windlass' || '.') THEN
            'begins with "windlass' || '.": such names are kept for Windlass''s own jobs'
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'could not enqueue the job: % %', field, problem
            USING ERRCODE = 'invalid_parameter_value', COLUMN = field;
    END IF;
END
$$;

-- How many levels a JSON text nests, or 101 if it is more than 100. Strings are taken out first, as their brackets do not
-- count; then a level at a time, from within.
CREATE FUNCTION windlass.json_depth(given text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog SET standard_conforming_strings = on AS $$
DECLARE
    brackets text := regexp_replace(regexp_replace(given, '"(?:[^"\\]|\\.)*"', '', 'g'), '[^][{}]', '', 'g');
    depth integer := 0;
BEGIN
    WHILE brackets <> '' AND depth <= 100 LOOP
        brackets := regexp_replace(brackets, '\[\]|\{\}', '', 'g');
        depth := depth + 1;
    END LOOP;
    RETURN depth;
END
$$;

-- Makes a job known in the transaction that calls it, and answers its id. It exists if and only if that commits.
--
-- What is not said is as everywhere: the queue `default`, now, `normal`, version 1, 8 attempts, 2 losses. An `id` that was
-- enqueued before is left as it is, and answered again. It runs with the rights of the caller, who needs INSERT, SELECT and
-- DELETE on `job`, SELECT on `history`, and SELECT and INSERT on `lane`.
--
-- Unless `notify` is false, workers are woken by the commit, which takes a lock of the whole server meanwhile: where many
-- transactions commit at the same time, let the workers find the jobs by themselves.
--
-- The first job of its queue, kind and version makes whoever enqueues the like of it wait until the transaction has ended.
CREATE FUNCTION windlass.enqueue(
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
    notify boolean DEFAULT true
) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
    problem text[];
    band smallint := array_position(ARRAY['critical', 'high', 'normal', 'low', 'idle'], enqueue.priority);
    stored bytea := convert_to(enqueue.args::text, 'UTF8');
    new_id uuid := enqueue.id;
    lane_id integer;
    made bigint;
BEGIN
    PERFORM windlass.check_name('kind', enqueue.kind);
    PERFORM windlass.check_name('queue', enqueue.queue);
    problem := CASE
        WHEN stored IS NULL THEN ARRAY['args', 'must not be NULL; the JSON value is ''null''']
        WHEN octet_length(stored) > 262144 THEN
            ARRAY['args', format('are %s bytes long; at most 262144 are allowed', octet_length(stored))]
        WHEN windlass.json_depth(enqueue.args::text) > 100 THEN ARRAY['args', 'nest deeper than 100 levels']
        WHEN band IS NULL THEN
            ARRAY['priority', format('%L is not one of critical, high, normal, low, idle', enqueue.priority)]
        WHEN new_id = '00000000-0000-0000-0000-000000000000' THEN ARRAY['id', 'must not be the nil UUID']
        WHEN coalesce(enqueue.version, 0) < 1 THEN ARRAY['version', 'must be 1 or more']
        WHEN coalesce(enqueue.attempts_max, 0) NOT BETWEEN 1 AND 4294967295 THEN
            ARRAY['attempts_max', 'must be 1 or more: 1 is no retry']
        WHEN coalesce(enqueue.losses_max, -1) NOT BETWEEN 0 AND 4294967295 THEN
            ARRAY['losses_max', 'must be 0 or more']
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'could not enqueue the job: % %', problem[1], problem[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = problem[1];
    END IF;

    IF new_id IS NULL THEN
        -- The time in front, so that ids made one after the other lie side by side.
        new_id := encode(
            set_bit(
                set_bit(
                    overlay(
                        uuid_send(gen_random_uuid())
                        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                        FROM 1 FOR 6
                    ),
                    52, 1
                ),
                53, 1
            ),
            'hex'
        )::uuid;
    ELSIF EXISTS (SELECT FROM windlass.every_job AS known WHERE known.id = new_id) THEN
        RETURN new_id;
    END IF;

    SELECT lane.id INTO lane_id
    FROM windlass.lane
    WHERE lane.queue = enqueue.queue AND lane.kind = enqueue.kind AND lane.version = enqueue.version AND NOT lane.gated;
    IF lane_id IS NULL THEN
        INSERT INTO windlass.lane (queue, kind, version)
        VALUES (enqueue.queue, enqueue.kind, enqueue.version)
        ON CONFLICT DO NOTHING;
        SELECT lane.id INTO STRICT lane_id
        FROM windlass.lane
        WHERE lane.queue = enqueue.queue AND lane.kind = enqueue.kind AND lane.version = enqueue.version AND NOT lane.gated;
    END IF;

    INSERT INTO windlass.job (id, created_at, run_at, lane, budget, priority, deadline, args)
    VALUES (
        new_id, statement_timestamp(),
        greatest(least(coalesce(enqueue.run_at, statement_timestamp()), '9999-12-30 22:00:00+00'), '1970-01-01 00:00:00+00'),
        lane_id, enqueue.attempts_max << 32 | enqueue.losses_max, band,
        CASE WHEN enqueue.deadline IS NOT NULL THEN
            greatest(least(enqueue.deadline, '9999-12-30 22:00:00+00'), '1970-01-01 00:00:00+00')
        END,
        stored
    )
    ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS made = ROW_COUNT;
    IF made = 0 THEN
        RETURN new_id;
    END IF;
    IF enqueue.id IS NOT NULL AND EXISTS (SELECT FROM windlass.history WHERE history.id = new_id) THEN
        -- It ended after the look above and before the insert: there must be no second one.
        DELETE FROM windlass.job WHERE job.id = new_id;
        RETURN new_id;
    END IF;
    IF enqueue.notify THEN
        PERFORM windlass.wake();
    END IF;
    RETURN new_id;
END
$$;
