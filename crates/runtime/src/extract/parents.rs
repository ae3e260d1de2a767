//! What the jobs made that this one waited for.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use windlass_core::limits::PAGE_MAX;
use windlass_core::{AttemptError, JobId, JobState, Json, KindName, Reason};
use windlass_store::{Input, PageRequest};

use crate::open_attempt::OpenAttempt;
use crate::{FromContext, JobCx, JobError};

/// The jobs that this one waited for, in the order in which it named them.
///
/// They are read when they are asked for, so a handler that does not care pays for nothing.
///
/// ```
/// use windlass_runtime::{JobError, Parents};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Sum;
/// async fn sum(_: Sum, parents: Parents) -> Result<u64, JobError> {
///     let mut sum = 0;
///     for parent in parents.all().await? {
///         sum += parent.result::<u64>()?;
///     }
///     Ok(sum)
/// }
/// ```
#[derive(Clone)]
pub struct Parents(pub(crate) Arc<OpenAttempt>);

impl Parents {
    /// Every one of them.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked, or the lease is lost: the attempt fails, and another may succeed.
    pub async fn all(&self) -> Result<Vec<Parent>, JobError> {
        let Some(store) = &self.0.store else { return Ok(Vec::new()) };
        let (mut all, mut request) = (Vec::new(), PageRequest::first(PAGE_MAX));
        loop {
            let page = store.inputs_under(self.0.token(), self.0.about(), request).await?;
            all.extend(page.items.into_iter().map(Parent));
            match page.next {
                Some(next) => request = request.after(Some(next)),
                None => return Ok(all),
            }
        }
    }

    /// What all of them made, each of which must have completed and made a `T`.
    ///
    /// # Errors
    ///
    /// Those of [`all`](Self::all) and of [`Parent::result`].
    pub async fn results<T: DeserializeOwned>(&self) -> Result<Vec<T>, JobError> {
        self.all().await?.iter().map(Parent::result).collect()
    }

    /// [`all`](Self::all) for a blocking handler, which has no `await`.
    ///
    /// # Errors
    ///
    /// Those of [`all`](Self::all).
    ///
    /// # Panics
    ///
    /// Outside a blocking handler: an async one must not block.
    pub fn all_blocking(&self) -> Result<Vec<Parent>, JobError> {
        tokio::runtime::Handle::current().block_on(self.all())
    }
}

impl fmt::Debug for Parents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parents").field(&self.0.leased.id()).finish()
    }
}

impl<S> FromContext<S> for Parents {
    fn from_context(cx: &JobCx, _state: &S) -> Result<Self, JobError> {
        Ok(cx.parents())
    }
}

/// A job that this one waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Parent(Input);

impl Parent {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.0.parent
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> &KindName {
        &self.0.kind
    }

    /// How it ended. A job that waits for any end sees here how it was.
    #[must_use]
    pub const fn state(&self) -> JobState {
        self.0.state
    }

    /// Why, where there is a reason.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// Whether it completed.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.0.state == JobState::Completed
    }

    /// What went wrong with it last, if it did not complete.
    #[must_use]
    pub const fn error(&self) -> Option<&AttemptError> {
        self.0.error.as_ref()
    }

    /// What it made, which must be a `T`. A job that made nothing made `null`, which is what `()` and `None` are read from.
    ///
    /// # Errors
    ///
    /// Fatal: when it did not complete, [said to be caused by it](JobError::caused_by_parents); or when what it made is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        if !self.is_completed() {
            let said = self.error().map(|error| format!(": {}", error.message)).unwrap_or_default();
            let text = format!("job {}, whose result is needed, is {}{said}", self.id(), self.state());
            return Err(JobError::fatal(text).caused_by_parents());
        }
        let null = Json::null();
        let made = self.0.result.as_ref().unwrap_or(&null);
        made.decode().map_err(|error| {
            JobError::from(error).context(format!("what job {} made cannot be read", self.id())).into_fatal()
        })
    }
}
