//! Tokens of access.

use async_trait::async_trait;
use windlass_store::{Actor, NewToken, Page, PageRequest, StoreError, Token, TokenId, TokenStore};
use windlass_wire::{AllTokens, TokenMadeShape, TokenRequest, TokenShape};

use super::{RemoteStore, by, page, verb};
use crate::ask::Ask;

#[async_trait]
impl TokenStore for RemoteStore {
    async fn create_token(&self, token: NewToken, actor: Actor) -> Result<(), StoreError> {
        let ask = Ask::post(&[&"tokens"]).harmless().named_by(&actor);
        let verb = token.validate().and_then(|()| verb(&actor));
        let ask = verb.and_then(|verb| ask.with(&TokenRequest::new(token, verb)));
        self.client().ask::<TokenMadeShape>("create the token", ask).await.map(drop)
    }

    async fn token(&self, id: TokenId) -> Result<Token, StoreError> {
        self.get::<TokenShape, _>("read the token", Ok(Ask::get(&[&"tokens", &id]))).await
    }

    async fn tokens(&self, of: PageRequest) -> Result<Page<Token>, StoreError> {
        const NAME: &str = "list tokens";
        let AllTokens { tokens, next } = self.client().ask(NAME, Ok(Ask::get(&[&"tokens"]).page(of))).await?;
        page(NAME, (tokens, next))
    }

    async fn revoke_token(&self, id: TokenId, actor: Actor) -> Result<(), StoreError> {
        let ask = by(Ask::post(&[&"tokens", &id, &"revoke"]).harmless(), &actor);
        self.done("revoke the token", ask).await
    }

    async fn use_token(&self, id: TokenId) -> Result<(), StoreError> {
        self.done("note the use of the token", Ok(Ask::post(&[&"tokens", &id, &"use"]).harmless())).await
    }
}
