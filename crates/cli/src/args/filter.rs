//! Which jobs a verb is about, where they are not named one by one.

use clap::Args;
use windlass_core::{Due, Fingerprint, JobState, KindName, QueueName, Tag};
use windlass_store::JobFilter;

use super::values::due;
use crate::commands::begin;

/// Jobs that match.
#[derive(Debug, Args, Default)]
#[group(id = "job_filter", multiple = true)]
pub(crate) struct FilterArgs {
    /// In this state. Repeatable, or comma-separated.
    #[arg(long = "state", value_delimiter = ',')]
    pub(crate) states: Vec<JobState>,
    /// In this queue. Repeatable, or comma-separated.
    #[arg(long = "queue", value_delimiter = ',')]
    pub(crate) queues: Vec<QueueName>,
    /// Of this kind. Repeatable, or comma-separated.
    #[arg(long = "kind", value_delimiter = ',')]
    pub(crate) kinds: Vec<KindName>,
    /// With this tag.
    #[arg(long)]
    pub(crate) tag: Option<Tag>,
    /// With an attempt that ended with an error of this group; `windlass errors` lists them.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) error: Option<Fingerprint>,
    /// Enqueued since this instant, or in the last such time, as 2h.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) since: Option<Due>,
    /// Ended since this instant, or in the last such time, as 2h.
    #[arg(long, value_name = "TIME", value_parser = due)]
    pub(crate) finished_since: Option<Due>,
}

impl FilterArgs {
    /// What is asked of a store.
    pub(crate) fn filter(&self) -> JobFilter {
        JobFilter {
            states: self.states.clone(),
            queues: self.queues.clone(),
            kinds: self.kinds.clone(),
            tag: self.tag.clone(),
            created_since: self.since.map(begin),
            finished_since: self.finished_since.map(begin),
            fingerprint: self.error,
            ..JobFilter::default()
        }
    }
}
