//! Jobs that pass while somebody holds a transaction open, so that no dead row can be removed.

use windlass::Windlass;

use super::ours::Fixture;
use super::server::{Server, Session};
use crate::figures::quantile;
use crate::turns::turn_over;

/// What the oldest transaction of the server is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Horizon {
    /// One that began a moment ago.
    Free,
    /// One that began before all jobs, and goes on.
    Held,
}

/// How the last jobs fared.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    /// Jobs a second.
    pub(super) rate: f64,
    /// The 99th percentile of a claim, with the settle before it, in milliseconds.
    pub(super) claim_p99: f64,
}

/// Rounds of enqueueing and working off. Only the last is told.
pub(super) const ROUNDS: usize = 8;

/// Jobs of one claim.
const CLAIM: u32 = 500;

/// Lets `count` jobs pass, and a last round more whose claims are timed.
pub(super) fn pass(server: &Server, count: usize, horizon: Horizon) -> Passed {
    let fixture = Fixture::new(server);
    let holder = (horizon == Horizon::Held).then(|| fixture.runtime.block_on(hold(fixture.database.url())));
    let round = count / ROUNDS;
    let rates = (0..ROUNDS).map(|_| {
        fixture.fill(round);
        fixture.work_off(round, 100)
    });
    let rate = rates.last().expect("a round");
    fixture.fill(round);
    let mut waits = fixture.runtime.block_on(turns(&fixture.windlass, round));
    drop(holder);
    Passed { rate, claim_p99: quantile(&mut waits, 0.99) }
}

async fn turns(windlass: &Windlass, count: usize) -> Vec<f64> {
    turn_over(windlass.store().clone(), count, CLAIM).await.waits
}

/// A transaction with a number and a snapshot, which ends with the connection.
async fn hold(url: &str) -> Session {
    let session = Session::open(url).await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()";
    session.batch_execute(begin).await.expect("a transaction");
    session
}
