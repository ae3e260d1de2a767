-- Which job waits for which.

CREATE TABLE windlass.edge (
    child uuid NOT NULL,
    -- In the order that the child gave them, 0 the first.
    position integer NOT NULL,
    parent uuid NOT NULL,
    -- Which of the parent's ends let the child go, by the number of the model.
    policy smallint NOT NULL,
    PRIMARY KEY (child, position)
);

CREATE INDEX edge_parent ON windlass.edge (parent);

-- Jobs that are blocked, and by how many of their parents: beside `job`, so that a parent's end changes a few bytes and not a
-- whole job, and no other job has a column for it.
CREATE TABLE windlass.blocked (
    job uuid PRIMARY KEY,
    waits integer NOT NULL
) WITH (fillfactor = 50);

-- Completed jobs that others waited for: what is looked through before a day is dropped.
CREATE INDEX completed_parent ON windlass.completed (id) WHERE traits & 2 <> 0;

-- Whether an unfinished job depends on this one. Volatile, so that it sees what was committed while whoever asks waited for
-- the row of the job: a child that came in that moment is not left without its parent.
CREATE FUNCTION windlass.is_needed(asked uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM windlass.edge
        JOIN windlass.job AS child ON child.id = edge.child
        WHERE edge.parent = asked AND child.stage <> 6
    );
END
$$;

-- Drops the partition of a day as before, but for jobs that unfinished ones depend on: those lie in `completed_rest` from then
-- on, where jobs are removed one by one. They could not be left where they are, for then one of them would keep a day of
-- millions, and what their children see of them is the whole of them, not a part that could be copied.
--
-- The partition is locked before they are looked for, so nobody comes to depend on one that was passed over: whoever
-- enqueues its child changes its row first.
CREATE OR REPLACE FUNCTION windlass.drop_day(space text, starts timestamptz) RETURNS bigint
LANGUAGE plpgsql SET lock_timeout = '80ms' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    name text := format('%I.%I', space, 'completed_' || to_char(starts AT TIME ZONE 'UTC', 'YYYYMMDD'));
    jobs bigint;
    spared windlass.history[];
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
    EXECUTE format('LOCK TABLE %I.completed, %s IN ACCESS EXCLUSIVE MODE', space, name);
    EXECUTE format(
        'SELECT array_agg(old::%I.history) FROM %s AS old WHERE old.traits & 2 <> 0 AND %I.is_needed(old.id)',
        space, name, space
    ) INTO spared;
    EXECUTE format('DROP TABLE %s', name);
    INSERT INTO windlass.history SELECT * FROM unnest(spared);
    RETURN greatest(jobs - coalesce(cardinality(spared), 0), 0);
EXCEPTION
    WHEN lock_not_available THEN
        RETURN NULL;
END
$$;
