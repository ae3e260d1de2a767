//! What a job has to do with others: what it shares with them, what it waits for, who decides about it and who is told.

use windlass_core::{Edge, KeyedLimit, Lock, Notify, Pace, Rate, Review, Unique};

use super::{Enqueue, ParentId};

impl<J, N> Enqueue<J, N> {
    /// A resource that the job needs while it runs, alone or shared with others: it does not start until it can have all of
    /// its resources. Over all kinds, workers and machines; who waits for one alone is not passed by those who share it.
    ///
    /// What it holds is given back with the end of each attempt, whatever ends it. The handler of a job that holds a resource
    /// alone gets its [`Fences`](crate::extract::Fences).
    ///
    /// ```
    /// # use windlass::{Windlass, model::Lock};
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::Job;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "import")]
    /// # struct Import {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// windlass.enqueue(Import {}).lock(Lock::exclusive("table:users")).lock(Lock::shared("config")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "written where it is used; nobody keeps one")]
    pub fn lock(self, lock: Lock) -> Self {
        self.each(|job| {
            job.options.locks.push(lock.clone());
            Ok(())
        })
    }

    /// Not while as many as `max` jobs with the same key run, over all queues, workers and machines: `stripe:acct_9` at most
    /// 3. Several keys are several limits.
    pub fn limit(self, key: impl Into<String>, max: u32) -> Self {
        let key = key.into();
        self.each(|job| {
            job.options.limits.push(KeyedLimit { key: key.clone(), max });
            Ok(())
        })
    }

    /// No more often than this with the same key, over all queues, workers and machines.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use windlass::{Windlass, model::Pace};
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::Job;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "call_api")]
    /// # struct CallApi {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// // A hundred in a minute, and up to five at once after a rest.
    /// let pace = Pace::new(100, Duration::from_secs(60)).with_burst(5);
    /// windlass.enqueue(CallApi {}).rate("api.example.com", pace).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rate(self, key: impl Into<String>, pace: Pace) -> Self {
        let key = key.into();
        self.each(|job| {
            job.options.rates.push(Rate { key: key.clone(), pace });
            Ok(())
        })
    }

    /// One at a time, and in the order of their enqueue, with all jobs that have the same key. A job keeps its turn until it
    /// is final, also while it waits for its next attempt.
    pub fn order_key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.each(|job| {
            job.options.order_key = Some(key.clone());
            Ok(())
        })
    }

    /// Lets a person decide about it, before it starts or about what it makes: see [`reviews`](crate::reviews). Who
    /// [submitted](Self::submitted_by) it may not be that person, unless the terms say so.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # use windlass::model::Review;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "wipe")]
    /// # struct Wipe { table: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let job = windlass.enqueue(Wipe { table: "fish".into() }).review(Review::start()).await?;
    /// assert_eq!(job.handle().state().await?.as_str(), "in_review");
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "written where it is used; nobody keeps one")]
    pub fn review(self, terms: Review) -> Self {
        self.each(|job| {
            job.options.review = Some(terms.clone());
            Ok(())
        })
    }

    /// Lets there be no second job like it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Unique, Windlass};
    /// # use windlass::store::EnqueueOutcome;
    /// # #[derive(Clone, Serialize, Deserialize, Job)]
    /// # #[job(kind = "reindex")]
    /// # struct Reindex { site: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let job = Reindex { site: "example.com".into() };
    /// let first = windlass.enqueue(job.clone()).unique(Unique::by_args()).await?;
    /// let second = windlass.enqueue(job.clone()).unique(Unique::by_args()).await?;
    /// assert_eq!((second.outcome(), second.id()), (EnqueueOutcome::Existing, first.id()));
    ///
    /// // The newest wish counts, and not before nothing has come for five seconds.
    /// let five = Duration::from_secs(5);
    /// windlass.enqueue(job).unique(Unique::key("example.com").debounce(five, five * 12)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Enqueued::outcome`](crate::Enqueued::outcome) says whether a job was made, one was there, or one was given what is asked for now. A job that
    /// asks to be refused is an error of the kind `Duplicate`, with the id of the one that stands in its way.
    #[expect(clippy::needless_pass_by_value, reason = "written where it is used; nobody keeps one")]
    pub fn unique(self, unique: Unique) -> Self {
        self.each(|job| {
            job.options.unique = Some(unique.clone());
            Ok(())
        })
    }

    /// Not before `parent` has completed: a [`JobHandle`](crate::JobHandle), what an enqueue answered, a place in a [`Flow`](crate::Flow), or an id.
    /// If `parent` ends otherwise, this job never runs: it is `cancelled(dependency_failed)`. May be said for several jobs; their
    /// results are given to the handler by [`Parents`](crate::extract::Parents), in this order.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "fetch")]
    /// # struct Fetch;
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "index")]
    /// # struct Index;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let fetched = windlass.enqueue(Fetch).await?;
    /// windlass.enqueue(Index).after(&fetched).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(self, parent: impl Into<ParentId>) -> Self {
        let edge = Edge::on_success(parent.into().0);
        self.each(|job| {
            job.after.push(edge);
            Ok(())
        })
    }

    /// Not before `parent` has ended, in whichever way. See [`after`](Self::after).
    pub fn after_finish(self, parent: impl Into<ParentId>) -> Self {
        let edge = Edge::on_finish(parent.into().0);
        self.each(|job| {
            job.after.push(edge);
            Ok(())
        })
    }

    /// Tells somebody when it has ended: a mail address or a webhook, once, after its last attempt. At most 8 of them.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use windlass::{Job, Notify, Windlass};
    /// # #[derive(Serialize, Deserialize, Job)]
    /// # #[job(kind = "send_email")]
    /// # struct SendEmail { to: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), windlass::Error> {
    /// # let windlass = Windlass::in_memory();
    /// let job = SendEmail { to: "ada@example.com".into() };
    /// windlass.enqueue(job).notify(Notify::mail("ops@example.com").on_dead()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The notice is a job of its own, made in the transaction that ends this one, and is sent by a worker that may: see
    /// the module `notices`, of the feature of that name. Until there is one it waits.
    #[expect(clippy::needless_pass_by_value, reason = "written where it is used; nobody keeps one")]
    pub fn notify(self, notify: Notify) -> Self {
        self.each(|job| {
            job.options.notify.push(notify.clone());
            Ok(())
        })
    }
}
