//! `windlass schedules`: one file for each verb, and what they have in common.

mod add;
mod backfill;
mod list;
mod next;
mod run;
mod show;
mod verb;

use windlass_core::{Rhythm, ScheduleName};
use windlass_store::{Actor, SharedStore};
use windlass_wire::{Fields, JobShape, ScheduleShape};

use crate::args::{By, RhythmOptions, SchedulesCommand, SchedulesListArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(super) async fn run(command: SchedulesCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        SchedulesCommand::List(args) => list::run(&args, context).await,
        SchedulesCommand::Show { name, firings } => show::run(&name, firings, context).await,
        SchedulesCommand::Add(args) => add::run(*args, context).await,
        SchedulesCommand::Next(args) => next::run(args, context).await,
        SchedulesCommand::Pause(args) => verb::pause(args, context).await,
        SchedulesCommand::Resume(args) => verb::resume(args, context).await,
        SchedulesCommand::Run(args) => run::run(args, context).await,
        SchedulesCommand::Backfill(args) => backfill::run(args, context).await,
        SchedulesCommand::Remove(args) => verb::remove(args, context).await,
    }
}

/// The fields of the JSON that a verb prints.
pub(super) const fn json_fields(command: Option<&SchedulesCommand>) -> &'static [&'static str] {
    match command {
        Some(SchedulesCommand::List(_) | SchedulesCommand::Add(_)) | None => ScheduleShape::FIELDS,
        Some(SchedulesCommand::Show { .. }) => show::FIELDS,
        Some(SchedulesCommand::Next(_)) => next::FIELDS,
        Some(SchedulesCommand::Run(_)) => JobShape::FIELDS,
        Some(SchedulesCommand::Backfill(_)) => backfill::FIELDS,
        Some(SchedulesCommand::Pause(_) | SchedulesCommand::Resume(_) | SchedulesCommand::Remove(_)) => {
            verb::FIELDS
        }
    }
}

/// What is done where no verb is said.
pub(super) const fn unless_said() -> SchedulesCommand {
    SchedulesCommand::List(SchedulesListArgs { limit: 100, after: None })
}

const COLUMNS: &[Column] = &[
    Column::whole("SCHEDULE"),
    Column::new("STATE"),
    Column::new("RHYTHM"),
    Column::new("NEXT"),
    Column::spare("LAST"),
    Column::new("KIND"),
    Column::spare("FIRED"),
    Column::spare("SKIPPED"),
    Column::spare("PROGRAM"),
    Column::new("ERROR"),
];

/// One schedule as a row.
#[expect(clippy::needless_pass_by_value, reason = "a list is mapped with it")]
fn row(schedule: ScheduleShape) -> Row {
    Row {
        id: schedule.name.to_string(),
        cells: vec![
            Cell::text(&schedule.name),
            Cell::text(&schedule.state),
            Cell::text(rhythm_of(&schedule)),
            Cell::maybe(schedule.next_at, Cell::Time),
            Cell::maybe(schedule.last.as_ref(), |last| Cell::Time(last.tick)),
            Cell::text(&schedule.job.kind),
            Cell::Number(schedule.fired),
            Cell::Number(schedule.skipped),
            Cell::maybe(schedule.program.as_ref(), Cell::text),
            Cell::maybe(schedule.error.as_ref(), Cell::text),
        ],
        fields: fields(&schedule),
    }
}

/// When a schedule ticks, in a few words.
fn rhythm_of(schedule: &ScheduleShape) -> String {
    match (&schedule.cron, &schedule.zone, schedule.every) {
        (Some(cron), Some(zone), _) => format!("{cron} {zone}"),
        (_, _, Some(every)) => format!("every {}", windlass_core::span::format(every)),
        _ => String::new(),
    }
}

/// A schedule as it is now, the only row.
async fn shown(store: &SharedStore, name: &ScheduleName) -> Result<Output, CliError> {
    let schedule = store.schedule(name).await?;
    Ok(Output::list(COLUMNS, vec![row(ScheduleShape::from(schedule))]))
}

/// The rhythm that the options ask for.
fn rhythm(options: RhythmOptions) -> Result<Rhythm, CliError> {
    let rhythm = match (options.cron, options.every) {
        (Some(cron), _) => Rhythm::cron(cron, options.zone.unwrap_or_else(|| "UTC".to_owned())),
        (None, Some(every)) => Rhythm::Every(every),
        (None, None) => {
            let missing = windlass_core::Invalid::new("cron", "is missing: say when it ticks");
            return Err(CliError::invalid(&missing).with_help("by --cron '0 3 * * *', or by --every 30s"));
        }
    };
    rhythm.validate().map_err(|invalid| CliError::invalid(&invalid))?;
    Ok(rhythm)
}

/// Who does it, and why.
fn actor(by: By, reason: Option<String>) -> Actor {
    let actor = Actor::new(by.by);
    match reason {
        Some(reason) => actor.because(reason),
        None => actor,
    }
}

/// Nothing but a name.
fn named(name: &ScheduleName, outcome: &'static str) -> (Vec<Cell>, Fields) {
    #[derive(serde::Serialize)]
    struct Dealt<'a> {
        name: &'a ScheduleName,
        outcome: &'static str,
    }
    (vec![Cell::text(name), Cell::text(outcome)], fields(&Dealt { name, outcome }))
}
