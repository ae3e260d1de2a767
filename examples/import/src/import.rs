//! The job that imports a file into a table, and what follows when a person has looked at it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use windlass::extract::CancelReason;
use windlass::model::Ruling;
use windlass::prelude::*;
use windlass::{ErrorKind, JobState};

use crate::App;
use crate::changes::Summary;
use crate::database::Staging;
use crate::table::{Rows, Table};

/// More than any file that a person could look through, in bytes.
const FILE_MAX: u64 = 16 * 1024 * 1024;

/// How many lines of each sort an import writes into its log; the rest are counted.
const LOGGED_MAX: usize = 100;

/// Makes a table what a file says, if a person agrees.
///
/// Whoever imports has the table alone, while it is staged and while it is published. While it waits for a person, nobody does.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(
    kind = "import",
    queue = "imports",
    attempts = 3,
    timeout = "5m",
    lock = "table:{args.table}",
    output = Summary
)]
pub(crate) struct Import {
    pub(crate) table: Table,
    pub(crate) file: PathBuf,
}

/// Reads and checks the file, puts its rows aside, and says what they would change.
pub(crate) async fn import(
    Import { table, file }: Import,
    State(app): State<App>,
    cx: JobCx,
) -> Result<Outcome<Summary>, JobError> {
    forget_what_is_over(&app, table).await?;
    // A file may be slow, as one on a network is: whoever cancels the import does not wait for it.
    let read = tokio::task::spawn_blocking(move || read(&file));
    let Some(read) = cx.cancel().run_until_cancelled(read).await else {
        return Err(JobError::new("asked to stop"));
    };
    let text = read??;
    let known = match table.reads() {
        Some(other) => app.database.rows(other).await?,
        None => Rows::new(),
    };
    let reading = table.read(&text, &known);
    let (rows, rejected) = (reading.rows.len(), reading.rejected.len());
    let log = cx.log();
    let problems = reading.rejected.iter().map(|(line, problem)| format!("line {line}: {problem}"));
    tell(problems, |line| log.warn(line));
    if rows == 0 {
        return Err(JobError::fatal(format!(
            "the file has no row that could be used, and {rejected} others"
        )));
    }
    let staging = Staging { job: cx.id(), attempt: cx.attempt().number, table };
    let changes = app.database.stage(staging, reading.rows).await?;
    tell(changes.iter().map(|(change, key)| format!("{change} {key}")), |line| log.info(line));
    let summary = Summary::of(rows, rejected, &changes);
    log.info(summary.to_string());
    Ok(if changes.is_empty() { Outcome::Unchanged(summary) } else { Outcome::Done(summary) })
}

/// Called when a person has accepted: what was staged is the table from now on.
pub(crate) async fn publish(
    Import { table, .. }: Import,
    State(app): State<App>,
    ruling: Ruling,
    cx: JobCx,
) -> Result<(), JobError> {
    app.database.publish(cx.id(), table, ruling.by.clone()).await?;
    let by = ruling.by.as_deref().unwrap_or("nobody in time");
    cx.log().info(format!("published, as {by} has accepted"));
    Ok(())
}

/// Called when a person has declined.
pub(crate) async fn discard(_: Import, State(app): State<App>, id: JobId) -> Result<(), JobError> {
    app.database.forget(id).await
}

/// Called after each attempt that no other follows. Most have cleaned up behind themselves, or wait for a person; not one
/// that was cancelled when it had staged its rows already.
pub(crate) async fn clean_up(_: Import, State(app): State<App>, cx: JobCx) -> Result<(), JobError> {
    match cx.cancel().reason() {
        Some(CancelReason::Cancelled) => app.database.forget(cx.id()).await,
        _ => Ok(()),
    }
}

/// Throws away what imports have left behind that are over, and that nobody was called for: one that was cancelled while it
/// waited for a person, or whose process died in the wrong moment.
async fn forget_what_is_over(app: &App, table: Table) -> Result<(), JobError> {
    for job in app.database.staged(table).await? {
        let over = match app.windlass.handle::<Import>(job).state().await {
            // A dead one can still be retried, until it is removed.
            Ok(state) => matches!(state, JobState::Completed | JobState::Cancelled),
            Err(error) if *error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(error.into()),
        };
        if over {
            app.database.forget(job).await?;
        }
    }
    Ok(())
}

/// The whole file. What is wrong with it now is wrong with it later.
fn read(path: &Path) -> Result<String, JobError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text));
    let read = read.map_err(|error| JobError::from(error).context("could not read the file").into_fatal())?;
    if read as u64 > FILE_MAX {
        return Err(JobError::fatal(format!("the file is larger than {} MiB", FILE_MAX >> 20)));
    }
    Ok(text)
}

/// Tells the first lines, and how many more there are.
fn tell(mut lines: impl Iterator<Item = String>, tell: impl Fn(String)) {
    lines.by_ref().take(LOGGED_MAX).for_each(&tell);
    match lines.count() {
        0 => {}
        more => tell(format!("and {more} more")),
    }
}
