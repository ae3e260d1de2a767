//! The same work done by other queues. Prints one number: jobs a second.
//!
//! `windlass-bench-peers apalis-sqlite COUNT`

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteStorage};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noop {
    to: String,
    n: u32,
}

static RAN: AtomicUsize = AtomicUsize::new(0);

async fn noop(job: Noop) -> Result<(), BoxDynError> {
    std::hint::black_box(job);
    RAN.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["apalis-sqlite", count] => println!("{}", apalis_sqlite(count.parse()?).await?),
        _ => return Err("usage: windlass-bench-peers apalis-sqlite COUNT".into()),
    }
    Ok(())
}

/// Works off `count` no-op jobs on a file in WAL mode with `synchronous=FULL`, a hundred at a time, in batches of 100,
/// without locking each task once more before it runs: the quickest of the settings that keep what became of a job.
async fn apalis_sqlite(count: usize) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("apalis.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    SqliteStorage::setup(&pool).await?;
    let config = Config::default().queue("noop").batch_size(100).lock_tasks(false);
    let mut backend = SqliteStorage::<Noop>::new(&pool).with_config(config);
    let make = |n| TaskBuilder::new(Noop { to: "ada@example.org".into(), n }).build();
    for start in (0..count).step_by(1_000) {
        let batch = start..(start + 1_000).min(count);
        let mut tasks = futures::stream::iter(batch).map(|n| make(n as u32));
        backend.push_all(&mut tasks).await?;
    }

    let begun = Instant::now();
    let worker = WorkerBuilder::new("bench")
        .backend(backend.poll_with_interval(Duration::from_millis(1)))
        .concurrency(100)
        .build(noop);
    let running = tokio::spawn(worker.run());
    loop {
        let done: i64 = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done'").fetch_one(&pool).await?;
        if done as usize >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let elapsed = begun.elapsed();
    running.abort();
    Ok(count as f64 / elapsed.as_secs_f64())
}
