-- What was changed by hand: JSON, how it was before and how it is since; NULL where that is not told.
ALTER TABLE audit ADD COLUMN change TEXT;
