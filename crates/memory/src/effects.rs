//! What follows when an attempt closes and when a job ends, for jobs that use what most do not.
//!
//! Asked by the one way to change a job, [`State::keep`](crate::state::State::keep), in the same go: whatever closes an
//! attempt or ends a job, nothing of it can be forgotten.

use windlass_core::{JobId, Stage};

use crate::state::State;

impl State {
    /// An attempt of the job has closed, for whatever reason.
    pub(crate) fn closed(&mut self, id: JobId) {
        self.give_back(id);
    }

    /// The job, which was at `before`, has become final, for whatever reason.
    pub(crate) fn ended(&mut self, id: JobId, before: Stage) {
        let order_key = self.jobs.get(&id).and_then(|record| record.job.options.order_key.clone());
        self.leave_turn(order_key.as_deref());
        self.let_key_go(id);
        self.tell_children(id);
        self.notify(id);
        self.leave(id, before);
    }
}
