-- Which job waits for which.

CREATE TABLE edge (
    -- Places in the enqueue order. With a job go its edges, so none outlives the job that it names.
    child INTEGER NOT NULL,
    -- In the order that the child gave them, 0 the first.
    position INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    -- Which of the parent's ends let the child go, by the number of the model.
    policy INTEGER NOT NULL,
    PRIMARY KEY (child, position)
) STRICT, WITHOUT ROWID;

-- The children of a job in the order in which they were enqueued.
CREATE INDEX edge_parent ON edge (parent, child, policy);

-- How many of its parents a blocked job waits for.
ALTER TABLE job ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
