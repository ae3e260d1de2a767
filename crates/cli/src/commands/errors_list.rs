//! `windlass errors list`

use windlass_store::{Cursor, ErrorFilter, ErrorGroup, PageRequest};
use windlass_wire::ErrorGroupShape;

use crate::args::ErrorsListArgs;
use crate::commands::begin;
use crate::context::Context;
use crate::error::CliError;
use crate::output::cell::counted;
use crate::output::{Cell, Column, Output, Row, fields};

pub(super) const COLUMNS: &[Column] = &[
    Column::whole("FINGERPRINT"),
    Column::new("COUNT"),
    Column::new("LAST"),
    Column::spare("FIRST"),
    Column::new("KIND"),
    Column::spare("TYPE"),
    Column::new("MESSAGE"),
    Column::spare("EXAMPLE"),
];

pub(crate) async fn run(args: ErrorsListArgs, context: &Context) -> Result<Output, CliError> {
    let filter = ErrorFilter { kinds: args.kinds, seen_since: args.since.map(begin) };
    let page = PageRequest::first(args.limit).after(args.after.map(Cursor::at));
    let page = context.store().await?.error_groups(filter, page).await?;
    let groups = counted(page.items.len() as u64, "group");
    let note = match page.next {
        _ if page.items.is_empty() => "no errors".to_owned(),
        Some(next) => format!("{groups}, and there are more: --after {}", next.position()),
        None => groups,
    };
    Ok(Output::list(COLUMNS, page.items.into_iter().map(row).collect()).with_note(note))
}

pub(super) fn row(group: ErrorGroup) -> Row {
    Row {
        id: group.fingerprint.to_string(),
        cells: vec![
            Cell::text(group.fingerprint),
            Cell::Number(group.count),
            Cell::Time(group.last_at),
            Cell::Time(group.first_at),
            Cell::text(&group.kind),
            Cell::maybe(group.class.as_ref(), Cell::text),
            Cell::text(&group.message),
            Cell::text(group.example),
        ],
        fields: fields(&ErrorGroupShape::from(group)),
    }
}
