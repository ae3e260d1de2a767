//! The same work in bare SQL: the least that a queue on SQLite could do.

use rusqlite::{Connection, params};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::figures::{per_second, timed};

/// Jobs in one raw batch.
const BATCH: usize = 1_000;

fn open() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let connection = Connection::open(folder.path().join("raw.db")).expect("a fresh file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA cache_size = -16384;
             CREATE TABLE job (
                 seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, priority INTEGER NOT NULL, run_at INTEGER NOT NULL,
                 worker INTEGER, args TEXT NOT NULL);
             CREATE INDEX job_claim ON job (queue, priority, run_at) WHERE worker IS NULL;
             CREATE TABLE finished (
                 seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, finished_at INTEGER NOT NULL, worker INTEGER,
                 args TEXT NOT NULL);",
        )
        .expect("a fresh schema");
    (folder, connection)
}

const INSERT: &str = "INSERT INTO job (queue, priority, run_at, args) VALUES (1, 3, ?1, ?2)";
const ARGS: &str = r#"{"to":"ada@example.org","n":1}"#;

/// One insert, one commit, again and again; commits a second.
pub(super) fn insert_singly(count: usize) -> f64 {
    let (_folder, connection) = open();
    let mut insert = connection.prepare(INSERT).expect("a statement");
    let ((), elapsed) = timed(|| {
        for at in 0..count {
            insert.execute(params![at, ARGS]).expect("an insert");
        }
    });
    per_second(count, elapsed)
}

/// A thousand inserts a commit; rows a second.
pub(super) fn insert_in_batches(count: usize) -> f64 {
    let (_folder, connection) = open();
    let ((), elapsed) = timed(|| fill(&connection, count));
    per_second(count, elapsed)
}

fn fill(connection: &Connection, count: usize) {
    let mut insert = connection.prepare(INSERT).expect("a statement");
    for start in (0..count).step_by(BATCH) {
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        for at in start..(start + BATCH).min(count) {
            insert.execute(params![at, ARGS]).expect("an insert");
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }
}

/// Moves a claimed batch to the finished ones and claims the next, one commit for both; jobs a second.
pub(super) fn claim_and_move(count: usize, batch: usize) -> f64 {
    let (_folder, connection) = open();
    fill(&connection, count);
    let mut claim = connection
        .prepare(
            "UPDATE job SET worker = 7 WHERE seq IN
                 (SELECT seq FROM job WHERE queue = 1 AND priority = 3 AND run_at <= ?1 AND worker IS NULL
                  ORDER BY run_at, seq LIMIT ?2)
             RETURNING seq, args",
        )
        .expect("a statement");
    let mut keep = connection
        .prepare(
            "INSERT INTO finished (seq, queue, finished_at, worker, args)
             SELECT seq, queue, ?2, worker, args FROM job WHERE seq = ?1 AND worker = 7",
        )
        .expect("a statement");
    let mut remove = connection.prepare("DELETE FROM job WHERE seq = ?1").expect("a statement");
    let (moved, elapsed) = timed(|| {
        let (mut held, mut moved): (Vec<i64>, usize) = (Vec::new(), 0);
        loop {
            connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
            for seq in held.drain(..) {
                keep.execute(params![seq, 1]).expect("a row kept");
                moved += remove.execute([seq]).expect("a row removed");
            }
            let rows = claim.query_map(params![i64::MAX, batch], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            });
            held.extend(rows.expect("a claim").map(|row| row.expect("a row").0));
            connection.execute_batch("COMMIT").expect("a commit");
            if held.is_empty() {
                return moved;
            }
        }
    });
    assert_eq!(moved, count, "every row was moved");
    per_second(count, elapsed)
}

/// The same for an async task, which must not block: a thread does it, and is asked and answers for each; commits a second.
pub(super) fn insert_on_a_thread(count: usize) -> f64 {
    let (_folder, connection) = open();
    let (there, asked) = std::sync::mpsc::channel::<(i64, oneshot::Sender<usize>)>();
    let thread = std::thread::spawn(move || {
        let mut insert = connection.prepare(INSERT).expect("a statement");
        for (at, answer) in asked {
            answer.send(insert.execute(params![at, ARGS]).expect("an insert")).expect("someone waits");
        }
    });
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let ((), elapsed) = timed(|| {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                for at in 0..count {
                    let (answer, answered) = oneshot::channel();
                    there.send((i64::try_from(at).expect("small"), answer)).expect("someone listens");
                    answered.await.expect("an answer");
                }
            });
            tasks.join_next().await.expect("a task").expect("a task that ends well");
        });
    });
    thread.join().expect("it ends");
    per_second(count, elapsed)
}
