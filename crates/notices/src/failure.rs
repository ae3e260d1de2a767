//! Why a notice was not sent, and whether it is worth another try.

use std::error::Error;
use std::time::Duration;

use windlass_core::{AttemptError, Verdict};

/// What kept a notice from its receiver.
#[derive(Debug)]
pub(crate) struct Failure {
    fate: Fate,
    message: String,
    causes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It may go through later, not before this long if the receiver said so.
    Again(Option<Duration>),
    /// It never will, until a person changes something.
    Never,
}

impl Failure {
    /// Nothing that time can mend: `message` says what to do.
    pub(crate) fn fatal(message: impl Into<String>) -> Self {
        Self { fate: Fate::Never, message: message.into(), causes: Vec::new() }
    }

    /// To be tried again.
    pub(crate) fn passing(message: impl Into<String>) -> Self {
        Self { fate: Fate::Again(None), message: message.into(), causes: Vec::new() }
    }

    /// To be tried again after as long as the receiver said, if it did.
    pub(crate) fn after(self, wait: Option<Duration>) -> Self {
        Self { fate: Fate::Again(wait), ..self }
    }

    /// The same, because of `error` and what is behind it.
    pub(crate) fn because(self, error: &(dyn Error + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| (*error).source());
        Self { causes: causes.map(ToString::to_string).collect(), ..self }
    }

    /// What the worker tells the store.
    pub(crate) fn into_verdict(self) -> Verdict {
        let error = AttemptError::new(self.message).with_chain(self.causes);
        match self.fate {
            Fate::Again(retry_after) => Verdict::Failed { error, retry_after },
            Fate::Never => Verdict::Fatal { error },
        }
    }
}
