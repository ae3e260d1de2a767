//! An application with background work: who signs up is welcomed by mail, the team gets a report, and old mail is removed
//! every night.

mod jobs;
mod outbox;
mod people;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use windlass::Windlass;

use crate::outbox::Outbox;
use crate::people::People;

/// Signs people up, and does what follows from it in the background.
#[derive(Debug, Parser)]
#[command(name = "background", version)]
struct Args {
    /// Where the outbox is and, without a database, everything else.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// A PostgreSQL database for the people and the jobs, as `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign somebody up: the part of the application that people wait for
    SignUp {
        /// Their mail addresses.
        #[arg(required = true)]
        emails: Vec<String>,
    },
    /// Do the background work, until SIGTERM or Ctrl-C
    Work,
}

/// What the parts of the application share, handlers included.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) windlass: Windlass,
    pub(crate) people: People,
    pub(crate) outbox: Outbox,
}

/// What went wrong, for a person to read.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let app = open(&args).await?;
    match args.command {
        Command::SignUp { emails } => sign_up(&app, &emails).await,
        Command::Work => work(&app).await,
    }
}

async fn open(args: &Args) -> Result<App, Failure> {
    std::fs::create_dir_all(&args.data)?;
    let outbox = Outbox { folder: args.data.join("outbox") };
    let (windlass, people) = if let Some(url) = &args.database {
        (Windlass::open(url).await?, People::in_database(url).await?)
    } else {
        let people = People::in_folder(args.data.join("people"))?;
        (Windlass::open(args.data.join("jobs.db")).await?, people)
    };
    Ok(App { windlass, people, outbox })
}

async fn sign_up(app: &App, emails: &[String]) -> Result<(), Failure> {
    app.people.sign_up(&app.windlass, emails).await?;
    jobs::report_to(&app.windlass, "team@example.com").await?;
    Ok(say("signed up")?)
}

async fn work(app: &App) -> Result<(), Failure> {
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let asked_to_stop = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = say("stopping: what runs has ten seconds to finish");
    };
    say("working; Ctrl-C to stop")?;
    let report = jobs::worker(app).build()?.run_until(asked_to_stop).await?;
    Ok(say(&format!(
        "stopped: {} done, {} given back",
        report.settled,
        report.interrupted + report.released
    ))?)
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{text}")
}
