//! Tokens of access: who may do what through a door.
//!
//! A token is written `wl_<id>_<secret>`. The id finds it; of the secret no more is kept than its hash, so nobody who can
//! read the store can use what they find there.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use windlass_core::limits::NAME_BYTES_MAX;
use windlass_core::{Invalid, Timestamp};

use crate::{Actor, Page, PageRequest, Role, StoreError};

/// What every token begins with, for those who look for secrets in the wrong places.
const PREFIX: &str = "wl_";

/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// Most globs of one token.
const QUEUES_MAX: usize = 64;

/// How long a token is valid if nobody says: a quarter of a year.
pub const TOKEN_VALID: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How exactly it is kept when a token was last used: nobody needs to know better, and each time is a write.
pub const TOKEN_USE_GRAIN: Duration = Duration::from_secs(60);

/// Finds a token. No secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(u64);

impl TokenId {
    /// The id of this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

impl FromStr for TokenId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let lower = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match u64::from_str_radix(text, 16) {
            Ok(number) if text.len() == 16 && lower => Ok(Self(number)),
            _ => Err(Invalid::new("token", "is no id of a token: sixteen digits and letters from a to f")),
        }
    }
}

/// A token as its owner has it. Shown once, kept nowhere, and never printed by accident: only [`reveal`](Self::reveal) says it.
#[derive(Clone)]
pub struct Secret {
    id: TokenId,
    bytes: [u8; SECRET_BYTES],
}

impl Secret {
    /// A fresh one, of 256 random bits.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give, in which case no token would be safe.
    #[must_use]
    pub fn draw() -> Self {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        let id = getrandom::u64().expect("the operating system gives randomness");
        Self { id: TokenId(id), bytes }
    }

    /// Reads a token as it is written. What is wrong with it is not said: it may be a secret of something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { id: id.parse().ok()?, bytes })
    }

    /// Which token it is.
    #[must_use]
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// What of it is kept.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.bytes).into())
    }

    /// As it is written, for its owner alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, URL_SAFE_NO_PAD.encode(self.bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, ***)", self.id)
    }
}

/// The hash of a secret. The secret has as many random bits as the hash has, so a fast hash tells nobody what it is.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as stores keep it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether it is the hash of `secret`; takes the same time wherever they differ.
    #[must_use]
    pub fn is_of(&self, secret: &Secret) -> bool {
        self.0.ct_eq(&secret.hash().0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(***)")
    }
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// Whose it is. No two that are not revoked have the same, so it says who changed something.
    pub name: String,
    /// What may be done with it, all of them together.
    pub roles: Vec<Role>,
    /// To which queues: names, or beginnings of names that end in `*`; none for all of them.
    pub queues: Option<Vec<String>>,
    /// From when on it is not valid any more; none for never.
    pub expires_at: Option<Timestamp>,
}

impl NewToken {
    /// A token of this secret that never expires, for all queues.
    pub fn new(secret: &Secret, name: impl Into<String>, roles: impl IntoIterator<Item = Role>) -> Self {
        Self {
            id: secret.id(),
            hash: secret.hash(),
            name: name.into(),
            roles: roles.into_iter().collect(),
            queues: None,
            expires_at: None,
        }
    }

    /// The same, for these queues alone.
    #[must_use]
    pub fn in_queues<T: Into<String>>(self, queues: impl IntoIterator<Item = T>) -> Self {
        Self { queues: Some(queues.into_iter().map(Into::into).collect()), ..self }
    }

    /// The same, valid until then.
    #[must_use]
    pub fn until(self, instant: Timestamp) -> Self {
        Self { expires_at: Some(instant), ..self }
    }

    /// Refuses a token that could do nothing, or that nobody could tell from others.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with the field `name`, `roles` or `queues`.
    pub fn validate(&self) -> Result<(), Invalid> {
        Actor::new(self.name.as_str()).validate().map_err(|invalid| Invalid::new("name", invalid.problem))?;
        if self.roles.is_empty() {
            return Err(Invalid::new("roles", "must be one or more"));
        }
        let mut roles = self.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        if roles.len() < self.roles.len() {
            return Err(Invalid::new("roles", "name one twice"));
        }
        self.check_queues()
    }

