//! Turns beside each other, with a store that works on several at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use windlass_core::gate::Lock;
use windlass_core::{AttemptOutcome, JobId, NewJob};
use windlass_runtime::{RunningWorker, State};
use windlass_store::ErrorKind;

use crate::faulty::{Fault, FaultyStore};
use crate::support::{Lab, Number, settle_down, until};

/// Jobs that all run at once.
const JOBS: usize = 200;

/// How many of them have to end for a turn beside another.
const CROWD: usize = 64;

/// Handlers wait for a permit to end.
type MayEnd = Arc<Semaphore>;

async fn wait(_: Number, State(may_end): State<MayEnd>) {
    may_end.acquire().await.expect("it is never closed").forget();
}

/// A store, a worker that runs all its jobs, and what their handlers wait for.
struct Scene {
    lab: Lab,
    jobs: Vec<JobId>,
    may_end: MayEnd,
    worker: RunningWorker,
}

impl Scene {
    /// `faults` are those of the turns after the first, which claims everything.
    async fn new(turns_at_once: usize, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::of(turns_at_once, faults, |_, _| {}).await
    }

    async fn of(
        turns_at_once: usize,
        faults: impl IntoIterator<Item = Fault>,
        change: impl Fn(usize, &mut NewJob),
    ) -> Self {
        let mut lab = Lab::new();
        lab.store = Arc::new(FaultyStore::with_turns_at_once(Arc::clone(&lab.store.inner), turns_at_once));
        lab.store.next("turn", std::iter::once(Fault::Pass).chain(faults));
        let mut jobs = Vec::new();
        for number in 0..JOBS {
            jobs.push(lab.enqueue_with(&Number(0), |job| change(number, job)).await);
        }
        let may_end = MayEnd::new(Semaphore::new(0));
        let worker = lab.worker().queue("default", 200).prefetch_max(0).state(Arc::clone(&may_end));
        let worker = worker.handle(wait).build().unwrap().start();
        let scene = Self { lab, jobs, may_end, worker };
        scene.until_running(JOBS).await;
        scene
    }

    /// Lets one job end, whose turn is held, and then as many more as are worth a turn.
    async fn end_a_crowd(&self) {
        self.may_end.add_permits(1);
        until(|| self.lab.store.calls("turn") == 2).await;
        self.may_end.add_permits(CROWD);
        self.until_running(JOBS - 1 - CROWD).await;
    }

    async fn until_running(&self, count: usize) {
        until(|| self.worker.snapshot().running == count as u64).await;
    }

    /// Each job has ended once, and every end was told.
    async fn ends_well(self) {
        self.may_end.add_permits(self.jobs.len());
        for id in &self.jobs {
            self.lab.until_final(*id).await;
        }
        let report = self.worker.stop().await;
        assert_eq!(report.lost, 0);
        for id in self.jobs {
            assert_eq!(self.lab.outcomes(id).await, [Some(AttemptOutcome::Succeeded)]);
        }
    }

    /// How many ends each turn told of, after the first.
    fn told(&self) -> Vec<usize> {
        self.lab.store.turns()[1..].iter().map(|turn| turn.settlements.len()).collect()
    }
}

#[tokio::test]
async fn a_crowd_of_ends_does_not_wait_for_the_turn_before() {
    let scene = Scene::new(2, [Fault::Hold]).await;

    scene.end_a_crowd().await;
    until(|| scene.told().len() == 2).await;

    assert_eq!(scene.told(), [1, CROWD]);
    scene.lab.store.let_go();
    scene.ends_well().await;
}

/// Whatever ends, nothing is told beside the turn that is held.
async fn a_crowd_waits(scene: Scene) {
    scene.end_a_crowd().await;
    settle_down().await;

    assert_eq!(scene.told(), [1]);
    scene.lab.store.let_go();
    scene.ends_well().await;
}

#[tokio::test]
async fn it_waits_where_the_store_takes_one_turn_after_the_other() {
    a_crowd_waits(Scene::new(1, [Fault::Hold]).await).await;
}

#[tokio::test]
async fn a_crowd_keeps_its_gates_no_longer_than_it_must() {
    let lock = |number: usize, job: &mut NewJob| {
        job.options.locks.push(Lock::exclusive(format!("r{number}")));
    };
    let scene = Scene::of(2, [Fault::Hold], lock).await;

    scene.end_a_crowd().await;
    until(|| scene.told().len() == 2).await;

    assert_eq!(scene.told(), [1, CROWD]);
    scene.lab.store.let_go();
    scene.ends_well().await;
}

#[tokio::test]
async fn no_more_turns_are_under_way_than_the_store_works_on() {
    let scene = Scene::new(2, [Fault::Hold, Fault::Hold]).await;

    scene.end_a_crowd().await;
    until(|| scene.told().len() == 2).await;
    scene.may_end.add_permits(CROWD);
    settle_down().await;

    assert_eq!(scene.told().len(), 2);
    scene.lab.store.let_go();
    scene.lab.store.let_go();
    scene.ends_well().await;
}

#[tokio::test]
async fn ends_are_told_once_whichever_of_two_turns_fails() {
    let away = || Fault::Fail(ErrorKind::Unavailable);
    for faults in [[Fault::Hold, away(), away()], [Fault::Hold, Fault::LoseAnswer, Fault::Pass]] {
        let scene = Scene::new(2, faults).await;

        scene.end_a_crowd().await;
        until(|| scene.told().len() == 2).await;
        scene.lab.store.let_go();

        scene.ends_well().await;
    }
}

#[tokio::test]
async fn what_a_claim_beside_another_turn_brought_unseen_is_given_back_and_run() {
    let mut scene = Scene::new(2, [Fault::Hold, Fault::LoseAnswer]).await;
    scene.jobs.extend(scene.lab.enqueue_many(JOBS, &Number(0)).await);

    scene.end_a_crowd().await;
    until(|| scene.told().len() == 2).await;
    assert!(scene.lab.store.turns()[2].claim.is_some());
    scene.lab.store.let_go();

    scene.ends_well().await;
}
