//! `windlass workers leases`

use windlass_core::limits::PAGE_MAX;
use windlass_store::LeaseSummary;
use windlass_wire::LeaseShape;

use crate::args::SilentArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

const COLUMNS: &[Column] = &[
    Column::whole("JOB"),
    Column::new("ATTEMPT"),
    Column::whole("WORKER"),
    Column::new("SEEN"),
    Column::new("UNTIL"),
];

pub(crate) async fn run(args: SilentArgs, context: &Context) -> Result<Output, CliError> {
    let leases = context.store().await?.leases(args.silent).await?;
    let note = match leases.len() {
        0 => Some("no such attempts".to_owned()),
        many if many == PAGE_MAX as usize => Some(format!("the first {many}; --silent shows fewer")),
        _ => None,
    };
    let output = Output::list(COLUMNS, leases.into_iter().map(row).collect());
    Ok(match note {
        Some(note) => output.with_note(note),
        None => output,
    })
}

fn row(lease: LeaseSummary) -> Row {
    let shape = LeaseShape::from(lease);
    Row {
        id: shape.job.to_string(),
        cells: vec![
            Cell::text(shape.job),
            Cell::Number(shape.attempt),
            Cell::text(shape.worker),
            Cell::Time(shape.seen_at),
            Cell::Time(shape.lease_until),
        ],
        fields: fields(&shape),
    }
}
