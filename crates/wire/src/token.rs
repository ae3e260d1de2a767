//! Tokens of access: as they are asked for, and as they are shown.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use windlass_core::{Invalid, Timestamp, span};
use windlass_store::{NewToken, Role, Secret, SecretHash, Token, TokenId};

use crate::VerbRequest;
use crate::body::{Body, FromBody};

/// A token that is asked for: the body of `POST /api/v1/tokens`.
///
/// The server draws its secret and answers it, once. Who has drawn one sends its `id` and its `hash` instead, and keeps the
/// secret; asking again with the same is safe then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TokenRequest {
    /// Whose it is.
    pub name: String,
    /// What may be done with it.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    #[serde(serialize_with = "words")]
    pub roles: Vec<Role>,
    /// In which queues: names, or beginnings of names that end in `*`; everywhere unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<String>>,
    /// From when on it is not valid any more; never unless said. Excludes `valid_for`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How long it is valid. Excludes `expires_at`.
    #[serde(with = "span::text_option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub valid_for: Option<Duration>,
    /// The id of a token whose secret the caller has drawn; goes with `hash`.
    #[serde(serialize_with = "word", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub id: Option<TokenId>,
    /// The SHA-256 of the 32 bytes of that secret, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub hash: Option<HashShape>,
    /// In whose name, and why.
    #[serde(flatten)]
    pub verb: VerbRequest,
}

fn words<S: serde::Serializer>(roles: &[Role], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(roles.iter().map(|role| role.as_str()))
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn word<S: serde::Serializer>(id: &Option<TokenId>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

impl TokenRequest {
    /// The name of every field, in order.
    pub const FIELDS: &[&str] =
        &["name", "roles", "queues", "expires_at", "valid_for", "id", "hash", "reason", "by"];

    /// This token, whose secret the caller keeps.
    #[must_use]
    pub fn new(token: NewToken, verb: VerbRequest) -> Self {
        Self {
            name: token.name,
            roles: token.roles,
            queues: token.queues,
            expires_at: token.expires_at,
            valid_for: None,
            id: Some(token.id),
            hash: Some(HashShape(*token.hash.as_bytes())),
            verb,
        }
    }

    /// What the model takes, at `now`; and the secret, if `draw` had to be asked for one.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `expires_at`, `id` or `hash`.
    pub fn into_new_token(
        self,
        now: Timestamp,
        draw: impl FnOnce() -> Secret,
    ) -> Result<(NewToken, Option<Secret>), Invalid> {
        let (id, hash, secret) = match (self.id, self.hash) {
            (Some(id), Some(hash)) => (id, SecretHash::from_bytes(hash.0), None),
            (None, None) => {
                let secret = draw();
                (secret.id(), secret.hash(), Some(secret))
            }
            (Some(_), None) => return Err(Invalid::new("hash", "is missing: it goes with id")),
            (None, Some(_)) => return Err(Invalid::new("id", "is missing: it goes with hash")),
        };
        let expires_at = match (self.expires_at, self.valid_for) {
            (Some(_), Some(_)) => {
                return Err(Invalid::new("valid_for", "cannot be given together with expires_at"));
            }
            (at, None) => at,
            (None, Some(long)) => Some(now.after(long)),
        };
        let token =
            NewToken { id, hash, name: self.name, roles: self.roles, queues: self.queues, expires_at };
        Ok((token, secret))
    }
}

impl FromBody for TokenRequest {
    fn from_body(text: &str) -> Result<Self, Invalid> {
        let body = Body::read("a token", text, Self::FIELDS)?;
        let roles: Vec<String> = body.optional("roles")?.unwrap_or_default();
        let id: Option<String> = body.optional("id")?;
        let of_id = |invalid: Invalid| Invalid { field: "id".to_owned(), ..invalid };
        Ok(Self {
            name: body.required("name")?,
            roles: roles.iter().map(|role| role.parse()).collect::<Result<_, _>>()?,
            queues: body.optional("queues")?,
            expires_at: body.instant("expires_at")?,
            valid_for: body.span("valid_for")?,
            id: id.map(|id| id.parse()).transpose().map_err(of_id)?,
            hash: body.optional("hash")?,
            verb: VerbRequest::of(&body)?,
        })
    }
}

/// The hash of a secret, in hexadecimal. It tells nobody what the secret is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HashShape(pub [u8; 32]);

impl From<HashShape> for String {
    fn from(hash: HashShape) -> Self {
        windlass_core::Digest::from_bytes(hash.0).to_string()
    }
}

impl TryFrom<String> for HashShape {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let digest: windlass_core::Digest =
            text.parse().map_err(|_| Invalid::new("hash", "is not 64 hexadecimal digits"))?;
        Ok(Self(*digest.as_bytes()))
    }
}

impl fmt::Debug for HashShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashShape(***)")
    }
}

/// What a token was made as. The secret is told here, and nowhere else again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TokenMadeShape {
    /// Its id, which is no secret.
    pub id: String,
    /// The token itself, unless the caller drew its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl TokenMadeShape {
    /// The token of this id, and its secret if the server drew it.
    #[must_use]
    pub fn new(id: TokenId, secret: Option<&Secret>) -> Self {
        Self { id: id.to_string(), token: secret.map(Secret::reveal) }
    }
}

impl fmt::Debug for TokenMadeShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMadeShape").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A token, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct TokenShape {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What may be done with it.
    pub roles: Vec<String>,
    /// In which queues; everywhere where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<String>>,
    /// From when on it is not valid any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Since when it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// What is kept of its secret, for a door that asks from afar.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub hash: HashShape,
}

impl From<Token> for TokenShape {
    fn from(token: Token) -> Self {
        let Token { made, created_at, created_by, revoked_at, used_at } = token;
        let NewToken { id, hash, name, roles, queues, expires_at } = made;
        Self {
            id: id.to_string(),
            name,
            roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
            queues,
            expires_at,
            created_at,
            created_by,
            revoked_at,
            used_at,
            hash: HashShape(*hash.as_bytes()),
        }
    }
}

impl TryFrom<TokenShape> for Token {
    type Error = Invalid;

    fn try_from(shape: TokenShape) -> Result<Self, Invalid> {
        let roles = shape.roles.iter().map(|role| role.parse()).collect::<Result<_, _>>()?;
        let made = NewToken {
            id: shape.id.parse()?,
            hash: SecretHash::from_bytes(shape.hash.0),
            name: shape.name,
            roles,
            queues: shape.queues,
            expires_at: shape.expires_at,
        };
        let TokenShape { created_at, created_by, revoked_at, used_at, .. } = shape;
        Ok(Self { made, created_at, created_by, revoked_at, used_at })
    }
}

/// Tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AllTokens {
    /// The newest first.
    pub tokens: Vec<TokenShape>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
