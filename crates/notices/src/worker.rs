//! A worker that sends notices.

use std::sync::Arc;

use windlass_core::notice::{KIND, Notice, QUEUE};
use windlass_core::{AttemptError, Verdict};
use windlass_runtime::{RawJob, WorkerBuilder};

use crate::{NoticeConfig, Sender};

/// Makes a worker send notices, beside what else it does.
pub trait WorkerNotices: Sized {
    /// Sends the notices of the store, where `config` allows it. They have slots of their own, so neither a slow receiver
    /// nor a busy queue holds up the other.
    ///
    /// What is wrong with `config` is said by `build`. Any number of workers may send notices; without one, they wait.
    #[must_use]
    fn notices(self, config: NoticeConfig) -> Self;
}

impl<S: Send + Sync + 'static> WorkerNotices for WorkerBuilder<S> {
    fn notices(self, config: NoticeConfig) -> Self {
        let sender = match Sender::new(config) {
            Ok(sender) => Arc::new(sender),
            Err(invalid) => return self.at_fault(invalid),
        };
        self.queue(QUEUE.as_str(), sender.slots()).handle_kind(KIND.as_str(), move |job| {
            let sender = Arc::clone(&sender);
            async move { send(&sender, &job).await }
        })
    }
}

async fn send(sender: &Sender, job: &RawJob) -> Verdict {
    match job.args().decode::<Notice>() {
        Ok(notice) => sender.send(job.id(), &notice).await,
        Err(error) => Verdict::Undecodable { error: AttemptError::new(error.to_string()) },
    }
}
