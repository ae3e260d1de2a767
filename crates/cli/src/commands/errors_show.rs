//! `windlass errors show`

use serde::Serialize;
use windlass_core::Fingerprint;
use windlass_store::{ErrorKind, JobFilter, PageRequest};
use windlass_wire::{ErrorGroupShape, JobShape};

use crate::commands::jobs_list;
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::{Cell, List, Output, Record, fields};

/// How many jobs are shown.
const JOBS: u32 = 20;

/// Those of a group, and its jobs.
pub(crate) const FIELDS: &[&str] = &{
    let mut names = [""; ErrorGroupShape::FIELDS.len() + 1];
    let mut index = 0;
    while index < ErrorGroupShape::FIELDS.len() {
        names[index] = ErrorGroupShape::FIELDS[index];
        index += 1;
    }
    names[index] = "jobs";
    names
};

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    group: ErrorGroupShape,
    jobs: Vec<JobShape>,
}

pub(crate) async fn run(fingerprint: Fingerprint, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let group = store.error_group(fingerprint).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            CliError::new(ErrorCode::NotFound, format!("there is no group of errors {fingerprint}"))
                .with_help("`windlass errors` lists which there are")
        }
        _ => CliError::from(error),
    })?;
    let filter = JobFilter { fingerprint: Some(fingerprint), ..JobFilter::default() };
    let jobs = store.jobs(filter, PageRequest::first(JOBS)).await?.items;
    let lines = vec![
        ("fingerprint", Cell::text(group.fingerprint)),
        ("kind", Cell::text(&group.kind)),
        ("type", Cell::maybe(group.class.as_ref(), Cell::text)),
        ("message", Cell::text(&group.message)),
        ("count", Cell::Number(group.count)),
        ("first", Cell::Time(group.first_at)),
        ("last", Cell::Time(group.last_at)),
        ("example", Cell::text(group.example)),
    ];
    let rows = jobs.iter().cloned().map(jobs_list::row).collect();
    let sections = vec![("jobs", List { columns: jobs_list::COLUMNS, rows })];
    let jobs = jobs.into_iter().map(JobShape::from).collect();
    let fields = fields(&Shown { group: ErrorGroupShape::from(group), jobs });
    let record = Record { id: fingerprint.to_string(), lines, sections, fields };
    Ok(Output::record(record).with_note(format!(
        "`windlass errors retry {fingerprint} --canary 5` tries five of them again, and the rest if those go well"
    )))
}
