//! What may be changed by hand of a job that waits.

use std::collections::BTreeMap;

use windlass_core::{Args, Due, Priority, QueueName, Tag};

/// What of a waiting job is to be changed; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobEdit {
    /// Where it is to wait.
    pub queue: Option<QueueName>,
    /// How urgent it is to be.
    pub priority: Option<Priority>,
    /// When it is to be due.
    pub due: Option<Due>,
    /// What it is to work on.
    pub args: Option<Args>,
    /// The words to find it by: all of them.
    pub tags: Option<Vec<Tag>>,
    /// What travels with it: all of it.
    pub meta: Option<BTreeMap<String, serde_json::Value>>,
    /// Whether it is put off, and nothing else: see [`JobStore::snooze`](crate::JobStore::snooze).
    pub snoozes: bool,
}

impl JobEdit {
    /// Puts a job off.
    #[must_use]
    pub fn snoozing(due: Due) -> Self {
        Self { due: Some(due), snoozes: true, ..Self::default() }
    }

    /// Moves a job to another queue.
    #[must_use]
    pub fn moving(queue: QueueName) -> Self {
        Self { queue: Some(queue), ..Self::default() }
    }

    /// What it is called among what happened to the job.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        if self.snoozes { "snooze" } else { "edit" }
    }
}
