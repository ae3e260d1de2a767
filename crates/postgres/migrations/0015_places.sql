-- How far claims have come, for the claims of other processes.
-- Compatible from: 10.
-- The last place of those that a claim took of a lane, if it took them of one only, with the first part of its jobs.
ALTER TABLE windlass.claim
    ADD COLUMN lane integer, ADD COLUMN priority smallint, ADD COLUMN run_at timestamptz, ADD COLUMN seq bigint;

CREATE INDEX claim_place ON windlass.claim (lane, priority, run_at, seq) WHERE lane IS NOT NULL;
