//! `windlass schedules next`

use serde::Serialize;
use windlass_core::Timestamp;
use windlass_store::{Clock as _, ScheduleState, SystemClock};

use super::rhythm;
use crate::args::ScheduleNextArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(super) const FIELDS: &[&str] = &["tick"];

const COLUMNS: &[Column] = &[Column::whole("TICK"), Column::new("WHEN")];

#[derive(Serialize)]
struct Tick {
    tick: Timestamp,
}

pub(super) async fn run(args: ScheduleNextArgs, context: &Context) -> Result<Output, CliError> {
    let mut note = None;
    let ticks = if let Some(name) = &args.name {
        let store = context.store().await?;
        let schedule = store.schedule(name).await?;
        let now = args.after.unwrap_or(store.status().await?.now);
        note = match schedule.state() {
            ScheduleState::Paused => Some(format!("it is paused: windlass schedules resume {name}")),
            ScheduleState::Removed => Some("it was removed from its program, and fires no more".to_owned()),
            ScheduleState::Ended => schedule.report(),
            _ => None,
        };
        schedule.preview(now, args.count)
    } else {
        let now = args.after.unwrap_or_else(|| SystemClock.now());
        let rhythm = rhythm(args.rhythm)?;
        rhythm.preview(now, now, args.count).map_err(|invalid| CliError::invalid(&invalid))?
    };
    let output = Output::list(COLUMNS, ticks.into_iter().map(row).collect());
    Ok(match note {
        Some(note) => output.with_note(note),
        None => output,
    })
}

fn row(tick: Timestamp) -> Row {
    Row {
        id: tick.to_string(),
        cells: vec![Cell::text(tick), Cell::Time(tick)],
        fields: fields(&Tick { tick }),
    }
}
