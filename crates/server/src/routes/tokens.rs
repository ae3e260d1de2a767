//! Tokens of access.

use axum::extract::State;
use axum::http::StatusCode;
use windlass_store::Secret;
use windlass_wire::answers::Done;
use windlass_wire::{AllTokens, TokenMadeShape, TokenRequest, TokenShape, VerbRequest};

use crate::answer::{Answer, Reply};
use crate::app::Shared;
use crate::input::{At, By, Sent, TokenRef};
use crate::query::{Query, write_cursor};

pub(crate) async fn list(State(app): State<Shared>, query: Query) -> Reply<AllTokens> {
    let page = app.store.tokens(query.page()?).await?;
    let tokens = page.items.into_iter().map(TokenShape::from).collect();
    Ok(Answer::ok(AllTokens { tokens, next: write_cursor(page.next) }))
}

/// The secret is told in this answer, and nowhere else again.
pub(crate) async fn create(
    State(app): State<Shared>,
    By(caller): By,
    Sent(request): Sent<TokenRequest>,
) -> Reply<TokenMadeShape> {
    let by = caller.actor(request.verb.by.clone(), request.verb.reason.clone());
    let (token, secret) = request.into_new_token(app.now(), Secret::draw)?;
    let id = token.id;
    app.store.create_token(token, by).await?;
    Ok(Answer::with_status(StatusCode::CREATED, TokenMadeShape::new(id, secret.as_ref())))
}

pub(crate) async fn show(State(app): State<Shared>, At(TokenRef(id)): At<TokenRef>) -> Reply<TokenShape> {
    Ok(Answer::ok(app.store.token(id).await?.into()))
}

pub(crate) async fn revoke(
    State(app): State<Shared>,
    By(caller): By,
    At(TokenRef(id)): At<TokenRef>,
    Sent(verb): Sent<VerbRequest>,
) -> Reply<Done> {
    app.store.revoke_token(id, caller.actor(verb.by, verb.reason)).await?;
    Ok(Answer::ok(Done {}))
}

/// For a door that keeps its tokens here, and notes who comes.
pub(crate) async fn note_use(State(app): State<Shared>, At(TokenRef(id)): At<TokenRef>) -> Reply<Done> {
    app.store.use_token(id).await?;
    Ok(Answer::ok(Done {}))
}
