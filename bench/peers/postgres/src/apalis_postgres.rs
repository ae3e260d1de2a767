//! apalis-postgres: prints jobs a second.

mod measure;

use std::time::{Duration, Instant};

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage};
use futures::StreamExt;
use measure::{Failure, Request, Settings};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noop {
    to: String,
    n: u32,
}

async fn noop(job: Noop) -> Result<(), BoxDynError> {
    measure::ran((job.to, job.n));
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let request = Request::read()?;
    let pool = PgPoolOptions::new().max_connections(20).connect(&request.url).await?;
    PostgresStorage::setup(&pool).await?;
    let config = match request.settings {
        Settings::Best => Config::default().queue("noop").batch_size(1_000).lock_tasks(false),
        Settings::Default => Config::default().queue("noop"),
    };
    let mut backend = PostgresStorage::<Noop>::new(&pool).with_config(config);
    for batch in measure::batches(request.count) {
        let make = |n| TaskBuilder::new(Noop { to: "ada@example.org".into(), n }).build();
        backend.push_all(&mut futures::stream::iter(batch).map(make)).await?;
    }
    // Due times are whole seconds, and only those that have passed are claimed.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    let begun = Instant::now();
    let running = match request.settings {
        // In batches, and without locking each task once more before it runs.
        Settings::Best => {
            let backend = backend.poll_with_interval(Duration::from_millis(1));
            tokio::spawn(WorkerBuilder::new("bench").backend(backend).concurrency(1_000).build(noop).run())
        }
        Settings::Default => tokio::spawn(WorkerBuilder::new("bench").backend(backend).build(noop).run()),
    };
    let rate = measure::rate(begun, request.count, || async {
        let left =
            sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'").fetch_one(&pool);
        Ok(left.await?)
    });
    println!("{}", rate.await?);
    running.abort();
    Ok(())
}
