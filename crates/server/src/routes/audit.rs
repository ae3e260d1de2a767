//! Who did what by hand.

use axum::extract::State;
use windlass_core::Invalid;
use windlass_store::{AuditFilter, Noun};
use windlass_wire::AuditShape;
use windlass_wire::answers::Audit;

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::query::{Query, write_cursor};

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<Audit> {
    let text = |name: &str| query.get(name).map(str::to_owned);
    let filter = AuditFilter {
        actor: text("actor"),
        verb: text("verb"),
        noun: query.get("noun").map(noun).transpose()?,
        subject: text("subject"),
        since: query.since("since", app.now())?,
    };
    let page = app.store.audit(filter, query.page()?).await?;
    let entries = page.items.into_iter().map(AuditShape::from).collect();
    Ok(Answer::ok(Audit { entries, next: write_cursor(page.next) }))
}

fn noun(name: &str) -> Result<Noun, Invalid> {
    Noun::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Noun::ALL.iter().map(|noun| noun.as_str()).collect();
        Invalid::new("noun", format!("{name:?} is not known: they are {}", known.join(", ")))
    })
}
