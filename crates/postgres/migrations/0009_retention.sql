-- How long the finished jobs of single queues are kept.
CREATE TABLE windlass.retention (
    queue text PRIMARY KEY,
    -- Microseconds; below zero for ever, NULL for as long as holds for all.
    completed bigint,
    cancelled bigint,
    dead bigint
);
