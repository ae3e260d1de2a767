-- What a job uses that most do not, a bit each: the numbers of the model. Zero for nearly all of them.
ALTER TABLE job ADD COLUMN traits INTEGER NOT NULL DEFAULT 0;
