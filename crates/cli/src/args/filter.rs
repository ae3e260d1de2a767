//! Which jobs a verb is about, where they are not named one by one.

use clap::Args;
use windlass_core::{Due, Fingerprint, JobState, KindName, QueueName, Tag};
use windlass_store::{Clock, JobFilter, SystemClock};
use windlass_wire::filter::Filter;

use super::values::due;
use crate::commands::begin;
use crate::error::CliError;

/// Jobs that match.
#[derive(Debug, Clone, Args, Default)]
#[group(id = "job_filter", multiple = true)]
pub(crate) struct FilterArgs {
    /// As text, as in `state:dead args.user.id:42 age:<1h`; `windlass help filter` explains it.
    #[arg(
        long = "filter", value_name = "TEXT",
        conflicts_with_all = ["states", "queues", "kinds", "tag", "error", "since", "finished_since"]
    )]
    pub(crate) text: Option<String>,
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
    /// What is meant, as text; in these states, where nothing is said of states.
    ///
    /// # Errors
    ///
    /// As [`filter`](Self::filter).
    pub(crate) fn as_text(&self, states: &[JobState]) -> Result<String, CliError> {
        let mut filter = self.filter()?;
        let Some(text) = &self.text else {
            if filter.indexed.states.is_empty() {
                filter.indexed.states = states.to_vec();
            }
            return Ok(Filter::of(&filter.indexed));
        };
        if !filter.indexed.states.is_empty() {
            return Ok(text.clone());
        }
        let states = JobFilter { states: states.to_vec(), ..JobFilter::default() };
        Ok(format!("{text} {}", Filter::of(&states)))
    }

    /// What is meant.
    ///
    /// # Errors
    ///
    /// When it is said as text, and that means nothing.
    pub(crate) fn filter(&self) -> Result<Filter, CliError> {
        if let Some(text) = &self.text {
            let read = Filter::read(text, SystemClock.now());
            return read.map_err(|invalid| {
                CliError::invalid(&invalid).with_help("`windlass help filter` explains what can be said")
            });
        }
        let mut filter = Filter::default();
        filter.indexed = JobFilter {
            states: self.states.clone(),
            queues: self.queues.clone(),
            kinds: self.kinds.clone(),
            tag: self.tag.clone(),
            created_since: self.since.map(begin),
            finished_since: self.finished_since.map(begin),
            fingerprint: self.error,
            ..JobFilter::default()
        };
        Ok(filter)
    }
}
