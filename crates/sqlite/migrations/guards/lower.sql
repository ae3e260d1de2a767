-- Drops what `raise.sql` made.
DROP TRIGGER IF EXISTS moved_job_insert;
DROP TRIGGER IF EXISTS moved_job_update;
DROP TRIGGER IF EXISTS moved_job_delete;
DROP TRIGGER IF EXISTS moved_queue_insert;
DROP TRIGGER IF EXISTS moved_queue_update;
DROP TRIGGER IF EXISTS moved_queue_delete;
