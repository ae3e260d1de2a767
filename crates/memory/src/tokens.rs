//! Tokens of access.

use async_trait::async_trait;
use windlass_core::{Invalid, Timestamp};
use windlass_store::tokens::TOKEN_USE_GRAIN;
use windlass_store::{
    Actor, Cursor, ErrorKind, NewToken, Noun, Page, PageRequest, StoreError, Token, TokenId, TokenStore,
};

use crate::MemoryStore;
use crate::state::State;

#[async_trait]
impl TokenStore for MemoryStore {
    async fn create_token(&self, token: NewToken, by: Actor) -> Result<(), StoreError> {
        self.act("create the token", |state, now| state.create_token(token, by, now))
    }

    async fn token(&self, id: TokenId) -> Result<Token, StoreError> {
        self.act("read the token", |state, _| Ok(state.token(id)?.clone()))
    }

    async fn tokens(&self, page: PageRequest) -> Result<Page<Token>, StoreError> {
        self.act("list tokens", |state, _| {
            let end = page.cursor().and_then(|cursor| usize::try_from(cursor.position()).ok());
            let end = end.unwrap_or(usize::MAX).min(state.tokens.len());
            let start = end.saturating_sub(page.limit() as usize);
            let items = state.tokens[start..end].iter().rev().cloned().collect();
            let next = i64::try_from(start).ok().filter(|start| *start > 0).map(Cursor::at);
            Ok(Page { items, next })
        })
    }

    async fn revoke_token(&self, id: TokenId, by: Actor) -> Result<(), StoreError> {
        self.act("revoke the token", |state, now| {
            by.validate().map_err(ErrorKind::Invalid)?;
            let token = state.token(id)?;
            if token.revoked_at.is_none() {
                token.revoked_at = Some(now);
                state.audited("revoke", (Noun::Token, id), by);
            }
            Ok(())
        })
    }

    async fn use_token(&self, id: TokenId) -> Result<(), StoreError> {
        self.act("note the use of the token", |state, now| {
            let token = state.token(id)?;
            if token.used_at.is_none_or(|used_at| now >= used_at.after(TOKEN_USE_GRAIN)) {
                token.used_at = Some(now);
            }
            Ok(())
        })
    }
}

impl State {
    fn token(&mut self, id: TokenId) -> Result<&mut Token, ErrorKind> {
        self.tokens.iter_mut().find(|token| token.made.id == id).ok_or(ErrorKind::NotFound)
    }

    fn create_token(&mut self, made: NewToken, by: Actor, now: Timestamp) -> Result<(), ErrorKind> {
        made.validate().map_err(ErrorKind::Invalid)?;
        by.validate().map_err(ErrorKind::Invalid)?;
        if self.token(made.id).is_ok() {
            return Ok(());
        }
        let has_name = |token: &Token| token.revoked_at.is_none() && token.made.name == made.name;
        if self.tokens.iter().any(has_name) {
            return Err(ErrorKind::Invalid(Invalid::new("name", "is that of a token that is not revoked")));
        }
        let (id, created_by) = (made.id, by.name.clone());
        self.tokens.push(Token { made, created_at: now, created_by, revoked_at: None, used_at: None });
        self.audited("create", (Noun::Token, id), by);
        Ok(())
    }
}
