//! What the end of a job enqueues: notices for those who asked for it, and what cleans up behind it.

use windlass_core::notice::notices;
use windlass_core::{JobId, Stage, Traits, cleanup};

use crate::state::{Record, State};

impl State {
    /// Enqueues what tells of the end of a job.
    pub(crate) fn notify(&mut self, id: JobId) {
        let Some(record) = self.jobs.get(&id).filter(|record| record.traits.has(Traits::NOTIFIES)) else {
            return;
        };
        for notice in notices(&record.seen(self.now)) {
            let _made = self.enqueue_one(notice, self.now);
        }
    }

    /// A job that was at `before` has ended: remembers that something has to clean up behind it, if nobody ran it who would.
    pub(crate) fn leave(&mut self, id: JobId, before: Stage) {
        let is_left = |record: &Record| {
            let of = |reason| cleanup::is_left(record.traits, record.number, before, reason);
            record.reason.is_some_and(of)
        };
        if self.jobs.get(&id).is_some_and(is_left) {
            self.edges.left.push(id);
        }
    }

    /// Enqueues what cleans up behind a job that has ended.
    pub(crate) fn clean_up(&mut self, id: JobId) {
        if let Some(record) = self.jobs.get(&id) {
            let behind = cleanup::behind(&record.seen(self.now));
            let _made = self.enqueue_one(behind, self.now);
        }
    }
}
