//! What is called beside the handler of a kind: when a person has decided about a result, and when an attempt was the
//! last.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use windlass_core::attempt::Running;
use windlass_core::cleanup::CLEANUP_MAX;
use windlass_core::retry::Jitter;
use windlass_core::{
    Decision, Invalid, KindName, LogLevel, Next, Phase, RetryPolicy, Timestamp, Verdict, settle,
};

use crate::decode::decode;
use crate::halt::CancelReason;
use crate::handler::{Work, blocking};
use crate::open_attempt::OpenAttempt;
use crate::{FromContext, IntoOutcome, Job, JobCx, JobError, outcome, panics};

/// An async function that is called beside the handler of jobs of the type `J`: [`accepted`], [`declined`] or
/// [`cleanup`].
///
/// Implemented for every `async fn(job, extractors…)` that returns nothing, or a [`Result`] of nothing with an error that
/// converts into [`JobError`]. It takes the extractors that a [`Handler`](crate::Handler) takes, and
/// [`Staged`](crate::Staged) and [`Ruling`](windlass_core::Ruling), which only it is given. `Args` tells the functions
/// apart and is always inferred.
///
/// [`accepted`]: crate::WorkerBuilder::accepted
/// [`declined`]: crate::WorkerBuilder::declined
/// [`cleanup`]: crate::WorkerBuilder::cleanup
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called beside a handler of a worker with the state `{S}`",
    label = "not such a function",
    note = "it is an `async fn` whose first argument is a `Job`, followed by up to eight extractors, which returns nothing \
            or a `Result` of nothing"
)]
pub trait Hook<J, Args, S>: Send + Sync + 'static {
    /// Takes the arguments out of the context and calls the function.
    ///
    /// # Errors
    ///
    /// When an argument cannot be had.
    #[doc(hidden)]
    fn start(&self, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError>;
}

/// A function, not async, that is called beside the handler of jobs of the type `J`, on the pool for blocking work.
///
/// Like [`Hook`] in everything else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called, blocking, beside a handler of a worker with the state `{S}`",
    label = "not such a function",
    note = "it is a plain `fn` whose first argument is a `Job`, followed by up to eight extractors, which returns nothing or \
            a `Result` of nothing; an `async fn` goes to the method without `_blocking`"
)]
pub trait BlockingHook<J, Args, S>: Send + Sync + 'static {
    /// Takes the arguments out of the context and calls the function on the blocking pool.
    ///
    /// # Errors
    ///
    /// When an argument cannot be had.
    #[doc(hidden)]
    fn start(self: &Arc<Self>, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError>;
}

macro_rules! hooks {
    ($($part:ident $name:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, Fut, J, S, $($part,)*> Hook<J, ($($part,)*), S> for F
        where
            F: Fn(J, $($part,)*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoOutcome<()>,
            J: Job,
            $($part: FromContext<S>,)*
        {
            fn start(&self, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError> {
                let _ = (cx, state);
                $(let $name = $part::from_context(cx, state)?;)*
                Ok(Box::pin(self(job, $($name,)*).map(outcome::verdict::<()>)))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, Out, J, S, $($part,)*> BlockingHook<J, ($($part,)*), S> for F
        where
            F: Fn(J, $($part,)*) -> Out + Send + Sync + 'static,
            Out: IntoOutcome<()>,
            J: Job,
            $($part: FromContext<S> + Send + 'static,)*
        {
            fn start(self: &Arc<Self>, job: J, cx: &JobCx, state: &S) -> Result<Work, JobError> {
                let _ = (cx, state);
                $(let $name = $part::from_context(cx, state)?;)*
                let hook = Arc::clone(self);
                Ok(blocking(move || outcome::verdict::<()>(hook(job, $($name,)*))))
            }
        }
    };
}

hooks!();
hooks!(A1 a1);
hooks!(A1 a1, A2 a2);
hooks!(A1 a1, A2 a2, A3 a3);
hooks!(A1 a1, A2 a2, A3 a3, A4 a4);
hooks!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5);
hooks!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6);
hooks!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6, A7 a7);
hooks!(A1 a1, A2 a2, A3 a3, A4 a4, A5 a5, A6 a6, A7 a7, A8 a8);

/// Starts a hook, or says at once how it ends. May panic where the hook's own code does.
type Start = dyn Fn(&Arc<OpenAttempt>) -> Result<Work, Verdict> + Send + Sync;

/// When a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum When {
    Accepted,
    Declined,
    Cleanup,
}

impl When {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Cleanup => "cleanup",
        }
    }
}

/// Every hook of a worker.
#[derive(Default)]
pub(crate) struct Hooks {
    all: HashMap<(KindName, When), Arc<Start>>,
    /// Whether any of them is a cleanup: most workers have none, and do not look for one after each attempt.
    clean: bool,
}

impl Hooks {
    /// Registers what is called `when` so of jobs of the type `J`; `start` calls it.
    ///
    /// # Errors
    ///
    /// `Invalid(kind)` for a bad name, or where there is one.
    pub(crate) fn add<J: Job>(
        &mut self,
        when: When,
        start: impl Fn(J, &JobCx) -> Result<Work, JobError> + Send + Sync + 'static,
    ) -> Result<(), Invalid> {
        let kind = KindName::new(J::KIND)?;
        let start = move |attempt: &Arc<OpenAttempt>| {
            let job = decode::<J>(&attempt.leased).map_err(|error| Verdict::Undecodable { error })?;
            start(job, &JobCx(Arc::clone(attempt))).map_err(JobError::into_verdict)
        };
        self.clean |= when == When::Cleanup;
        if self.all.insert((kind, when), Arc::new(start)).is_some() {
            let name = when.as_str();
            return Err(Invalid::new(
                "kind",
                format!("{:?} has more than one function for `{name}`", J::KIND),
            ));
        }
        Ok(())
    }

