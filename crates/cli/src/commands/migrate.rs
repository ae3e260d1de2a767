//! `windlass migrate`

use std::path::Path;

use serde::Serialize;
use windlass::Address;
use windlass_core::Timestamp;
use windlass_postgres::migrate;
use windlass_sqlite::{SqliteOptions, Versions};

use crate::args::MigrateCommand;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::{Cell, Column, Output, Row, fields};
use crate::store;

pub(crate) const FIELDS: &[&str] = &["version", "name", "applied", "applied_at"];

const COLUMNS: &[Column] =
    &[Column::new("VERSION"), Column::new("NAME"), Column::new("APPLIED"), Column::spare("AT")];

/// One step of the schema.
#[derive(Debug, Serialize)]
struct Step {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    applied: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<Timestamp>,
}

pub(crate) async fn run(command: MigrateCommand, context: &Context) -> Result<Output, CliError> {
    match (command, &context.address()?) {
        (MigrateCommand::Status, Address::File(path)) => file_status(path).await,
        (MigrateCommand::Up, Address::File(path)) => file_up(path, context).await,
        (MigrateCommand::Sql, Address::File(path)) => Err(no_script(path)),
        (MigrateCommand::Status, address) => status(address).await,
        (MigrateCommand::Up, address) => up(address).await,
        (MigrateCommand::Sql, address) => script(address),
    }
}

async fn status(address: &Address) -> Result<Output, CliError> {
    let found = match migrate::status(&store::database(address)?).await {
        Ok(found) => found,
        Err(error) => return Err(store::not_opened(address, error).await),
    };
    let note = match found.version {
        None => format!("{address} has no schema \"{}\" yet: `windlass migrate up` makes it", found.schema),
        Some(version) if version < found.newest => format!(
            "{address}: schema \"{}\" at version {version} of {}: `windlass migrate up` brings it up to date",
            found.schema, found.newest
        ),
        Some(version) => {
            format!("{address}: schema \"{}\" at version {version}, as it should be", found.schema)
        }
    };
    let steps = found.migrations.into_iter().map(|migration| Step {
        version: migration.version,
        name: Some(migration.name),
        applied: migration.applied_at.is_some(),
        applied_at: migration.applied_at,
    });
    Ok(table(steps).with_note(note))
}

async fn up(address: &Address) -> Result<Output, CliError> {
    let report = match migrate::up(&store::database(address)?).await {
        Ok(report) => report,
        Err(error) => return Err(store::not_opened(address, error).await),
    };
    Ok(status(address).await?.with_note(changed(report.from, report.to)))
}

/// The script for whoever may change the schema. Not asked of the server: it is the same for all versions.
fn script(address: &Address) -> Result<Output, CliError> {
    let schema = address.schema().unwrap_or(DEFAULT_SCHEMA);
    Ok(Output::text(migrate::sql(schema)?))
}

const DEFAULT_SCHEMA: &str = "windlass";

async fn file_status(path: &Path) -> Result<Output, CliError> {
    let versions = versions(path).await?;
    let place = path.display();
    let note = match versions.found {
        None => format!("there is no store at {place} yet: `windlass migrate up` makes it"),
        Some(found) if found < versions.newest => {
            format!("{place}: version {found} of {}: opening it brings it up to date", versions.newest)
        }
        Some(found) => format!("{place}: version {found}, as it should be"),
    };
    Ok(steps_of(versions).with_note(note))
}

async fn file_up(path: &Path, context: &Context) -> Result<Output, CliError> {
    let before = versions(path).await?;
    context.store_or_make().await?;
    let now = versions(path).await?;
    Ok(steps_of(now).with_note(changed(before.found, now.newest)))
}

async fn versions(path: &Path) -> Result<Versions, CliError> {
    match SqliteOptions::new(path).versions().await {
        Ok(versions) => Ok(versions),
        Err(error) => Err(store::not_opened(&Address::File(path.to_owned()), error).await),
    }
}

fn steps_of(versions: Versions) -> Output {
    let found = versions.found.unwrap_or(0);
    table((1..=versions.newest).map(|version| Step {
        version,
        name: None,
        applied: version <= found,
        applied_at: None,
    }))
}

fn changed(from: Option<u32>, to: u32) -> String {
    match from {
        None => format!("made, at version {to}"),
        Some(from) if from == to => "nothing had to be done".to_owned(),
        Some(from) => format!("brought from version {from} to {to}"),
    }
}

fn no_script(path: &Path) -> CliError {
    let what = format!("{} is a file, which needs no script", path.display());
    CliError::new(ErrorCode::Invalid, what)
        .with_help("`windlass migrate up`, or any command that enqueues or runs jobs, brings it up to date")
}

fn table(steps: impl Iterator<Item = Step>) -> Output {
    Output::list(COLUMNS, steps.map(|step| row(&step)).collect())
}

fn row(step: &Step) -> Row {
    Row {
        id: step.version.to_string(),
        cells: vec![
            Cell::Number(step.version.into()),
            Cell::maybe(step.name.as_ref(), Cell::text),
            Cell::text(if step.applied { "yes" } else { "no" }),
            Cell::maybe(step.applied_at, Cell::Time),
        ],
        fields: fields(step),
    }
}
