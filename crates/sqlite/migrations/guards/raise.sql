-- Holds that nothing of the jobs changes in a file from which they are moved away: not by processes that had it open
-- before, either. Not a step of the schema: made when the move begins, dropped by `lower.sql` if it is given up.

CREATE TRIGGER IF NOT EXISTS moved_job_insert BEFORE INSERT ON job
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_job_update BEFORE UPDATE ON job
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_job_delete BEFORE DELETE ON job
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_queue_insert BEFORE INSERT ON queue
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_queue_update BEFORE UPDATE ON queue
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_queue_delete BEFORE DELETE ON queue
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_schedule_insert BEFORE INSERT ON schedule
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_schedule_update BEFORE UPDATE ON schedule
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_schedule_delete BEFORE DELETE ON schedule
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_bound_insert BEFORE INSERT ON bound
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_bound_update BEFORE UPDATE ON bound
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_bound_delete BEFORE DELETE ON bound
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_retention_insert BEFORE INSERT ON retention
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_retention_update BEFORE UPDATE ON retention
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_retention_delete BEFORE DELETE ON retention
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_token_insert BEFORE INSERT ON token
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_token_update BEFORE UPDATE ON token
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_token_delete BEFORE DELETE ON token
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_operation_insert BEFORE INSERT ON operation
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_operation_update BEFORE UPDATE ON operation
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;

CREATE TRIGGER IF NOT EXISTS moved_operation_delete BEFORE DELETE ON operation
BEGIN
    SELECT RAISE(ABORT, 'its jobs were moved to ' || address || '; open that instead') FROM moved;
END;
