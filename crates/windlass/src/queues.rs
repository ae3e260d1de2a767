//! What a program asks of its queues: how full they are, whether they are paused, bounded, and for how long they keep what
//! has ended.

use windlass_core::{Bounds, KindName, QueueName, Whole};
use windlass_store::{QueueRetention, QueueSummary};

use crate::{Bounded, Error, Windlass};

impl Windlass {
    /// Every queue, by name, with how full it is. Counts everything: meant for people, not for loops.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        self.store().queues().await
    }

    /// Stops claims from a queue until it is [resumed](Self::resume). What runs goes on. Stored, so it holds for every
    /// process and survives restarts.
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`.
    pub async fn pause(&self, queue: &str) -> Result<(), Error> {
        self.store().pause(&named("pause the queue", queue)?, self.actor()).await
    }

    /// Lets a queue be claimed from again.
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`; `NotFound` for a queue that never was.
    pub async fn resume(&self, queue: &str) -> Result<(), Error> {
        self.store().resume(&named("resume the queue", queue)?, self.actor()).await
    }

    /// Says how long the finished jobs of a queue are kept, instead of as long as those of all
    /// ([`retention`](crate::worker::WorkerBuilder::retention)). Stored, so it holds for every process and survives restarts,
    /// and for jobs that have ended before. What is not said holds as for all queues.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass::Windlass;
    /// use windlass::store::{Keep, QueueRetention};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let hour = Keep::For(Duration::from_secs(3600));
    /// windlass.keep("mail", QueueRetention::default().completed(hour).dead(Keep::Forever)).await?;
    ///
    /// let (queue, kept) = windlass.retentions().await?.remove(0);
    /// assert_eq!((queue.as_str(), kept.completed, kept.cancelled), ("mail", Some(hour), None));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Invalid(queue)`, `Invalid(retention…)`.
    pub async fn keep(&self, queue: &str, retention: QueueRetention) -> Result<(), Error> {
        let queue = named("say how long the jobs are kept", queue)?;
        self.store().keep(&queue, retention, self.actor()).await
    }

    /// Every queue that keeps its finished jobs for a time of its own, by name.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn retentions(&self) -> Result<Vec<(QueueName, QueueRetention)>, Error> {
        self.store().retentions().await
    }

    /// A queue as a whole, to be bounded: see [`Bounded`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass::{Windlass, model::Pace};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// windlass.queue("mail").limit(5).await?;
    /// windlass.queue("mail").rate(Pace::new(100, Duration::from_secs(60))).await?;
    /// windlass.kind("report").limit(1).await?;
    /// windlass.queue("mail").unlimited().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue(&self, queue: &str) -> Bounded {
        Bounded::new(self.clone(), QueueName::new(queue).map(Whole::Queue))
    }

    /// A kind as a whole, over all its queues, to be bounded: see [`Bounded`].
    pub fn kind(&self, kind: &str) -> Bounded {
        Bounded::new(self.clone(), KindName::new(kind).map(Whole::Kind))
    }

    /// Every queue and kind that is bounded, by name, queues first.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Corrupt`.
    pub async fn bounds(&self) -> Result<Vec<(Whole, Bounds)>, Error> {
        self.store().bounds().await
    }
}

fn named(operation: &'static str, queue: &str) -> Result<QueueName, Error> {
    QueueName::new(queue).map_err(|invalid| Error::invalid(operation, invalid))
}
