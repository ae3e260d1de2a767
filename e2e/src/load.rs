//! Callers that enqueue without a pause while something happens to the store, and keep account of what they were told.
//!
//! Each asks for the same batch, by the same ids, until it is acknowledged. So the account also shows whether the answers
//! in between were true: after `Unavailable` nothing may have happened, after `Unknown` anything may.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use windlass_core::{JobId, NewJob};
use windlass_store::{EnqueueOutcome, Enqueued, ErrorKind, SharedStore};

use crate::Failure;
use crate::process::PATIENCE;
use crate::scene::job;

/// How many jobs a caller enqueues at once, and how long it waits after that. The load is one that the workers keep up
/// with, so that what they do in a second tells whether they are well.
#[derive(Debug, Clone, Copy)]
struct Pace(usize, Duration);

/// Some come with batches, and some so often that one of them is in the middle of a commit whenever something happens.
const PACES: [Pace; 2] = [Pace(5, Duration::from_millis(50)), Pace(1, Duration::from_millis(5))];

/// How long a caller waits after a failure.
const RETRY: Duration = Duration::from_millis(20);

/// What callers were told.
#[derive(Debug, Default)]
pub struct Account {
    /// The jobs whose enqueue was acknowledged.
    pub acknowledged: Vec<JobId>,
    /// Answers that said nothing of what had happened.
    pub unknown: usize,
    /// Answers that said that nothing had happened.
    pub unavailable: usize,
    /// Batches that were there when they were asked for again.
    pub there_before: usize,
}

/// Callers at work.
#[derive(Debug)]
pub struct Load {
    callers: JoinSet<Result<Account, Failure>>,
    stop: watch::Sender<bool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Load {
    /// Lets as many callers loose on `store`.
    #[must_use]
    pub fn start(store: &SharedStore, callers: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut load = Self { callers: JoinSet::new(), stop, acknowledged };
        for pace in PACES.into_iter().cycle().take(callers) {
            let caller = Caller {
                pace,
                store: Arc::clone(store),
                stopped: stopped.clone(),
                all: Arc::clone(&load.acknowledged),
                account: Account::default(),
            };
            load.callers.spawn(caller.run());
        }
        load
    }

    /// How many jobs have been acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets every caller come to the end of its batch, and adds up what they were told.
    ///
    /// # Errors
    ///
    /// When one of them was told something that cannot be.
    pub async fn stop(mut self) -> Result<Account, Failure> {
        self.stop.send_replace(true);
        let mut sum = Account::default();
        while let Some(account) = self.callers.join_next().await {
            sum.add(account??);
        }
        Ok(sum)
    }
}

impl Account {
    fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.unknown += other.unknown;
        self.unavailable += other.unavailable;
        self.there_before += other.there_before;
    }
}

struct Caller {
    pace: Pace,
    store: SharedStore,
    stopped: watch::Receiver<bool>,
    /// How many jobs have been acknowledged to all callers.
    all: Arc<AtomicUsize>,
    account: Account,
}

impl Caller {
    async fn run(mut self) -> Result<Account, Failure> {
        let Pace(size, pause) = self.pace;
        while !*self.stopped.borrow() {
            let batch = (0..size).map(|_| job()).collect::<Result<Vec<_>, _>>()?;
            self.enqueue(batch).await?;
            self.all.fetch_add(size, Ordering::Relaxed);
            sleep_until(Instant::now() + pause).await;
        }
        Ok(self.account)
    }

    /// Asks until it is acknowledged.
    async fn enqueue(&mut self, batch: Vec<NewJob>) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut in_doubt = false;
        loop {
            let error = match self.store.enqueue(batch.clone()).await {
                Ok(answers) => return self.acknowledged(&batch, &answers, in_doubt),
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Unknown => {
                    in_doubt = true;
                    self.account.unknown += 1;
                }
                _ if error.is_transient() => self.account.unavailable += 1,
                _ => return Err(error.into()),
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::from(error).during(format!("the store is not back after {PATIENCE:?}")));
            }
            sleep_until(Instant::now() + RETRY).await;
        }
    }

    /// Takes an answer into account, and holds it against those before.
    fn acknowledged(
        &mut self,
        batch: &[NewJob],
        answers: &[Enqueued],
        in_doubt: bool,
    ) -> Result<(), Failure> {
        let there_before = answers.first().is_some_and(|answer| answer.repeated);
        if !answers.iter().map(|answer| answer.id).eq(batch.iter().map(|job| job.id)) {
            return Err(Failure::new("an enqueue answered with other jobs than it was asked for"));
        }
        if answers.iter().any(|it| it.outcome != EnqueueOutcome::Created || it.repeated != there_before) {
            return Err(Failure::new(format!(
                "a part of a batch was there before, or none of it is new: {answers:?}"
            )));
        }
        if there_before && !in_doubt {
            return Err(Failure::new("a batch was there of which it had been said that nothing happened"));
        }
        self.account.there_before += usize::from(there_before);
        self.account.acknowledged.extend(answers.iter().map(|answer| answer.id));
        Ok(())
    }
}
