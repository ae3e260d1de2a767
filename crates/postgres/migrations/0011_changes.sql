-- What was changed by hand.
-- Compatible from: 10.
ALTER TABLE windlass.audit
-- JSON, how it was before and how it is since; NULL where that is not told.
ADD COLUMN change text;
