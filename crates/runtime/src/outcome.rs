//! What a handler returns, as the worker understands it.

use std::any::TypeId;
use std::time::Duration;

use serde::Serialize;
use windlass_core::{AttemptError, Json, Verdict};

use crate::JobError;

/// What a handler may say when more than "done" is to be said.
///
/// Returned plain or in a [`Result`], where a value of the job's output could stand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T = ()> {
    /// The work is done, and this came out.
    Done(T),
    /// The work is done, and there was nothing to change. The job needs no review.
    Unchanged(T),
    /// The job should wait this long. The attempt is not counted.
    Snooze(Duration),
}

/// Whatever a handler of a job with the output `Out` may return.
///
/// That is `Out` itself, [`Outcome<Out>`], or a [`Result`] of either with an error that converts into [`JobError`].
#[diagnostic::on_unimplemented(
    message = "a handler of this job cannot return `{Self}`",
    label = "the job's `Output` is `{Out}`",
    note = "return `{Out}`, `Outcome<{Out}>`, or a `Result` of one of them with an error such as `JobError`"
)]
pub trait IntoOutcome<Out> {
    /// The outcome, or why there is none.
    ///
    /// # Errors
    ///
    /// What the handler returned as its error.
    fn into_outcome(self) -> Result<Outcome<Out>, JobError>;
}

#[diagnostic::do_not_recommend]
impl<Out> IntoOutcome<Out> for Out {
    fn into_outcome(self) -> Result<Outcome<Out>, JobError> {
        Ok(Outcome::Done(self))
    }
}

impl<Out> IntoOutcome<Out> for Outcome<Out> {
    fn into_outcome(self) -> Result<Self, JobError> {
        Ok(self)
    }
}

impl<Out, E: Into<JobError>> IntoOutcome<Out> for Result<Out, E> {
    fn into_outcome(self) -> Result<Outcome<Out>, JobError> {
        self.map(Outcome::Done).map_err(Into::into)
    }
}

impl<Out, E: Into<JobError>> IntoOutcome<Out> for Result<Outcome<Out>, E> {
    fn into_outcome(self) -> Result<Outcome<Out>, JobError> {
        self.map_err(Into::into)
    }
}

/// What the worker tells the store of a handler that returned `returned`.
pub(crate) fn verdict<Out: Serialize + 'static>(returned: impl IntoOutcome<Out>) -> Verdict {
    match returned.into_outcome() {
        Ok(Outcome::Done(output)) => stored(&output, |result| Verdict::Succeeded { result }),
        Ok(Outcome::Unchanged(output)) => stored(&output, |result| Verdict::Unchanged { result }),
        Ok(Outcome::Snooze(delay)) => Verdict::Snoozed { delay },
        Err(error) => error.into_verdict(),
    }
}

/// Writes the output down. `()` is nothing at all, and costs nothing; the `None` of an `Option` is the result `null`.
fn stored<Out: Serialize + 'static>(output: &Out, done: impl FnOnce(Option<Json>) -> Verdict) -> Verdict {
    if TypeId::of::<Out>() == TypeId::of::<()>() {
        return done(None);
    }
    match Json::of("result", output) {
        Ok(result) => done(Some(result)),
        Err(invalid) => Verdict::Failed {
            error: AttemptError::new(format!("the result cannot be stored: it {}", invalid.problem)),
            retry_after: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_result_and_none_is_null() {
        assert_eq!(verdict::<()>(()), Verdict::Succeeded { result: None });
        assert_eq!(verdict::<Option<u8>>(None), Verdict::Succeeded { result: Some(Json::null()) });
    }

    #[test]
    fn a_handler_may_return_its_output_plain_or_wrapped() {
        let four = Some(Json::of("result", &4).unwrap());

        assert_eq!(verdict::<u8>(4), Verdict::Succeeded { result: four.clone() });
        assert_eq!(verdict::<u8>(Ok::<u8, JobError>(4)), Verdict::Succeeded { result: four.clone() });
        assert_eq!(verdict::<u8>(Outcome::Unchanged(4)), Verdict::Unchanged { result: four.clone() });
        assert_eq!(verdict::<u8>(Ok::<_, JobError>(Outcome::Done(4))), Verdict::Succeeded { result: four });
        assert!(matches!(verdict::<u8>("x".parse::<u8>()), Verdict::Failed { .. }));
    }

    #[test]
    fn a_result_without_a_json_form_fails_the_attempt() {
        let keyed_by_pair = std::collections::BTreeMap::from([((1, 2), 3)]);

        let Verdict::Failed { error, .. } = verdict(keyed_by_pair) else { panic!("stored") };

        assert!(
            error.message.starts_with("the result cannot be stored: it has no JSON form"),
            "{}",
            error.message
        );
    }
}
