//! The producer process: enqueues jobs that share things, each of which it draws, and leaves a witness of what it asked and was
//! answered.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use windlass_core::{JobId, NewJob};
use windlass_store::{EnqueueOutcome, ErrorKind, SharedStore, ids};

use crate::Failure;
use crate::address::Address;
use crate::gates::draw::Draw;
use crate::process::PATIENCE;
use crate::witness::{Mark, Witness};

/// What the process was told on its command line.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The store's file, or the URL of its database
    #[arg(long)]
    pub store: Address,
    /// The file that is appended to
    #[arg(long)]
    pub witness: PathBuf,
    /// From what the jobs are drawn
    #[arg(long)]
    pub draw: u64,
    /// How many jobs are enqueued each time it is let go
    #[arg(long)]
    pub batch: usize,
}

/// How long to wait before an enqueue is asked for again.
const RETRY: Duration = Duration::from_millis(20);

/// Enqueues a batch, job by job, for each line of its input, until that ends.
///
/// # Errors
///
/// When the store refuses a job for another reason than its unique key, or does not come back.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let store = arguments.store.open().await?;
    let witness = Witness::open(&arguments.witness)?;
    let mut draw = Draw::new(arguments.draw);
    println(&Mark::Ready);
    while spawn_blocking(line).await?? {
        for _ in 0..arguments.batch {
            let job = draw.job(ids::job_id())?;
            let key = job.options.unique.as_ref().and_then(|unique| unique.key.clone());
            witness.write(&Mark::Asked { job: job.id, key });
            let id = job.id;
            let (answer, stands) = enqueue(&store, job).await?;
            witness.write(&Mark::Answered { job: id, answer: answer.to_owned(), stands });
        }
    }
    Ok(())
}

/// Whether there is another line.
fn line() -> std::io::Result<bool> {
    Ok(std::io::stdin().read_line(&mut String::new())? > 0)
}

#[expect(clippy::print_stdout, reason = "whoever started it waits for this line")]
fn println(mark: &Mark) {
    println!("{mark}");
}

/// Asks until it is answered. What happened, and to which job.
async fn enqueue(store: &SharedStore, job: NewJob) -> Result<(&'static str, JobId), Failure> {
    let begun = Instant::now();
    loop {
        let error = match store.enqueue(vec![job.clone()]).await {
            Ok(answers) => {
                let answer = answers.first().ok_or_else(|| Failure::new("an enqueue was not answered"))?;
                return Ok((name(answer.outcome)?, answer.id));
            }
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Duplicate(stands) => return Ok(("duplicate", *stands)),
            _ if error.is_transient() && begun.elapsed() < PATIENCE => {}
            _ => return Err(error.into()),
        }
        sleep_until(Instant::now() + RETRY).await;
    }
}

fn name(outcome: EnqueueOutcome) -> Result<&'static str, Failure> {
    match outcome {
        EnqueueOutcome::Created => Ok("created"),
        EnqueueOutcome::Existing => Ok("existing"),
        EnqueueOutcome::Replaced => Ok("replaced"),
        other => Err(Failure::new(format!("an enqueue was answered with {other:?}"))),
    }
}
