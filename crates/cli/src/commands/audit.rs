//! `windlass audit`

use windlass_store::{AuditEntry, AuditFilter};
use windlass_wire::AuditShape;

use crate::args::AuditArgs;
use crate::commands::begin;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};
use crate::pages;

const COLUMNS: &[Column] = &[
    Column::new("AT"),
    Column::new("BY"),
    Column::new("VERB"),
    Column::new("WHAT"),
    Column::whole("WHICH"),
    Column::new("FROM"),
    Column::new("REASON"),
];

pub(crate) async fn run(args: AuditArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let filter = AuditFilter {
        actor: args.actor,
        verb: args.verb,
        noun: None,
        subject: args.subject,
        since: args.since.map(begin),
    };
    let found =
        pages::first(args.limit as usize, async |page| store.audit(filter.clone(), page).await).await?;
    Ok(Output::list(COLUMNS, found.into_iter().map(row).collect()))
}

fn row(entry: AuditEntry) -> Row {
    let shape = AuditShape::from(entry);
    Row {
        id: shape.number.to_string(),
        cells: vec![
            Cell::Time(shape.at),
            Cell::text(&shape.by),
            Cell::text(&shape.verb),
            Cell::text(&shape.noun),
            Cell::text(&shape.subject),
            Cell::maybe(shape.address.as_ref(), Cell::text),
            Cell::maybe(shape.reason.as_ref(), Cell::text),
        ],
        fields: fields(&shape),
    }
}
