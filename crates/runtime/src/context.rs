//! What a handler may ask about the attempt it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::time::Instant;
use windlass_core::{AttemptToken, JobId, KindName, Phase, Priority, QueueName, Timestamp, Trace};
use windlass_store::{LeasedJob, Settling};

use crate::JobError;
use crate::extract::{Attempt, Cancel, Checkpoint, Deadline, Fences, JobLog, Meta, Parents, Progress};
use crate::open_attempt::OpenAttempt;

/// Everything a handler can know of its attempt and do in its name. The extractors are parts of it.
///
/// Cheap to clone.
///
/// ```
/// use windlass_runtime::{JobCx, JobError};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Import { rows: u64 }
/// async fn import(job: Import, cx: JobCx) -> Result<(), JobError> {
///     for row in 0..job.rows {
///         if cx.cancel().is_cancelled() {
///             return Err(JobError::new("asked to stop"));
///         }
///         cx.log().info(format!("row {row}"));
///     }
///     cx.progress().set(100, "done").await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct JobCx(pub(crate) Arc<OpenAttempt>);

impl JobCx {
    /// A context without a store, for the unit test of a handler: what is reported goes nowhere.
    #[must_use]
    pub fn detached(leased: LeasedJob) -> Self {
        Self(OpenAttempt::new(leased, Instant::now(), None))
    }

    /// The job. Of an attempt in the phase `cleanup`, the one that it cleans up behind.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.about()
    }

    /// The token of this attempt: what fences its writes, here and in whatever else the handler writes to.
    #[must_use]
    pub fn token(&self) -> AttemptToken {
        self.0.token()
    }

    /// The kind of the job.
    #[must_use]
    pub fn kind(&self) -> &KindName {
        &self.0.leased.kind
    }

    /// The version of its args as they were enqueued.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.leased.version
    }

    /// The queue it waited in.
    #[must_use]
    pub fn queue(&self) -> &QueueName {
        &self.0.leased.queue
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.0.leased.priority
    }

    /// When it was enqueued, by the store's clock.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.0.leased.created_at
    }

    /// Who asked for it, if they said.
    #[must_use]
    pub fn submitted_by(&self) -> Option<&str> {
        self.0.leased.options.as_ref()?.submitted_by.as_deref()
    }

    /// Which attempt this is.
    #[must_use]
    pub fn attempt(&self) -> Attempt {
        Attempt::of(&self.0.leased)
    }

    /// What travels with the job.
    #[must_use]
    pub fn meta(&self) -> Meta {
        Meta(self.0.leased.options.as_ref().map_or_else(BTreeMap::new, |options| options.meta.clone()))
    }

    /// In which trace the job was enqueued, if that is known.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        self.0.leased.trace()
    }

    /// The numbers of the resources that the job holds alone.
    #[must_use]
    pub fn fences(&self) -> Fences {
        Fences(self.0.leased.fences.clone())
    }

    /// Whether the handler should stop.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        Cancel(Arc::clone(&self.0))
    }

    /// Until when the job must be finished.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        Deadline::of(&self.0)
    }

    /// Where the handler says how far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.0))
    }

    /// The job's own log.
    #[must_use]
    pub fn log(&self) -> JobLog {
        JobLog(Arc::clone(&self.0))
    }

    /// What the attempt is for: the work, what a person decided about it, or to clean up behind a job that ended while nobody
    /// ran it.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.leased.phase()
    }

    /// The decision that the attempt carries out, and what it is about; none in an attempt at the work itself.
    #[must_use]
    pub fn settling(&self) -> Option<&Settling> {
        self.0.leased.settles.as_deref()
    }

    /// The jobs that this one waited for.
    #[must_use]
    pub fn parents(&self) -> Parents {
        Parents(Arc::clone(&self.0))
    }

    /// Where an earlier attempt wants this one to go on.
    ///
    /// # Errors
    ///
    /// When what it left is not a `T`. No further attempt can mend that, so the error is fatal.
    pub fn checkpoint<T: DeserializeOwned>(&self) -> Result<Checkpoint<T>, JobError> {
        Checkpoint::of(&self.0)
    }
}

/// What can be an argument of a handler, behind the job.
///
/// Made before the handler starts. An error ends the attempt as if the handler had returned it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler of a worker with the state `{S}`",
    label = "neither part of the job's context nor of the worker's state",
    note = "arguments behind the job: `State<T>`, `Attempt`, `JobId`, `Meta`, `Cancel`, `Deadline`, `Progress`, \
            `Checkpoint<T>`, `JobLog`, `Parents`, `JobCx`",
    note = "`State<T>` needs `T` to be the worker's state, or to be a part of it by `FromRef`; the state is given \
            before the handlers: `.state(state).handle(handler)`"
)]
pub trait FromContext<S>: Sized {
    /// Takes this argument out of the context or the worker's state.
    ///
    /// # Errors
    ///
    /// Why the handler cannot start.
    fn from_context(cx: &JobCx, state: &S) -> Result<Self, JobError>;
}

impl<S> FromContext<S> for JobCx {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        Ok(cx.clone())
    }
}

impl<S> FromContext<S> for JobId {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        Ok(cx.id())
    }
}

/// A part of the worker's state: what every attempt shares, such as a pool of connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: FromRef<S>, S> FromContext<S> for State<T> {
    fn from_context(_cx: &JobCx, state: &S) -> Result<Self, JobError> {
        Ok(Self(T::from_ref(state)))
    }
}

/// A part of `S` that can be had of a reference: every state is a part of itself.
///
/// ```
/// use windlass_runtime::FromRef;
/// #[derive(Clone)]
/// struct Mailer;
/// #[derive(Clone)]
/// struct App { mailer: Mailer }
///
/// impl FromRef<App> for Mailer {
///     fn from_ref(app: &App) -> Self {
///         app.mailer.clone()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part of the worker's state `{S}`",
    note = "give the state before the handlers, `.state(state).handle(handler)`, and implement `FromRef<{S}>` for the part"
)]
pub trait FromRef<S> {
    /// Takes the part out, usually by cloning it.
    fn from_ref(state: &S) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> FromRef<T> for T {
    fn from_ref(state: &T) -> Self {
        state.clone()
    }
}
