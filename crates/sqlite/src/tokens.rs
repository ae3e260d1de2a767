//! Tokens of access.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use windlass_core::{Invalid, Timestamp};
use windlass_store::tokens::TOKEN_USE_GRAIN;
use windlass_store::{
    Actor, Cursor, ErrorKind, NewToken, Noun, Page, PageRequest, Role, SecretHash, StoreError, Token,
    TokenId, TokenStore,
};

use crate::error::During;
use crate::writer::Tx;
use crate::{SqliteStore, audit, row, sql};

#[async_trait]
impl TokenStore for SqliteStore {
    async fn create_token(&self, token: NewToken, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "create the token";
        token.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer.run(NAME, move |tx| create(tx, &token, &by, NAME)).await
    }

    async fn token(&self, id: TokenId) -> Result<Token, StoreError> {
        const NAME: &str = "read the token";
        self.readers
            .run(NAME, move |connection| {
                let mut statement = connection.prepare_cached(sql::token::READ).during(NAME)?;
                let found = statement.query_row([id.to_string()], token).optional().during(NAME)?;
                found.ok_or_else(|| StoreError::new(NAME, ErrorKind::NotFound))
            })
            .await
    }

    async fn tokens(&self, page: PageRequest) -> Result<Page<Token>, StoreError> {
        const NAME: &str = "list tokens";
        self.readers
            .run(NAME, move |connection| {
                let before = page.cursor().map_or(i64::MAX, Cursor::position);
                let list = || {
                    let mut statement = connection.prepare_cached(sql::token::LIST)?;
                    let values = params![before, page.limit() + 1];
                    let found = statement.query_map(values, |row| Ok((token(row)?, row.get(9)?)))?;
                    found.collect::<Result<Vec<(Token, i64)>, _>>()
                };
                let mut found = list().during(NAME)?;
                let more = found.len() > page.limit() as usize;
                found.truncate(page.limit() as usize);
                let next = found.last().filter(|_| more).map(|(_, number)| Cursor::at(*number));
                Ok(Page { items: found.into_iter().map(|(token, _)| token).collect(), next })
            })
            .await
    }

    async fn revoke_token(&self, id: TokenId, by: Actor) -> Result<(), StoreError> {
        const NAME: &str = "revoke the token";
        by.validate().map_err(|invalid| StoreError::invalid(NAME, invalid))?;
        self.writer
            .run(NAME, move |tx| {
                expect(tx, id, NAME)?;
                let values = params![id.to_string(), tx.now.as_micros()];
                let revoke = || tx.connection.prepare_cached(sql::token::REVOKE)?.execute(values);
                if revoke().during(NAME)? > 0 {
                    audit::record(tx, "revoke", (Noun::Token, &id.to_string()), &by).during(NAME)?;
                }
                Ok(())
            })
            .await
    }

    async fn use_token(&self, id: TokenId) -> Result<(), StoreError> {
        const NAME: &str = "note the use of the token";
        self.writer
            .run(NAME, move |tx| {
                expect(tx, id, NAME)?;
                let before = tx.now.before(TOKEN_USE_GRAIN).as_micros();
                let values = params![id.to_string(), tx.now.as_micros(), before];
                let used = || tx.connection.prepare_cached(sql::token::USE)?.execute(values);
                used().during(NAME).map(|_| ())
            })
            .await
    }
}

fn expect(tx: &Tx<'_>, id: TokenId, name: &'static str) -> Result<(), StoreError> {
    let known = || tx.connection.prepare_cached(sql::token::READ)?.exists([id.to_string()]);
    if known().during(name)? { Ok(()) } else { Err(StoreError::new(name, ErrorKind::NotFound)) }
}

fn create(tx: &Tx<'_>, made: &NewToken, by: &Actor, name: &'static str) -> Result<(), StoreError> {
    match expect(tx, made.id, name) {
        Ok(()) => return Ok(()),
        Err(error) if *error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let taken = || tx.connection.prepare_cached(sql::token::NAMED)?.exists([&made.name]);
    if taken().during(name)? {
        let invalid = Invalid::new("name", "is that of a token that is not revoked");
        return Err(StoreError::invalid(name, invalid));
    }
    let roles: Vec<&str> = made.roles.iter().map(|role| role.as_str()).collect();
    let id = made.id.to_string();
    let values = params![
        id,
        made.hash.as_bytes(),
        made.name,
        roles.join(" "),
        made.queues.as_ref().map(|queues| queues.join(" ")),
        made.expires_at.map(Timestamp::as_micros),
        tx.now.as_micros(),
        by.name,
    ];
    let insert = || tx.connection.prepare_cached(sql::token::CREATE)?.execute(values);
    insert().during(name)?;
    audit::record(tx, "create", (Noun::Token, &id), by).during(name)
}

fn token(found: &Row<'_>) -> rusqlite::Result<Token> {
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let roles = words(found.get(3)?);
    Ok(Token {
        made: NewToken {
            id: row::name(found, 0)?,
            hash: SecretHash::from_bytes(found.get(1)?),
            name: found.get(2)?,
            roles: roles.iter().map(|role| row::read_text::<Role>(role, 3)).collect::<Result<_, _>>()?,
            queues: found.get::<_, Option<String>>(4)?.map(words),
            expires_at: row::instant_option(found, 5)?,
        },
        created_at: row::instant(found, 6)?,
        created_by: found.get(7)?,
        revoked_at: row::instant_option(found, 8)?,
        used_at: row::instant_option(found, 10)?,
    })
}