    /// Whether any of them is a cleanup.
    pub(crate) const fn clean(&self) -> bool {
        self.clean
    }

    /// The kinds that have one.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &KindName> {
        self.all.keys().map(|(kind, _)| kind)
    }

    /// Whether something is done for decisions about jobs of this kind.
    pub(crate) fn settles(&self, kind: &KindName) -> bool {
        [When::Accepted, When::Declined].iter().any(|when| self.all.contains_key(&(kind.clone(), *when)))
    }

    /// Starts to carry a decision out, or says at once that there is nothing to do for it here.
    ///
    /// # Errors
    ///
    /// The verdict on an attempt whose hook did not start.
    pub(crate) fn settle(&self, attempt: &Arc<OpenAttempt>, decision: Decision) -> Result<Work, Verdict> {
        let when = match decision {
            Decision::Accept => When::Accepted,
            Decision::Decline => When::Declined,
        };
        match self.all.get(&(attempt.leased.kind.clone(), when)) {
            Some(start) => start(attempt),
            None => Err(Verdict::Succeeded { result: None }),
        }
    }

    /// Starts to clean up behind a job that ended while nobody ran it, or says at once that there is nothing to do for that here.
    ///
    /// # Errors
    ///
    /// The verdict on an attempt whose hook did not start.
    pub(crate) fn clean_up_alone(&self, attempt: &Arc<OpenAttempt>) -> Result<Work, Verdict> {
        let nothing = Verdict::Succeeded { result: None };
        let Some(start) = self.cleanup_of(attempt) else { return Err(nothing) };
        start(attempt).map_err(|verdict| match verdict {
            // Args that cannot be read name nothing to clean up.
            Verdict::Undecodable { .. } => nothing,
            other => other,
        })
    }

    fn cleanup_of(&self, attempt: &OpenAttempt) -> Option<&Arc<Start>> {
        self.all.get(&(attempt.leased.kind.clone(), When::Cleanup))
    }

    /// Cleans up behind an attempt that ends with `verdict`, if its job is not to be tried again. Whatever comes of that,
    /// `verdict` stands: a failure is told in the job's log.
    pub(crate) async fn clean_up(&self, attempt: &Arc<OpenAttempt>, verdict: &Verdict) {
        if attempt.leased.phase() == Phase::Cleanup || !is_last(attempt, verdict) {
            return;
        }
        let Some(start) = self.cleanup_of(attempt) else { return };
        // Args that cannot be read name nothing to clean up.
        let started = match panics::guard(|| start(attempt)) {
            Ok(Err(Verdict::Undecodable { .. })) => return,
            Ok(started) => started,
            Err(error) => Err(Verdict::Failed { error, retry_after: None }),
        };
        let ended = match started {
            Ok(work) => match tokio::time::timeout(CLEANUP_MAX, guarded(work)).await {
                Ok(verdict) => verdict,
                Err(_) => return tell_failed(attempt, "it took longer than five minutes"),
            },
            Err(verdict) => verdict,
        };
        if let Some(error) = ended.error() {
            tell_failed(attempt, &error.message);
        }
    }
}

/// Runs `work`, and makes a failure of its panic.
async fn guarded(mut work: Work) -> Verdict {
    let ended = std::future::poll_fn(|cx| match panics::guard(|| work.as_mut().poll(cx)) {
        Ok(poll) => poll,
        Err(error) => std::task::Poll::Ready(Verdict::Failed { error, retry_after: None }),
    })
    .await;
    panics::drop_quietly(work);
    ended
}

fn tell_failed(attempt: &OpenAttempt, problem: &str) {
    let leased = &attempt.leased;
    tracing::warn!(
        job.id = %leased.id(),
        job.kind = %leased.kind,
        job.attempt = leased.token.number,
        error = problem,
        "could not clean up behind a job",
    );
    attempt.log.push(LogLevel::Error, format!("could not clean up: {problem}"));
}

/// Whether no attempt for the same work follows one that ends so: a job that goes to a person is not among those.
fn is_last(attempt: &OpenAttempt, verdict: &Verdict) -> bool {
    match attempt.halt.reason() {
        // Somebody else has it, and cleans up behind it.
        Some(CancelReason::LeaseLost) => return false,
        Some(CancelReason::Cancelled) => return true,
        _ => {}
    }
    let leased = &attempt.leased;
    let passed = attempt.deadline_at().is_some_and(|at| at <= tokio::time::Instant::now());
    let now = leased.deadline.filter(|_| passed).unwrap_or(Timestamp::MIN);
    let running = Running {
        attempt: leased.attempt,
        attempts_max: leased.attempts_max,
        losses: leased.losses,
        losses_max: leased.losses,
        run_at: leased.run_at,
        deadline: leased.deadline,
        retry: &RetryPolicy::Fixed(Duration::ZERO),
        jitter: Jitter::NONE,
        review: leased.options.as_ref().and_then(|options| options.review.as_ref()),
        settles: leased.settles.as_ref().map(|settling| settling.ruling.decision),
    };
    !matches!(settle(&running, verdict, now).next, Next::Waiting { .. })
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}
