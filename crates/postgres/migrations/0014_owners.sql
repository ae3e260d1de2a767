-- Who registered a worker, where a door knows them.
-- Compatible from: 10.
ALTER TABLE windlass.worker ADD COLUMN owner text;
