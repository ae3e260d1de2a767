//! What a handler returns when it did not do its work.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::error::Error;
use std::fmt;
use std::time::Duration;

use windlass_core::{AttemptError, Verdict};

/// Why an attempt did not succeed, and what should become of its job.
///
/// Any error converts into it by `?`, and the job is then tried again as its retry policy says. The constructors say
/// something else: [`fatal`](Self::fatal), [`retry_after`](Self::retry_after), [`snooze`](Self::snooze),
/// [`cancel`](Self::cancel).
///
/// It is not itself a [`std::error::Error`]: only so can every error convert into it (as with `anyhow::Error`). It
/// keeps the type of the error it was made of, the chain of its sources, and a backtrace where the program was
/// started with `RUST_BACKTRACE=1`.
///
/// ```
/// use windlass_runtime::JobError;
///
/// fn port(text: &str) -> Result<u16, JobError> {
///     if text.is_empty() {
///         return Err(JobError::fatal("no port was given"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(port("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct JobError(Box<Inner>);

struct Inner {
    wish: Wish,
    message: Option<String>,
    class: Option<&'static str>,
    source: Option<Box<dyn Error + Send + Sync>>,
    by_parents: bool,
    backtrace: Backtrace,
}

/// What should become of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Retry(Option<Duration>),
    Fatal,
    Snooze(Duration),
    Cancel,
}

impl JobError {
    /// A failure that another attempt may mend.
    #[must_use]
    pub fn new(message: impl fmt::Display) -> Self {
        Self::of(Wish::Retry(None), Some(message.to_string()))
    }

    /// A failure that no further attempt can mend: the job is dead.
    #[must_use]
    pub fn fatal(message: impl fmt::Display) -> Self {
        Self::of(Wish::Fatal, Some(message.to_string()))
    }

    /// A failure that should be tried again after `delay`, whatever the retry policy of the job says.
    #[must_use]
    pub fn retry_after(delay: Duration) -> Self {
        Self::of(Wish::Retry(Some(delay)), None)
    }

    /// Not a failure: the job waits for `delay`, and this attempt is not counted.
    #[must_use]
    pub fn snooze(delay: Duration) -> Self {
        Self::of(Wish::Snooze(delay), None)
    }

    /// Stops the job on purpose, for this reason.
    #[must_use]
    pub fn cancel(reason: impl fmt::Display) -> Self {
        Self::of(Wish::Cancel, Some(reason.to_string()))
    }

    /// The same error, said to be beyond mending: `parse(&text).map_err(|e| JobError::from(e).into_fatal())?`.
    #[must_use]
    pub fn into_fatal(mut self) -> Self {
        self.0.wish = Wish::Fatal;
        self
    }

    /// The same error, to be tried again after `delay`.
    #[must_use]
    pub fn into_retry_after(mut self, delay: Duration) -> Self {
        self.0.wish = Wish::Retry(Some(delay));
        self
    }

    /// The same error, said to be caused by the jobs that this one waited for: whoever asks for the root of it is led on to
    /// those of them that failed.
    ///
    /// ```
    /// use windlass_runtime::{JobError, Parents};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Report;
    /// async fn report(_: Report, parents: Parents) -> Result<(), JobError> {
    ///     let parents = parents.all().await?;
    ///     if parents.iter().all(|parent| !parent.is_completed()) {
    ///         return Err(JobError::fatal("there is nothing to report on").caused_by_parents());
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn caused_by_parents(mut self) -> Self {
        self.0.by_parents = true;
        self
    }

    /// The same error, told as `message`. What it said so far becomes its cause.
    #[must_use]
    pub fn context(mut self, message: impl fmt::Display) -> Self {
        if let Some(before) = self.0.message.replace(message.to_string()) {
            self.0.source = Some(Box::new(Told { message: before, source: self.0.source.take() }));
        }
        self
    }

