//! A typed job, a worker, and its result, in one process over one file:
//! `cargo run -p windlass --example quickstart`.
//!
//! The file may be named as an argument. Stopped with Ctrl-C, it leaves the job to its next start.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use serde::{Deserialize, Serialize};
use windlass::prelude::*;

/// What the job is to work on, and what holds for all jobs of its kind.
#[derive(Serialize, Deserialize, Job)]
#[job(kind = "greet", queue = "mail", attempts = 5, timeout = "30s", output = String)]
struct Greet {
    name: String,
}

/// Fails at the first attempt, to show that nothing is lost by it.
async fn greet(job: Greet, attempt: Attempt, log: JobLog) -> Result<String, JobError> {
    log.info(format!("attempt {} to greet {}", attempt.number, job.name));
    if attempt.number == 1 {
        return Err(JobError::new("lost for words"));
    }
    Ok(format!("Hello {}, at attempt {}", job.name, attempt.number))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let anywhere = || std::env::temp_dir().join("windlass-quickstart.db");
    let path = std::env::args_os().nth(1).map_or_else(anywhere, Into::into);
    let windlass = Windlass::open(path).await?;
    let worker = windlass.worker().queue("mail", 8).handle(greet).build()?.start();

    let wish = windlass.enqueue(Greet { name: "Ada".into() });
    let job = wish.retry(windlass::RetryPolicy::Fixed(std::time::Duration::from_secs(1))).await?.handle();
    tokio::select! {
        greeting = job.result() => println!("{}", greeting?),
        _ = tokio::signal::ctrl_c() => println!("job {} will go on when this is started again", job.id()),
    }
    for line in job.logs().await? {
        println!("{} {}", line.at, line.message);
    }

    worker.stop().await;
    Ok(())
}
