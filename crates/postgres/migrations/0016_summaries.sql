-- The orders of jobs are summarised by the leader, not by the server: of what fills faster than it looks, once a minute, it
-- wrote a line into its log for every sixteen pages, with the whole statement.
-- Compatible from: 10.

ALTER INDEX windlass.job_order SET (autosummarize = off);
ALTER INDEX windlass.failed_order SET (autosummarize = off);

-- The order of the jobs of a table: its BRIN index.
CREATE FUNCTION windlass.order_of(jobs regclass) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT class.oid::regclass
    FROM pg_index AS index
    JOIN pg_class AS class ON class.oid = index.indexrelid
    JOIN pg_am AS am ON am.oid = class.relam
    WHERE index.indrelid = jobs AND am.amname = 'brin'
$$;

-- For a partition of `completed`. What holds for all of them cannot be altered where it stands.
CREATE FUNCTION windlass.leave_to_leader(jobs regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE format('ALTER INDEX %s SET (autosummarize = off)', windlass.order_of(jobs));
END
$$;

PERFORM windlass.leave_to_leader(partition.inhrelid)
FROM pg_inherits AS partition
JOIN pg_class AS class ON class.oid = partition.inhparent
WHERE class.reltype = pg_typeof(NULL::windlass.completed)::oid;

-- As before, and what is made is left to the leader.
CREATE OR REPLACE FUNCTION windlass.make_days(space text, now timestamptz) RETURNS void
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
            PERFORM windlass.leave_to_leader(name::regclass);
        END IF;
        starts := starts + interval '24 hours';
    END LOOP;
EXCEPTION
    WHEN lock_not_available OR check_violation OR insufficient_privilege THEN
        RETURN;
END
$$;

-- Summarises what was added to where jobs are added: the table of those that live, of those that failed, and the days around
-- now. It gives way to whoever vacuums, which does the same: it must not wait so long that the server cancels that.
CREATE FUNCTION windlass.summarise(space text, now timestamptz) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '80ms' SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    name text;
    jobs regclass;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'job', 'failed', 'completed_rest', to_char(now - interval '1 day', '"completed_"YYYYMMDD'),
        to_char(now, '"completed_"YYYYMMDD'), to_char(now + interval '1 day', '"completed_"YYYYMMDD')
    ] LOOP
        jobs := to_regclass(format('%I.%I', space, name));
        CONTINUE WHEN jobs IS NULL;
        BEGIN
            PERFORM brin_summarize_new_values(windlass.order_of(jobs));
        EXCEPTION
            WHEN lock_not_available THEN
                NULL;
        END;
    END LOOP;
END
$$;
