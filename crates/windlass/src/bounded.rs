//! [`Bounded`]: how many jobs of a queue or a kind run at a time, and how often one starts.

use windlass_core::{Bounds, Invalid, Pace, Whole};

use crate::{Error, Windlass};

const OPERATION: &str = "bound the queue";

/// A queue or a kind as a whole, made by [`Windlass::queue`] and [`Windlass::kind`].
///
/// Bounds hold over all workers and machines, for jobs that were enqueued before too. They are stored, so they survive
/// restarts; what runs when one is set goes on, and counts.
#[derive(Clone)]
#[must_use = "nothing is bounded until one of its methods is awaited"]
pub struct Bounded {
    windlass: Windlass,
    whole: Result<Whole, Invalid>,
}

impl Bounded {
    pub(crate) fn new(windlass: Windlass, whole: Result<Whole, Invalid>) -> Self {
        Self { windlass, whole }
    }

    /// Lets at most so many of its jobs run at a time.
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`, `Invalid(kind)`, `Invalid(limit)`.
    pub async fn limit(&self, limit: u32) -> Result<(), Error> {
        self.change(|bounds| bounds.limit = Some(limit)).await
    }

    /// Lets any number of its jobs run at a time.
    ///
    /// # Errors
    ///
    /// Those of [`limit`](Self::limit).
    pub async fn unlimited(&self) -> Result<(), Error> {
        self.change(|bounds| bounds.limit = None).await
    }

    /// Lets its jobs start no more often than this.
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`, `Invalid(kind)`, `Invalid(rate…)`.
    pub async fn rate(&self, pace: Pace) -> Result<(), Error> {
        self.change(|bounds| bounds.rate = Some(pace)).await
    }

    /// Lets its jobs start as often as they can.
    ///
    /// # Errors
    ///
    /// Those of [`rate`](Self::rate).
    pub async fn unrated(&self) -> Result<(), Error> {
        self.change(|bounds| bounds.rate = None).await
    }

    /// How it is bounded.
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`, `Invalid(kind)`; `Unavailable`.
    pub async fn bounds(&self) -> Result<Bounds, Error> {
        let whole = self.whole()?;
        let all = self.windlass.store().bounds().await?;
        Ok(all.into_iter().find(|(of, _)| *of == whole).map(|(_, bounds)| bounds).unwrap_or_default())
    }

    async fn change(&self, change: impl FnOnce(&mut Bounds) + Send) -> Result<(), Error> {
        let mut bounds = self.bounds().await?;
        change(&mut bounds);
        self.windlass.store().bound(&self.whole()?, bounds, self.windlass.actor()).await
    }

    fn whole(&self) -> Result<Whole, Error> {
        self.whole.clone().map_err(|invalid| Error::invalid(OPERATION, invalid))
    }
}

impl std::fmt::Debug for Bounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded").field("whole", &self.whole).finish_non_exhaustive()
    }
}
