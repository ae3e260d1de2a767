//! How long it takes from an enqueue to the start of its handler, when the worker has nothing else to do.

use std::time::Duration;

use tokio::sync::mpsc;

use super::child::{Enqueuer, nanos};
use super::ours::{Fixture, Noop};
use crate::figures::quantile;

/// Median and 99th percentile, in milliseconds.
pub(super) struct Pickup {
    pub(super) median: f64,
    pub(super) p99: f64,
}

/// Enqueues come from this process.
pub(super) fn within_one_process(count: usize) -> Pickup {
    let fixture = Fixture::new();
    measure(&fixture, count, |fixture| {
        let windlass = fixture.windlass();
        let job = Noop { to: nanos().to_string(), n: 1 };
        fixture.runtime.block_on(async move { windlass.enqueue(job).await }).expect("enqueued");
    })
}

/// Enqueues come from another process on the same file.
pub(super) fn across_processes(count: usize) -> Pickup {
    let fixture = Fixture::new();
    let mut enqueuer = Enqueuer::start(&fixture.path());
    measure(&fixture, count, move |_| enqueuer.enqueue())
}

fn measure(fixture: &Fixture, count: usize, mut enqueue: impl FnMut(&Fixture)) -> Pickup {
    let (started, mut starts) = mpsc::channel(16);
    let handler = move |job: Noop| {
        let (started, now) = (started.clone(), nanos());
        async move {
            started.send((job, now)).await.expect("someone counts");
        }
    };
    let worker = fixture.runtime.block_on(async {
        fixture.windlass().worker().queue("default", 100).handle(handler).build().expect("a worker").start()
    });
    let mut waits: Vec<f64> = (0..count)
        .map(|round| {
            // Pauses of different lengths, so that no beat of the store's can fall in step with us.
            #[expect(clippy::disallowed_methods, reason = "idleness is what is measured")]
            std::thread::sleep(Duration::from_millis(5 + (round as u64 * 7) % 23));
            enqueue(fixture);
            let (job, now) = fixture.runtime.block_on(starts.recv()).expect("a start");
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a moment")]
            let wait = (now - job.to.parse::<u128>().expect("nanoseconds")) as f64 / 1e6;
            wait
        })
        .skip(5)
        .collect();
    fixture.runtime.block_on(worker.stop());
    Pickup { median: quantile(&mut waits, 0.5), p99: quantile(&mut waits, 0.99) }
}
