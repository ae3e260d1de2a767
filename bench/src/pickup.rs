//! How long it takes from an enqueue to the start of its handler, when the worker has nothing else to do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use windlass::Windlass;

use crate::figures::quantile;
use crate::noop::Noop;

/// Median and 99th percentile, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Pickup {
    pub(crate) median: f64,
    pub(crate) p99: f64,
}

impl Pickup {
    /// Of waits in milliseconds.
    pub(crate) fn of(mut waits: Vec<f64>) -> Self {
        Self { median: quantile(&mut waits, 0.5), p99: quantile(&mut waits, 0.99) }
    }
}

/// The first rounds warm up what is cold.
pub(crate) const COLD: usize = 5;

/// Makes `count` jobs come in one by one, each after a pause. `enqueue` writes into each when it did.
pub(crate) fn measure(
    runtime: &Runtime,
    windlass: &Windlass,
    count: usize,
    mut enqueue: impl FnMut(),
) -> Pickup {
    let (started, mut starts) = mpsc::channel(16);
    let handler = move |job: Noop| {
        let (started, now) = (started.clone(), nanos());
        async move {
            started.send((job, now)).await.expect("someone counts");
        }
    };
    let worker = runtime.block_on(async {
        windlass.worker().queue("default", 100).handle(handler).build().expect("a worker").start()
    });
    let waits = (0..count).map(|round| {
        pause(round);
        enqueue();
        let (job, now) = runtime.block_on(starts.recv()).expect("a start");
        millis(now - job.to.parse::<u128>().expect("nanoseconds"))
    });
    let waits = waits.skip(COLD).collect();
    runtime.block_on(worker.stop());
    Pickup::of(waits)
}

/// Idles, for a different length each round, so that no beat of the store's can fall in step with us.
#[expect(clippy::disallowed_methods, reason = "idleness is what is measured")]
pub(crate) fn pause(round: usize) {
    std::thread::sleep(Duration::from_millis(5 + (round as u64 * 7) % 23));
}

/// Nanoseconds since 1970, by the machine's clock: the same in every process.
#[expect(clippy::disallowed_methods, reason = "two processes are compared, and nothing is decided by it")]
pub(crate) fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos()
}

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a moment")]
pub(crate) fn millis(nanos: u128) -> f64 {
    nanos as f64 / 1e6
}
