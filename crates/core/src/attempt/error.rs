//! What went wrong in an attempt.

use serde::{Deserialize, Serialize};

use crate::limits::{BACKTRACE_BYTES_MAX, ERROR_BYTES_MAX, ERROR_CHAIN_MAX};
use crate::{JobId, Stage, Timestamp};

/// What went wrong in an attempt, safe to store and to show.
///
/// Made by [`AttemptError::new`] from text of any kind: what no store or terminal should meet is taken out, and what
/// is too long is cut and marked, so that reporting a failure cannot fail itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttemptError {
    /// What happened.
    pub message: String,
    /// The type of the error, where the handler's language has one.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub class: Option<String>,
    /// What caused it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Where it came from: a backtrace, or the place of a panic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Whether a job that it waited for is to blame: then whoever asks for the root of the error is led on to that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_parent: bool,
}

impl AttemptError {
    /// An error with this message, made safe.
    #[must_use]
    pub fn new(message: impl AsRef<str>) -> Self {
        Self { message: safe_text(message.as_ref(), ERROR_BYTES_MAX), ..Self::default() }
    }

    /// What stands with an attempt whose lease expired, and with its job: the `losses`-th loss of that job.
    #[must_use]
    pub fn lost(losses: u32, losses_max: u32) -> Self {
        let text =
            format!("the lease expired without a sign of life; loss {losses}, and {losses_max} are forgiven");
        Self::new(text)
    }

    /// What stands with a job that was not started by its deadline.
    #[must_use]
    pub fn missed(deadline: Timestamp) -> Self {
        Self::new(format!("it was not started by its deadline, {deadline}"))
    }

    /// What stands with a job that will never run because `parent`, for whose success it waited, ended at `stage`.
    #[must_use]
    pub fn dependency_failed(parent: JobId, stage: Stage) -> Self {
        let end = if stage == Stage::Dead { "died" } else { "was cancelled" };
        Self::new(format!("job {parent}, whose success it needs, {end}")).caused_by_parent()
    }

    /// The same error, caused by a job that this one waited for.
    #[must_use]
    pub const fn caused_by_parent(mut self) -> Self {
        self.by_parent = true;
        self
    }

    /// The same error, of this type.
    #[must_use]
    pub fn with_class(mut self, class: impl AsRef<str>) -> Self {
        self.class = Some(safe_text(class.as_ref(), ERROR_BYTES_MAX));
        self
    }

    /// The same error with these causes, outermost first.
    #[must_use]
    pub fn with_chain(mut self, causes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let causes = causes.into_iter().take(ERROR_CHAIN_MAX);
        self.chain = causes.map(|cause| safe_text(cause.as_ref(), ERROR_BYTES_MAX)).collect();
        self
    }

    /// The same error with this backtrace.
    #[must_use]
    pub fn with_trace(mut self, trace: impl AsRef<str>) -> Self {
        self.trace = Some(safe_text(trace.as_ref(), BACKTRACE_BYTES_MAX));
        self
    }

    /// The same error with every part made safe, as one that came from outside needs.
    #[must_use]
    pub fn made_safe(self) -> Self {
        let safe = Self::new(self.message).with_chain(self.chain);
        Self {
            class: self.class.map(|class| safe_text(&class, ERROR_BYTES_MAX)),
            trace: self.trace.map(|trace| safe_text(&trace, BACKTRACE_BYTES_MAX)),
            by_parent: self.by_parent,
            ..safe
        }
    }
}

/// `text` without control characters (but line breaks and tabs), cut at `bytes_max` with the cut marked.
#[must_use]
pub fn safe_text(text: &str, bytes_max: usize) -> String {
    const MARK: &str = "… [cut]";
    let clean = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    if text.len() <= bytes_max && text.chars().all(clean) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len().min(bytes_max));
    for c in text.chars().filter(|c| clean(*c)) {
        if safe.len() + c.len_utf8() > bytes_max - MARK.len() && text.len() > bytes_max {
            safe.push_str(MARK);
            return safe;
        }
        safe.push(c);
    }
    safe
}
