//! What becomes of a group when something goes wrong that no caller can bring about from outside.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use windlass_store::{Durability, ErrorKind, SystemClock};

use super::*;

/// A writer on a fresh file, whose connection was prepared by `prepare`.
fn start(prepare: impl FnOnce(&mut Connection)) -> (tempfile::TempDir, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let opener = Opener::new(folder.path().join("store.db"), Durability::Durable);
    let mut connection = opener.open_writer().unwrap();
    prepare(&mut connection);
    let surroundings = Surroundings {
        opener,
        clock: Arc::new(SystemClock),
        limits: Limits::default(),
        signals: Arc::default(),
    };
    (folder, Writer::start(connection, surroundings).unwrap())
}

/// Pauses a queue: something that is there or not.
fn pause(tx: &mut Tx<'_>, queue: &str) -> Result<(), StoreError> {
    let mut statement = tx.connection.prepare_cached(crate::sql::queue::PAUSE).during("pause")?;
    statement.execute(rusqlite::params![queue, 1, "test", None::<&str>]).during("pause").map(drop)
}

fn paused(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut statement = tx.connection.prepare_cached(crate::sql::queue::PAUSED).during("list")?;
    let names = statement.query_map([], |row| row.get(0)).during("list")?;
    names.collect::<Result<_, _>>().during("list")
}

#[tokio::test]
async fn an_operation_that_panics_leaves_nothing_behind_and_takes_nobody_with_it() {
    let (_folder, writer) = start(|_| {});
    let before = writer.run("pause", |tx| pause(tx, "before"));
    let panics = writer.run("pause", |tx| {
        pause(tx, "half")?;
        assert!(tx.limits.args_bytes_max == 0, "what cannot be");
        Ok(())
    });
    let behind = writer.run("pause", |tx| pause(tx, "behind"));

    let (before, panicked, behind) = tokio::join!(before, panics, behind);

    let error = panicked.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("what cannot be"), "{error}");
    assert!(before.is_ok() && behind.is_ok());
    assert_eq!(writer.run("list", paused).await.unwrap(), ["before", "behind"]);
}

#[tokio::test]
async fn those_who_wait_for_a_locked_file_lose_patience_together() {
    static OPEN: AtomicBool = AtomicBool::new(false);
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    // The first look takes until all are waiting; no look is worth a second.
    let no_patience = |_| {
        LOOKS.fetch_add(1, Ordering::SeqCst);
        while !OPEN.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        false
    };
    let (folder, writer) = start(|connection| connection.busy_handler(Some(no_patience)).unwrap());
    let other = Connection::open(folder.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let all = futures_util::future::join_all((0..10).map(|_| writer.run("pause", |tx| pause(tx, "none"))));

    let (answers, ()) = tokio::join!(all, async { OPEN.store(true, Ordering::SeqCst) });

    assert!(answers.iter().all(|answer| *answer.as_ref().unwrap_err().kind() == ErrorKind::Unavailable));
    assert!(LOOKS.load(Ordering::SeqCst) <= 2, "the first alone, and those behind it once");
}

#[tokio::test]
async fn who_asks_one_thing_after_the_other_gets_every_answer() {
    let (_folder, writer) = start(|_| {});

    for count in 0..100 {
        let queue = format!("queue-{count:03}");
        writer.run_awake("pause", move |tx| pause(tx, &queue)).await.unwrap();
    }

    assert_eq!(writer.run("list", paused).await.unwrap().len(), 100);
}
