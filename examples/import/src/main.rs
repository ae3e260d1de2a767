//! An import service: files are read into staging tables, a person looks at what they would change, and then they are
//! published or thrown away.
//!
//! `import serve` is the service; `import load` and `import export` ask it for something. Decisions are taken with
//! `windlass reviews`.

mod changes;
mod database;
mod export;
mod import;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use windlass::enqueue::Enqueue;
use windlass::model::{Json, Lock, Review};
use windlass::notices::NoticeConfig;
use windlass::prelude::*;
use windlass::store::Obstacle;
use windlass::{ErrorKind, JobState, Notify};

use crate::changes::Summary;
use crate::database::Database;
use crate::export::Export;
use crate::import::Import;
use crate::table::Table;

/// Imports files into tables, once a person has agreed.
#[derive(Debug, Parser)]
#[command(name = "import", version)]
struct Args {
    /// The queue: a file, or a PostgreSQL database as `postgres://user@host/database`.
    // The address of a database may hold a password.
    #[arg(
        long,
        global = true,
        env = "WINDLASS_STORE",
        hide_env_values = true,
        default_value = "windlass.db"
    )]
    store: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Does what is asked for, until Ctrl-C
    Serve(ServeArgs),
    /// Asks for a file to be imported, and waits until a person is needed
    Load(LoadArgs),
    /// Asks for a table to be written into a file, and waits until it is
    Export { table: Table, file: PathBuf },
}

#[derive(Debug, clap::Args)]
struct ServeArgs {
    /// The tables: a file.
    #[arg(long, default_value = "import.db")]
    data: PathBuf,
    /// Send notices by this mail server, as `smtp://NAME:PASSWORD@HOST:587`.
    #[arg(long, env = "WINDLASS_SMTP", hide_env_values = true, value_name = "URL", requires = "mail_from")]
    smtp: Option<String>,
    /// Send notices from this address.
    #[arg(long, env = "WINDLASS_MAIL_FROM", value_name = "ADDRESS", requires = "smtp")]
    mail_from: Option<String>,
    /// Send notices to addresses of this host. Repeatable.
    #[arg(long = "allow-host", value_name = "HOST")]
    allowed: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct LoadArgs {
    table: Table,
    file: PathBuf,
    /// Who asks for it; may not decide about it.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Tell this mail address what came of it. Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    notify: Vec<String>,
    /// Write the table into this file when it is published.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) windlass: Windlass,
    pub(crate) database: Database,
}

/// How long the jobs of a killed process wait before they are taken up again.
const LEASE: Duration = Duration::from_secs(10);

/// How many jobs of each queue are done at a time.
const SLOTS: u32 = 4;

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
    let windlass = Windlass::open(&args.store).await?;
    match args.command {
        Command::Serve(args) => serve(windlass, args).await,
        Command::Load(args) => load(&windlass, args).await,
        Command::Export { table, file } => export(&windlass, table, file).await,
    }
}

async fn serve(windlass: Windlass, args: ServeArgs) -> Result<ExitCode, Box<dyn Error>> {
    let database = Database::open(&args.data)?;
    let app = App { windlass: windlass.clone(), database };
    let mut worker = windlass
        .worker()
        .queue("imports", SLOTS)
        .queue("exports", SLOTS)
        .lease(LEASE)
        .state(app)
        .handle(import::import)
        .accepted(import::publish)
        .declined(import::discard)
        .cleanup(import::clean_up)
        .handle(export::export);
    if let (Some(smtp), Some(from)) = (args.smtp, args.mail_from) {
        let config = NoticeConfig::new().smtp(smtp).from(from);
        worker = worker.notices(args.allowed.iter().fold(config, |config, host| config.allow(host)));
    }
    let worker = worker.build()?;
    say("ready; Ctrl-C stops it")?;
    worker.run_until(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(ExitCode::SUCCESS)
}

async fn load(windlass: &Windlass, args: LoadArgs) -> Result<ExitCode, Box<dyn Error>> {
    let file =
        args.file.canonicalize().map_err(|error| format!("cannot read {}: {error}", args.file.display()))?;
    let mut flow = windlass.flow();
    let import = flow.add_with(Import { table: args.table, file }, |wish| asked(wish, &args));
    if let Some(file) = &args.export {
        flow.add_after(Export { table: args.table, file: std::path::absolute(file)? }, [import]);
    }
    let import = flow.enqueue().await?.handle(import);
    print(&import.id().to_string())?;
    warn_if_nobody_works(&import).await?;
    match windlass.reviews().wait_for(import.id()).await {
        Ok(review) => {
            let summary: Option<Summary> = review.staged.as_ref().map(Json::decode).transpose()?;
            say(&format!(
                "{}\ndecide: windlass reviews accept {id}, or decline {id}",
                summary.unwrap_or_default(),
                id = import.id()
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if *error.kind() == ErrorKind::Finished => ended(&import).await,
        Err(error) => Err(error.into()),
    }
}

/// What is to be known of an import besides its args.
fn asked(wish: Enqueue<Import>, args: &LoadArgs) -> Enqueue<Import> {
    let wish = wish.review(Review::outcome());
    // Somebody may read it meanwhile, and import what reads it too; nobody may change it.
    let reads = args.table.reads().map(|table| Lock::shared(format!("table:{}", table.as_str())));
    let wish = reads.into_iter().fold(wish, Enqueue::lock);
    let wish = args.by.iter().fold(wish, Enqueue::submitted_by);
    args.notify.iter().fold(wish, |wish, address| wish.notify(Notify::mail(address)))
}

/// Tells how an import ended that nobody had to look at, or that somebody has decided about already.
async fn ended(import: &JobHandle<Import>) -> Result<ExitCode, Box<dyn Error>> {
    let job = import.job().await?;
    let reason = job.reason.map_or(String::new(), |reason| format!(" ({reason})"));
    say(&format!("{}{reason}", job.state))?;
    if let Some(error) = job.error {
        say(&error.message)?;
    }
    Ok(if job.state == JobState::Completed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn export(windlass: &Windlass, table: Table, file: PathBuf) -> Result<ExitCode, Box<dyn Error>> {
    let job = windlass.enqueue(Export { table, file: std::path::absolute(file)? }).await?.handle();
    print(&job.id().to_string())?;
    warn_if_nobody_works(&job).await?;
    say(&format!("{} rows", job.result().await?))?;
    Ok(ExitCode::SUCCESS)
}

/// Nobody should wait for a service that was not started.
async fn warn_if_nobody_works<J: Job>(job: &JobHandle<J>) -> Result<(), Box<dyn Error>> {
    if job.explain().await?.obstacles.contains(&Obstacle::NoWorker) {
        say("it waits until the service is started: import serve")?;
    }
    Ok(())
}

fn print(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{text}")
}
