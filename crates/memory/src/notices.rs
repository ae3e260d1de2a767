//! Notices: those who asked for it are told when a job has ended.

use windlass_core::notice::notices;
use windlass_core::{JobId, Traits};

use crate::state::State;

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
}