    /// The error it was made of, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// What the worker tells the store.
    #[must_use]
    pub fn into_verdict(self) -> Verdict {
        match self.0.wish {
            Wish::Snooze(delay) => Verdict::Snoozed { delay },
            Wish::Retry(retry_after) => Verdict::Failed { error: self.into_attempt_error(), retry_after },
            Wish::Fatal => Verdict::Fatal { error: self.into_attempt_error() },
            Wish::Cancel => Verdict::Cancelled { error: self.into_attempt_error() },
        }
    }

    fn of(wish: Wish, message: Option<String>) -> Self {
        let backtrace = Backtrace::capture();
        Self(Box::new(Inner { wish, message, class: None, source: None, by_parents: false, backtrace }))
    }

    fn into_attempt_error(self) -> AttemptError {
        let mut error = AttemptError::new(self.to_string()).with_chain(self.causes());
        if let Some(class) = self.0.class {
            error = error.with_class(class);
        }
        if self.0.by_parents {
            error = error.caused_by_parent();
        }
        if self.0.backtrace.status() == BacktraceStatus::Captured {
            error = error.with_trace(self.0.backtrace.to_string());
        }
        error
    }

    /// What is below the message: the sources, and the error itself where the message is not its own.
    fn causes(&self) -> Vec<String> {
        let mut cause = self.0.source.as_deref().map(|source| source as &(dyn Error + 'static));
        if self.0.message.is_none() {
            cause = cause.and_then(Error::source);
        }
        std::iter::successors(cause, |error| (*error).source()).map(ToString::to_string).collect()
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        let mut made = Self::of(Wish::Retry(None), None);
        made.0.class = Some(std::any::type_name::<E>());
        made.0.source = Some(Box::new(error));
        made
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.message, &self.0.source, self.0.wish) {
            (Some(message), ..) => f.write_str(message),
            (None, Some(source), _) => source.fmt(f),
            (None, None, Wish::Snooze(_)) => f.write_str("asked to wait"),
            (None, None, _) => f.write_str("asked to be tried again"),
        }
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?}", self.0.wish)?;
        for cause in self.causes() {
            write!(f, ": {cause}")?;
        }
        f.write_str(")")
    }
}

/// An earlier message that became a cause.
#[derive(Debug)]
struct Told {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the mail server is away")]
    struct Away(#[source] std::io::Error);

    fn away() -> JobError {
        Away(std::io::Error::other("connection refused")).into()
    }

    #[test]
    fn any_error_keeps_its_type_and_its_causes() {
        let Verdict::Failed { error, retry_after: None } = away().into_verdict() else {
            panic!("not a failure")
        };

        assert_eq!(error.message, "the mail server is away");
        assert_eq!(error.chain, ["connection refused"]);
        assert!(error.class.is_some_and(|class| class.ends_with("Away")));
    }

    #[test]
    fn context_tells_more_and_keeps_what_was_said() {
        let Verdict::Fatal { error } = away().context("could not greet").into_fatal().into_verdict() else {
            panic!("not fatal")
        };

        assert_eq!(error.message, "could not greet");
        assert_eq!(error.chain, ["the mail server is away", "connection refused"]);
    }

    #[test]
    fn each_constructor_says_what_becomes_of_the_job() {
        let second = Duration::from_secs(1);

        assert_eq!(JobError::snooze(second).into_verdict(), Verdict::Snoozed { delay: second });
        assert!(matches!(JobError::cancel("no need").into_verdict(), Verdict::Cancelled { .. }));
        assert!(matches!(JobError::fatal("never").into_verdict(), Verdict::Fatal { .. }));
        let later = JobError::retry_after(second).into_verdict();
        assert!(matches!(later, Verdict::Failed { retry_after: Some(delay), .. } if delay == second));
        let Verdict::Fatal { error } = JobError::fatal("theirs").caused_by_parents().into_verdict() else {
            panic!("not fatal")
        };
        assert!(error.by_parent);
        assert_eq!(JobError::new("a").context("b").context("c").causes(), ["b", "a"]);
    }
}
