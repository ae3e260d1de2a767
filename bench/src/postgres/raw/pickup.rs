//! From an insert to a claimed row by way of a notification, when there is nothing else to do.

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::{AsyncMessage, Client, NoTls};
use uuid::Uuid;

use super::super::server::Server;
use super::{ARGS, database, session};
use crate::pickup::{COLD, Pickup, millis, nanos, pause};

/// The insert and the hint: one commit, one round trip.
const INSERT: &str = "
    WITH made AS (
        INSERT INTO raw.job (id, queue, kind, priority, due, created_at, args)
        VALUES ($1, 1, 1, 3, now(), now(), $2)
        RETURNING id)
    SELECT pg_notify('raw', '') FROM made";

const CLAIM: &str = "
    UPDATE raw.job AS job
    SET worker = 1, nonce = 1, token = nextval('raw.token'), attempt = attempt + 1
    WHERE job.ctid = ANY (ARRAY(
        SELECT waiting.ctid FROM raw.job AS waiting
        WHERE waiting.queue = 1 AND waiting.priority = 3 AND waiting.due <= now() AND waiting.worker = 0
        ORDER BY waiting.due, waiting.id
        LIMIT 100
        FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING job.id";

/// `count` rounds.
pub(in crate::postgres) fn measure(server: &Server, count: usize) -> Pickup {
    let database = database(server);
    let url = database.url().to_owned();
    let runtime = &server.runtime;
    let mut tasks = JoinSet::new();
    let (picked, mut picks) = mpsc::channel(16);
    let enqueuer = runtime.block_on(session(&url));
    let insert = runtime.block_on(enqueuer.prepare(INSERT)).expect("a statement");
    runtime.block_on(async {
        let (listener, hints) = listen(&url, &mut tasks).await;
        let claimer = session(&url).await;
        let claim = claimer.prepare(CLAIM).await.expect("a statement");
        tasks.spawn(async move {
            let (_listener, mut hints) = (listener, hints);
            while hints.recv().await.is_some() {
                let rows = claimer.query(&claim, &[]).await.expect("a claim");
                for row in rows {
                    picked.send((row.get::<_, Uuid>(0), nanos())).await.expect("someone counts");
                }
            }
        });
    });
    let waits = (0..count).map(|round| {
        pause(round);
        let (id, then) = (Uuid::now_v7(), nanos());
        runtime.block_on(enqueuer.execute(&insert, &[&id, &ARGS])).expect("an insert");
        let (claimed, now) = runtime.block_on(picks.recv()).expect("a pick");
        assert_eq!(claimed, id, "one job at a time");
        millis(now - then)
    });
    Pickup::of(waits.skip(COLD).collect())
}

/// A connection that turns notifications into hints.
async fn listen(url: &str, tasks: &mut JoinSet<()>) -> (Client, mpsc::Receiver<()>) {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    // Hints beyond these say nothing that the first does not.
    let (hint, hints) = mpsc::channel(1);
    tasks.spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(message) = messages.next().await {
            if let Ok(AsyncMessage::Notification(_)) = message {
                let _ = hint.try_send(());
            }
        }
    });
    client.batch_execute("LISTEN raw").await.expect("a channel");
    (client, hints)
}
