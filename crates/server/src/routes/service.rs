//! Whether the server lives, and what it can do.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::answer::{Answer, Failure, Reply};
use crate::app::Shared;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Says no more than that it lives: anybody may ask.
pub(crate) async fn health() -> Answer<Health> {
    Answer::ok(Health { status: "ok" })
}

/// Whether the store answers.
pub(crate) async fn ready(State(app): State<Shared>) -> Reply<Health> {
    if app.stopping.is_cancelled() {
        return Err(Failure::new("unavailable", "the server is about to stop"));
    }
    app.store.status().await.map_err(|error| {
        tracing::warn!(?error, "the store does not answer");
        Failure::new("unavailable", "the store does not answer").retry_after(1)
    })?;
    Ok(Answer::ok(Health { status: "ready" }))
}

/// What the API is, as an `OpenAPI` document.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], crate::openapi::text())
}
