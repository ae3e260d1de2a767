//! How long finished jobs of a queue are kept.

use clap::Args;
use windlass_core::QueueName;
use windlass_store::{Keep, QueueRetention};

use super::By;
use super::values::duration;

#[derive(Debug, Args)]
pub(crate) struct RetentionArgs {
    /// The queue; without one, every queue of which something is said.
    pub(crate) queue: Option<QueueName>,
    /// Keep completed jobs this long: such as 7d as 168h, `forever`, or `default` for as long as those of all queues.
    #[arg(long, value_name = "TIME", requires = "queue", value_parser = keep)]
    pub(crate) completed: Option<Said>,
    /// The same for cancelled jobs.
    #[arg(long, value_name = "TIME", requires = "queue", value_parser = keep)]
    pub(crate) cancelled: Option<Said>,
    /// The same for dead jobs.
    #[arg(long, value_name = "TIME", requires = "queue", value_parser = keep)]
    pub(crate) dead: Option<Said>,
    #[command(flatten)]
    pub(crate) by: By,
}

/// What is said of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// As long as those of all queues.
    Default,
    /// So long.
    Keep(Keep),
}

impl RetentionArgs {
    /// What holds once it is said; none if nothing is.
    pub(crate) fn said(&self, before: QueueRetention) -> Option<QueueRetention> {
        if [self.completed, self.cancelled, self.dead].iter().all(Option::is_none) {
            return None;
        }
        let now = |said: Option<Said>, before| match said {
            None => before,
            Some(Said::Default) => None,
            Some(Said::Keep(keep)) => Some(keep),
        };
        let mut retention = before;
        retention.completed = now(self.completed, before.completed);
        retention.cancelled = now(self.cancelled, before.cancelled);
        retention.dead = now(self.dead, before.dead);
        Some(retention)
    }
}

fn keep(text: &str) -> Result<Said, String> {
    match text {
        "default" => Ok(Said::Default),
        "forever" => Ok(Said::Keep(Keep::Forever)),
        _ => days(text).map_or_else(|| duration(text), Ok).map(|span| Said::Keep(Keep::For(span))),
    }
}

/// Days, which a duration elsewhere has not: here nobody minds a leap second.
fn days(text: &str) -> Option<std::time::Duration> {
    let days: u64 = text.strip_suffix('d')?.parse().ok()?;
    Some(std::time::Duration::from_secs(days.checked_mul(24 * 60 * 60)?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_spans_and_words_are_read() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(keep("7d"), Ok(Said::Keep(Keep::For(day * 7))));
        assert_eq!(keep("36h"), Ok(Said::Keep(Keep::For(day + day / 2))));
        assert_eq!(keep("forever"), Ok(Said::Keep(Keep::Forever)));
        assert_eq!(keep("default"), Ok(Said::Default));
        assert!(keep("week").is_err() && keep("-1d").is_err());
    }
}
