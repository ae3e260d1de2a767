//! Archives a folder: every file is checksummed, compressed and indexed, each by a job of its own.
//!
//! Kill it whenever you like and start it again: it goes on where it was. Start it a second time later: only what is
//! new or changed is done.

mod archive;
mod job_id;
mod report;
mod scan;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use futures_util::future::try_join_all;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use windlass::prelude::*;
use windlass::store::Retention;
use windlass::{JobState, Windlass};

use crate::archive::{ArchiveFile, archive_file};
use crate::report::{Totals, WriteReport, write_report};
use crate::scan::Found;

/// Archives a folder: every file checksummed, compressed and indexed. Interrupted, it goes on when started again.
#[derive(Debug, Parser)]
#[command(name = "archive", version)]
struct Args {
    /// What to archive.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where the archive is, or is to be made.
    #[arg(long, default_value = "./archive")]
    out: PathBuf,
    /// How many files to work on at a time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    slots: u32,
    /// Name every file as it is done.
    #[arg(short, long)]
    verbose: bool,
}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) windlass: Windlass,
    /// The folder that is archived.
    pub(crate) folder: PathBuf,
    /// The archive.
    pub(crate) out: PathBuf,
}

/// How many files are enqueued at a time: they share commits.
const ENQUEUE_TOGETHER: usize = 500;

/// How long the files of a killed process wait before they are taken again.
const LEASE: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            let _ = say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    // Looked for before anything is made: a misspelt folder leaves no archive behind.
    let folder = args.folder.canonicalize().map_err(|error| cannot("read", &args.folder, &error))?;
    std::fs::create_dir_all(&args.out).map_err(|error| cannot("make", &args.out, &error))?;
    let out = args.out.canonicalize().map_err(|error| cannot("read", &args.out, &error))?;
    let found = scan::files(&folder, &out)?;
    let windlass = Windlass::open(out.join("archive.db")).await?;
    let app = App { windlass: windlass.clone(), folder, out };

    let jobs = enqueue(&windlass, &found).await?;
    let worker = windlass
        .worker()
        .queue("files", args.slots)
        .queue("reports", 1)
        .lease(LEASE)
        // The store is the index of the archive: what is done stays known.
        .retention(Retention { completed: None, cancelled: None, dead: None })
        .state(app.clone())
        .handle_blocking(archive_file)
        .handle(write_report)
        .build()?
        .start();

    let finished = tokio::select! {
        totals = finish(&app, &found, &jobs, args.verbose) => Some(totals?),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            None
        }
    };
    worker.stop().await;
    let Some(totals) = finished else {
        say("stopped; start it again to go on")?;
        return Ok(ExitCode::from(130));
    };
    report::print(&totals, &app.out, &mut std::io::stdout().lock())?;
    Ok(if totals.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

/// Makes a job of each file. A file that is known, and did not change, has its job already.
async fn enqueue(
    windlass: &Windlass,
    found: &[Found],
) -> Result<Vec<JobHandle<ArchiveFile>>, windlass::Error> {
    let mut jobs = Vec::with_capacity(found.len());
    for some in found.chunks(ENQUEUE_TOGETHER) {
        let enqueue = |file: &Found| {
            let job = windlass.enqueue(ArchiveFile { path: file.path.clone() }).id(file.job);
            job.into_future()
        };
        for enqueued in try_join_all(some.iter().map(enqueue)).await? {
            let job = enqueued.handle();
            // What failed before may have been mended: a file that could not be read, a disk that was full.
            if enqueued.is_repeated() && job.state().await? == JobState::Dead {
                job.retry().await?;
            }
            jobs.push(job);
        }
    }
    Ok(jobs)
}

/// Waits for every file, then has the report written.
async fn finish(
    app: &App,
    found: &[Found],
    jobs: &[JobHandle<ArchiveFile>],
    verbose: bool,
) -> Result<Totals, Box<dyn Error>> {
    let bar = bar(jobs.len());
    for (file, job) in found.iter().zip(jobs) {
        let state = job.wait().await?.state;
        bar.inc(1);
        if verbose {
            bar.suspend(|| say(&format!("{state} {}", file.path)))?;
        }
    }
    bar.finish_and_clear();
    let manifest = report::manifest(app, found, jobs).await?;
    let report = app.windlass.enqueue(WriteReport { manifest: manifest.name }).id(manifest.job).await?;
    Ok(report.handle().result().await?)
}

fn bar(length: usize) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files {elapsed}");
    ProgressBar::with_draw_target(Some(length as u64), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{text}")
}
