//! Gates, whatever happens in whatever order: judged by what runs and not by another store, so that one which all stores got
//! wrong alike is found too.

use std::collections::BTreeMap;
use std::time::Duration;

use windlass_core::{
    AttemptError, JobId, JobState, KeyedLimit, Lock, LockMode, NewJob, Priority, Verdict, WorkerId,
};
use windlass_store::{ClaimRequest, ErrorKind, LeasedJob, Settlement, Turn};

use crate::bench::{Bench, LEASE, SECOND, anything, failed, failed_for_now, operator, succeeded};

cases! {
    g12_whatever_happens_to_attempts_no_gate_is_broken_and_nothing_leaks,
    nobody_in_line_is_passed_for_ever_however_attempts_end,
}

const RESOURCES: [&str; 3] = ["r", "s", "t"];

/// How many jobs with a key may run at a time.
const MOST: [(&str, u32); 2] = [("one", 1), ("three", 3)];

const WORKERS: usize = 3;
const SEQUENCES: u64 = 3;
const STEPS: usize = 120;

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    /// Less than `sides`.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.throw(all.len())]
    }

    fn need(&mut self, job: &mut NewJob) {
        job.priority = self.one_of(&[Priority::High, Priority::Normal, Priority::Low]);
        job.losses_max = 1;
        for resource in RESOURCES {
            match self.throw(5) {
                0 => job.options.locks.push(Lock::exclusive(resource)),
                1 | 2 => job.options.locks.push(Lock::shared(resource)),
                _ => {}
            }
        }
        for (key, max) in MOST {
            if self.throw(3) == 0 {
                job.options.limits.push(KeyedLimit { key: key.to_owned(), max });
            }
        }
        job.options.order_key = (self.throw(5) == 0).then(|| "turns".to_owned());
    }

    /// The end of an attempt whose job does not come back to the place that it had.
    fn end(&mut self) -> Verdict {
        match self.throw(4) {
            0 => failed("as thrown"),
            1 => Verdict::Fatal { error: AttemptError::new("as thrown") },
            2 => Verdict::Snoozed { delay: SECOND },
            _ => succeeded(),
        }
    }

    fn verdict(&mut self) -> Verdict {
        let error = || AttemptError::new("as thrown");
        match self.throw(9) {
            0 => failed("as thrown"),
            1 => failed_for_now("as thrown"),
            2 => Verdict::Fatal { error: error() },
            3 => Verdict::Undecodable { error: error() },
            4 => Verdict::TimedOut { error: error() },
            5 => Verdict::Snoozed { delay: SECOND },
            6 => Verdict::Interrupted,
            7 => Verdict::Released,
            _ => succeeded(),
        }
    }
}

/// The attempts that are open, as those know who hold them.
#[derive(Default)]
struct Open(BTreeMap<JobId, LeasedJob>);

impl Open {
    fn add(&mut self, claimed: Vec<LeasedJob>) {
        for job in claimed {
            let before = self.0.insert(job.id(), job);
            assert!(before.is_none(), "{before:?} is held twice");
        }
        self.assert_beside_one_another();
    }

    /// Holds that all of them may run beside one another.
    fn assert_beside_one_another(&self) {
        let options = || self.0.values().filter_map(|job| job.options.as_deref());
        for resource in RESOURCES {
            let holders =
                options().flat_map(|options| &options.locks).filter(|lock| lock.resource == resource);
            let (alone, together): (Vec<_>, Vec<_>) =
                holders.partition(|lock| lock.mode == LockMode::Exclusive);
            let is_kept = alone.is_empty() || alone.len() == 1 && together.is_empty();
            assert!(is_kept, "{resource} is held alone by {} and shared by {}", alone.len(), together.len());
        }
        for (key, max) in MOST {
            let held = options().flat_map(|options| &options.limits).filter(|limit| limit.key == key).count();
            assert!(held <= max as usize, "{held} jobs of {key} run, where {max} may");
        }
        let turns = options().filter(|options| options.order_key.is_some()).count();
        assert!(turns <= 1, "{turns} jobs of an order key run");
    }

    fn take(&mut self, dice: &mut Dice) -> Option<LeasedJob> {
        let id = *self.0.keys().nth(dice.throw(self.0.len().max(1)))?;
        self.0.remove(&id)
    }
}

impl Bench {
    async fn claim_some(&self, worker: WorkerId, limit: u32) -> Vec<LeasedJob> {
        // What is called may have to be asked for once more.
        let mut all = Vec::new();
        loop {
            let claimed = self.claim_as(worker, anything(), limit).await;
            let again = claimed.jobs.is_empty() && claimed.next_due.is_some_and(|due| due <= self.now());
            all.extend(claimed.jobs);
            if !again {
                return all;
            }
        }
    }

    /// Settles one attempt and claims anew in one go.
    async fn turn_of(&self, worker: WorkerId, ended: &LeasedJob, verdict: Verdict) -> Vec<LeasedJob> {
        let settlements = vec![Settlement { token: ended.token, verdict }];
        let claim = Some(ClaimRequest::new(worker, anything(), 2));
        let mut turned = self.store.turn(Turn { settlements, claim }).await.unwrap();
        turned.settled.remove(0).unwrap();
        turned.claimed.jobs
    }

