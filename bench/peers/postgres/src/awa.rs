//! awa: prints jobs a second.

mod measure;

use std::time::{Duration, Instant};

use awa::model::insert::params_with;
use awa::{
    Client, InsertOpts, InsertParams, JobArgs, JobResult, QueueConfig, QueueStorage, QueueStorageConfig,
};
use measure::{Failure, Request, Settings};
use serde::{Deserialize, Serialize};
use sqlx_of_awa::postgres::PgPoolOptions;

#[derive(Serialize, Deserialize, JobArgs)]
struct Noop {
    to: String,
    n: u32,
}

const QUEUE: &str = "noop";

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let request = Request::read()?;
    let pool = PgPoolOptions::new().max_connections(20).connect(&request.url).await?;
    awa::migrations::run(&pool).await?;
    let config = match request.settings {
        Settings::Best => best(),
        Settings::Default => QueueConfig::default(),
    };
    let client = Client::builder(pool.clone())
        .queue(QUEUE, config)
        .register::<Noop, _, _>(|job: Noop, _context| async move {
            measure::ran((job.to, job.n));
            Ok(JobResult::Completed)
        })
        .build()?;
    for batch in measure::batches(request.count) {
        let jobs: Result<Vec<InsertParams>, _> = batch.map(job).collect();
        awa::insert_many_copy_from_pool(&pool, &jobs?).await?;
    }

    let begun = Instant::now();
    client.start().await?;
    let store = QueueStorage::new(QueueStorageConfig::default())?;
    let rate = measure::rate(begun, request.count, || async {
        let counts = store.queue_counts(&pool, QUEUE).await?;
        Ok(counts.available + counts.running)
    });
    println!("{}", rate.await?);
    Ok(())
}

fn job(n: u32) -> Result<InsertParams, awa::AwaError> {
    let options = InsertOpts { queue: QUEUE.into(), ..InsertOpts::default() };
    params_with(&Noop { to: "ada@example.org".into(), n }, options)
}

/// Many slots, several claimers, and no deadline: an attempt without one takes the short path through the receipts.
fn best() -> QueueConfig {
    QueueConfig {
        max_workers: 1_000,
        claimers: 4,
        poll_interval: Duration::from_millis(50),
        deadline_duration: Duration::ZERO,
        ..QueueConfig::default()
    }
}