    fn check_queues(&self) -> Result<(), Invalid> {
        let queues = self.queues.as_deref().unwrap_or(&["*".to_owned()]).to_vec();
        if queues.is_empty() || queues.len() > QUEUES_MAX {
            return Err(Invalid::new("queues", format!("must be 1 to {QUEUES_MAX}, or all of them")));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
        for glob in &queues {
            let start = glob.strip_suffix('*').unwrap_or(glob);
            if glob.is_empty() || glob.len() > NAME_BYTES_MAX || !start.bytes().all(allowed) {
                let problem =
                    format!("{glob:?} is no name of a queue, nor the beginning of one with a * after it");
                return Err(Invalid::new("queues", problem));
            }
        }
        Ok(())
    }
}

/// A token as a store keeps it.
#[derive(Debug, Clone)]
pub struct Token {
    /// What was asked for.
    pub made: NewToken,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Since when it is not valid any more because somebody said so.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within [`TOKEN_USE_GRAIN`].
    pub used_at: Option<Timestamp>,
}

impl Token {
    /// Whether it lets anybody in at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.made.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// Tokens as those see them who hand them out, and the doors that ask for them.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Makes a token. One of this id that is there already is left as it is: so a call whose outcome is unknown may be
    /// repeated.
    ///
    /// # Errors
    ///
    /// `Invalid(name)`, also where another token has it that is not revoked; `Invalid(roles)`, `Invalid(queues)`,
    /// `Invalid(by…)`.
    async fn create_token(&self, token: NewToken, by: Actor) -> Result<(), StoreError>;

    /// The token of this id, be it valid or not.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Corrupt` where it cannot be read by this version.
    async fn token(&self, id: TokenId) -> Result<Token, StoreError>;

    /// Every token that ever was, the newest first.
    async fn tokens(&self, page: PageRequest) -> Result<Page<Token>, StoreError>;

    /// Makes the token let nobody in any more. One that is revoked stays so since when it was.
    ///
    /// # Errors
    ///
    /// `NotFound`; `Invalid(by…)`.
    async fn revoke_token(&self, id: TokenId, by: Actor) -> Result<(), StoreError>;

    /// Notes that the token was used now, unless that was noted less than [`TOKEN_USE_GRAIN`] ago. No change by hand.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    async fn use_token(&self, id: TokenId) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_matches_its_hash_alone() {
        let (one, other) = (Secret::draw(), Secret::draw());

        let read = Secret::parse(&one.reveal()).unwrap();

        assert_eq!(read.id(), one.id());
        assert!(one.hash().is_of(&read) && !other.hash().is_of(&read));
        assert_eq!(one.reveal().len(), "wl_".len() + 16 + 1 + 43);
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = Secret::draw().reveal();
        let cut = &good[..good.len() - 1];
        let shouted = good.to_uppercase();
        for wrong in ["", "wl_", "wl__", cut, &good[1..], &format!("{good}A"), &shouted, &format!(" {good}")]
        {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_secret_is_printed_by_accident() {
        let secret = Secret::draw();
        let shown = secret.reveal();
        let hidden = shown.splitn(3, '_').nth(2).unwrap();
        let token = NewToken::new(&secret, "ada", [Role::Admin]);

        let printed = format!("{secret:?} {:?} {token:?}", secret.hash());

        assert!(!printed.contains(hidden), "{printed}");
        assert!(printed.contains("***"));
    }

    #[test]
    fn a_token_that_could_do_nothing_is_refused_by_field() {
        let token = || NewToken::new(&Secret::draw(), "ci", [Role::Worker]);
        let field = |token: NewToken| token.validate().unwrap_err().field;

        assert!(token().in_queues(["billing.*", "mail", "*"]).validate().is_ok());
        assert_eq!(field(NewToken { name: String::new(), ..token() }), "name");
        assert_eq!(field(NewToken { roles: Vec::new(), ..token() }), "roles");
        assert_eq!(field(NewToken { roles: vec![Role::Viewer, Role::Viewer], ..token() }), "roles");
        for wrong in ["", "a*b", "a b", &"x".repeat(129)] {
            assert_eq!(field(token().in_queues([wrong])), "queues", "{wrong:?}");
        }
        assert_eq!(field(token().in_queues(Vec::<String>::new())), "queues");
    }
}
