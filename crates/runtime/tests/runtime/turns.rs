//! Turns in flight.

use std::sync::Arc;

use tokio::sync::Semaphore;
use windlass_core::{JobId, JobState, Lock};
use windlass_runtime::{RunningWorker, State};

use crate::faulty::Fault;
use crate::support::{Lab, Number, until};

/// How many ends are worth a turn beside another.
const WORTH_ANOTHER: usize = 256;

async fn leave(_: Number, State(gate): State<Arc<Semaphore>>) {
    gate.acquire().await.unwrap().forget();
}

/// A worker in the middle of its jobs, whose second turn is on its way.
struct Scene {
    lab: Lab,
    jobs: Vec<JobId>,
    /// Lets handlers end.
    handlers: Arc<Semaphore>,
    /// Lets the second turn go.
    turn: Arc<Semaphore>,
    worker: RunningWorker,
}

impl Scene {
    async fn new(slots: u32, lock: bool) -> Self {
        let (lab, handlers, turn) = (Lab::new(), Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let mut jobs = Vec::new();
        for index in 0..slots {
            let change = |job: &mut windlass_core::NewJob| {
                job.options.locks =
                    if lock { vec![Lock::exclusive(format!("r-{index}"))] } else { Vec::new() };
            };
            jobs.push(lab.enqueue_with(&Number(0), change).await);
        }
        lab.store.next("turn", [Fault::Pass, Fault::Wait(Arc::clone(&turn))]);
        let worker = lab.worker().queue("default", slots).prefetch_max(0).state(Arc::clone(&handlers));
        let worker = worker.handle(leave).build().unwrap().start();
        handlers.add_permits(1);
        until(|| lab.store.calls("turn") == 2).await;
        Self { lab, jobs, handlers, turn, worker }
    }

    /// So many more jobs end, of which nobody is told yet.
    async fn end(&self, jobs: usize) {
        let unsettled = self.worker.snapshot().unsettled + jobs as u64;
        self.handlers.add_permits(jobs);
        until(|| self.worker.snapshot().unsettled == unsettled).await;
    }

    async fn completed(&self) -> usize {
        let mut completed = 0;
        for id in &self.jobs {
            completed += usize::from(self.lab.job(*id).await.state == JobState::Completed);
        }
        completed
    }

    /// Lets everything end.
    async fn stop(self) {
        self.handlers.add_permits(self.jobs.len());
        self.turn.add_permits(1);
        for id in &self.jobs {
            self.lab.until_state(*id, JobState::Completed).await;
        }
        let report = self.worker.stop().await;
        assert_eq!((report.settled, report.lost), (self.jobs.len() as u64, 0));
    }
}

#[tokio::test]
async fn a_turn_goes_beside_another_once_enough_has_ended() {
    let scene = Scene::new(300, false).await;

    scene.end(WORTH_ANOTHER - 1).await;
    assert_eq!(scene.lab.store.calls("turn"), 2, "what little has ended waits for the turn in flight");
    scene.handlers.add_permits(1);
    until(|| scene.worker.snapshot().settled == WORTH_ANOTHER as u64).await;

    assert_eq!(scene.lab.store.calls("turn"), 3);
    assert_eq!(scene.completed().await, WORTH_ANOTHER, "and the first of all is still on its way");
    scene.stop().await;
}

#[tokio::test]
async fn turns_of_jobs_that_hold_something_go_one_after_the_other() {
    let scene = Scene::new(300, true).await;

    scene.end(WORTH_ANOTHER + 1).await;

    assert_eq!(scene.lab.store.calls("turn"), 2);
    assert_eq!(scene.completed().await, 0);
    scene.stop().await;
}

#[tokio::test]
async fn no_end_is_lost_where_both_turns_in_flight_fail() {
    let scene = Scene::new(300, false).await;
    let gate = Arc::new(Semaphore::new(0));
    scene.lab.store.next("turn", [Fault::Wait(Arc::clone(&gate))]);
    scene.handlers.add_permits(WORTH_ANOTHER);
    until(|| scene.lab.store.calls("turn") == 3).await;

    // Closed, so that both are refused.
    scene.turn.close();
    gate.close();

    scene.handlers.add_permits(scene.jobs.len());
    for id in &scene.jobs {
        scene.lab.until_state(*id, JobState::Completed).await;
    }
    let report = scene.worker.stop().await;
    assert_eq!((report.settled, report.lost), (scene.jobs.len() as u64, 0));
}