    /// Everything that is held is lost: nobody gives a sign of life until it is over.
    async fn lose_all(&self) -> Vec<WorkerId> {
        self.advance(LEASE);
        while self.rescue().await.more {}
        self.register_all().await
    }

    async fn register_all(&self) -> Vec<WorkerId> {
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            workers.push(self.register().await);
        }
        workers
    }
}

async fn g12_whatever_happens_to_attempts_no_gate_is_broken_and_nothing_leaks(bench: Bench) {
    for sequence in 1..=SEQUENCES {
        let (mut dice, mut open) = (Dice(sequence), Open::default());
        let mut workers = bench.register_all().await;
        for _ in 0..STEPS {
            match dice.throw(16) {
                0..5 => {
                    let mut job = bench.new_job();
                    dice.need(&mut job);
                    bench.enqueue(job).await;
                }
                5..9 => {
                    let worker = dice.one_of(&workers);
                    let most = u32::try_from(1 + dice.throw(4)).unwrap_or(1);
                    open.add(bench.claim_some(worker, most).await);
                }
                9..12 => {
                    if let Some(job) = open.take(&mut dice) {
                        bench.settle(&job, dice.verdict()).await;
                    }
                }
                12 => {
                    if let Some(job) = open.take(&mut dice) {
                        let worker = dice.one_of(&workers);
                        open.add(bench.turn_of(worker, &job, dice.verdict()).await);
                    }
                }
                13 => {
                    // It holds what it holds until its attempt is closed.
                    if let Some(job) = open.take(&mut dice) {
                        bench.cancel(job.id()).await;
                        assert_eq!(bench.try_settle(&job, succeeded()).await, Err(ErrorKind::Cancelled));
                    }
                }
                14 => {
                    workers = bench.lose_all().await;
                    open = Open::default();
                }
                _ => {
                    bench.advance(Duration::from_millis(1 + 700 * dice.throw(3) as u64));
                    for worker in &workers {
                        bench.store.beat(*worker).await.unwrap();
                    }
                }
            }
        }
        assert_all_run_in_the_end(&bench, open).await;
        assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
    }
}

/// Holds that nothing keeps back what waits once nothing runs that it was begun with: every job comes to run, and every
/// resource can be had alone.
async fn assert_all_run_in_the_end(bench: &Bench, open: Open) {
    for job in open.0.values() {
        bench.settle(job, succeeded()).await;
    }
    let worker = bench.register().await;
    let mut quiet = 0;
    while quiet < 3 {
        // Retries come due, and nobody is waited for any longer who does not come.
        bench.advance(LEASE / 2);
        bench.store.beat(worker).await.unwrap();
        let mut open = Open::default();
        open.add(bench.claim_some(worker, 50).await);
        quiet = if open.0.is_empty() { quiet + 1 } else { 0 };
        for job in open.0.values() {
            bench.settle(job, succeeded()).await;
        }
    }
    let probe = bench
        .enqueue_with(|job| {
            job.options.locks = RESOURCES.map(Lock::exclusive).into();
            job.options.limits = MOST.map(|(key, _)| KeyedLimit { key: key.to_owned(), max: 1 }).into();
            job.options.order_key = Some("turns".to_owned());
        })
        .await;
    let claimed = bench.claim_some(worker, 50).await;
    assert_eq!(claimed.iter().map(LeasedJob::id).collect::<Vec<_>>(), [probe], "something is held by nobody");
    bench.settle(&claimed[0], succeeded()).await;
    assert_eq!(bench.job(probe).await.state, JobState::Completed);
}

/// Two keep sharing a resource, each coming again as soon as its attempt has ended, in whichever way.
async fn nobody_in_line_is_passed_for_ever_however_attempts_end(bench: Bench) {
    const ENDS_MAX: usize = 4;
    for sequence in 1..=SEQUENCES {
        let mut dice = Dice(sequence);
        let worker = bench.register().await;
        let share = async || {
            bench.enqueue_with(|job| job.options.locks = vec![Lock::shared("r")]).await;
        };
        share().await;
        share().await;
        let mut running = bench.claim_some(worker, 2).await;
        let alone = bench.enqueue_with(|job| job.options.locks = vec![Lock::exclusive("r")]).await;
        share().await;

        let mut ends = 0;
        while !running.iter().any(|job| job.id() == alone) {
            assert!(ends < ENDS_MAX, "it was passed by {running:?}");
            if !running.is_empty() {
                let ended = running.remove(dice.throw(running.len()));
                bench.settle(&ended, dice.end()).await;
            }
            share().await;
            running.extend(bench.claim_some(worker, 4).await);
            ends += 1;
        }

        assert_eq!(running.len(), 1, "it has the resource alone");
        bench.settle(&running[0], succeeded()).await;
        // The next sequence begins with an empty store.
        let claimed = async || bench.claim_some(worker, 50).await;
        bench.advance(SECOND);
        let mut left = claimed().await;
        while let Some(job) = left.pop() {
            bench.store.cancel(job.id(), operator()).await.unwrap();
            bench.try_settle(&job, succeeded()).await.unwrap_err();
            if left.is_empty() {
                bench.advance(LEASE / 2);
                bench.store.beat(worker).await.unwrap();
                left = claimed().await;
            }
        }
    }
}
