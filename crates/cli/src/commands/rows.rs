//! What lists print, for whoever shows it elsewhere than in a list.

use windlass_core::Job;
use windlass_store::{ErrorGroup, QueueSummary, Worker};

use super::{errors_list, jobs_list, jobs_show, queues_list, workers_list};
use crate::output::{Cell, List};

pub(crate) fn queue_rows<'a>(queues: impl Iterator<Item = &'a QueueSummary>) -> List {
    List { columns: queues_list::COLUMNS, rows: queues.cloned().map(queues_list::row).collect() }
}

pub(crate) fn job_rows<'a>(jobs: impl Iterator<Item = &'a Job>) -> List {
    List { columns: jobs_list::COLUMNS, rows: jobs.cloned().map(jobs_list::row).collect() }
}

pub(crate) fn error_rows<'a>(groups: impl Iterator<Item = &'a ErrorGroup>) -> List {
    List { columns: errors_list::COLUMNS, rows: groups.cloned().map(errors_list::row).collect() }
}

pub(crate) fn worker_rows<'a>(workers: impl Iterator<Item = &'a Worker>) -> List {
    List { columns: workers_list::COLUMNS, rows: workers.cloned().map(workers_list::row).collect() }
}

/// What is told of one job.
pub(crate) fn job_lines(job: &Job) -> Vec<(&'static str, Cell)> {
    jobs_show::lines::of(job, None)
}
