//! `windlass queues limit` and `windlass queues rate`

use windlass_core::{Bounds, KindName, Pace, QueueName, Whole, span};
use windlass_store::Actor;

use crate::args::{By, LimitArgs, RateArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Column, Output, Row, fields};

const COLUMNS: &[Column] =
    &[Column::whole("NAME"), Column::new("WHAT"), Column::new("LIMIT"), Column::new("RATE")];

pub(crate) const FIELDS: &[&str] = windlass_wire::BoundShape::FIELDS;

pub(crate) async fn limit(args: LimitArgs, context: &Context) -> Result<Output, CliError> {
    let whole = whole(args.queue, args.kind)?;
    change(&whole, (context, args.by), |bounds| bounds.limit = args.limit.0).await
}

pub(crate) async fn rate(args: RateArgs, context: &Context) -> Result<Output, CliError> {
    let whole = whole(args.queue, args.kind)?;
    change(&whole, (context, args.by), |bounds| bounds.rate = args.rate.0).await
}

fn whole(name: QueueName, is_kind: bool) -> Result<Whole, CliError> {
    if !is_kind {
        return Ok(Whole::Queue(name));
    }
    KindName::new(name.as_str()).map(Whole::Kind).map_err(|invalid| CliError::invalid(&invalid))
}

async fn change(
    whole: &Whole,
    (context, by): (&Context, By),
    change: impl FnOnce(&mut Bounds),
) -> Result<Output, CliError> {
    let store = context.store().await?;
    let known = store.bounds().await?.into_iter().find(|(of, _)| of == whole);
    let mut bounds = known.map(|(_, bounds)| bounds).unwrap_or_default();
    change(&mut bounds);
    store.bound(whole, bounds, Actor::new(by.by)).await?;
    let note = if bounds.limit.is_none() && bounds.rate.is_none() {
        "its jobs are not bounded any more"
    } else {
        "over all workers; jobs that run already go on, and count"
    };
    Ok(Output::list(COLUMNS, vec![row(whole, bounds)]).with_note(note.to_owned()))
}

fn row(whole: &Whole, bounds: Bounds) -> Row {
    let (name, what) = match whole {
        Whole::Queue(queue) => (queue.as_str(), "queue"),
        Whole::Kind(kind) => (kind.as_str(), "kind"),
    };
    Row {
        id: name.to_owned(),
        cells: vec![
            Cell::text(name),
            Cell::text(what),
            Cell::maybe(bounds.limit, |limit| Cell::Number(limit.into())),
            Cell::maybe(bounds.rate, |rate| Cell::Text(told(rate))),
        ],
        fields: fields(&windlass_wire::BoundShape::of(whole, bounds)),
    }
}

/// A pace as it is given on the command line.
pub(super) fn told(pace: Pace) -> String {
    let Pace { starts, per, burst } = pace;
    let burst = if burst == 1 { String::new() } else { format!(",{burst}") };
    format!("{starts}/{}{burst}", span::format(per))
}
