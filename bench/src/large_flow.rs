//! A flow of ten thousand jobs in a hundred levels, diamonds all over: enqueued in one call, worked off, and closed by the
//! end of a single job.

use std::time::Instant;

use windlass_core::{Edge, JobState, NewJob};
use windlass_store::{Actor, SharedStore};

use crate::features::job;
use crate::figures::{Figure, Wanted, median, per_second};
use crate::turns;

/// Levels of a large flow; a small one has a tenth of them.
const LEVELS: usize = 100;

/// Jobs of each level. Each waits for two of the level before.
const WIDTH: usize = 100;

/// Jobs of one turn.
const TURN: u32 = 1_000;

/// How long things took with one flow.
pub(crate) struct Flowed {
    jobs: usize,
    /// Seconds of the one call that enqueued all of it.
    enqueued: f64,
    /// Seconds from the first claim to the last settle.
    worked_off: f64,
    /// Seconds of the cancel of one job, which closed all that depends on it.
    closed: f64,
}

/// Diamonds all over, so many levels deep.
fn lattice(levels: usize) -> Vec<NewJob> {
    let mut jobs: Vec<NewJob> = Vec::with_capacity(levels * WIDTH);
    for level in 0..levels {
        for place in 0..WIDTH {
            let mut job = job();
            if level > 0 {
                let parent = |place: usize| Edge::on_success(jobs[(level - 1) * WIDTH + place % WIDTH].id);
                job.after = vec![parent(place), parent(place + 1)];
            }
            jobs.push(job);
        }
    }
    jobs
}

/// Passes a flow of so many levels through a fresh store, and closes another.
pub(crate) async fn pass(store: SharedStore, levels: usize) -> Flowed {
    let jobs = lattice(levels);
    let count = jobs.len();
    let begun = Instant::now();
    let _ = store.enqueue(jobs).await.expect("a flow");
    let enqueued = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let done = turns::turn_over(store.clone(), count, TURN).await.settled;
    let worked_off = begun.elapsed().as_secs_f64();
    assert_eq!(done, count, "every job of the flow was worked off");

    let jobs = lattice(levels);
    let (first, last) = (jobs[0].id, jobs[count - 1].id);
    let _ = store.enqueue(jobs).await.expect("a flow");
    let begun = Instant::now();
    store.cancel(first, Actor::new("bench")).await.expect("cancelled");
    let closed = begun.elapsed().as_secs_f64();
    let end = store.job(last).await.expect("the last job").state;
    assert!(levels < WIDTH || end == JobState::Cancelled, "the last job depends on the first: {end}");
    Flowed { jobs: count, enqueued, worked_off, closed }
}

/// What a large flow takes, and how that grows with its size; `pass` passes one of so many levels through a fresh store.
pub(crate) fn figures(
    runs: usize,
    wants: impl Fn(&str) -> bool,
    mut pass: impl FnMut(usize) -> Flowed,
) -> Vec<Figure> {
    const NAMES: [&str; 4] = [
        "large flow: enqueue 10,000 jobs at once, s",
        "large flow: close what one of them fails, s",
        "large flow: enqueue, jobs/s",
        "large flow: work off, jobs/s",
    ];
    if !NAMES.iter().any(|name| wants(name)) {
        return Vec::new();
    }
    let pairs: Vec<(Flowed, Flowed)> = (0..runs).map(|_| (pass(LEVELS / 10), pass(LEVELS))).collect();
    let large = |of: fn(&Flowed) -> f64| median(pairs.iter().map(|(_, large)| of(large)).collect());
    let small = |of: fn(&Flowed) -> f64| median(pairs.iter().map(|(small, _)| of(small)).collect());
    let within =
        |name, of| Figure { name, ours: large(of), against: 0.0, beside: "", wanted: Wanted::AtMost(2.0) };
    // What costs the same for each edge, costs the same for each job, however many there are.
    let as_quick = |name, of| Figure {
        name,
        ours: large(of),
        against: small(of),
        beside: "a tenth of them",
        wanted: Wanted::AtLeast(0.5),
    };
    let [enqueued, closed, enqueue_rate, work_rate] = NAMES;
    vec![
        within(enqueued, |flowed| flowed.enqueued),
        within(closed, |flowed| flowed.closed),
        as_quick(enqueue_rate, |flowed| rate(flowed.jobs, flowed.enqueued)),
        as_quick(work_rate, |flowed| rate(flowed.jobs, flowed.worked_off)),
    ]
}

fn rate(jobs: usize, seconds: f64) -> f64 {
    per_second(jobs, std::time::Duration::from_secs_f64(seconds))
}
