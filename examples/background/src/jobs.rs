//! What is done in the background: three jobs, their handlers, and the worker that runs them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass::model::retry::Exponential;
use windlass::prelude::*;
use windlass::schedule::{self, Missed, Overlap};
use windlass::worker::WorkerBuilder;
use windlass::{Enqueue, RetryPolicy, Unique};

use crate::App;
use crate::outbox::Mail;

/// Welcomes somebody who has just signed up.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "welcome", queue = "mail", attempts = 12, timeout = "1m")]
pub(crate) struct Welcome {
    pub(crate) email: String,
}

/// Tells the team how many people there are.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "report", queue = "mail", timeout = "1m")]
pub(crate) struct Report {
    pub(crate) to: String,
}

/// Removes mails that were sent long ago.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "clean_up", queue = "upkeep", attempts = 3, output = u64)]
pub(crate) struct CleanUp {
    pub(crate) days: u32,
}

/// The first attempt after a failure is soon: most mail servers that are away are back at once.
const RETRY: Exponential =
    Exponential { base: Duration::from_secs(1), factor: 2.0, cap: Duration::from_secs(60 * 60), jitter: 0.1 };

/// For how long nobody is welcomed twice.
const ONCE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The report is written when nothing has changed for so long, and at the latest so long after the first change.
const QUIET: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(60);

/// The wish to welcome somebody: once, however often it is asked for.
pub(crate) fn welcome_to(windlass: &Windlass, email: &str) -> Enqueue<Welcome> {
    windlass
        .enqueue(Welcome { email: email.to_owned() })
        .unique(Unique::key(email).for_span(ONCE))
        .retry(RetryPolicy::Exponential(RETRY))
}

/// The wish for a report: one for all changes that come close together.
pub(crate) fn report_to(windlass: &Windlass, to: &str) -> Enqueue<Report> {
    windlass.enqueue(Report { to: to.to_owned() }).unique(Unique::key(to).debounce(QUIET, LATEST))
}

/// The worker, as the program runs it and the tests do.
pub(crate) fn worker(app: &App) -> WorkerBuilder<App> {
    let nightly = schedule::named("nightly-clean-up")
        .cron("30 3 * * *")
        .zone("Europe/Berlin")
        // A clean-up that takes a day is not joined by a second one. Nights when the program was off are made up for, once.
        .overlap(Overlap::Skip)
        .missed(Missed::One)
        .enqueue(CleanUp { days: 30 });
    app.windlass
        .worker()
        .program("background")
        .schedule(nightly)
        .queue("mail", 4)
        .queue("upkeep", 1)
        .drain_time(Duration::from_secs(10))
        // What a worker held that is killed is taken up by others after so long.
        .lease(Duration::from_secs(10))
        .state(app.clone())
        .handle(welcome)
        .handle(report)
        .handle_blocking(clean_up)
}

async fn welcome(job: Welcome, id: JobId, State(app): State<App>) -> Result<(), JobError> {
    let text = format!("Welcome, {}!\n", job.email);
    // The mail has the job's id, so an attempt that is made twice does not send two.
    app.outbox.send(&Mail { id: &id.to_string(), to: &job.email, subject: "Welcome", text: &text })?;
    Ok(())
}

async fn report(job: Report, id: JobId, State(app): State<App>) -> Result<(), JobError> {
    let people = app.people.count().await.map_err(|error| JobError::new(error.to_string()))?;
    let text = format!("There are {people} people.\n");
    app.outbox.send(&Mail { id: &id.to_string(), to: &job.to, subject: "Report", text: &text })?;
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "a handler is given what it takes")]
fn clean_up(job: CleanUp, State(app): State<App>, log: JobLog) -> Result<u64, JobError> {
    let removed = app.outbox.remove_older_than(Duration::from_secs(u64::from(job.days) * 24 * 60 * 60))?;
    log.info(format!("removed {removed} mails"));
    Ok(removed)
}
