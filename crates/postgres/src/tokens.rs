//! Tokens of access.

use async_trait::async_trait;
use tokio_postgres::Row;
use windlass_core::Invalid;
use windlass_store::tokens::TOKEN_USE_GRAIN;
use windlass_store::{
    Actor, Cursor, ErrorKind, NewToken, Noun, Page, PageRequest, SecretHash, StoreError, Token, TokenId,
    TokenStore,
};

use crate::database::{Session, Values};
use crate::error::During;
use crate::value::instant;
use crate::workers::micros;
use crate::{PostgresStore, audit, row, sql};

#[async_trait]
impl TokenStore for PostgresStore {
    async fn create_token(&self, token: NewToken, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "create the token";
        token.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = create(&transaction, &token, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn token(&self, id: TokenId) -> Result<Token, StoreError> {
        const NAME: &str = "read the token";
        let session = self.core.database.call(NAME).await?;
        read(&session, id, NAME).await?.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
    }

    async fn tokens(&self, page: PageRequest) -> Result<Page<Token>, StoreError> {
        const NAME: &str = "list tokens";
        let session = self.core.database.call(NAME).await?;
        let before = page.cursor().map_or(i64::MAX, Cursor::position);
        let limit = page.limit() as usize;
        let values: Values<'_> = &[&before, &(i64::from(page.limit()) + 1)];
        let found = session.query(sql::token::LIST, values).await.during(NAME)?;
        let last = found.get(limit.saturating_sub(1)).map(|last| Cursor::at(last.get(9)));
        let items = found.iter().take(limit).map(token).collect::<Result<_, _>>()?;
        Ok(Page { items, next: last.filter(|_| found.len() > limit) })
    }

    async fn revoke_token(&self, id: TokenId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "revoke the token";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        let transaction = self.core.database.begin(NAME).await?;
        let outcome = revoke(&transaction, id, &by, NAME).await;
        transaction.end(outcome, NAME).await
    }

    async fn use_token(&self, id: TokenId) -> Result<(), StoreError> {
        const NAME: &str = "note the use of the token";
        let session = self.core.database.call(NAME).await?;
        let values: Values<'_> = &[&session.now, &id.to_string(), &micros(TOKEN_USE_GRAIN)];
        let known = session.query_opt(sql::token::USE, values).await.committing(NAME)?;
        known.map(|_| ()).ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
    }
}

async fn read(session: &Session, id: TokenId, name: &'static str) -> Result<Option<Token>, StoreError> {
    let found = session.query_opt(sql::token::READ, &[&id.to_string()]).await.during(name)?;
    found.as_ref().map(token).transpose()
}

async fn create(
    session: &Session,
    made: &NewToken,
    by: &Actor,
    name: &'static str,
) -> Result<(), StoreError> {
    let roles: Vec<&str> = made.roles.iter().map(|role| role.as_str()).collect();
    let (id, hash, roles) = (made.id.to_string(), made.hash.as_bytes().as_slice(), roles.join(" "));
    let queues = made.queues.as_ref().map(|queues| queues.join(" "));
    let expires_at = instant(made.expires_at);
    let values: Values<'_> = &[&session.now, &id, &hash, &made.name, &roles, &queues, &expires_at, &by.name];
    if session.query_opt(sql::token::CREATE, values).await.during(name)?.is_some() {
        return audit::record(session, "create", (Noun::Token, vec![id]), (by, name)).await;
    }
    if read(session, made.id, name).await?.is_some() {
        return Ok(());
    }
    Err(StoreError::invalid(name, Invalid::new("name", "is that of a token that is not revoked")))
}

async fn revoke(session: &Session, id: TokenId, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    let values: Values<'_> = &[&session.now, &id.to_string()];
    if session.query_opt(sql::token::REVOKE, values).await.during(name)?.is_some() {
        return audit::record(session, "revoke", (Noun::Token, vec![id.to_string()]), (by, name)).await;
    }
    let known = read(session, id, name).await?;
    known.map(|_| ()).ok_or_else(|| StoreError::new(name, ErrorKind::NotFound))
}

fn token(found: &Row) -> Result<Token, StoreError> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let hash: &[u8] = found.get(1);
    let hash = hash.try_into().map_err(|_| row::damaged("the hash of a token has another length"))?;
    let roles = words(found.get(3)).iter().map(|role| role.parse()).collect::<Result<_, _>>();
    Ok(Token {
        made: NewToken {
            id: row::name(found, 0)?,
            hash: SecretHash::from_bytes(hash),
            name: found.get(2),
            roles: roles.map_err(|invalid: Invalid| row::damaged(invalid))?,
            queues: found.get::<_, Option<&str>>(4).map(words),
            expires_at: row::instant_option(found, 5),
        },
        created_at: row::instant(found, 6),
        created_by: found.get(7),
        revoked_at: row::instant_option(found, 8),
        used_at: row::instant_option(found, 10),
    })
}
