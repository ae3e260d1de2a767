//! Bare inserts: one by one, in bulk, and those of many callers made one.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::server::{Server, Session};
use super::{ARGS, BATCH, INSERT, database, rows, session};
use crate::figures::{per_second, timed};

/// `count` jobs, a batch after the other.
pub(super) async fn insert(session: &Session, count: usize) {
    let insert = session.prepare(INSERT).await.expect("a statement");
    for start in (0..count).step_by(BATCH) {
        let (ids, args) = rows(BATCH.min(count - start));
        session.execute(&insert, &[&ids, &args]).await.expect("an insert");
    }
}

/// Two producers, each with batches of a thousand; jobs a second.
pub(in crate::postgres) fn in_bulk(server: &Server, count: usize) -> f64 {
    let database = database(server);
    let url = database.url().to_owned();
    let ((), elapsed) = timed(|| {
        server.runtime.block_on(async {
            let mut producers = JoinSet::new();
            for _ in 0..2 {
                let url = url.clone();
                producers.spawn(async move { insert(&session(&url).await, count / 2).await });
            }
            producers.join_all().await;
        });
    });
    per_second(count / 2 * 2, elapsed)
}

const INSERT_ONE: &str = "
    INSERT INTO raw.job (id, queue, kind, priority, due, created_at, args) VALUES ($1, 1, 1, 3, now(), now(), $2)";

/// One insert, one commit, again and again; commits a second.
pub(in crate::postgres) fn singly(server: &Server, count: usize) -> f64 {
    let database = database(server);
    let url = database.url().to_owned();
    server.runtime.block_on(async {
        let mut caller = JoinSet::new();
        caller.spawn(async move {
            let session = session(&url).await;
            let insert = session.prepare(INSERT_ONE).await.expect("a statement");
            let begun = std::time::Instant::now();
            for _ in 0..count {
                session.execute(&insert, &[&Uuid::now_v7(), &ARGS]).await.expect("an insert");
            }
            per_second(count, begun.elapsed())
        });
        caller.join_next().await.expect("a task").expect("a task that ends well")
    })
}

/// The jobs of everybody who waits, in one statement, and one hint for all of them.
const INSERT_ALL: &str = "
    WITH made AS (
        INSERT INTO raw.job (id, queue, kind, priority, due, created_at, args)
        SELECT fresh.id, 1, 1, 3, now(), now(), fresh.args FROM unnest($1::uuid[], $2::bytea[]) AS fresh (id, args)
        RETURNING id)
    SELECT count(*), pg_notify('raw', '') FROM made";

/// A job that somebody waits for, and whom to tell.
type Wish = (Uuid, oneshot::Sender<()>);

/// `callers` tasks that each enqueue one job after the other, coalesced by hand: while one insert is on its way, the next
/// gathers; jobs a second.
pub(in crate::postgres) fn coalesced(server: &Server, callers: usize, count: usize) -> f64 {
    let database = database(server);
    let url = database.url().to_owned();
    let each = count / callers;
    let gather = server.runtime.block_on(session(&url));
    let ((), elapsed) = timed(|| {
        server.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            // A caller waits for its answer, so there are never more wishes than callers.
            let (wish, wishes) = mpsc::channel::<Wish>(callers);
            for _ in 0..callers {
                let wish = wish.clone();
                tasks.spawn(async move {
                    for _ in 0..each {
                        let (answer, answered) = oneshot::channel();
                        wish.send((Uuid::now_v7(), answer)).await.expect("someone listens");
                        answered.await.expect("an answer");
                    }
                });
            }
            drop(wish);
            tasks.spawn(grant(gather, wishes));
            tasks.join_all().await;
        });
    });
    per_second(each * callers, elapsed)
}

async fn grant(session: Session, mut wishes: mpsc::Receiver<Wish>) {
    let insert = session.prepare(INSERT_ALL).await.expect("a statement");
    let mut gathered = Vec::new();
    while wishes.recv_many(&mut gathered, BATCH).await > 0 {
        let (ids, answers): (Vec<Uuid>, Vec<_>) = gathered.drain(..).unzip();
        let args = vec![ARGS; ids.len()];
        session.query_one(&insert, &[&ids, &args]).await.expect("an insert");
        for answer in answers {
            answer.send(()).expect("someone waits");
        }
    }
}
