//! What goes wrong, and how often.

use axum::extract::State;
use windlass_core::Fingerprint;
use windlass_store::ErrorFilter;
use windlass_wire::ErrorGroupShape;
use windlass_wire::answers::Groups;

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::At;
use crate::query::{Query, write_cursor};

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<Groups> {
    let filter = ErrorFilter { kinds: query.values("kind")?, seen_since: query.since("since", app.now())? };
    let page = app.store.error_groups(filter, query.page()?).await?;
    let errors = page.items.into_iter().map(ErrorGroupShape::from).collect();
    Ok(Answer::ok(Groups { errors, next: write_cursor(page.next) }))
}

pub(crate) async fn show(State(app): State<Shared>, At(group): At<Fingerprint>) -> Reply<ErrorGroupShape> {
    Ok(Answer::ok(app.store.error_group(group).await?.into()))
}
