//! graphile_worker: prints jobs a second.

mod measure;

use std::sync::Arc;
use std::time::{Duration, Instant};

use graphile_worker::tokio_postgres::TokioPostgresDatabase;
use graphile_worker::{
    Database, IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions,
};
use measure::{Failure, Request, Settings};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

#[derive(Clone, Serialize, Deserialize)]
struct Noop {
    to: String,
    n: u32,
}

impl TaskHandler for Noop {
    const IDENTIFIER: &'static str = "noop";

    async fn run(self, _context: WorkerContext) -> impl IntoTaskHandlerResult {
        measure::ran((self.to, self.n));
        Ok::<(), String>(())
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let request = Request::read()?;
    let pool = PgPoolOptions::new().max_connections(20).connect(&request.url).await?;
    let options = match request.settings {
        Settings::Best => best(&request)?,
        Settings::Default => WorkerOptions::default().pg_pool(pool.clone()),
    };
    let worker = Arc::new(options.define_job::<Noop>().init().await?);
    let spec = JobSpec::default();
    for batch in measure::batches(request.count) {
        let jobs: Vec<_> = batch.map(|n| (Noop { to: "ada@example.org".into(), n }, &spec)).collect();
        worker.create_utils().add_jobs::<Noop>(&jobs).await?;
    }

    let begun = Instant::now();
    let running = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.run().await }
    });
    let rate = measure::rate(begun, request.count, || async {
        let left = sqlx::query_scalar("SELECT count(*) FROM graphile_worker._private_jobs").fetch_one(&pool);
        Ok(left.await?)
    });
    println!("{}", rate.await?);
    running.abort();
    Ok(())
}

/// Two large local queues, completions in batches, and the quicker of the two drivers.
fn best(request: &Request) -> Result<WorkerOptions, Failure> {
    let database: Database = TokioPostgresDatabase::from_url(&request.url, 20)?.into();
    let queues = LocalQueueConfig::default().with_size(5_000).with_queue_count(2);
    Ok(WorkerOptions::default()
        .database(database)
        .concurrency(500)
        .poll_interval(Duration::from_millis(5))
        .complete_job_batch_delay(Duration::from_millis(5))
        .local_queue(queues))
}
