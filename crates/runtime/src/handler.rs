//! What a user writes as a handler: a plain function of the job and whatever else it needs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use windlass_core::Verdict;

use crate::{FromContext, IntoOutcome, Job, JobCx, JobError, outcome, panics};

/// A started handler.
#[expect(unreachable_pub, reason = "it is named by hidden methods of public traits")]
pub type Work = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// An async function that does jobs of the type `J`.
///
/// Implemented for every `async fn(job, extractors…) -> impl IntoOutcome<J::Output>` with up to eight extractors. `Args`
/// tells the functions apart and is always inferred.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use windlass_runtime::{Attempt, Job, JobError, State};
///
/// #[derive(Serialize, Deserialize)]
/// struct SendEmail { to: String }
///
/// impl Job for SendEmail {
///     const KIND: &'static str = "send_email";
///     type Output = ();
/// }
///
/// #[derive(Clone)]
/// struct Mailer;
///
/// async fn send_email(job: SendEmail, State(mailer): State<Mailer>, attempt: Attempt) -> Result<(), JobError> {
///     if job.to.is_empty() {
///         return Err(JobError::fatal("nobody to send it to"));
///     }
///     Ok(())
/// }
/// ```
///
/// What is no handler is refused by the compiler, which says what is missing. Here no state was given that a `Mailer`
/// could be a part of:
///
/// ```compile_fail,E0277
/// # use serde::{Deserialize, Serialize};
/// # use windlass_runtime::{Job, State, Worker};
/// # #[derive(Serialize, Deserialize)]
/// # struct SendEmail { to: String }
/// # impl Job for SendEmail {
/// #     const KIND: &'static str = "send_email";
/// #     type Output = ();
/// # }
/// # #[derive(Clone)]
/// # struct Mailer;
/// async fn send_email(job: SendEmail, State(mailer): State<Mailer>) {}
///
/// # fn build(store: windlass_store::SharedStore) {
/// Worker::builder(store).handle(send_email);
/// # }
/// ```
///
/// And here the handler returns what is not the job's output:
///
/// ```compile_fail,E0277
/// # use serde::{Deserialize, Serialize};
/// # use windlass_runtime::{Job, Worker};
/// # #[derive(Serialize, Deserialize)]
/// # struct SendEmail { to: String }
/// # impl Job for SendEmail {
/// #     const KIND: &'static str = "send_email";
/// #     type Output = ();
/// # }
/// async fn send_email(job: SendEmail) -> u64 { 7 }
///
/// # fn build(store: windlass_store::SharedStore) {
/// Worker::builder(store).handle(send_email);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler for a worker with the state `{S}`",
    label = "not a handler",
    note = "a handler is an `async fn` whose first argument is a `Job`, followed by up to eight extractors: `State<T>`, \
            `Attempt`, `JobId`, `Meta`, `Cancel`, `Deadline`, `Progress`, `Checkpoint<T>`, `JobLog`, `JobCx`",
    note = "`State<T>` needs a state that is or has a `T`, given before: `.state(state).handle(handler)`",
    note = "it returns the job's `Output`, an `Outcome`, or a `Result` of one of them with an error such as `JobError`",
    note = "its future must be `Send`; a function that is not async goes to `handle_blocking`"
)]
pub trait Handler<J, Args, S>: Send + Sync + 'static {
    /// Takes the arguments out of the context and calls the function.
    ///
    /// # Errors
    ///
    /// When an argument cannot be had.
    #[doc(hidden)]
    fn start(&self, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError>;
}

/// A function, not async, that does jobs of the type `J` on the pool for blocking work.
///
/// Like [`Handler`] in everything else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking handler for a worker with the state `{S}`",
    label = "not a blocking handler",
    note = "a blocking handler is a plain `fn` whose first argument is the job, followed by up to eight extractors",
    note = "an `async fn` goes to `handle`"
)]
pub trait BlockingHandler<J, Args, S>: Send + Sync + 'static {
    /// Takes the arguments out of the context and calls the function on the blocking pool.
    ///
    /// # Errors
    ///
    /// When an argument cannot be had.
    #[doc(hidden)]
    fn start(self: &Arc<Self>, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError>;
}

macro_rules! handlers {
    ($($part:ident $name:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, Fut, J, S, $($part,)*> Handler<J, ($($part,)*), S> for F
        where
            F: Fn(J, $($part,)*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoOutcome<J::Output>,
            J: Job,
            $($part: FromContext<S>,)*
        {
            fn start(&self, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError> {
                let _ = (cx, state);
                $(let $name = $part::from_context(cx, state)?;)*
                // `map` keeps the future in its place; an async block around it would be twice its size.
                Ok(Box::pin(self(job, $($name,)*).map(outcome::verdict::<J::Output>)))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, Out, J, S, $($part,)*> BlockingHandler<J, ($($part,)*), S> for F
        where
            F: Fn(J, $($part,)*) -> Out + Send + Sync + 'static,
            Out: IntoOutcome<J::Output>,
            J: Job,
            $($part: FromContext<S> + Send + 'static,)*
        {
            fn start(self: &Arc<Self>, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError> {
                let _ = (cx, state);
                $(let $name = $part::from_context(cx, state)?;)*
                let handler = Arc::clone(self);
                Ok(blocking(move || outcome::verdict::<J::Output>(handler(job, $($name,)*))))
            }
        }
    };
}

handlers!();
handlers!(A1 a1);
handlers!(A1 a1, A2 a2);
handlers!(A1 a1, A2 a2, A3 a3);
handlers!(A1 a1, A2 a2, A3 a3, A4 a4);
handlers!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5);
handlers!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6);
handlers!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6, A7 a7);
handlers!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6, A7 a7, A8 a8);

/// Runs `call` on the blocking pool. It ends when `call` really ends: nothing can stop a thread.
pub(crate) fn blocking(call: impl FnOnce() -> Verdict + Send + 'static) -> Work {
    Box::pin(async move {
        let span = tracing::Span::current();
        let call = move || span.in_scope(|| panics::guard(call));
        match tokio::task::spawn_blocking(call).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Verdict::Failed { error, retry_after: None },
            // The call itself cannot panic, so the runtime is going away: as if the worker had been asked to stop.
            Err(_) => Verdict::Interrupted,
        }
    })
}
