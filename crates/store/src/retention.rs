//! How long finished jobs are kept, for all queues and for single ones.

use std::time::Duration;

use windlass_core::limits::RETENTION_MAX;
use windlass_core::{Invalid, Stage, span};

/// How long finished jobs are kept; none for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Completed ones.
    pub completed: Option<Duration>,
    /// Cancelled ones.
    pub cancelled: Option<Duration>,
    /// Dead ones.
    pub dead: Option<Duration>,
}

impl Default for Retention {
    /// Completed and cancelled jobs a week, dead ones a quarter of a year.
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { completed: Some(DAY * 7), cancelled: Some(DAY * 7), dead: Some(DAY * 90) }
    }
}

impl Retention {
    /// How long jobs that ended at `stage` are kept; none for ever, and for a stage that is not final.
    #[must_use]
    pub const fn of(&self, stage: Stage) -> Option<Duration> {
        match stage {
            Stage::Completed => self.completed,
            Stage::Cancelled => self.cancelled,
            Stage::Dead => self.dead,
            _ => None,
        }
    }

    /// What holds in a queue of which `own` is said.
    #[must_use]
    pub fn in_queue(&self, own: &QueueRetention) -> Self {
        let keep = |own: Option<Keep>, all: Option<Duration>| own.map_or(all, Keep::span);
        Self {
            completed: keep(own.completed, self.completed),
            cancelled: keep(own.cancelled, self.cancelled),
            dead: keep(own.dead, self.dead),
        }
    }
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// This long after it has ended.
    For(Duration),
    /// For ever.
    Forever,
}

impl Keep {
    /// How long that is; none for ever.
    #[must_use]
    pub const fn span(self) -> Option<Duration> {
        match self {
            Self::For(span) => Some(span),
            Self::Forever => None,
        }
    }
}

/// How long the finished jobs of one queue are kept, where that differs from what holds for all; none where it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueRetention {
    /// Completed ones.
    pub completed: Option<Keep>,
    /// Cancelled ones.
    pub cancelled: Option<Keep>,
    /// Dead ones.
    pub dead: Option<Keep>,
}

impl QueueRetention {
    /// The same, with completed jobs kept so long.
    #[must_use]
    pub const fn completed(self, keep: Keep) -> Self {
        Self { completed: Some(keep), ..self }
    }

    /// The same, with cancelled jobs kept so long.
    #[must_use]
    pub const fn cancelled(self, keep: Keep) -> Self {
        Self { cancelled: Some(keep), ..self }
    }

    /// The same, with dead jobs kept so long.
    #[must_use]
    pub const fn dead(self, keep: Keep) -> Self {
        Self { dead: Some(keep), ..self }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses spans that are more likely a mistake in units.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `retention.completed`, `retention.cancelled` or `retention.dead`.
    pub fn validate(&self) -> Result<(), Invalid> {
        for (field, keep) in [
            ("retention.completed", self.completed),
            ("retention.cancelled", self.cancelled),
            ("retention.dead", self.dead),
        ] {
            if let Some(Keep::For(long)) = keep
                && long > RETENTION_MAX
            {
                let problem = format!("is longer than {}: say for ever instead", span::format(RETENTION_MAX));
                return Err(Invalid::new(field, problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_says_what_differs_and_no_more() {
        let second = Duration::from_secs(1);
        let own = QueueRetention::default().completed(Keep::For(second)).dead(Keep::Forever);

        let held = Retention::default().in_queue(&own);

        assert_eq!((held.completed, held.dead), (Some(second), None));
        assert_eq!(held.cancelled, Retention::default().cancelled);
        assert_eq!(Retention::default().in_queue(&QueueRetention::default()), Retention::default());
    }

    #[test]
    fn a_span_that_is_too_long_is_refused_by_field() {
        let own = QueueRetention { dead: Some(Keep::For(Duration::MAX)), ..QueueRetention::default() };

        assert_eq!(own.validate().unwrap_err().field, "retention.dead");
    }
}
