//! Which handler does which kind of job.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use windlass_core::{AttemptError, Invalid, KindName, Phase, Verdict};
use windlass_store::{KindSupport, Kinds};

use crate::decode::decode;
use crate::handler::{BlockingHandler, Handler, Work};
use crate::hooks::Hooks;
use crate::open_attempt::OpenAttempt;
use crate::{Job, JobCx, RawJob, panics};

/// Starts a handler, or says at once how the attempt ends. May panic where the handler's own code does.
type Start = dyn Fn(&Arc<OpenAttempt>) -> Result<Work, Verdict> + Send + Sync;

/// The handler of one kind.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Newer jobs of the kind are left to others.
    version_max: u32,
    start: Arc<Start>,
}

impl Entry {
    pub(crate) fn typed<J: Job, Args: 'static, S: Send + Sync + 'static>(
        handler: impl Handler<J, Args, S>,
        state: Arc<S>,
    ) -> Self {
        Self::decoding::<J>(move |job, cx| {
            handler.start(job, cx, &state).map_err(crate::JobError::into_verdict)
        })
    }

    pub(crate) fn blocking<J: Job, Args: 'static, S: Send + Sync + 'static>(
        handler: impl BlockingHandler<J, Args, S>,
        state: Arc<S>,
    ) -> Self {
        let handler = Arc::new(handler);
        Self::decoding::<J>(move |job, cx| {
            handler.start(job, cx, &state).map_err(crate::JobError::into_verdict)
        })
    }

    pub(crate) fn raw<Fut>(handler: impl Fn(RawJob) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        let start = move |attempt: &Arc<OpenAttempt>| -> Result<Work, Verdict> {
            Ok(Box::pin(handler(RawJob(JobCx(Arc::clone(attempt))))))
        };
        Self { version_max: u32::MAX, start: Arc::new(start) }
    }

    /// Completes jobs nobody needs any more.
    pub(crate) fn retired() -> Self {
        let start = |attempt: &Arc<OpenAttempt>| {
            let (id, kind) = (attempt.leased.id(), &attempt.leased.kind);
            tracing::warn!(job.id = %id, job.kind = %kind, "a job of a retired kind was completed without being run");
            Err(Verdict::Succeeded { result: None })
        };
        Self { version_max: u32::MAX, start: Arc::new(start) }
    }

    fn decoding<J: Job>(start: impl Fn(J, &JobCx) -> Result<Work, Verdict> + Send + Sync + 'static) -> Self {
        let start = move |attempt: &Arc<OpenAttempt>| {
            let job = decode::<J>(&attempt.leased).map_err(|error| Verdict::Undecodable { error })?;
            start(job, &JobCx(Arc::clone(attempt)))
        };
        Self { version_max: J::VERSION, start: Arc::new(start) }
    }
}

/// Every handler of a worker.
#[derive(Default)]
pub(crate) struct Registry {
    kinds: HashMap<KindName, Entry>,
    any: Option<Entry>,
    pub(crate) hooks: Hooks,
}

impl Registry {
    /// Registers the handler of `kind`.
    ///
    /// # Errors
    ///
    /// `Invalid(kind)` for a bad name, or one that has a handler.
    pub(crate) fn add(&mut self, kind: &str, entry: Entry) -> Result<(), Invalid> {
        let kind = KindName::new(kind)?;
        if self.kinds.contains_key(&kind) {
            return Err(Invalid::new("kind", format!("{:?} has more than one handler", kind.as_str())));
        }
        self.kinds.insert(kind, entry);
        Ok(())
    }

    /// Registers the handler of all other kinds.
    ///
    /// # Errors
    ///
    /// `Invalid(kind)` when there is one.
    pub(crate) fn add_any(&mut self, entry: Entry) -> Result<(), Invalid> {
        if self.any.replace(entry).is_some() {
            return Err(Invalid::new("kind", "all other kinds have more than one handler"));
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.any.is_none()
    }

    /// The kinds with handlers of their own, by name.
    pub(crate) fn supported(&self) -> Vec<KindSupport> {
        let support = |(kind, entry): (&KindName, &Entry)| KindSupport {
            kind: kind.clone(),
            version_max: entry.version_max,
        };
        let mut supported: Vec<KindSupport> = self.kinds.iter().map(support).collect();
        supported.sort_by(|a, b| a.kind.cmp(&b.kind));
        supported
    }

    /// The names of the kinds with handlers of their own, in order; beside those for which something is done when a person
    /// has decided about a result, the name of that, as `import#review`.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.kinds.keys().flat_map(|kind| {
            let review = self.hooks.settles(kind).then(|| format!("{kind}#review"));
            [kind.to_string()].into_iter().chain(review)
        });
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// Refuses functions beside a handler that is not there: they would never be called.
    ///
    /// # Errors
    ///
    /// `Invalid(kind)`.
    pub(crate) fn check_hooks(&self) -> Result<(), Invalid> {
        let mut alone =
            self.hooks.kinds().filter(|kind| !self.kinds.contains_key(*kind) && self.any.is_none());
        match alone.next() {
            Some(kind) => {
                let problem = format!("{:?} has functions beside its handler, and no handler", kind.as_str());
                Err(Invalid::new("kind", problem))
            }
            None => Ok(()),
        }
    }

    /// What to claim.
    pub(crate) fn claimed(&self) -> Kinds {
        if self.any.is_some() { Kinds::Any } else { Kinds::Only(self.supported()) }
    }

    /// Starts the handler of an attempt, or says how the attempt ends without one.
    ///
    /// # Errors
    ///
    /// The verdict on an attempt whose handler did not start.
    pub(crate) fn start(&self, attempt: &Arc<OpenAttempt>) -> Result<Work, Verdict> {
        let leased = &attempt.leased;
        let Some(entry) = self.kinds.get(&leased.kind).or(self.any.as_ref()) else {
            let error =
                AttemptError::new(format!("this worker has no handler for jobs of kind {:?}", leased.kind));
            return Err(Verdict::Failed { error, retry_after: None });
        };
        if leased.version > entry.version_max {
            return Err(Verdict::Snoozed { delay: NEWER_WAITS });
        }
        let start = || match &leased.settles {
            Some(settling) => self.hooks.settle(attempt, settling.ruling.decision),
            None if leased.phase() == Phase::Cleanup => self.hooks.clean_up_alone(attempt),
            None => (entry.start)(attempt),
        };
        match panics::guard(start) {
            Ok(started) => started,
            Err(error) => Err(Verdict::Failed { error, retry_after: None }),
        }
    }
}

/// How long a job waits whose args are newer than its handler here. Only a worker that takes every kind meets one, and
/// it would meet it again at once; this gives the workers that were deployed with it time to come.
const NEWER_WAITS: std::time::Duration = std::time::Duration::from_secs(30);

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("kinds", &self.kinds.keys())
            .field("any", &self.any.is_some())
            .field("hooks", &self.hooks)
            .finish()
    }
}
