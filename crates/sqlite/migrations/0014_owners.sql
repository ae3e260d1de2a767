-- Who registered a worker, where a door knows them.
ALTER TABLE worker ADD COLUMN owner TEXT;
