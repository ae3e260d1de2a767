//! `windlass tokens`

use serde::Serialize;
use windlass_core::Timestamp;
use windlass_store::tokens::TOKEN_VALID;
use windlass_store::{Actor, Clock, NewToken, Secret, SystemClock, Token, TokenId};

use crate::args::{By, TokenCreateArgs, TokensCommand};
use crate::context::Context;
use crate::error::{CliError, ErrorCode};
use crate::output::{Cell, Column, Output, Row, fields};
use crate::pages;

pub(crate) const FIELDS: &[&str] = &[
    "id",
    "name",
    "roles",
    "queues",
    "created_at",
    "created_by",
    "expires_at",
    "revoked_at",
    "used_at",
    "token",
];

const COLUMNS: &[Column] = &[
    Column::whole("ID"),
    Column::new("NAME"),
    Column::new("ROLES"),
    Column::new("QUEUES"),
    Column::new("CREATED"),
    Column::new("EXPIRES"),
    Column::new("REVOKED"),
    Column::new("USED"),
];

/// What is shown of a token that was just made.
const SECRET: &[Column] = &[Column::whole("TOKEN")];

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queues: Option<Vec<String>>,
    created_at: Timestamp,
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// The token itself, when it is made and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(crate) async fn run(command: TokensCommand, context: &Context) -> Result<Output, CliError> {
    match command {
        TokensCommand::List => list(context).await,
        TokensCommand::Create(args) => create(args, context).await,
        TokensCommand::Revoke { id, by } => revoke(id, by, context).await,
    }
}

async fn list(context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let all = pages::all(async |page| store.tokens(page).await).await?;
    Ok(Output::list(COLUMNS, all.into_iter().map(|token| row(token, None)).collect()))
}

async fn create(args: TokenCreateArgs, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    let secret = Secret::draw();
    let mut token = NewToken::new(&secret, args.name, args.roles);
    if !args.queues.is_empty() {
        token = token.in_queues(args.queues);
    }
    if !args.never_expires {
        token = token.until(SystemClock.now().after(args.expires.unwrap_or(TOKEN_VALID)));
    }
    store.create_token(token, Actor::new(args.by.by)).await?;
    let row = row(store.token(secret.id()).await?, Some(&secret));
    let shown = Row { cells: vec![Cell::text(secret.reveal())], ..row };
    let note = "keep it where secrets are kept: it is shown this once, and what is stored is a hash of it";
    Ok(Output::list(SECRET, vec![shown]).with_note(note.to_owned()))
}

async fn revoke(id: TokenId, by: By, context: &Context) -> Result<Output, CliError> {
    let store = context.store().await?;
    store.revoke_token(id, Actor::new(by.by)).await.map_err(|error| {
        let error = CliError::from(error);
        match error.code {
            ErrorCode::NotFound => CliError::new(ErrorCode::NotFound, format!("there is no token {id}"))
                .with_help("`windlass tokens list` shows which there are"),
            _ => error,
        }
    })?;
    let note = "servers notice within 5 seconds";
    Ok(Output::list(COLUMNS, vec![row(store.token(id).await?, None)]).with_note(note.to_owned()))
}

fn row(token: Token, secret: Option<&Secret>) -> Row {
    let shown = Shown {
        id: token.made.id.to_string(),
        name: token.made.name,
        roles: token.made.roles.iter().map(ToString::to_string).collect(),
        queues: token.made.queues,
        created_at: token.created_at,
        created_by: token.created_by,
        expires_at: token.made.expires_at,
        revoked_at: token.revoked_at,
        used_at: token.used_at,
        token: secret.map(Secret::reveal),
    };
    Row {
        id: shown.token.clone().unwrap_or_else(|| shown.id.clone()),
        cells: vec![
            Cell::text(&shown.id),
            Cell::text(&shown.name),
            Cell::text(shown.roles.join(" ")),
            Cell::text(shown.queues.as_ref().map_or_else(|| "*".to_owned(), |queues| queues.join(" "))),
            Cell::Time(shown.created_at),
            Cell::maybe(shown.expires_at, Cell::Time),
            Cell::maybe(shown.revoked_at, Cell::Time),
            Cell::maybe(shown.used_at, Cell::Time),
        ],
        fields: fields(&shown),
    }
}
