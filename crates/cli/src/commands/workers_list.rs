//! `windlass workers list`

use std::time::Duration;

use windlass_core::span;
use windlass_store::Worker;
use windlass_wire::WorkerShape;

use crate::args::SilentArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

pub(super) const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::new("NAME"),
    Column::new("HOST"),
    Column::new("VERSION"),
    Column::new("QUEUES"),
    Column::new("KINDS"),
    Column::new("RUNNING"),
    Column::new("SLOTS"),
    Column::new("SEEN"),
    Column::new("SINCE"),
];

pub(crate) async fn run(args: SilentArgs, context: &Context) -> Result<Output, CliError> {
    let workers = context.store().await?.workers(args.silent).await?;
    let rows: Vec<Row> = workers.into_iter().map(row).collect();
    let note = match (rows.is_empty(), args.silent) {
        (false, _) => return Ok(Output::list(COLUMNS, rows)),
        (true, Duration::ZERO) => "no workers: start one with `windlass work`".to_owned(),
        (true, silent) => format!("no worker has been silent for {}", span::format(silent)),
    };
    Ok(Output::list(COLUMNS, rows).with_note(note))
}

pub(super) fn row(worker: Worker) -> Row {
    let shape = WorkerShape::from(worker);
    let kinds: Vec<&str> = shape.kinds.iter().map(|kind| kind.kind.as_str()).collect();
    Row {
        id: shape.id.to_string(),
        cells: vec![
            Cell::text(shape.id),
            Cell::text(&shape.name),
            Cell::text(&shape.host),
            Cell::text(&shape.version),
            Cell::text(shape.queues.join(",")),
            Cell::text(if kinds.is_empty() { "*".to_owned() } else { kinds.join(",") }),
            Cell::Number(shape.running),
            Cell::Number(shape.slots.into()),
            Cell::Time(shape.seen_at),
            Cell::Time(shape.since),
        ],
        fields: fields(&shape),
    }
}
