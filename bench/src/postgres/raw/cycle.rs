//! The bare cycle: settle one batch and claim the next, in one commit and one round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use futures_util::future::join4;
use tokio::task::JoinSet;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::super::server::{Server, Session, Spent};
use super::enqueue::insert;
use super::{LOOK, database, session};
use crate::figures::{per_second, timed};

/// A claim begins behind the last job that this claimer saw, so that it does not walk what it has left behind.
const CLAIM: &str = "
    WITH fence AS MATERIALIZED (SELECT nextval('raw.token') AS token)
    UPDATE raw.job AS job
    SET worker = $1, nonce = $2, token = (SELECT token FROM fence), attempt = attempt + 1
    WHERE job.ctid = ANY (ARRAY(
        SELECT ready.place
        FROM unnest(ARRAY[0, 1, 2, 3, 4, 5]::smallint[]) AS band (priority)
        CROSS JOIN LATERAL (
            SELECT waiting.ctid AS place FROM raw.job AS waiting
            WHERE waiting.queue = 1 AND waiting.priority = band.priority AND (waiting.due, waiting.id) > ($3, $4)
                AND waiting.due <= now() AND waiting.worker = 0
            ORDER BY waiting.due, waiting.id
            LIMIT $5
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS ready
        LIMIT $5))
    RETURNING job.id, job.token, job.due, job.kind, job.attempt, job.args";

const SETTLE: &str = "
    WITH ended AS (
        DELETE FROM raw.job AS job USING unnest($1::uuid[], $2::bigint[]) AS settled (id, token)
        WHERE job.id = settled.id AND job.token = settled.token AND job.worker = $3
        RETURNING job.id, job.created_at, job.queue, job.kind, job.attempt)
    INSERT INTO raw.history (finished_at, created_at, id, queue, kind, worker, attempt, outcome)
    SELECT now(), ended.created_at, ended.id, ended.queue, ended.kind, $3, ended.attempt, 1 FROM ended
    RETURNING id";

/// How the cycle is driven.
#[derive(Clone, Copy)]
pub(in crate::postgres) struct Shape {
    pub(in crate::postgres) connections: i32,
    pub(in crate::postgres) batch: i64,
}

/// The quickest on two cores.
pub(in crate::postgres) const QUICKEST: Shape = Shape { connections: 2, batch: 500 };

/// One claimer alone.
pub(in crate::postgres) const ALONE: Shape = Shape { connections: 1, batch: 500 };

/// What a drain came to.
pub(in crate::postgres) struct Drained {
    /// Jobs a second.
    pub(in crate::postgres) rate: f64,
    /// By the drain alone.
    pub(in crate::postgres) drain: Spent,
    /// By the enqueue before it.
    pub(in crate::postgres) enqueue: Spent,
}

/// Works off `count` jobs that are there.
pub(in crate::postgres) fn drain(server: &Server, count: usize, shape: Shape) -> Drained {
    let database = database(server);
    let url = database.url().to_owned();
    let empty = database.reading();
    server.runtime.block_on(async { insert(&session(&url).await, count).await });
    let filled = database.reading();
    database.rest();
    let rested = database.reading();
    let ((), elapsed) = timed(|| {
        server.runtime.block_on(async {
            let run = Arc::new(Run::of(count));
            let mut claimers = JoinSet::new();
            for worker in 1..=shape.connections {
                claimers.spawn(claim_all(url.clone(), worker, shape.batch, Arc::clone(&run)));
            }
            claimers.join_all().await;
        });
    });
    let drained = database.reading();
    let (enqueue, drain) = (empty.until(filled, count), rested.until(drained, count));
    Drained { rate: per_second(count, elapsed), drain, enqueue }
}

/// Enqueues `count` jobs by one producer, and works them off while they come; jobs a second, to the last settle.
pub(in crate::postgres) fn mixed(server: &Server, count: usize) -> f64 {
    let database = database(server);
    let url = database.url().to_owned();
    let ((), elapsed) = timed(|| {
        server.runtime.block_on(async {
            let run = Arc::new(Run::of(count));
            let mut tasks = JoinSet::new();
            for worker in 1..=QUICKEST.connections {
                tasks.spawn(claim_all(url.clone(), worker, QUICKEST.batch, Arc::clone(&run)));
            }
            tasks.spawn(async move { insert(&session(&url).await, count).await });
            tasks.join_all().await;
        });
    });
    per_second(count, elapsed)
}

/// How far all claimers have come together.
struct Run {
    count: usize,
    settled: AtomicUsize,
}

impl Run {
    fn of(count: usize) -> Self {
        Self { count, settled: AtomicUsize::new(0) }
    }

    fn is_over(&self) -> bool {
        self.settled.load(Ordering::Relaxed) >= self.count
    }
}

/// One claimer, until all jobs are settled.
async fn claim_all(url: String, worker: i32, batch: i64, run: Arc<Run>) {
    let mut claimer = Claimer::open(&url, worker).await;
    while !run.is_over() {
        let settled = claimer.turn(batch).await;
        run.settled.fetch_add(settled, Ordering::Relaxed);
        if claimer.held.0.is_empty() && !run.is_over() {
            tokio::time::sleep_until(tokio::time::Instant::now() + LOOK).await;
        }
    }
}

struct Claimer {
    session: Session,
    claim: Statement,
    settle: Statement,
    worker: i32,
    /// Ids and tokens.
    held: (Vec<Uuid>, Vec<i64>),
    /// Where the next claim begins: due time and id.
    floor: (SystemTime, Uuid),
}

impl Claimer {
    async fn open(url: &str, worker: i32) -> Self {
        let session = session(url).await;
        let claim = session.prepare(CLAIM).await.expect("a statement");
        let settle = session.prepare(SETTLE).await.expect("a statement");
        let floor = (SystemTime::UNIX_EPOCH, Uuid::nil());
        Self { session, claim, settle, worker, held: (Vec::new(), Vec::new()), floor }
    }

    /// Settles what is held and claims anew; how many were settled.
    async fn turn(&mut self, batch: i64) -> usize {
        let nonce = i64::from(self.worker);
        let (begun, settled, claimed, committed) = join4(
            self.session.batch_execute("BEGIN"),
            self.session.query(&self.settle, &[&self.held.0, &self.held.1, &self.worker]),
            self.session.query(&self.claim, &[&self.worker, &nonce, &self.floor.0, &self.floor.1, &batch]),
            self.session.batch_execute("COMMIT"),
        )
        .await;
        begun.and(committed).expect("a transaction");
        let settled = settled.expect("a settle").len();
        assert_eq!(settled, self.held.0.len(), "every token is good");
        self.take(&claimed.expect("a claim"));
        settled
    }

    fn take(&mut self, rows: &[Row]) {
        self.held = rows.iter().map(|row| (row.get::<_, Uuid>(0), row.get::<_, i64>(1))).unzip();
        for row in rows {
            std::hint::black_box((row.get::<_, i32>(3), row.get::<_, i16>(4), row.get::<_, &[u8]>(5)));
        }
        let last = rows.iter().map(|row| (row.get::<_, SystemTime>(2), row.get::<_, Uuid>(0))).max();
        // Who found nothing looks from the beginning: a commit may have come late.
        self.floor = last.unwrap_or((SystemTime::UNIX_EPOCH, Uuid::nil()));
    }
}
